/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's configuration. Input: the file; its words are tried as flags, too. Accepted: the
 * file is good and says something. */
#include <string.h>

#include "fuzz.h"
#include "fuzz_file.h"
#include "options.h"

enum { WORDS = 16, TEXT = 2048 };

static void as_flags(const uint8_t *data, size_t n, char *why, unsigned size)
{
	char text[TEXT], *argv[WORDS + 1] = { 0 }, *save = NULL;
	struct options o;
	int argc = 1;

	if (n >= sizeof(text))
		return;
	memcpy(text, data, n);
	text[n] = '\0';
	argv[0] = text + n;
	for (char *word = strtok_r(text, " \n", &save); word && argc < WORDS;
	     word = strtok_r(NULL, " \n", &save))
		argv[argc++] = word;
	for (int i = 1; i < argc; i++) /* no file but ours is opened */
		if (strcmp(argv[i], "--config") == 0)
			return;
	options_defaults(&o);
	options_parse(&o, argc, argv, why, size);
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	char path[FUZZ_PATH], why[512] = "";
	struct options o, fresh;
	int fd = fuzz_file(data, n, path);
	bool good;

	options_defaults(&o);
	memcpy(&fresh, &o, sizeof(o));
	good = options_load(&o, path, why, sizeof(why));
	close(fd);
	if (good != (why[0] == '\0') || !memchr(why, 0, sizeof(why)) || o.sim_speed > 1000 ||
	    !memchr(o.listen, 0, sizeof(o.listen)) || !memchr(o.radio, 0, sizeof(o.radio)))
		abort();
	as_flags(data, n, why, sizeof(why));
	return good && memcmp(&fresh, &o, sizeof(o)) != 0;
}
