/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *cli_usage(void)
{
	return "usage: meshmason [options] command\n"
	       "\n"
	       "  status                      the gateway, its network, what runs\n"
	       "  devices | nodes | servers   lists\n"
	       "  import FILE                 the list of expected devices, CSV or JSON\n"
	       "  trust [list | add FILE | remove ID | crl ID FILE | crl-remove ID]\n"
	       "  trust check UUID | check FILE [UUID]\n"
	       "                              what a device or a certificate would get: exit\n"
	       "                              status 0 trusted, 1 refused, 3 not known\n"
	       "  scan [UUID|ADDRESS...]      survey through every server, or these\n"
	       "  provision --all-trusted | UUID...\n"
	       "  configure --all | ADDRESS...\n"
	       "  identify UUID|ADDRESS...    lets it blink\n"
	       "  remove ADDRESS...           takes nodes out of the network\n"
	       "  refresh-device-key --all | ADDRESS...\n"
	       "  refresh-address --all | ADDRESS... [--to ADDRESS]\n"
	       "  refresh-composition --all | ADDRESS...\n"
	       "                              provision nodes anew, through themselves\n"
	       "  read-composition --all | ADDRESS...\n"
	       "  composition ADDRESS         its pages, and what a refresh would change\n"
	       "  move ADDRESS [--to ADDRESS] what a refresh of its address would do\n"
	       "  addresses                   ranges that are not free\n"
	       "  oob [list | answer TASK VALUE | give-up TASK]\n"
	       "                              what a person is asked: a value that a device "
	       "shows,\n"
	       "                              or one to be entered at a device\n"
	       "  jobs | job ID | wait ID\n"
	       "  pause ID | resume ID | cancel ID | retry ID\n"
	       "  capture [list | start | stop [ID] | get ID [FILE] | remove ID]\n"
	       "                              records what the radio sends and hears (btsnoop)\n"
	       "\n"
	       "  --url URL            MESHMASON_URL, or http://127.0.0.1:8080\n"
	       "  --token-file FILE    the server's admin-token; or MESHMASON_TOKEN, the token\n"
	       "  --json               answers as JSON\n"
	       "  --no-wait            jobs: only start\n"
	       "  --policy certificate|static-oob|output-oob|input-oob|none\n"
	       "                       provision; never weaker than asked\n"
	       "  --min-algorithm hmac-sha256|cmac         provision\n"
	       "  --max-links N        provision, refresh-*; 0 is automatic\n"
	       "  --attempts N         provision, configure, remove, refresh-*, read-composition\n"
	       "  --to ADDRESS         refresh-address (of one node), move\n"
	       "  --stop-at PERCENT    provision; of failed links\n"
	       "  --relay on|off       provision, configure\n"
	       "  --server ADDRESS     scan, provision, identify\n"
	       "  --ad-types NAME,...  scan: "
	       "local_name,appearance,uri,tx_power,manufacturer_data,0x..\n"
	       "  --seconds N          scan, identify, capture start\n"
	       "  --max-octets N       capture start\n"
	       "  --dry-run --strict   import\n"
	       "\n"
	       "exit status: 0 all succeeded, 1 failed, 2 usage, 3 partly, 4 server not reached\n";
}

struct option {
	const char *name;
	const char **text; /* one of the three */
	long *number;
	bool *flag;
};

static bool number_read(const char *name, const char *text, long *out, char *why, size_t why_size)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	if (errno || *end || end == text || *out < 0) {
		snprintf(why, why_size, "%s: a number is wanted", name);
		return false;
	}
	return true;
}

/* Sets the option at argv[*i], stepping over its value. */
static bool option_set(const struct option *o, int argc, char **argv, int *i, char *why,
		       size_t why_size)
{
	const char *value = strchr(argv[*i], '=');

	if (o->flag) {
		*o->flag = true;
		if (value)
			snprintf(why, why_size, "%s takes no value", o->name);
		return !value;
	}
	if (value)
		value++;
	else if (*i + 1 < argc)
		value = argv[++*i];
	if (!value) {
		snprintf(why, why_size, "%s: a value is wanted", o->name);
		return false;
	}
	if (o->number)
		return number_read(o->name, value, o->number, why, why_size);
	*o->text = value;
	return true;
}

static const struct option *option_find(const struct option *options, const char *arg)
{
	size_t n = strcspn(arg, "=");

	for (; options->name; options++)
		if (strlen(options->name) == n && strncmp(options->name, arg, n) == 0)
			return options;
	return NULL;
}

bool cli_args_parse(struct cli_args *a, int argc, char **argv, char *why, size_t why_size)
{
	const struct option options[] = {
		{ "--url", &a->url, NULL, NULL },
		{ "--token-file", &a->token_file, NULL, NULL },
		{ "--policy", &a->policy, NULL, NULL },
		{ "--min-algorithm", &a->min_algorithm, NULL, NULL },
		{ "--server", &a->server, NULL, NULL },
		{ "--relay", &a->relay, NULL, NULL },
		{ "--ad-types", &a->ad_types, NULL, NULL },
		{ "--to", &a->to, NULL, NULL },
		{ "--attempts", NULL, &a->attempts, NULL },
		{ "--max-links", NULL, &a->max_links, NULL },
		{ "--seconds", NULL, &a->seconds, NULL },
		{ "--stop-at", NULL, &a->stop_at, NULL },
		{ "--max-octets", NULL, &a->max_octets, NULL },
		{ "--json", NULL, NULL, &a->json },
		{ "--help", NULL, NULL, &a->help },
		{ "-h", NULL, NULL, &a->help },
		{ "--version", NULL, NULL, &a->version },
		{ "--no-wait", NULL, NULL, &a->no_wait },
		{ "--all", NULL, NULL, &a->all },
		{ "--all-trusted", NULL, NULL, &a->all_trusted },
		{ "--dry-run", NULL, NULL, &a->dry_run },
		{ "--strict", NULL, NULL, &a->strict },
		{ NULL, NULL, NULL, NULL },
	};
	bool only_words = false;

	memset(a, 0, sizeof(*a));
	a->max_links = a->seconds = a->stop_at = a->max_octets = a->attempts = -1;
	for (int i = 1; i < argc; i++) {
		const struct option *o;

		if (only_words || argv[i][0] != '-' || !argv[i][1]) {
			if (a->n_words == CLI_WORDS_MAX) {
				snprintf(why, why_size, "too many words");
				return false;
			}
			a->words[a->n_words++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		o = option_find(options, argv[i]);
		if (!o) {
			snprintf(why, why_size, "there is no option %.100s", argv[i]);
			return false;
		}
		if (!option_set(o, argc, argv, &i, why, why_size))
			return false;
	}
	if (a->relay && strcmp(a->relay, "on") != 0 && strcmp(a->relay, "off") != 0) {
		snprintf(why, why_size, "--relay: on or off");
		return false;
	}
	return true;
}
