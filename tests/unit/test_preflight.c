/* SPDX-License-Identifier: Apache-2.0 */
#include "preflight.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static struct preflight_facts good(enum preflight_radio radio)
{
	struct preflight_facts f = {
		.radio = radio,
		.radio_ok = true,
		.radio_line = "hci0 (00:11:22:33:44:55): up, legacy advertising",
		.kernel = "6.12",
		.mesh_commands = PREFLIGHT_YES,
		.net_admin = true,
		.now = 1800000000,
		.built = 1700000000,
		.clock_kept = PREFLIGHT_YES,
		.data = "/var/lib/meshmason",
		.disk_known = true,
		.disk_free = UINT64_C(20) << 30,
	};

	return f;
}

static struct preflight_check find(const struct preflight_facts *f, const char *name)
{
	struct preflight_check checks[PREFLIGHT_MAX];
	size_t n = preflight_judge(f, checks);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(checks[i].name, name) == 0)
			return checks[i];
	}
	fail_msg("there is no check %s", name);
	abort();
}

TEST(a_good_gateway_has_nothing_to_cure)
{
	static const struct {
		enum preflight_radio radio;
		size_t n;
	} rows[] = {
		{ PREFLIGHT_HCI, 7 },
		{ PREFLIGHT_MGMT, 7 },
		{ PREFLIGHT_AIR, 4 },
		{ PREFLIGHT_SIM, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct preflight_facts f = good(rows[i].radio);
		struct preflight_check checks[PREFLIGHT_MAX];
		size_t n = preflight_judge(&f, checks);

		check_int(n, rows[i].n);
		for (size_t k = 0; k < n; k++) {
			check_row(checks[k].name, checks[k].ok && *checks[k].message);
			check_str(checks[k].cure, "");
		}
	}
}

static void no_radio(struct preflight_facts *f)
{
	f->radio = PREFLIGHT_NO_RADIO;
}
static void busy(struct preflight_facts *f)
{
	f->radio_ok = false;
	strcpy(f->radio_line, "hci0: in use by bluetoothd (pid 5): systemctl stop bluetooth, or "
			      "share it: --radio mgmt:hci0");
	strcpy(f->daemons, "bluetoothd (pid 5)");
}
static void meshd(struct preflight_facts *f)
{
	f->radio_ok = false;
	strcpy(f->daemons, "bluetooth-meshd (pid 6)");
}
static void stranger(struct preflight_facts *f)
{
	f->radio_ok = false;
	strcpy(f->daemons, "other (pid 7)");
}
static void addressed(struct preflight_facts *f)
{
	f->radio_ok = false;
	strcpy(f->radio_line, "00:11:22:33:44:55: no such adapter: plug it in");
}
static void no_colon(struct preflight_facts *f)
{
	f->radio_ok = false;
	strcpy(f->radio_line, "it broke");
}
static void silent(struct preflight_facts *f)
{
	f->radio_ok = false;
	f->radio_line[0] = '\0';
}
static void no_bluetooth(struct preflight_facts *f)
{
	f->bluetooth_error = EAFNOSUPPORT;
}
static void old_kernel(struct preflight_facts *f)
{
	f->radio = PREFLIGHT_MGMT;
	f->mesh_commands = PREFLIGHT_NO;
}
static void no_permission(struct preflight_facts *f)
{
	f->radio_ok = f->net_admin = false;
}
static void old_clock(struct preflight_facts *f)
{
	f->now = 0;
}
static void foreign_data(struct preflight_facts *f)
{
	f->data_error = EACCES;
}
static void no_parent(struct preflight_facts *f)
{
	f->data_error = ENOENT;
}
static void full_disk(struct preflight_facts *f)
{
	f->disk_free = 5 << 20;
}

TEST(each_fault_is_named_with_its_cure)
{
	static const struct {
		void (*fault)(struct preflight_facts *f);
		const char *name, *message, *cure;
	} rows[] = {
		{ no_radio, "radio", "no radio is named", "--radio" },
		{ busy, "radio", "hci0: in use by bluetoothd (pid 5)", "systemctl stop bluetooth" },
		{ busy, "daemons", "bluetoothd (pid 5)", "mgmt:" },
		{ meshd, "daemons", "bluetooth-meshd (pid 6)", "systemctl stop bluetooth-mesh" },
		{ stranger, "daemons", "other (pid 7)", "stop it" },
		{ addressed, "radio", "00:11:22:33:44:55: no such adapter", "plug it in" },
		{ no_colon, "radio", "it broke", "log" },
		{ silent, "radio", "does not work", "log" },
		{ no_bluetooth, "kernel", "no Bluetooth", "modprobe" },
		{ old_kernel, "kernel", "no mesh commands", "6.1" },
		{ no_permission, "permission", "CAP_NET_ADMIN", "setcap" },
		{ old_clock, "clock", "1970-01-01", "timedatectl" },
		{ foreign_data, "data", "Permission denied", "--data" },
		{ no_parent, "data", "No such file", "make the folder" },
		{ full_disk, "disk", "5 MiB", "delete captures" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct preflight_facts f = good(PREFLIGHT_HCI);
		struct preflight_check c;

		rows[i].fault(&f);
		c = find(&f, rows[i].name);
		check_row(rows[i].message, !c.ok);
		check_row(c.message, strstr(c.message, rows[i].message) != NULL);
		check_row(c.cure, strstr(c.cure, rows[i].cure) != NULL);
	}
}

TEST(a_hint_is_no_fault)
{
	struct preflight_facts f = good(PREFLIGHT_HCI);
	struct preflight_check c;

	f.clock_kept = PREFLIGHT_UNKNOWN;
	c = find(&f, "clock");
	check(c.ok && strstr(c.message, "maybe not") && *c.cure);
	f.clock_kept = PREFLIGHT_NO;
	check(find(&f, "clock").ok);
	strcpy(f.daemons, "bluetoothd (pid 5)"); /* but the adapter is ours */
	check(find(&f, "daemons").ok);
	f.net_admin = false; /* somebody opened it for us */
	check(find(&f, "permission").ok);
	f.disk_known = false;
	check(find(&f, "disk").ok);
	f.data_missing = true;
	check(strstr(find(&f, "data").message, "will be made") != NULL);
}

TEST(capabilities_are_read_from_the_kernels_text)
{
	static const struct {
		const char *text;
		unsigned number;
		bool wanted;
	} rows[] = {
		{ "Name:\tx\nCapEff:\t0000000000001000\nCapBnd:\t0\n", 12, true },
		{ "Name:\tx\nCapEff:\t0000000000001000\n", 11, false },
		{ "Name:\tx\nCapEff:\t000001ffffffffff\n", 12, true },
		{ "Name:\tx\nCapEff:\t000001ffffffffff\n", 99, false },
		{ "Name:\tx\nCapPrm:\t0000000000001000\nCapEff:\t0000000000000000\n", 12, false },
		{ "Name:\tCapEff: 1000\n", 12, false },
		{ "\nCapEff:", 12, false },
		{ "", 12, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].text,
			  preflight_capability(rows[i].text, rows[i].number) == rows[i].wanted);
}

TEST(supported_commands_are_read_to_the_octet)
{
	/* event, index, length; opcode, status, 2 commands, 1 event; commands; event */
	static const struct {
		const char *what, *hex;
		bool wanted;
	} rows[] = {
		{ "there", "0100ffff0d00020000020001000300590057000100", false },
		{ "last of two", "0100ffff0d0002000002000100030059000100", true },
		{ "an event of that number", "0100ffff0d0002000002000100030057005900", false },
		{ "another command's answer", "0100ffff0d0003000002000100030059000100", false },
		{ "refused", "0100ffff0d0002000102000100030059000100", false },
		{ "another event", "0200ffff0d0002000002000100030059000100", false },
		{ "cut", "0100ffff0d00020000020001000300", false },
		{ "more promised than there", "0100ffff0d00020000ff0001000300590001", false },
		{ "numbers too large", "0100ffff0d00020000ffff01000300590001", false },
		{ "nothing", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t octets[64];
		size_t n = strlen(rows[i].hex) / 2;

		for (size_t k = 0; k < n; k++) {
			char pair[3] = { rows[i].hex[2 * k], rows[i].hex[2 * k + 1], '\0' };

			octets[k] = (uint8_t)strtoul(pair, NULL, 16);
		}
		check_row(rows[i].what,
			  preflight_has_command(bytes_of(octets, n), 0x0059) == rows[i].wanted);
	}
}

TEST(facts_of_a_folder_are_those_of_the_disk)
{
	char data[64] = "/tmp/meshmason-preflight-XXXXXX", inside[96], spec[96];
	struct preflight_config config = { .radio = spec, .data = inside, .now = 2000000000 };
	struct preflight_facts f;

	assert_non_null(mkdtemp(data));
	snprintf(inside, sizeof(inside), "%s/data//", data);
	snprintf(spec, sizeof(spec), "air:%s", data);
	preflight_gather(&config, &f);
	check_int(f.radio, PREFLIGHT_AIR);
	check(f.radio_ok && f.data_missing && f.data_error == 0 && f.disk_known && f.disk_free > 0);
	check(f.built > 1700000000 && f.now == 2000000000);
	snprintf(inside, sizeof(inside), "%s/no/data", data);
	snprintf(spec, sizeof(spec), "air:%s/no", data);
	preflight_gather(&config, &f);
	check(!f.radio_ok);
	check_int(f.data_error, ENOENT);
	snprintf(inside, sizeof(inside), "%s", data);
	snprintf(spec, sizeof(spec), "sim:%s/file", data);
	preflight_gather(&config, &f);
	check(!f.radio_ok && !f.data_missing && f.data_error == 0);
	snprintf(spec, sizeof(spec), "sim:devices=2");
	preflight_gather(&config, &f);
	check(f.radio_ok);
	snprintf(inside, sizeof(inside), "/dev/null");
	preflight_gather(&config, &f);
	check_int(f.data_error, ENOTDIR);
	check_int(rmdir(data), 0);
}

TEST(a_radio_that_is_open_speaks_for_itself)
{
	struct preflight_config config = { .radio = "air:/nowhere",
					   .data = "/tmp",
					   .running = true,
					   .up = false,
					   .line = "air:/nowhere: gone: come back" };
	struct preflight_facts f;

	preflight_gather(&config, &f);
	check_str(find(&f, "radio").message, "air:/nowhere: gone");
	check_str(find(&f, "radio").cure, "come back");
	config.up = true;
	preflight_gather(&config, &f);
	check(find(&f, "radio").ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_gateway_has_nothing_to_cure),
		cmocka_unit_test(each_fault_is_named_with_its_cure),
		cmocka_unit_test(a_hint_is_no_fault),
		cmocka_unit_test(capabilities_are_read_from_the_kernels_text),
		cmocka_unit_test(supported_commands_are_read_to_the_octet),
		cmocka_unit_test(facts_of_a_folder_are_those_of_the_disk),
		cmocka_unit_test(a_radio_that_is_open_speaks_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
