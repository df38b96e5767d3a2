/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "bytes.h"
#include "check.h"
#include "daemon.h"
#include "options.h"

static const struct row {
	const char *args[6];
	bool good;
	const char *why; /* part of the one line */
} rows[] = {
	{ { "--listen", "127.0.0.1:0" }, true, "" },
	{ { "--sim-speed", "max", "--radio", "air:/x" }, true, "" },
	{ { "--sim-speed", "12" }, true, "" },
	{ { "--insecure-listen", "--check-config" }, true, "" },
	{ { "--check", "--radio", "hci0" }, true, "" },
	{ { "--check", "hci0" }, false, "hci0" },
	{ { "--sim-speed", "0" }, false, "sim-speed" },
	{ { "--sim-speed", "fast" }, false, "sim-speed" },
	{ { "--log-level", "loud" }, false, "log-level" },
	{ { "--fetch-allow", "a.example,b.example:8443", "--fetch-private" }, true, "" },
	{ { "--fetch-ca", "/etc/ca.pem" }, true, "" },
	{ { "--fetch-ca" }, false, "needs a value" },
	{ { "--nonsense" }, false, "--nonsense" },
	{ { "listen" }, false, "listen" },
	{ { "--listen" }, false, "needs a value" },
	{ { "--config", "/nowhere/at/all" }, false, "/nowhere/at/all" },
};

TEST(a_bad_flag_is_one_clear_line)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *argv[8] = { (char *)"meshmasond" }, why[256] = "";
		struct options o;
		int argc = 1;

		while (rows[i].args[argc - 1]) {
			argv[argc] = (char *)rows[i].args[argc - 1];
			argc++;
		}
		options_defaults(&o);
		check_row(rows[i].args[0], (options_parse(&o, argc, argv, why, sizeof(why)) ==
					    OPTIONS_OK) == rows[i].good);
		check_row(rows[i].args[0], strstr(why, rows[i].why) != NULL);
		check_row(rows[i].args[0], strchr(why, '\n') == NULL);
	}
}

TEST(a_configuration_that_could_not_start_is_not_called_good)
{
	static const struct row bad_or_good[] = {
		{ { "--listen", "127.0.0.1:0" }, false, "no radio" },
		{ { "--radio", "hci0" }, true, "" },
		{ { "--radio", "hci0,legacy" }, true, "" },
		{ { "--radio", "wlan0" }, false, "wlan0" },
		{ { "--radio", "mgmt:" }, false, "mgmt:" },
		{ { "--radio", "air:/x" }, true, "" },
		{ { "--radio", "sim:devices=6" }, true, "" },
		{ { "--radio", "sim:devices=six" }, false, "devices" },
		{ { "--radio", "hci0", "--sim-speed", "max" }, false, "sim-speed" },
		{ { "--radio", "hci0", "--tls-cert", "/c" }, false, "tls-key" },
		{ { "--radio", "hci0", "--listen", "0.0.0.0:80" }, false, "loopback" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad_or_good); i++) {
		const struct row *row = &bad_or_good[i];
		char *argv[8] = { (char *)"meshmasond" }, why[DAEMON_WHY] = "";
		struct options o;
		int argc = 1;

		while (row->args[argc - 1]) {
			argv[argc] = (char *)row->args[argc - 1];
			argc++;
		}
		options_defaults(&o);
		check_int(options_parse(&o, argc, argv, why, sizeof(why)), OPTIONS_OK);
		check_row(row->args[1], daemon_config_good(&o, why) == row->good);
		check_row(row->args[1], strstr(why, row->why) != NULL);
		check_row(row->args[1], strchr(why, '\n') == NULL);
	}
}

TEST(a_flag_overrides_the_file_wherever_it_stands)
{
	char path[] = "/tmp/meshmason-options-XXXXXX", why[256];
	char *argv[] = { (char *)"meshmasond", (char *)"--listen", (char *)"127.0.0.1:1",
			 (char *)"--config", path };
	static const char text[] = "# comment\n[server]\nlisten = 0.0.0.0:9\n data = /there \n";
	struct options o;
	int fd = mkstemp(path);

	check(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1);
	close(fd);
	options_defaults(&o);
	check_int(options_parse(&o, 5, argv, why, sizeof(why)), OPTIONS_OK);
	unlink(path);
	check_str(o.listen, "127.0.0.1:1");
	check_str(o.data, "/there");
}

TEST(the_example_configuration_says_the_defaults)
{
	struct options o, defaults;
	char why[256] = "";

	options_defaults(&o);
	options_defaults(&defaults);
	if (!options_load(&o, SOURCE_DIR "/deploy/meshmason.conf", why, sizeof(why)))
		fail_msg("%s", why);
	check_mem(&o, &defaults, sizeof(o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_flag_is_one_clear_line),
		cmocka_unit_test(a_configuration_that_could_not_start_is_not_called_good),
		cmocka_unit_test(a_flag_overrides_the_file_wherever_it_stands),
		cmocka_unit_test(the_example_configuration_says_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
