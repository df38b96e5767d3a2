/* SPDX-License-Identifier: Apache-2.0 */
/* The meshmason command: words of the command line, calls over REST, tables. */
#ifndef MESHMASON_CLI_H
#define MESHMASON_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit statuses that scripts trust. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTIAL = 3, EXIT_UNREACHED = 4 };

enum { CLI_WORDS_MAX = 4096, CLI_SECRET = 512 };

/* The command line, taken apart. Texts are of argv or the environment. */
struct cli_args {
	const char *url, *token_file;
	bool json, help, version;
	bool no_wait, all, all_trusted, dry_run, strict;
	const char *policy, *min_algorithm, *server;
	const char *ad_types;					/* NAME,NAME */
	const char *to;						/* an address */
	long max_links, seconds, stop_at, max_octets, attempts; /* -1: not given */
	const char *relay;					/* NULL, "on", "off" */
	const char *words[CLI_WORDS_MAX];			/* command and operands */
	size_t n_words;
};

/* False with a sentence in why. */
bool cli_args_parse(struct cli_args *a, int argc, char **argv, char *why, size_t why_size);
const char *cli_usage(void);

/* One HTTP call. body may be NULL. Returns the HTTP status, 0 when the server was not reached. */
struct rest;
struct rest *rest_new(const char *url, const char *token);
void rest_free(struct rest *r);
struct rest_body {
	const char *type, *data;
	size_t n;
	const char *idempotency_key; /* NULL: none */
};
/* *out gets the JSON of the answer, or NULL; the caller's reference. */
long rest_call(struct rest *r, const char *method, const char *path, const struct rest_body *body,
	       json_t **out);
/* Writes what is there to file instead; *out only gets a problem. 0 also when file refuses. */
long rest_download(struct rest *r, const char *path, FILE *file, json_t **out);
/* Why the server was not reached. */
const char *rest_why(const struct rest *r);
/* All pages of a list as one array; NULL with *status. */
json_t *rest_list(struct rest *r, const char *path, long *status, json_t **problem);

/* Prints items as a table; a column is a path into the item ("counts.total") under a title. */
struct column {
	const char *title, *path;
};
void table_print(json_t *items, const struct column *columns, size_t n);
/* The text of what path leads to; "-" for null. out has size octets. */
const char *value_text(json_t *item, const char *path, char *out, size_t size);
void json_print(json_t *value);
/* Says what the server refused, on stderr. */
void problem_print(long status, json_t *problem);

/* Follows a job to its end with a progress bar on a terminal; the exit status. */
int job_watch(struct rest *r, json_int_t id, bool json);
int job_exit_status(const char *state);

/* Runs the command; the exit status. */
int command_run(const struct cli_args *a, struct rest *r);
/* Whether words[0] is a command. */
bool command_known(const struct cli_args *a);

/* For the files of commands. Each returns an exit status. */
/* Prints what went wrong with a call. Takes over answer. */
int command_refused(struct rest *r, long status, json_t *answer);
int command_usage(const char *why);
/* All of a list, as a table or as JSON. */
int command_list(const struct cli_args *a, struct rest *r, const char *path,
		 const struct column *columns, size_t n);
int command_oob(const struct cli_args *a, struct rest *r);
/* Of "-" standard input; NULL, said on stderr, when it cannot be read. The caller frees. */
char *command_file_read(const char *path, size_t *n);
int command_trust(const struct cli_args *a, struct rest *r);
int command_capture(const struct cli_args *a, struct rest *r);

int command_addresses(const struct cli_args *a, struct rest *r);
int command_composition(const struct cli_args *a, struct rest *r);
int command_move(const struct cli_args *a, struct rest *r);

#endif
