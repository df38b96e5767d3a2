/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api.h"
#include "daemon.h"
#include "options.h"

int main(int argc, char **argv)
{
	struct options o;
	char why[DAEMON_WHY];

	options_defaults(&o);
	if (options_parse(&o, argc, argv, why, sizeof(why)) != OPTIONS_OK) {
		fprintf(stderr, "meshmasond: %s\n", why);
		return 2;
	}
	if (o.help) {
		fputs(options_usage(), stdout);
		return EXIT_SUCCESS;
	}
	if (o.version) {
		puts("meshmasond " MESHMASON_VERSION);
		return EXIT_SUCCESS;
	}
	if (o.print_routes) {
		api_print_routes(stdout);
		return EXIT_SUCCESS;
	}
	if (o.check_config) {
		if (!daemon_config_good(&o, why)) {
			fprintf(stderr, "meshmasond: %s\n", why);
			return 2;
		}
		puts("the configuration is good");
		return EXIT_SUCCESS;
	}
	umask(077);
	if (o.check)
		return daemon_check(&o);
	log_set_level(o.log_level);
	return daemon_run(&o);
}
