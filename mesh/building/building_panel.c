/* SPDX-License-Identifier: Apache-2.0 */
#include "building_panel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "building_store.h"

enum { FILE_MAX = 64, TAKEN_TRIES = 100, TAKEN_EVERY_MS = 50 };

static const uint64_t look_every = MSEC(200);
static const char *const types[] = {
	[DEVICE_COUNT] = "count", [DEVICE_DIGITS] = "digits", [DEVICE_TEXT] = "text"
};

static bool path_of(char path[PATH_MAX], const char *folder, const uint8_t uuid[UUID_LEN],
		    const char *what)
{
	char text[UUID_TEXT];

	return snprintf(path, PATH_MAX, "%s/%s.%s", folder, uuid_format(text, uuid), what) <
	       PATH_MAX;
}

/* The first line of a file, without its end; false when there is none. */
static bool read_line(const char *folder, const uint8_t uuid[UUID_LEN], const char *what,
		      char line[FILE_MAX + 1])
{
	char path[PATH_MAX];
	uint8_t *data;
	size_t n;

	if (!path_of(path, folder, uuid, what) || !building_store_read(path, FILE_MAX, &data, &n))
		return false;
	memcpy(line, data, n);
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	free(data);
	return true;
}

static void write_line(const char *folder, const uint8_t uuid[UUID_LEN], const char *what,
		       const char *line)
{
	char path[PATH_MAX];

	if (path_of(path, folder, uuid, what))
		(void)building_store_replace(path, bytes_of(line, strlen(line)), 0600, false);
}

static void remove_file(const char *folder, const uint8_t uuid[UUID_LEN], const char *what)
{
	char path[PATH_MAX];

	if (path_of(path, folder, uuid, what))
		unlink(path);
}

/* What is not taken stays where it is: perhaps the device is not ready yet. What is taken goes with
 * the prompt, see on_shown(). */
static void look(void *ctx)
{
	struct building_panel *p = ctx;
	char line[FILE_MAX + 1];

	timer_start(p->timers, &p->look, look_every, look, p);
	if (read_line(p->folder, p->uuid, "press", line))
		(void)device_press(p->device, line);
}

static void on_shown(void *ctx, const struct device_prompt *now)
{
	struct building_panel *p = ctx;
	char line[FILE_MAX];

	p->open = now != NULL;
	timer_stop(p->timers, &p->look);
	if (now)
		p->now = *now;
	else
		secret_wipe(&p->now, sizeof(p->now));
	if (!p->folder)
		return;
	remove_file(p->folder, p->uuid, "press");
	if (!now) {
		remove_file(p->folder, p->uuid, "display");
		return;
	}
	snprintf(line, sizeof(line), "%s %s %u %s\n", now->input ? "enter" : "show",
		 types[now->type], now->size, now->input ? "-" : now->value);
	write_line(p->folder, p->uuid, "display", line);
	if (now->input)
		timer_start(p->timers, &p->look, look_every, look, p);
}

void building_panel_attach(struct building_panel *p, struct timers *timers, const char *folder,
			   const uint8_t uuid[UUID_LEN], struct device *device)
{
	*p = (struct building_panel){
		.timers = timers, .folder = folder, .uuid = uuid, .device = device
	};
	if (folder) {
		remove_file(folder, uuid, "display");
		remove_file(folder, uuid, "press");
	}
	device_on_display(device, on_shown, p);
}

void building_panel_detach(struct building_panel *p)
{
	if (p->open)
		on_shown(p, NULL);
	timer_stop(p->timers, &p->look);
	device_on_display(p->device, NULL, NULL);
}

bool building_panel_read(const char *folder, const uint8_t uuid[UUID_LEN],
			 struct device_prompt *out)
{
	char line[FILE_MAX + 1], what[8], type[8], value[DEVICE_PROMPT_TEXT];
	unsigned size;

	memset(out, 0, sizeof(*out));
	if (!read_line(folder, uuid, "display", line) ||
	    sscanf(line, "%7s %7s %u %8s", what, type, &size, value) != 4)
		return false;
	out->input = strcmp(what, "enter") == 0;
	out->size = (uint8_t)size;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(type, types[i]) == 0)
			out->type = (int)i;
	if (!out->input)
		memcpy(out->value, value, sizeof(value));
	return true;
}

bool building_panel_enter(const char *folder, const uint8_t uuid[UUID_LEN], const char *text,
			  char why[128])
{
	struct device_prompt now;
	char line[FILE_MAX + 1];

	if (!building_panel_read(folder, uuid, &now) || !now.input) {
		snprintf(why, 128, "the device waits for nothing to be entered");
		return false;
	}
	if (strlen(text) == 0 || strlen(text) > now.size) {
		snprintf(why, 128, "the device takes 1 to %u characters", now.size);
		return false;
	}
	snprintf(line, sizeof(line), "%.*s\n", FILE_MAX - 2, text);
	write_line(folder, uuid, "press", line);
	for (int i = 0; i < TAKEN_TRIES; i++) {
		if (!read_line(folder, uuid, "press", line))
			return true;
		poll(NULL, 0, TAKEN_EVERY_MS);
	}
	remove_file(folder, uuid, "press");
	snprintf(why, 128, "the device did not take it: does the building run?");
	return false;
}
