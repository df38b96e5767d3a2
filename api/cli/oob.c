/* SPDX-License-Identifier: Apache-2.0 */
/* meshmason oob: what a person is asked while a job provisions by output or input OOB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"

static int list(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "TASK", "task" },	    { "NAME", "name" },
		{ "AREA", "area" },	    { "METHOD", "method" },
		{ "DOES", "action" },	    { "SIZE", "size" },
		{ "ENTER THERE", "value" }, { "SECONDS LEFT", "seconds_left" },
		{ "UUID", "uuid" },
	};

	return command_list(a, r, "/oob", columns, ARRAY_LEN(columns));
}

static int send_answer(const struct cli_args *a, struct rest *r, json_t *o)
{
	struct rest_body body = { .type = "application/json" };
	char path[64], text[64];
	json_t *answer;
	char *data = json_dumps(o, 0);
	long code;

	json_decref(o);
	if (!data)
		return EXIT_FAILED;
	body.data = data;
	body.n = strlen(data);
	snprintf(path, sizeof(path), "/oob/%.20s", a->words[2]);
	code = rest_call(r, "POST", path, &body, &answer);
	free(data);
	if (code != 202)
		return command_refused(r, code, answer);
	if (a->json)
		json_print(answer);
	else
		printf("Task %s: %s\n", a->words[2],
		       value_text(answer, "state", text, sizeof(text)));
	json_decref(answer);
	return EXIT_OK;
}

int command_oob(const struct cli_args *a, struct rest *r)
{
	const char *what = a->n_words > 1 ? a->words[1] : "list";
	bool task = a->n_words > 2 && *a->words[2] &&
		    strspn(a->words[2], "0123456789") == strlen(a->words[2]);

	if (strcmp(what, "list") == 0 && a->n_words <= 2)
		return list(a, r);
	if (strcmp(what, "answer") == 0 && a->n_words == 4 && task)
		return send_answer(a, r, json_pack("{s:s}", "value", a->words[3]));
	if (strcmp(what, "give-up") == 0 && a->n_words == 3 && task)
		return send_answer(a, r, json_pack("{s:b}", "cancel", 1));
	return command_usage("oob [list | answer TASK VALUE | give-up TASK]");
}
