/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "cli.h"

static void print(const struct cli_args *a, json_t *capture)
{
	char id[32], state[32], octets[32];

	if (a->json)
		json_print(capture);
	else
		printf("Capture %s %s, %s octets\n", value_text(capture, "id", id, sizeof(id)),
		       value_text(capture, "state", state, sizeof(state)),
		       value_text(capture, "octets", octets, sizeof(octets)));
}

static int list(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "ID", "id" },		{ "STATE", "state" },	{ "STARTED", "started_at" },
		{ "OCTETS", "octets" }, { "FRAMES", "frames" }, { "ENDED BY", "ended_by" },
	};

	return command_list(a, r, "/captures", columns, ARRAY_LEN(columns));
}

static int start(const struct cli_args *a, struct rest *r)
{
	struct rest_body body = { .type = "application/json" };
	json_t *o = json_object(), *answer;
	char *text;
	long code;

	if (a->seconds >= 0)
		json_object_set_new(o, "seconds", json_integer(a->seconds));
	if (a->max_octets >= 0)
		json_object_set_new(o, "max_octets", json_integer(a->max_octets));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!text)
		return EXIT_FAILED;
	body.data = text;
	body.n = strlen(text);
	code = rest_call(r, "POST", "/captures", &body, &answer);
	free(text);
	if (code != 201)
		return command_refused(r, code, answer);
	print(a, answer);
	json_decref(answer);
	return EXIT_OK;
}

/* "": none runs. False when the server refused; its exit status. */
static bool find_running(struct rest *r, char id[32], int *status)
{
	json_t *problem, *items, *one;
	char state[16];
	long code;
	size_t i;

	id[0] = '\0';
	items = rest_list(r, "/captures", &code, &problem);
	if (!items) {
		*status = command_refused(r, code, problem);
		return false;
	}
	json_array_foreach(items, i, one)
	{
		if (strcmp(value_text(one, "state", state, sizeof(state)), "running") == 0)
			snprintf(id, 32, "%lld",
				 (long long)json_integer_value(json_object_get(one, "id")));
	}
	json_decref(items);
	return true;
}

static int stop(const struct cli_args *a, struct rest *r)
{
	/* By a token no content type is asked for, as there is no body. */
	char id[32], path[96];
	json_t *answer;
	int status;
	long code;

	if (a->n_words == 3)
		snprintf(id, sizeof(id), "%.31s", a->words[2]);
	else if (!find_running(r, id, &status))
		return status;
	if (!*id) {
		fprintf(stderr, "meshmason: no capture runs\n");
		return EXIT_FAILED;
	}
	snprintf(path, sizeof(path), "/captures/%s/stop", id);
	code = rest_call(r, "POST", path, NULL, &answer);
	if (code != 200)
		return command_refused(r, code, answer);
	print(a, answer);
	json_decref(answer);
	return EXIT_OK;
}

static int get(const struct cli_args *a, struct rest *r)
{
	const char *name = a->n_words == 4 ? a->words[3] : NULL;
	bool to_stdout = name && strcmp(name, "-") == 0;
	char path[96], own[64];
	json_t *problem;
	FILE *file;
	long code;
	int fd;

	snprintf(own, sizeof(own), "meshmason-%.31s.btsnoop", a->words[2]);
	if (!name)
		name = own;
	fd = to_stdout ? dup(STDOUT_FILENO)
		       : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (!file) {
		fprintf(stderr, "meshmason: %s: %s\n", name, strerror(errno));
		return EXIT_FAILED;
	}
	snprintf(path, sizeof(path), "/captures/%.31s", a->words[2]);
	code = rest_download(r, path, file, &problem);
	if (fclose(file) != 0 && code == 200) {
		fprintf(stderr, "meshmason: %s: %s\n", name, strerror(errno));
		return EXIT_FAILED;
	}
	if (code != 200) {
		if (!to_stdout)
			unlink(name);
		return command_refused(r, code, problem);
	}
	if (!to_stdout)
		printf("%s\n", name);
	return EXIT_OK;
}

static int drop(const struct cli_args *a, struct rest *r)
{
	char path[96];
	json_t *answer;
	long code;

	snprintf(path, sizeof(path), "/captures/%.31s", a->words[2]);
	code = rest_call(r, "DELETE", path, NULL, &answer);
	return code == 204 ? EXIT_OK : command_refused(r, code, answer);
}

static bool is_number(const char *text)
{
	return *text && strlen(text) < 20 && strspn(text, "0123456789") == strlen(text);
}

int command_capture(const struct cli_args *a, struct rest *r)
{
	static const struct {
		const char *name;
		size_t least, most; /* words after it */
		int (*run)(const struct cli_args *a, struct rest *r);
	} actions[] = {
		{ "list", 0, 0, list }, { "start", 0, 0, start }, { "stop", 0, 1, stop },
		{ "get", 1, 2, get },	{ "remove", 1, 1, drop },
	};
	size_t more = a->n_words > 2 ? a->n_words - 2 : 0;

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (strcmp(a->n_words > 1 ? a->words[1] : "list", actions[i].name) == 0 &&
		    more >= actions[i].least && more <= actions[i].most &&
		    (more == 0 || is_number(a->words[2])))
			return actions[i].run(a, r);
	}
	return command_usage("capture [list | start | stop [ID] | get ID [FILE] | remove ID]");
}
