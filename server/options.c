/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

enum kind { TEXT, SPEED, LEVEL, YES };

static const struct setting {
	const char *key;
	enum kind kind;
	size_t offset, size;
} settings[] = {
#define SETTING(key, kind, field)                                                                \
	{                                                                                        \
		key, kind, offsetof(struct options, field), sizeof(((struct options *)0)->field) \
	}
	SETTING("data", TEXT, data),
	SETTING("listen", TEXT, listen),
	SETTING("radio", TEXT, radio),
	SETTING("webui", TEXT, webui),
	SETTING("capture", TEXT, capture),
	SETTING("tls-cert", TEXT, tls_cert),
	SETTING("tls-key", TEXT, tls_key),
	SETTING("fetch-allow", TEXT, fetch_allow),
	SETTING("fetch-ca", TEXT, fetch_ca),
	SETTING("fetch-private", YES, fetch_private),
	SETTING("sim-speed", SPEED, sim_speed),
	SETTING("log-level", LEVEL, log_level),
	SETTING("insecure-listen", YES, insecure_listen),
	SETTING("check-config", YES, check_config),
	SETTING("check", YES, check),
	SETTING("version", YES, version),
	SETTING("help", YES, help),
	SETTING("print-routes", YES, print_routes),
#undef SETTING
};

void options_defaults(struct options *o)
{
	memset(o, 0, sizeof(*o));
	snprintf(o->data, sizeof(o->data), "/var/lib/meshmason");
	snprintf(o->listen, sizeof(o->listen), "127.0.0.1:8080");
	o->sim_speed = 1;
	o->log_level = LOG_LEVEL_WARNING;
}

static bool set_text(char *out, size_t size, const char *key, const char *value, char *why,
		     unsigned why_size)
{
	if (strlen(value) >= size) {
		snprintf(why, why_size, "%s: longer than %zu characters", key, size - 1);
		return false;
	}
	strcpy(out, value);
	return true;
}

static bool set_speed(unsigned *out, const char *value, char *why, unsigned why_size)
{
	char *end;
	unsigned long n;

	if (strcmp(value, "max") == 0) {
		*out = 0;
		return true;
	}
	n = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || *end || n < 1 || n > 1000) {
		snprintf(why, why_size, "sim-speed: 1 to 1000, or max, wanted; not \"%s\"", value);
		return false;
	}
	*out = (unsigned)n;
	return true;
}

static bool set_bool(bool *out, const char *key, const char *value, char *why, unsigned why_size)
{
	if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0) {
		*out = value[0] == 'y';
		return true;
	}
	snprintf(why, why_size, "%s: yes or no wanted; not \"%s\"", key, value);
	return false;
}

static bool set_level(enum log_level *out, const char *value, char *why, unsigned why_size)
{
	if (log_level_parse(value, out))
		return true;
	snprintf(why, why_size, "log-level: error, warning, info or debug wanted; not \"%s\"",
		 value);
	return false;
}

static const struct setting *find(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		if (strcmp(settings[i].key, key) == 0)
			return &settings[i];
	}
	return NULL;
}

bool options_set(struct options *o, const char *key, const char *value, char *why,
		 unsigned why_size)
{
	const struct setting *s = find(key);
	char *field = s ? (char *)o + s->offset : NULL;

	if (!s) {
		snprintf(why, why_size, "%s: no such setting", key);
		return false;
	}
	switch (s->kind) {
	case TEXT:
		return set_text(field, s->size, key, value, why, why_size);
	case SPEED:
		return set_speed((unsigned *)(void *)field, value, why, why_size);
	case LEVEL:
		return set_level((enum log_level *)(void *)field, value, why, why_size);
	case YES:
		return set_bool((bool *)field, key, value, why, why_size);
	}
	return false;
}

static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

bool options_load(struct options *o, const char *path, char *why, unsigned why_size)
{
	FILE *f = fopen(path, "re");
	char line[1024], problem[256];
	bool ok = true;

	if (!f) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return false;
	}
	for (int n = 1; ok && fgets(line, sizeof(line), f); n++) {
		char *text = trim(line), *equals = strchr(text, '=');

		if (!*text || *text == '#' || *text == ';' || *text == '[')
			continue;
		if (!equals) {
			snprintf(why, why_size, "%s:%d: \"key = value\" wanted", path, n);
			ok = false;
			break;
		}
		*equals = '\0';
		ok = options_set(o, trim(text), trim(equals + 1), problem, sizeof(problem));
		if (!ok)
			snprintf(why, why_size, "%s:%d: %s", path, n, problem);
	}
	fclose(f);
	return ok;
}

/* One flag at argv[i]; the number of arguments it took, 0 on a mistake. */
static int take_flag(struct options *o, int argc, char **argv, int i, bool files_only, char *why,
		     unsigned why_size)
{
	const char *key = argv[i] + 2;
	bool is_file = strcmp(key, "config") == 0;
	const struct setting *s = find(key);

	if (strncmp(argv[i], "--", 2) != 0 || (!s && !is_file)) {
		snprintf(why, why_size, "%s: no such option (--help lists them)", argv[i]);
		return 0;
	}
	if (s && s->kind == YES)
		return files_only || options_set(o, key, "yes", why, why_size) ? 1 : 0;
	if (i + 1 >= argc) {
		snprintf(why, why_size, "%s: needs a value", argv[i]);
		return 0;
	}
	if (is_file)
		return !files_only || options_load(o, argv[i + 1], why, why_size) ? 2 : 0;
	return files_only || options_set(o, key, argv[i + 1], why, why_size) ? 2 : 0;
}

/* The file first, wherever --config stands, then the flags over it. */
enum options_result options_parse(struct options *o, int argc, char **argv, char *why,
				  unsigned why_size)
{
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 1; i < argc;) {
			int taken = take_flag(o, argc, argv, i, pass == 0, why, why_size);

			if (taken == 0)
				return OPTIONS_BAD;
			i += taken;
		}
	}
	return OPTIONS_OK;
}

const char *options_usage(void)
{
	return "usage: meshmasond [OPTION...]\n"
	       "  --config FILE          settings from an INI file; each flag overrides it\n"
	       "  --data DIR             inventory, keys, tokens (default /var/lib/meshmason)\n"
	       "  --listen ADDR:PORT     default 127.0.0.1:8080\n"
	       "  --radio RADIO          hciN | ADDRESS | mgmt:hciN | air:DIR[,NAME] |\n"
	       "                         sim:FILE |\n"
	       "                         sim:KEY=VALUE,...\n"
	       "  --sim-speed N|max      pace of a sim: radio (default 1)\n"
	       "  --capture FILE         record the air (sim: every radio, pcap; others: "
	       "ours, btsnoop)\n"
	       "  --webui DIR            folder of the built dashboard\n"
	       "  --tls-cert FILE --tls-key FILE\n"
	       "  --insecure-listen      listen beyond loopback without TLS\n"
	       "  --fetch-allow HOST[:PORT],...\n"
	       "                         certificates are fetched from these sites only\n"
	       "  --fetch-private        private and loopback addresses of such sites, too\n"
	       "  --fetch-ca FILE        CAs of such sites, beside the system's\n"
	       "  --log-level LEVEL      error, warning, info, debug\n"
	       "  --check                adapter, kernel, permission, clock, data, disk: each "
	       "good, or\n"
	       "                         its cure; exit status 1 when one is not\n"
	       "  --check-config         read the configuration, say whether it is good, exit\n"
	       "  --print-routes         the REST routes, one a line\n"
	       "  --version\n";
}
