/* SPDX-License-Identifier: Apache-2.0 */
/* The management driver against a scripted kernel, in virtual time. */
#include <stdlib.h>

#include "check.h"
#include "mgmt_host.h"

enum { INDEX = 3, LOG_MAX = 4096 };

struct world {
	struct timers timers;
	struct timer answer;
	struct mgmt_host host;
	/* the kernel's behaviour */
	uint32_t supported, settings;
	uint8_t handles;
	uint16_t refuse_opcode, mute_opcode;
	uint8_t refuse_status;
	bool never_complete, write_fails;
	/* what it was told */
	uint16_t opcode[LOG_MAX];
	size_t n_opcodes;
	uint8_t packet[64], receiver[16];
	uint64_t sent_at[LOG_MAX];
	uint8_t ad[AD_MAX], ad_len, count;
	size_t n_sent;
	unsigned in_kernel, most_in_kernel;
	struct timer complete;
	/* what the owner was told */
	unsigned ups, fails, heard;
	char why[MGMT_WHY];
	uint8_t data[AD_MAX];
	size_t data_len;
	int8_t rssi;
};

static void event(struct world *w, uint16_t code, uint16_t index, const void *params, size_t n)
{
	uint8_t packet[MGMT_PACKET_MAX];
	struct wr out = wr_to(packet, sizeof(packet));

	wr_le16(&out, code);
	wr_le16(&out, index);
	wr_le16(&out, (uint16_t)n);
	wr_copy(&out, params, n);
	mgmt_host_feed(&w->host, wr_done(&out));
}

static void le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void settings_changed(struct world *w, uint32_t settings)
{
	uint8_t params[4];

	w->settings = settings;
	le32(params, settings);
	event(w, MGMT_EV_NEW_SETTINGS, INDEX, params, sizeof(params));
}

/* One packet after the other, 25 ms each. */
static void completed(void *ctx)
{
	struct world *w = ctx;

	w->in_kernel--;
	if (w->in_kernel > 0)
		timer_start(&w->timers, &w->complete, MSEC(25), completed, w);
	event(w, MGMT_EV_MESH_PACKET_COMPLETE, INDEX, "\1", 1);
}

static size_t obey(struct world *w, uint16_t opcode, const uint8_t *p, uint8_t *result)
{
	switch (opcode) {
	case MGMT_READ_INFO:
		memset(result, 0, 280);
		le32(result + 9, w->supported);
		le32(result + 13, w->settings);
		return 280;
	case MGMT_SET_LE:
		w->settings |= MGMT_LE;
		break;
	case MGMT_SET_POWERED:
		check(w->settings & MGMT_LE);
		w->settings |= MGMT_POWERED;
		break;
	case MGMT_READ_MESH_FEATURES:
		memcpy(result, (uint8_t[]){ INDEX, 0, w->handles, 0 }, 4);
		return 4;
	case MGMT_SET_MESH_RECEIVER:
		memcpy(w->receiver, p, 6 + p[5]);
		break;
	case MGMT_MESH_SEND:
		w->sent_at[w->n_sent++] = timers_now(&w->timers);
		w->count = p[17];
		w->ad_len = p[18];
		memcpy(w->ad, p + 19, p[18]);
		if (++w->in_kernel > w->most_in_kernel)
			w->most_in_kernel = w->in_kernel;
		if (!w->never_complete && !timer_running(&w->complete))
			timer_start(&w->timers, &w->complete, MSEC(25), completed, w);
		result[0] = 1;
		return 1;
	default:
		break;
	}
	return 0;
}

static void answer(void *ctx)
{
	struct world *w = ctx;
	uint16_t opcode = (uint16_t)(w->packet[0] | w->packet[1] << 8);
	uint8_t params[512] = { w->packet[0], w->packet[1] };
	size_t n = 3;

	if (opcode == w->mute_opcode)
		return;
	if (opcode == w->refuse_opcode) {
		params[2] = w->refuse_status;
		event(w, MGMT_EV_COMMAND_STATUS, INDEX, params, n);
		return;
	}
	n += obey(w, opcode, w->packet + MGMT_HEADER, params + 3);
	event(w, MGMT_EV_COMMAND_COMPLETE, INDEX, params, n);
}

static bool on_write(void *ctx, struct bytes packet)
{
	struct world *w = ctx;

	if (w->write_fails)
		return false;
	check(packet.n >= MGMT_HEADER && packet.n <= sizeof(w->packet));
	check_int(packet.p[2] | packet.p[3] << 8, INDEX);
	check_int(packet.p[4] | packet.p[5] << 8, packet.n - MGMT_HEADER);
	memcpy(w->packet, packet.p, packet.n);
	w->opcode[w->n_opcodes++] = (uint16_t)(packet.p[0] | packet.p[1] << 8);
	timer_start(&w->timers, &w->answer, 500, answer, w);
	return true;
}

static void on_heard(void *ctx, const struct bearer_report *report)
{
	struct world *w = ctx;

	w->heard++;
	w->data_len = report->data.n;
	w->rssi = report->rssi;
	memcpy(w->data, report->data.p, report->data.n);
	check_int(report->event_type, ADV_NONCONN_IND);
}

static void on_up(void *ctx)
{
	((struct world *)ctx)->ups++;
}

static void on_failed(void *ctx, const char *why)
{
	struct world *w = ctx;

	w->fails++;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

static void run(struct world *w, uint64_t us)
{
	timers_advance(&w->timers, timers_now(&w->timers) + us);
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct mgmt_host_config config = { .timers = &w->timers,
					   .seed = 4,
					   .write = on_write,
					   .heard = on_heard,
					   .up = on_up,
					   .failed = on_failed,
					   .ctx = w };

	timers_init(&w->timers, 77);
	w->supported = MGMT_POWERED | MGMT_BREDR | MGMT_LE;
	w->settings = MGMT_BREDR;
	w->handles = 3;
	mgmt_host_init(&w->host, &config);
	return w;
}

static void start(struct world *w)
{
	mgmt_host_start(&w->host, INDEX);
	run(w, MSEC(100));
}

static void world_free(struct world *w)
{
	mgmt_host_stop(&w->host);
	timer_stop(&w->timers, &w->answer);
	timer_stop(&w->timers, &w->complete);
	check_int(timers_next(&w->timers), TIMERS_NEVER);
	timers_free(&w->timers);
	free(w);
}

static bool send(struct world *w, uint8_t count, uint32_t tag)
{
	struct bearer_send s = { .kind = BEARER_NETWORK,
				 .count = count,
				 .interval_ms = 20,
				 .tag = tag,
				 .len = 4,
				 .data = { 3, AD_MESH_MESSAGE, 0xAB, 0xCD } };

	return mgmt_host_send(&w->host, &s);
}

TEST(the_set_up_switches_on_what_is_off)
{
	static const uint16_t all[] = { MGMT_READ_INFO,		 MGMT_SET_LE,
					MGMT_SET_POWERED,	 MGMT_SET_EXP_FEATURE,
					MGMT_READ_MESH_FEATURES, MGMT_SET_MESH_RECEIVER };
	static const uint16_t on[] = { MGMT_READ_INFO, MGMT_SET_EXP_FEATURE,
				       MGMT_READ_MESH_FEATURES, MGMT_SET_MESH_RECEIVER };
	struct world *w = world_new();

	start(w);
	check_int(w->ups, 1);
	check_int(w->n_opcodes, ARRAY_LEN(all));
	check_mem(w->opcode, all, sizeof(all));
	/* on, window and period alike, three AD types */
	check_mem(w->receiver, ((uint8_t[]){ 1, 0, 0x10, 0, 0x10, 3, 0x29, 0x2A, 0x2B }), 9);
	world_free(w);

	w = world_new();
	w->settings |= MGMT_POWERED | MGMT_LE;
	start(w);
	check_int(w->ups, 1);
	check_int(w->n_opcodes, ARRAY_LEN(on));
	check_mem(w->opcode, on, sizeof(on));
	world_free(w);
}

TEST(each_copy_is_a_packet_of_its_own_and_the_kernel_is_never_overfed)
{
	struct world *w = world_new();

	start(w);
	for (unsigned i = 0; i < 5; i++)
		check(send(w, 3, 0));
	check_int(w->n_sent, 0);
	run(w, SEC(3));
	check_int(w->n_sent, 15);
	check_int(w->count, 1);
	check_int(w->ad_len, 4);
	check_mem(w->ad, ((uint8_t[]){ 3, AD_MESH_MESSAGE, 0xAB, 0xCD }), 4);
	check_int(w->most_in_kernel, 3);
	check_int(mgmt_host_counters(&w->host).sent, 15);
	check_int(mgmt_host_counters(&w->host).waiting, 0);
	world_free(w);
}

TEST(a_busy_kernel_is_asked_again_later)
{
	struct world *w = world_new();

	start(w);
	w->refuse_opcode = MGMT_MESH_SEND;
	w->refuse_status = MGMT_BUSY;
	check(send(w, 3, 0));
	run(w, MSEC(40));
	check_int(mgmt_host_counters(&w->host).rejected, 2);
	w->refuse_opcode = 0;
	run(w, SEC(1));
	check_int(w->n_sent, 1);
	world_free(w);
}

TEST(a_kernel_that_never_tells_the_end_blocks_nothing)
{
	struct world *w = world_new();

	start(w);
	w->never_complete = true;
	check(send(w, 10, 0));
	run(w, MSEC(1900));
	check_int(w->n_sent, 3);
	run(w, MSEC(400));
	check(w->n_sent > 3);
	check_int(mgmt_host_counters(&w->host).overdue, 3);
	world_free(w);
}

static const uint8_t found[] = { 1, 2, 3, 4, 5, 6, 2, 0xC5, 0, 0, 0,	0, 0,
				 0, 0, 0, 0, 0, 0, 0, 4,    0, 3, 0x2B, 0, 0x55 };

TEST(what_is_found_is_heard)
{
	struct world *w = world_new();

	start(w);
	event(w, MGMT_EV_MESH_DEVICE_FOUND, INDEX, found, sizeof(found));
	check_int(w->heard, 1);
	check_int(w->rssi, -59);
	check_int(w->data_len, 4);
	check_mem(w->data, found + 22, 4);
	event(w, MGMT_EV_MESH_DEVICE_FOUND, INDEX + 1, found, sizeof(found)); /* another's */
	check_int(w->heard, 1);
	for (size_t cut = 0; cut < sizeof(found); cut++)
		event(w, MGMT_EV_MESH_DEVICE_FOUND, INDEX, found, cut);
	check_int(w->heard, 1);
	check_int(mgmt_host_counters(&w->host).malformed, sizeof(found));
	world_free(w);
}

TEST(a_receiver_that_hears_nothing_is_set_once_more)
{
	struct world *w = world_new();
	size_t before;

	start(w);
	before = w->n_opcodes;
	run(w, SEC(2));
	check_int(w->n_opcodes, before + 1);
	check_int(w->opcode[before], MGMT_SET_MESH_RECEIVER);
	event(w, MGMT_EV_MESH_DEVICE_FOUND, INDEX, found, sizeof(found));
	run(w, SEC(40)); /* heard since: left alone */
	check_int(w->n_opcodes, before + 1);
	run(w, SEC(30)); /* silent again */
	check_int(w->n_opcodes, before + 2);
	check_int(w->ups, 1);
	w->write_fails = true;
	run(w, SEC(30));
	check_int(w->fails, 1);
	world_free(w);
}

TEST(refusals_in_the_set_up_name_the_cure)
{
	static const struct {
		uint16_t opcode;
		uint8_t status;
		const char *why;
	} rows[] = {
		{ MGMT_SET_EXP_FEATURE, MGMT_NOT_SUPPORTED, "--radio hci3" },
		{ MGMT_READ_MESH_FEATURES, MGMT_UNKNOWN_COMMAND, "Linux 6.1" },
		{ MGMT_SET_POWERED, MGMT_RFKILLED, "rfkill unblock" },
		{ MGMT_SET_LE, MGMT_PERMISSION_DENIED, "CAP_NET_ADMIN" },
		{ MGMT_READ_INFO, MGMT_INVALID_INDEX, "another process" },
		{ MGMT_SET_MESH_RECEIVER, 0x03, "0x0057" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new();

		w->refuse_opcode = rows[i].opcode;
		w->refuse_status = rows[i].status;
		start(w);
		check_row(rows[i].why, w->fails == 1 && w->ups == 0);
		check_row(rows[i].why, strstr(w->why, rows[i].why) != NULL);
		world_free(w);
	}
}

TEST(an_adapter_without_low_energy_or_handles_says_so)
{
	struct world *w = world_new();

	w->supported = MGMT_POWERED | MGMT_BREDR;
	start(w);
	check_int(w->fails, 1);
	check(strstr(w->why, "no Bluetooth Low Energy") != NULL);
	world_free(w);
	w = world_new();
	w->handles = 0;
	start(w);
	check_int(w->fails, 1);
	world_free(w);
}

TEST(who_switches_it_off_later_is_obeyed)
{
	struct world *w = world_new();
	size_t before;

	start(w);
	settings_changed(w, MGMT_BREDR | MGMT_LE);
	run(w, 0);
	check_int(w->fails, 1);
	check(!send(w, 1, 0));
	before = w->n_opcodes;
	start(w); /* the owner's next try */
	check_int(w->fails, 2);
	check_int(w->n_opcodes, before + 1); /* looked, and switched nothing on */
	check(strstr(w->why, "bluetoothctl power on") != NULL);
	w->settings |= MGMT_POWERED;
	start(w);
	check_int(w->ups, 2);
	world_free(w);
}

TEST(an_adapter_that_is_unplugged_is_told)
{
	struct world *w = world_new();

	start(w);
	event(w, MGMT_EV_INDEX_REMOVED, INDEX + 1, NULL, 0);
	run(w, SEC(1));
	check_int(w->fails, 0);
	event(w, MGMT_EV_INDEX_REMOVED, INDEX, NULL, 0);
	check_int(w->fails, 0); /* from a timer */
	run(w, 0);
	check_int(w->fails, 1);
	world_free(w);
}

TEST(silence_and_a_socket_that_fails_are_told_once)
{
	struct world *w = world_new();

	w->mute_opcode = MGMT_SET_POWERED;
	start(w);
	run(w, SEC(60));
	check_int(w->fails, 1);
	world_free(w);
	w = world_new();
	start(w);
	w->write_fails = true;
	check(send(w, 3, 0));
	run(w, SEC(60));
	check_int(w->fails, 1);
	world_free(w);
}

TEST(cancel_and_farewell)
{
	struct world *w = world_new();

	start(w);
	check(send(w, 50, 9));
	run(w, MSEC(60));
	mgmt_host_cancel(&w->host, 9);
	check_int(mgmt_host_counters(&w->host).waiting, 0);
	run(w, SEC(1));
	w->n_opcodes = 0;
	mgmt_host_farewell(&w->host);
	check_int(w->n_opcodes, 2);
	check_int(w->opcode[0], MGMT_MESH_SEND_CANCEL);
	check_int(w->opcode[1], MGMT_SET_MESH_RECEIVER);
	check_int(w->packet[MGMT_HEADER], 0);
	world_free(w);
}

TEST(malformed_packets_are_counted)
{
	static const char *const rows[] = { "",
					    "01",
					    "010003",
					    "0100030003",
					    "01000300050001",
					    "010003000200 0400",
					    "0600030001 0000",
					    "32000300 0000" };
	struct world *w = world_new();
	unsigned n = 0;

	start(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t packet[32];
		char packed[64];
		size_t k = 0;

		for (const char *p = rows[i]; *p; p++) {
			if (*p != ' ')
				packed[k++] = *p;
		}
		packed[k] = '\0';
		mgmt_host_feed(&w->host,
			       bytes_of(packet, (size_t)hex_parse(packed, packet, sizeof(packet))));
		check_row(rows[i], mgmt_host_counters(&w->host).malformed == ++n);
	}
	check_int(w->ups, 1);
	check_int(w->fails, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_set_up_switches_on_what_is_off),
		cmocka_unit_test(each_copy_is_a_packet_of_its_own_and_the_kernel_is_never_overfed),
		cmocka_unit_test(a_busy_kernel_is_asked_again_later),
		cmocka_unit_test(a_kernel_that_never_tells_the_end_blocks_nothing),
		cmocka_unit_test(what_is_found_is_heard),
		cmocka_unit_test(a_receiver_that_hears_nothing_is_set_once_more),
		cmocka_unit_test(refusals_in_the_set_up_name_the_cure),
		cmocka_unit_test(an_adapter_without_low_energy_or_handles_says_so),
		cmocka_unit_test(who_switches_it_off_later_is_obeyed),
		cmocka_unit_test(an_adapter_that_is_unplugged_is_told),
		cmocka_unit_test(silence_and_a_socket_that_fails_are_told_once),
		cmocka_unit_test(cancel_and_farewell),
		cmocka_unit_test(malformed_packets_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
