/* SPDX-License-Identifier: Apache-2.0 */
#include "pb_remote_world.h"

#include <stdlib.h>

#include "check.h"

static const uint8_t uuid[UUID_LEN] = { 0xA0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const struct access_target server = { .dst = FAKE_SERVER,
					     .app_index = ACCESS_DEVICE_KEY,
					     .ttl = ACCESS_DEFAULT_TTL };

static void note(struct world *w, const char *word)
{
	size_t n = strlen(w->log);

	check(!w->inside);
	check_int(w->closed, 0);
	snprintf(w->log + n, sizeof(w->log) - n, "%s%s", n ? " " : "", word);
}

void world_close(struct world *w, enum prov_close_reason reason)
{
	w->inside = true;
	w->c->ops->close(w->c, reason);
	w->inside = false;
}

static void send_next(struct world *w)
{
	const uint8_t pdu[2] = { (uint8_t)(w->sent + 1), 0x55 };

	w->inside = true;
	if (w->sent < w->pdus)
		w->c->ops->send(w->c, bytes_of(pdu, sizeof(pdu)));
	else if (!w->nobody_closes)
		w->c->ops->close(w->c, PROV_CLOSE_SUCCESS);
	w->inside = false;
}

static void on_opened(void *ctx)
{
	struct world *w = ctx;

	note(w, "opened");
	w->opened++;
	send_next(w);
}

static void on_sent(void *ctx)
{
	struct world *w = ctx;

	note(w, "sent");
	w->sent++;
	if (w->rpr.no_answer)
		send_next(w);
}

static void on_received(void *ctx, struct bytes pdu)
{
	struct world *w = ctx;
	char word[16];

	check(pdu.n > 0);
	snprintf(word, sizeof(word), "%02x", pdu.p[0]);
	note(w, word);
	if (w->received < FAKE_PDUS)
		w->got[w->received] = pdu.p[0];
	w->received++;
	if (w->received == w->sent)
		send_next(w);
}

static void on_closed(void *ctx, enum carrier_end end)
{
	struct world *w = ctx;

	note(w, "closed");
	w->closed++;
	w->end = end;
	w->ended = timers_now(&w->timers);
	if (w->free_in_closed) {
		pb_remote_free(w->c);
		w->c = NULL;
	}
}

static const struct prov_carrier_events events = { on_opened, on_sent, on_received, on_closed };

static void peer(void *ctx, const struct access_target *to, uint32_t opcode, struct bytes params)
{
	struct world *w = ctx;

	check_int(to->dst, FAKE_SERVER);
	check_int(to->app_index, ACCESS_DEVICE_KEY);
	if (opcode == OP_RPR_PDU_SEND)
		check(to->segmented);
	if (opcode == OP_RPR_LINK_OPEN && w->nppi)
		check_int(params.n, 1);
	else if (opcode == OP_RPR_LINK_OPEN)
		check_int(params.n, UUID_LEN); /* a Timeout is the link's life to some servers */
	fake_rpr_hear(&w->rpr, opcode, params);
}

struct world *world_new(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));

	timers_init(&w->timers, SEC(1000));
	fake_access_init(&w->access, &w->timers, seed);
	fake_rpr_init(&w->rpr, &w->access, &w->timers);
	w->access.peer = peer;
	w->access.ctx = w;
	world_carrier(w, NULL);
	w->pdus = 2;
	return w;
}

void world_carrier(struct world *w, const struct pb_remote_options *options)
{
	pb_remote_free(w->c);
	w->nppi = options && options->nppi;
	w->c = pb_remote_new(&w->access, &w->timers, &server, options);
	w->c->events = &events;
	w->c->ctx = w;
}

void world_open(struct world *w)
{
	w->started = timers_now(&w->timers);
	w->inside = true;
	w->c->ops->open(w->c, uuid);
	w->inside = false;
}

void world_run(struct world *w, uint64_t time)
{
	timers_advance(&w->timers, timers_now(&w->timers) + time);
}

void world_free(struct world *w)
{
	pb_remote_free(w->c);
	fake_rpr_free(&w->rpr);
	fake_access_free(&w->access);
	timers_free(&w->timers);
	free(w);
}

enum fake_fate world_fate_by_loss(void *ctx, bool outgoing, uint32_t opcode, unsigned nth)
{
	const struct world *w = ctx;
	const struct world_loss *l = w->loss;

	return outgoing == l->outgoing && opcode == l->opcode && nth >= l->from && nth <= l->to
		       ? l->fate
		       : FAKE_DELIVER;
}
