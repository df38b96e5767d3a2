/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "secret.h"

/* The first line of the file, or MESHMASON_TOKEN. False when a file was named and cannot be read.
 */
static bool token_get(const struct cli_args *a, char out[CLI_SECRET])
{
	const char *env = getenv("MESHMASON_TOKEN");
	FILE *f;
	bool good;

	out[0] = '\0';
	if (!a->token_file) {
		snprintf(out, CLI_SECRET, "%s", env ? env : "");
		return true;
	}
	f = fopen(a->token_file, "r");
	good = f && fgets(out, CLI_SECRET, f);
	if (!good)
		fprintf(stderr, "meshmason: %s: %s\n", a->token_file,
			f ? "no token is in it" : strerror(errno));
	out[strcspn(out, "\r\n")] = '\0';
	if (f)
		fclose(f);
	return good;
}

int main(int argc, char **argv)
{
	char why[160], token[CLI_SECRET];
	struct cli_args a;
	struct rest *r;
	const char *url;
	int rc;

	if (!cli_args_parse(&a, argc, argv, why, sizeof(why))) {
		fprintf(stderr, "meshmason: %s (meshmason --help)\n", why);
		return EXIT_USAGE;
	}
	if (a.help || a.version) {
		fputs(a.help ? cli_usage() : "meshmason " MESHMASON_VERSION "\n", stdout);
		return EXIT_OK;
	}
	if (!command_known(&a)) {
		fprintf(stderr, "meshmason: %s%s (meshmason --help)\n",
			a.n_words ? "there is no command " : "a command is wanted",
			a.n_words ? a.words[0] : "");
		return EXIT_USAGE;
	}
	if (!token_get(&a, token))
		return EXIT_USAGE;
	url = a.url ? a.url : getenv("MESHMASON_URL");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r = rest_new(url && *url ? url : "http://127.0.0.1:8080", *token ? token : NULL);
	secret_wipe(token, sizeof(token));
	if (!r)
		return EXIT_FAILED;
	rc = command_run(&a, r);
	rest_free(r);
	curl_global_cleanup();
	return rc;
}
