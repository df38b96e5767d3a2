/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_access.h"
#include "model_config.h"

static const struct access_target node = { .dst = 0x0010,
					   .app_index = ACCESS_DEVICE_KEY,
					   .ttl = ACCESS_DEFAULT_TTL };
static const struct model_ref sig = { .element = 0x0011, .model = 0x1000 };
static const struct model_ref vendor = { .element = 0x0011, .model = 0x005F0001, .vendor = true };

struct world {
	struct timers timers;
	struct access access;
	struct model_config call;
	uint32_t answers_with, asked_with;
	uint8_t asked[32], says[400];
	size_t asked_n, says_n;
	unsigned done;
	enum access_result result;
};

static void peer(void *ctx, const struct access_target *to, uint32_t opcode, struct bytes params)
{
	struct world *w = ctx;
	struct access_message m = { .src = to->dst,
				    .app_index = to->app_index,
				    .opcode = w->answers_with,
				    .ttl = 5,
				    .params = bytes_of(w->says, w->says_n) };

	w->asked_with = opcode;
	w->asked_n = params.n;
	memcpy(w->asked, params.p, params.n);
	if (w->says_n)
		fake_access_from_peer(&w->access, &m, false);
}

static void on_done(void *ctx, enum access_result r, struct model_config *call)
{
	struct world *w = ctx;

	w->done++;
	w->result = r;
}

/* Spaces between the fields. */
static size_t octets(const char *hex, uint8_t *out, size_t size)
{
	char plain[128];
	size_t n = 0;
	int octet_n;

	for (; *hex; hex++)
		if (*hex != ' ')
			plain[n++] = *hex;
	plain[n] = 0;
	octet_n = hex_parse(plain, out, size);
	check(octet_n >= 0);
	return (size_t)octet_n;
}

static struct world *world_new(uint32_t answers_with, const char *says)
{
	struct world *w = calloc(1, sizeof(*w));

	timers_init(&w->timers, SEC(1));
	fake_access_init(&w->access, &w->timers, 1);
	w->access.peer = peer;
	w->access.ctx = w;
	w->call.done = on_done;
	w->call.ctx = w;
	w->answers_with = answers_with;
	w->says_n = octets(says, w->says, sizeof(w->says));
	return w;
}

static void run(struct world *w)
{
	timers_advance(&w->timers, timers_now(&w->timers) + SEC(120));
	check_int(w->done, 1);
}

static void world_free(struct world *w)
{
	model_config_cancel(&w->call);
	fake_access_free(&w->access);
	timers_free(&w->timers);
	free(w);
}

static void check_asked(struct world *w, uint32_t opcode, const char *hex)
{
	uint8_t want[32];
	size_t n = octets(hex, want, sizeof(want));

	check_int(w->asked_with, opcode);
	check_int(w->asked_n, n);
	check_mem(w->asked, want, n);
}

/* Pairs in three octets, the first in the low bits; an odd last one in two. */
TEST(lists_of_keys_decode)
{
	static const struct {
		const char *name, *says;
		bool taken;
		size_t n;
		uint16_t first, last;
	} rows[] = {
		{ "none", "00 1100 0010", true, 0, 0, 0 },
		{ "one", "00 1100 0010 2301", true, 1, 0x123, 0x123 },
		{ "two", "00 1100 0010 236145", true, 2, 0x123, 0x456 },
		{ "three", "00 1100 0010 236145 8907", true, 3, 0x123, 0x789 },
		{ "refused", "02 1100 0010", true, 0, 0, 0 },
		{ "another element", "00 1200 0010 2301", false, 0, 0, 0 },
		{ "another model", "00 1100 0110 2301", false, 0, 0, 0 },
		{ "half an index", "00 1100 0010 23", false, 0, 0, 0 },
		{ "cut off", "00 1100 00", false, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(OP_SIG_MODEL_APP_LIST, rows[i].says);

		model_app_get(&w->access, &w->call, &node, &sig);
		run(w);
		check_asked(w, OP_SIG_MODEL_APP_GET, "1100 0010");
		check_row(rows[i].name, (w->result == ACCESS_OK) == rows[i].taken);
		if (rows[i].taken) {
			check_row(rows[i].name, w->call.n == rows[i].n);
			check_row(rows[i].name, w->call.status == w->says[0]);
		}
		if (rows[i].n) {
			check_row(rows[i].name, w->call.list[0] == rows[i].first);
			check_row(rows[i].name, w->call.list[rows[i].n - 1] == rows[i].last);
		}
		world_free(w);
	}
}

TEST(vendor_models_have_messages_of_their_own)
{
	struct world *w = world_new(OP_VENDOR_MODEL_APP_LIST, "00 1100 5f000100 0300");

	model_app_get(&w->access, &w->call, &node, &vendor);
	run(w);
	check_asked(w, OP_VENDOR_MODEL_APP_GET, "1100 5f000100");
	check_int(w->result, ACCESS_OK);
	check_int(w->call.list[0], 3);
	world_free(w);
	w = world_new(OP_VENDOR_SUBSCRIPTION_LIST, "00 1100 5f000100 01c0 02c0");
	model_subscription_get(&w->access, &w->call, &node, &vendor);
	run(w);
	check_asked(w, OP_VENDOR_SUBSCRIPTION_GET, "1100 5f000100");
	check_int(w->call.n, 2);
	check_int(w->call.list[1], 0xC002);
	world_free(w);
}

TEST(publications_are_set_and_read)
{
	struct model_publication p = { .address = 0xC001,
				       .app_index = 0x123,
				       .friend_credentials = true,
				       .ttl = 7,
				       .period = 0x41,
				       .retransmit = 0x0A };
	struct world *w = world_new(OP_MODEL_PUBLICATION_STATUS, "00 1100 01c0 2311 07 41 0a 0010");

	model_publication_set(&w->access, &w->call, &node, &sig, &p);
	run(w);
	check_asked(w, OP_MODEL_PUBLICATION_SET, "1100 01c0 2311 07 41 0a 0010");
	check_int(w->result, ACCESS_OK);
	check_int(w->call.publication.address, p.address);
	check_int(w->call.publication.app_index, p.app_index);
	check(w->call.publication.friend_credentials);
	check_int(w->call.publication.period, p.period);
	world_free(w);
	/* Bits reserved for future use in the index; the model of a vendor; another model. */
	static const char *const wrong[] = { "00 1100 01c0 2321 07 41 0a 0010",
					     "00 1100 01c0 2311 07 41 0a 5f000100",
					     "00 1100 01c0 2311 07 41 0a 0110" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		w = world_new(OP_MODEL_PUBLICATION_STATUS, wrong[i]);
		model_publication_get(&w->access, &w->call, &node, &sig);
		run(w);
		check_row(wrong[i], w->result == ACCESS_TIMEOUT);
		world_free(w);
	}
}

TEST(subscriptions_are_added)
{
	struct world *w = world_new(OP_MODEL_SUBSCRIPTION_STATUS, "05 1100 01c0 0010");

	model_subscription_add(&w->access, &w->call, &node, &sig, 0xC001);
	run(w);
	check_asked(w, OP_MODEL_SUBSCRIPTION_ADD, "1100 01c0 0010");
	check_int(w->result, ACCESS_OK);
	check_int(w->call.status, 5);
	world_free(w);
	w = world_new(OP_MODEL_SUBSCRIPTION_STATUS, "00 1100 02c0 0010");
	model_subscription_add(&w->access, &w->call, &node, &sig, 0xC001);
	run(w);
	check_int(w->result, ACCESS_TIMEOUT); /* that was about another address */
	world_free(w);
}

/* As long as messages can be. */
TEST(the_longest_lists_have_room)
{
	enum { HEAD = 5, MOST = ACCESS_MAX - 2 - HEAD };
	struct world *w = world_new(OP_SIG_SUBSCRIPTION_LIST, "00 1100 0010");

	w->says_n += MOST / 2 * 2;
	model_subscription_get(&w->access, &w->call, &node, &sig);
	run(w);
	check_int(w->result, ACCESS_OK);
	check_int(w->call.n, MOST / 2);
	world_free(w);
	w = world_new(OP_SIG_MODEL_APP_LIST, "00 1100 0010");
	w->says_n += MOST / 3 * 3;
	model_app_get(&w->access, &w->call, &node, &sig);
	run(w);
	check_int(w->result, ACCESS_OK);
	check_int(w->call.n, MOST / 3 * 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_keys_decode),
		cmocka_unit_test(vendor_models_have_messages_of_their_own),
		cmocka_unit_test(publications_are_set_and_read),
		cmocka_unit_test(subscriptions_are_added),
		cmocka_unit_test(the_longest_lists_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
