/* SPDX-License-Identifier: Apache-2.0 */
/* What of the kernel radios is to be had without a kernel: names, options, refusals. */
#include "bearer_hci.h"
#include "bearer_mgmt.h"
#include "check.h"
#include "hci_socket.h"

TEST(adapters_are_named_by_number_or_address)
{
	static const struct {
		const char *text;
		bool ok, by_address;
		uint16_t index;
	} rows[] = {
		{ "hci0", true, false, 0 },
		{ "hci12", true, false, 12 },
		{ "AA:BB:CC:DD:EE:0f", true, true, 0 },
		{ "hci", false, false, 0 },
		{ "hci-1", false, false, 0 },
		{ "hci+1", false, false, 0 },
		{ "hci1x", false, false, 0 },
		{ "hci99999", false, false, 0 },
		{ "hci65535", false, false, 0 },
		{ "AA:BB:CC:DD:EE", false, false, 0 },
		{ "AA:BB:CC:DD:EE:0g", false, false, 0 },
		{ "AA:BB:CC:DD:EE:FF:", false, false, 0 },
		{ "", false, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t address[6] = { 0 };
		uint16_t index = 0;
		bool by_address = false;

		check_row(rows[i].text, hci_adapter_parse(rows[i].text, &index, address,
							  &by_address) == rows[i].ok);
		check_row(rows[i].text, !rows[i].ok || (by_address == rows[i].by_address &&
							index == rows[i].index));
		check_row(rows[i].text, !by_address || (address[5] == 0xAA && address[0] == 0x0F));
	}
}

TEST(options_follow_the_name)
{
	static const struct {
		const char *text, *adapter;
		bool ok, pause;
		enum hci_advertising advertising;
		unsigned percent;
	} rows[] = {
		{ "hci0", "hci0", true, false, HCI_ADVERTISING_AUTO, 0 },
		{ "hci0,legacy", "hci0", true, false, HCI_ADVERTISING_LEGACY, 0 },
		{ "AA:BB:CC:DD:EE:0F,extended,scan=50", "AA:BB:CC:DD:EE:0F", true, false,
		  HCI_ADVERTISING_EXTENDED, 50 },
		{ "hci1,pause-scan", "hci1", true, true, HCI_ADVERTISING_AUTO, 0 },
		{ "hci1,scan=100", "hci1", true, false, HCI_ADVERTISING_AUTO, 100 },
		{ "hci1,scan=0", NULL, false, false, 0, 0 },
		{ "hci1,scan=101", NULL, false, false, 0, 0 },
		{ "hci1,scan=-1", NULL, false, false, 0, 0 },
		{ "hci1,scan=", NULL, false, false, 0, 0 },
		{ "hci1,", NULL, false, false, 0, 0 },
		{ "hci1,,legacy", NULL, false, false, 0, 0 },
		{ "hci1,fast", NULL, false, false, 0, 0 },
		{ ",legacy", NULL, false, false, 0, 0 },
		{ "eth0", NULL, false, false, 0, 0 },
		{ "hci00000000000000000000000000000", NULL, false, false, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bearer_hci_config c = { 0 };
		char adapter[BEARER_HCI_ADAPTER];

		check_row(rows[i].text, bearer_hci_parse(rows[i].text, &c, adapter) == rows[i].ok);
		if (!rows[i].ok)
			continue;
		check_row(rows[i].text, strcmp(c.adapter, rows[i].adapter) == 0);
		check_row(rows[i].text, c.advertising == rows[i].advertising);
		check_row(rows[i].text, c.pause_scan == rows[i].pause);
		check_row(rows[i].text, c.scan_percent == rows[i].percent);
	}
}

TEST(a_name_that_is_none_is_refused_at_once)
{
	struct timers timers;
	struct bearer_hci_config hci = { .timers = &timers, .adapter = "eth0" };
	struct bearer_mgmt_config mgmt = { .timers = &timers, .adapter = "eth0" };
	char why[BEARER_HCI_ERROR] = "";

	timers_init(&timers, 0);
	check(!bearer_hci_open(&hci, why));
	check_str(why, "eth0: hciN or AA:BB:CC:DD:EE:FF wanted");
	check(!bearer_mgmt_open(&mgmt, why));
	check_int(timers_next(&timers), TIMERS_NEVER);
	timers_free(&timers);
}

struct told {
	unsigned times;
	bool up;
};

static void on_state(void *ctx, bool up, const char *line)
{
	struct told *told = ctx;

	told->times++;
	told->up = up;
	check(strstr(line, "no such adapter") != NULL);
}

/* With a kernel that has Bluetooth there is no such adapter, else there is no Bluetooth: both are
 * one line with a cure. What comes of the first is test_adapter.c's. */
TEST(an_adapter_that_is_not_there_is_told_and_looked_for_again)
{
	struct timers timers;
	struct told told = { 0 };
	struct bearer_hci_config hci = {
		.timers = &timers, .adapter = "hci4093", .state = on_state, .ctx = &told
	};
	char why[BEARER_HCI_ERROR] = "";
	struct bearer_hci *b;

	timers_init(&timers, 0);
	b = bearer_hci_open(&hci, why);
	if (b) {
		timers_advance(&timers, SEC(100));
		check_int(told.times, 1);
		check(!told.up);
		bearer_hci_close(b);
	} else {
		check(strstr(why, "modprobe bluetooth") != NULL);
	}
	check_int(timers_next(&timers), TIMERS_NEVER);
	timers_free(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adapters_are_named_by_number_or_address),
		cmocka_unit_test(options_follow_the_name),
		cmocka_unit_test(a_name_that_is_none_is_refused_at_once),
		cmocka_unit_test(an_adapter_that_is_not_there_is_told_and_looked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
