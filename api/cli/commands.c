/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bytes.h"

enum { FILE_MAX = 32 << 20 };

/* Prints what went wrong with a call; its exit status. Takes over answer. */
int command_refused(struct rest *r, long status, json_t *answer)
{
	if (status == 0)
		fprintf(stderr, "meshmason: the server is not reached: %s\n", rest_why(r));
	else
		problem_print(status, answer);
	json_decref(answer);
	return status == 0 ? EXIT_UNREACHED : EXIT_FAILED;
}

int command_usage(const char *why)
{
	fprintf(stderr, "meshmason: %s (meshmason --help)\n", why);
	return EXIT_USAGE;
}

/* ---- lists ---- */

int command_list(const struct cli_args *a, struct rest *r, const char *path,
		 const struct column *columns, size_t n)
{
	json_t *problem, *items, *o;
	long status;

	items = rest_list(r, path, &status, &problem);
	if (!items)
		return command_refused(r, status, problem);
	if (a->json) {
		o = json_object();
		json_object_set_new(o, "items", items);
		json_object_set_new(o, "next", json_null());
		json_print(o);
		json_decref(o);
		return EXIT_OK;
	}
	table_print(items, columns, n);
	json_decref(items);
	return EXIT_OK;
}

static int devices(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "UUID", "uuid" },	     { "NAME", "name" },	 { "AREA", "area" },
		{ "STATE", "state" },	     { "EXPECTED", "expected" }, { "TRUST", "trust.state" },
		{ "SERVER", "best_server" }, { "RSSI", "rssi" },	 { "NODE", "address" },
	};

	return command_list(a, r, "/devices", columns, ARRAY_LEN(columns));
}

static int nodes(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "ADDRESS", "address" }, { "UUID", "uuid" },
		{ "NAME", "name" },	  { "AREA", "area" },
		{ "STATE", "state" },	  { "ELEMENTS", "element_count" },
		{ "SERVER", "server" },	  { "RELAY", "features.relay" },
		{ "HOPS", "hops" },	  { "KEY", "device_key_id" },
	};

	return command_list(a, r, "/nodes", columns, ARRAY_LEN(columns));
}

static int servers(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "ADDRESS", "address" },    { "NAME", "name" },
		{ "STATE", "state" },	     { "HOPS", "hops" },
		{ "LINKS", "links.open" },   { "DONE", "load.succeeded" },
		{ "FAILED", "load.failed" }, { "HEARS", "sightings" },
	};

	return command_list(a, r, "/servers", columns, ARRAY_LEN(columns));
}

static int jobs(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "ID", "id" },
		{ "KIND", "kind" },
		{ "STATE", "state" },
		{ "DONE", "counts.succeeded" },
		{ "FAILED", "counts.failed" },
		{ "TOTAL", "counts.total" },
		{ "PEAK LINKS", "links.peak" },
		{ "CREATED", "created_at" },
	};

	return command_list(a, r, "/jobs", columns, ARRAY_LEN(columns));
}

static int tasks(const struct cli_args *a, struct rest *r, const char *id)
{
	static const struct column columns[] = {
		{ "TARGET", "target" },	  { "NAME", "name" },	    { "STATE", "state" },
		{ "STEP", "step" },	  { "TRIES", "attempts" },  { "SERVER", "server" },
		{ "ADDRESS", "address" }, { "CODE", "error.code" },
	};
	char path[96];

	snprintf(path, sizeof(path), "/jobs/%.40s/tasks", id);
	return command_list(a, r, path, columns, ARRAY_LEN(columns));
}

static int status(const struct cli_args *a, struct rest *r)
{
	static const struct column rows[] = {
		{ "Version", "version" },
		{ "Radio", "radio.kind" },
		{ "Network", "network.name" },
		{ "IV Index", "network.iv_index" },
		{ "Own address", "network.address" },
		{ "Devices", "counts.devices" },
		{ "  missing", "counts.missing" },
		{ "Nodes", "counts.nodes" },
		{ "  servers", "counts.servers" },
		{ "Trust anchors", "counts.trust_anchors" },
		{ "Open jobs", "jobs" },
	};
	json_t *answer;
	char text[128];
	long code = rest_call(r, "GET", "/status", NULL, &answer);

	if (code != 200)
		return command_refused(r, code, answer);
	if (a->json)
		json_print(answer);
	for (size_t i = 0; !a->json && i < ARRAY_LEN(rows); i++)
		printf("%-14s %s\n", rows[i].title,
		       value_text(answer, rows[i].path, text, sizeof(text)));
	json_decref(answer);
	return EXIT_OK;
}

/* ---- jobs ---- */

/* A comma between them. */
static json_t *words_of(const char *text)
{
	json_t *list = json_array();

	for (size_t n; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		json_array_append_new(list, json_stringn(text, n));
	}
	return list;
}

static json_t *options_of(const struct cli_args *a)
{
	json_t *o = json_object();

	if (a->policy)
		json_object_set_new(o, "policy", json_string(a->policy));
	if (a->min_algorithm)
		json_object_set_new(o, "min_algorithm", json_string(a->min_algorithm));
	if (a->server)
		json_object_set_new(o, "server", json_string(a->server));
	if (a->max_links >= 0)
		json_object_set_new(o, "max_links", json_integer(a->max_links));
	if (a->attempts >= 0)
		json_object_set_new(o, "attempts", json_integer(a->attempts));
	if (a->to)
		json_object_set_new(o, "address", json_string(a->to));
	if (a->seconds >= 0)
		json_object_set_new(o, "seconds", json_integer(a->seconds));
	if (a->stop_at >= 0)
		json_object_set_new(o, "stop_at_failure_percent", json_integer(a->stop_at));
	if (a->ad_types)
		json_object_set_new(o, "ad_types", words_of(a->ad_types));
	if (a->relay)
		json_object_set_new(o, "relay", json_boolean(strcmp(a->relay, "on") == 0));
	return o;
}

/* NULL: the command line names none. */
static json_t *targets_of(const struct cli_args *a)
{
	json_t *list;

	if (a->all_trusted || a->all)
		return a->n_words > 1 || (a->all && a->all_trusted)
			       ? NULL
			       : json_string(a->all ? "all" : "all-trusted");
	if (a->n_words < 2)
		return strcmp(a->words[0], "scan") == 0 ? json_string("all") : NULL;
	list = json_array();
	for (size_t i = 1; i < a->n_words; i++)
		json_array_append_new(list, json_string(a->words[i]));
	return list;
}

/* The same request sent twice, by a connection that broke, makes one job. */
static void key_new(char out[33])
{
	uint8_t random[16];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	hex_format(out, bytes_of(random, sizeof(random)));
}

static int job_start(const struct cli_args *a, struct rest *r)
{
	json_t *targets = targets_of(a), *o, *answer;
	struct rest_body body = { .type = "application/json" };
	char key[33], *text;
	json_int_t id;
	long code;

	if (!targets)
		return command_usage("say which: --all-trusted, --all, or uuids or addresses");
	o = json_object();
	json_object_set_new(o, "kind", json_string(a->words[0]));
	json_object_set_new(o, "targets", targets);
	json_object_set_new(o, "options", options_of(a));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!text)
		return EXIT_FAILED;
	key_new(key);
	body.data = text;
	body.n = strlen(text);
	body.idempotency_key = key;
	code = rest_call(r, "POST", "/jobs", &body, &answer);
	free(text);
	if (code != 202)
		return command_refused(r, code, answer);
	id = json_integer_value(json_object_get(answer, "id"));
	if (a->no_wait && a->json)
		json_print(answer);
	else if (a->no_wait)
		printf("Job %lld\n", (long long)id);
	else if (!a->json)
		fprintf(stderr, "Job %lld\n", (long long)id);
	json_decref(answer);
	return a->no_wait ? EXIT_OK : job_watch(r, id, a->json);
}

static bool id_read(const struct cli_args *a, json_int_t *id)
{
	char *end;

	if (a->n_words != 2)
		return false;
	errno = 0;
	*id = strtoll(a->words[1], &end, 10);
	return !errno && !*end && *id > 0;
}

static int job_show(const struct cli_args *a, struct rest *r)
{
	json_int_t id;
	json_t *answer;
	char path[64], text[128];
	long code;

	if (!id_read(a, &id))
		return command_usage("the number of a job is wanted");
	snprintf(path, sizeof(path), "/jobs/%lld", (long long)id);
	code = rest_call(r, "GET", path, NULL, &answer);
	if (code != 200)
		return command_refused(r, code, answer);
	if (a->json) {
		json_print(answer);
		json_decref(answer);
		return EXIT_OK;
	}
	printf("Job %lld, %s, %s: ", (long long)id, value_text(answer, "kind", text, 64),
	       value_text(answer, "state", text + 64, 64));
	printf("%s of ", value_text(answer, "counts.succeeded", text, sizeof(text)));
	printf("%s succeeded, ", value_text(answer, "counts.total", text, sizeof(text)));
	printf("%s failed\n\n", value_text(answer, "counts.failed", text, sizeof(text)));
	json_decref(answer);
	return tasks(a, r, a->words[1]);
}

static int job_wait(const struct cli_args *a, struct rest *r)
{
	json_int_t id;

	if (!id_read(a, &id))
		return command_usage("the number of a job is wanted");
	return job_watch(r, id, a->json);
}

static int job_act(const struct cli_args *a, struct rest *r)
{
	struct rest_body body = { .type = "application/json", .data = "{}", .n = 2 };
	char path[96], state[32];
	json_int_t id;
	json_t *answer;
	long code;

	if (!id_read(a, &id))
		return command_usage("the number of a job is wanted");
	snprintf(path, sizeof(path), "/jobs/%lld/%s", (long long)id, a->words[0]);
	code = rest_call(r, "POST", path, &body, &answer);
	if (code != 202)
		return command_refused(r, code, answer);
	if (a->json)
		json_print(answer);
	else
		printf("Job %lld %s\n", (long long)id,
		       value_text(answer, "state", state, sizeof(state)));
	json_decref(answer);
	return EXIT_OK;
}

/* ---- files ---- */

char *command_file_read(const char *path, size_t *n)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	char *data = f ? malloc(FILE_MAX + 1) : NULL;

	*n = data ? fread(data, 1, FILE_MAX + 1, f) : 0;
	if (!data || ferror(f) || *n > FILE_MAX) {
		fprintf(stderr, "meshmason: %s: %s\n", path,
			*n > FILE_MAX ? "larger than 32 MiB" : strerror(errno));
		free(data);
		data = NULL;
	}
	if (f && f != stdin)
		fclose(f);
	return data;
}

static void import_print(json_t *answer)
{
	static const struct column columns[] = {
		{ "LINE", "line" }, { "UUID", "uuid" }, { "FIELD", "field" }, { "WHY", "message" }
	};
	static const char *const names[] = { "added", "changed", "unchanged", "refused" };
	json_t *counts = json_object_get(answer, "counts"), *rows = json_array(), *row;
	char text[32];
	size_t i;

	for (i = 0; counts && i < ARRAY_LEN(names); i++)
		printf("%s %s%s", value_text(counts, names[i], text, sizeof(text)), names[i],
		       i + 1 < ARRAY_LEN(names) ? ", " : "\n");
	json_array_foreach(json_object_get(answer, "rows"), i,
			   row) if (strcmp(value_text(row, "outcome", text, sizeof(text)),
					   "refused") == 0) json_array_append(rows, row);
	if (json_array_size(rows))
		table_print(rows, columns, ARRAY_LEN(columns));
	json_decref(rows);
}

static int import(const struct cli_args *a, struct rest *r)
{
	struct rest_body body = { 0 };
	long long bad;
	json_t *answer;
	char path[96], *data;
	long code;

	if (a->n_words != 2)
		return command_usage("import FILE");
	data = command_file_read(a->words[1], &body.n);
	if (!data)
		return EXIT_FAILED;
	body.data = data;
	body.type =
		body.n && data[strspn(data, " \t\r\n")] == '{' ? "application/json" : "text/csv";
	snprintf(path, sizeof(path), "/devices/import?dry_run=%s&strict=%s",
		 a->dry_run ? "true" : "false", a->strict ? "true" : "false");
	code = rest_call(r, "POST", path, &body, &answer);
	free(data);
	if (code != 200) {
		if (!a->json && code == 422)
			import_print(answer);
		return command_refused(r, code, answer);
	}
	if (a->json)
		json_print(answer);
	else
		import_print(answer);
	bad = json_integer_value(json_object_get(json_object_get(answer, "counts"), "refused"));
	json_decref(answer);
	return bad ? EXIT_PARTIAL : EXIT_OK;
}

static const struct command {
	const char *name;
	int (*run)(const struct cli_args *a, struct rest *r);
	bool operands;
} commands[] = {
	{ "status", status, false },
	{ "devices", devices, false },
	{ "nodes", nodes, false },
	{ "servers", servers, false },
	{ "jobs", jobs, false },
	{ "job", job_show, true },
	{ "wait", job_wait, true },
	{ "scan", job_start, true },
	{ "provision", job_start, true },
	{ "configure", job_start, true },
	{ "remove", job_start, true },
	{ "identify", job_start, true },
	{ "refresh-device-key", job_start, true },
	{ "refresh-address", job_start, true },
	{ "refresh-composition", job_start, true },
	{ "read-composition", job_start, true },
	{ "composition", command_composition, true },
	{ "move", command_move, true },
	{ "addresses", command_addresses, false },
	{ "pause", job_act, true },
	{ "resume", job_act, true },
	{ "cancel", job_act, true },
	{ "retry", job_act, true },
	{ "import", import, true },
	{ "trust", command_trust, true },
	{ "oob", command_oob, true },
	{ "capture", command_capture, true },
};

static const struct command *command_find(const struct cli_args *a)
{
	for (size_t i = 0; a->n_words && i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, a->words[0]) == 0)
			return &commands[i];
	return NULL;
}

bool command_known(const struct cli_args *a)
{
	return command_find(a) != NULL;
}

int command_run(const struct cli_args *a, struct rest *r)
{
	const struct command *c = command_find(a);

	if (!c->operands && a->n_words > 1)
		return command_usage("this command takes no further words");
	return c->run(a, r);
}
