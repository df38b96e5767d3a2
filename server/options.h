/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator asked for: a configuration file (INI), and flags that override it. */
#ifndef MESHMASON_OPTIONS_H
#define MESHMASON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

struct options {
	char data[512];
	char listen[128];  /* ADDR:PORT; port 0 picks a free one */
	char radio[512];   /* hciN, mgmt:hciN, air:DIR, sim:FILE, sim:KEY=VALUE,... */
	char webui[512];   /* folder of the built dashboard; empty: the installed one */
	char capture[512]; /* file; empty: none */
	char tls_cert[512], tls_key[512];
	char fetch_allow[512]; /* hosts that certificates may be fetched from; empty: any public */
	char fetch_ca[512];    /* CAs of such sites, beside the system's; empty: none */
	bool fetch_private;    /* private and loopback addresses, too */
	unsigned sim_speed;    /* 0: max */
	bool insecure_listen;
	enum log_level log_level;
	bool check, check_config, version, help, print_routes;
};

enum options_result { OPTIONS_OK, OPTIONS_BAD };

void options_defaults(struct options *o);
/* argv as main has it. OPTIONS_BAD with one line in why. */
enum options_result options_parse(struct options *o, int argc, char **argv, char *why,
				  unsigned why_size);
/* Applies one "key = value" of the file or a flag (without its dashes). */
bool options_set(struct options *o, const char *key, const char *value, char *why,
		 unsigned why_size);
bool options_load(struct options *o, const char *path, char *why, unsigned why_size);
const char *options_usage(void);

#endif
