/* SPDX-License-Identifier: Apache-2.0 */
#include "captures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bytes.h"
#include "log.h"

enum {
	KEPT_MAX = 100,	  /* recordings in the folder: then old ones must go first */
	NAMES_MAX = 1000, /* files looked at */
	PATH_SIZE = 600,
};

#define DISK_RESERVE (UINT64_C(64) << 20) /* octets that a recording leaves to the store */
#define SUFFIX	     ".btsnoop"

/* How one of this run ended. */
struct ending {
	int64_t id, at, frames;
	const char *by;
};

struct captures {
	struct captures_config config;
	char dir[PATH_SIZE - 40];
	struct capture_file file;
	int64_t running; /* id; 0: none */
	int64_t last;	 /* id given last */
	int64_t seconds;
	uint64_t until;
	struct timer tick;
	struct ending endings[KEPT_MAX];
	size_t n_endings; /* ever; the oldest are overwritten */
};

static int64_t wall(const struct captures *cs)
{
	return cs->config.wall(cs->config.ctx);
}

static const char *path_of(const struct captures *cs, int64_t id, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%lld" SUFFIX, cs->dir, (long long)id);
	return out;
}

/* ---- the one that runs ---- */

static void end_running(struct captures *cs, const char *by)
{
	struct ending *e = &cs->endings[cs->n_endings++ % KEPT_MAX];

	timer_stop(cs->config.real_time, &cs->tick);
	if (!capture_stop(cs->config.tap, &cs->file))
		by = "disk";
	*e = (struct ending){ cs->running, wall(cs), (int64_t)cs->file.frames, by };
	log_info("capture %lld: %llu frames, ended by %s", (long long)cs->running,
		 (unsigned long long)cs->file.frames, by);
	cs->running = 0;
}

static void on_tick(void *ctx)
{
	struct captures *cs = ctx;
	uint64_t now = timers_now(cs->config.real_time);

	if (cs->file.failed || cs->file.full || now >= cs->until)
		end_running(cs, cs->file.failed ? "disk" : cs->file.full ? "size" : "time");
	else
		timer_start(cs->config.real_time, &cs->tick,
			    cs->until - now < SEC(1) ? cs->until - now : SEC(1), on_tick, cs);
}

/* ---- the folder ---- */

static int by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static size_t list(const struct captures *cs, int64_t ids[NAMES_MAX])
{
	DIR *d = opendir(cs->dir);
	struct dirent *e;
	size_t n = 0;

	while (d && n < NAMES_MAX && (e = readdir(d))) {
		char *end;

		errno = 0;
		ids[n] = strtoll(e->d_name, &end, 10);
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && !errno &&
		    strcmp(end, SUFFIX) == 0)
			n++;
	}
	if (d)
		closedir(d);
	qsort(ids, n, sizeof(*ids), by_id);
	return n;
}

static enum api_capture_rc on_get(void *ctx, int64_t id, struct api_capture *out)
{
	struct captures *cs = ctx;
	char path[PATH_SIZE];
	struct stat st;

	if (id > INT64_MAX / 1000 || lstat(path_of(cs, id, path), &st) != 0 || !S_ISREG(st.st_mode))
		return API_CAPTURE_NONE;
	*out = (struct api_capture){ .id = id,
				     .started = id * 1000,
				     .ended = (int64_t)st.st_mtime * 1000,
				     .octets = (uint64_t)st.st_size,
				     .frames = -1 };
	if (id == cs->running) {
		out->ended = 0;
		out->octets = cs->file.octets;
		out->frames = (int64_t)cs->file.frames;
		out->seconds = cs->seconds;
		out->max_octets = cs->file.max;
	}
	for (size_t i = 0; i < KEPT_MAX && i < cs->n_endings; i++) {
		const struct ending *e = &cs->endings[i];

		if (e->id != id)
			continue;
		out->ended = e->at;
		out->frames = e->frames;
		out->end = e->by;
	}
	return API_CAPTURE_OK;
}

static void on_each(void *ctx, int64_t after,
		    bool (*row)(void *row_ctx, const struct api_capture *c), void *row_ctx)
{
	struct captures *cs = ctx;
	struct api_capture c;
	int64_t ids[NAMES_MAX];
	size_t n = list(cs, ids);

	for (size_t i = 0; i < n; i++) {
		if (ids[i] > after && on_get(cs, ids[i], &c) == API_CAPTURE_OK && !row(row_ctx, &c))
			return;
	}
}

static int on_open(void *ctx, int64_t id, uint64_t *octets)
{
	struct captures *cs = ctx;
	char path[PATH_SIZE];
	struct stat st;
	int fd;

	if (id == cs->running)
		capture_flush(&cs->file);
	fd = open(path_of(cs, id, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0)
		*octets = id == cs->running ? cs->file.flushed : (uint64_t)st.st_size;
	return fd;
}

/* ---- start, stop, remove ---- */

static enum api_capture_rc has_room(struct captures *cs, uint64_t max_octets, char why[API_WHY])
{
	int64_t ids[NAMES_MAX];
	struct statvfs fs;
	uint64_t left;

	if ((mkdir(cs->dir, 0700) != 0 && errno != EEXIST) || statvfs(cs->dir, &fs) != 0) {
		snprintf(why, API_WHY, "The folder of captures: %s.", strerror(errno));
		return API_CAPTURE_DISK;
	}
	if (list(cs, ids) >= KEPT_MAX) {
		snprintf(why, API_WHY, "%d captures are kept already: delete some.", KEPT_MAX);
		return API_CAPTURE_STATE;
	}
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left < max_octets + DISK_RESERVE) {
		snprintf(why, API_WHY,
			 "The disk has %llu MiB left: make room, or ask for a smaller max_octets.",
			 (unsigned long long)(left >> 20));
		return API_CAPTURE_STATE;
	}
	return API_CAPTURE_OK;
}

static enum api_capture_rc on_start(void *ctx, int64_t seconds, uint64_t max_octets, int64_t *id,
				    char why[API_WHY])
{
	struct captures *cs = ctx;
	enum api_capture_rc rc;
	char path[PATH_SIZE];

	if (cs->running) {
		snprintf(why, API_WHY, "Capture %lld runs: one at a time.", (long long)cs->running);
		return API_CAPTURE_STATE;
	}
	rc = has_room(cs, max_octets, why);
	if (rc != API_CAPTURE_OK)
		return rc;
	*id = wall(cs) / 1000;
	if (*id <= cs->last)
		*id = cs->last + 1;
	while (access(path_of(cs, *id, path), F_OK) == 0)
		++*id;
	if (!capture_start(cs->config.tap, &cs->file, path, max_octets)) {
		snprintf(why, API_WHY, "The capture's file: %s.", strerror(errno));
		return API_CAPTURE_DISK;
	}
	cs->running = cs->last = *id;
	cs->seconds = seconds;
	cs->until = timers_now(cs->config.real_time) + SEC(seconds);
	timer_start(cs->config.real_time, &cs->tick, SEC(1), on_tick, cs);
	log_info("capture %lld: started, for %lld s", (long long)*id, (long long)seconds);
	return API_CAPTURE_OK;
}

static enum api_capture_rc on_stop(void *ctx, int64_t id, char why[API_WHY])
{
	struct captures *cs = ctx;
	struct api_capture c;

	if (id == cs->running) {
		end_running(cs, "stopped");
		return API_CAPTURE_OK;
	}
	if (on_get(cs, id, &c) != API_CAPTURE_OK)
		return API_CAPTURE_NONE;
	snprintf(why, API_WHY, "Capture %lld has ended already.", (long long)id);
	return API_CAPTURE_STATE;
}

static enum api_capture_rc on_remove(void *ctx, int64_t id, char why[API_WHY])
{
	struct captures *cs = ctx;
	char path[PATH_SIZE];

	if (id == cs->running)
		end_running(cs, "stopped");
	if (unlink(path_of(cs, id, path)) == 0)
		return API_CAPTURE_OK;
	if (errno == ENOENT)
		return API_CAPTURE_NONE;
	snprintf(why, API_WHY, "The capture's file: %s.", strerror(errno));
	return API_CAPTURE_DISK;
}

struct captures *captures_new(const struct captures_config *config)
{
	struct captures *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return NULL;
	cs->config = *config;
	snprintf(cs->dir, sizeof(cs->dir), "%s/captures", config->data);
	return cs;
}

void captures_free(struct captures *cs)
{
	if (!cs)
		return;
	if (cs->running)
		end_running(cs, "stopped");
	free(cs);
}

void captures_api(struct captures *cs, struct api_captures *out)
{
	*out = (struct api_captures){
		.start = on_start,
		.stop = on_stop,
		.remove = on_remove,
		.get = on_get,
		.each = on_each,
		.open = on_open,
		.ctx = cs,
	};
}
