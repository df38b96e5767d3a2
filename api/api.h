/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST API, its event stream and the dashboard's files: what the server's loop holds of it.
 *
 *  turn:  epoll wakes -> api_turn() runs the handlers -> the turn commits -> api_committed()
 *
 * Handlers run inside api_turn(). A request that changes something is answered after
 * api_committed() only; when the commit fails the process ends, and nobody was told otherwise.
 */
#ifndef MESHMASON_API_H
#define MESHMASON_API_H

#include <stdio.h>

#include "jobs.h"

enum { API_WHY = 256 };

struct api;

/* What stands behind --radio, for showing. */
struct api_radio {
	const char *kind; /* none hci mgmt air sim replay */
	const char *name;
	bool up;
	const char *speed; /* NULL, "max", "1", "20" */
};

/* One of the pre-flight checks. Without ok the cure says what to do; with it, what would be
 * better; "" for nothing. */
struct api_check {
	const char *name, *message, *cure;
	bool ok;
};

/* A recording of what our radio sends and hears. */
struct api_capture {
	int64_t id;
	int64_t started, ended; /* Unix milliseconds; ended 0: running */
	uint64_t octets;
	int64_t frames;	 /* -1: not known, a former run of the server made it */
	const char *end; /* static: stopped time size disk; NULL: running, or not known */
	int64_t seconds; /* the limits of the one that runs */
	uint64_t max_octets;
};

enum api_capture_rc {
	API_CAPTURE_OK,
	API_CAPTURE_NONE,  /* no such capture */
	API_CAPTURE_STATE, /* one runs already, this one does not run, no room: why says it */
	API_CAPTURE_DISK,  /* the file system failed: why says how */
};

/* Who makes and keeps the recordings. */
struct api_captures {
	enum api_capture_rc (*start)(void *ctx, int64_t seconds, uint64_t max_octets, int64_t *id,
				     char why[API_WHY]);
	enum api_capture_rc (*stop)(void *ctx, int64_t id, char why[API_WHY]);
	/* Stops it first when it runs. */
	enum api_capture_rc (*remove)(void *ctx, int64_t id, char why[API_WHY]);
	enum api_capture_rc (*get)(void *ctx, int64_t id, struct api_capture *out);
	/* Those with a greater id than after, in order, until row says false. */
	void (*each)(void *ctx, int64_t after,
		     bool (*row)(void *row_ctx, const struct api_capture *c), void *row_ctx);
	/* A descriptor of the file, the caller's to close, and how much of it to read; -1: none. */
	int (*open)(void *ctx, int64_t id, uint64_t *octets);
	void *ctx;
};

struct api_env {
	struct db *db;
	struct jobs *jobs;
	struct timers *timers;	    /* real time */
	int64_t (*wall)(void *ctx); /* Unix milliseconds */
	void (*random)(void *ctx, void *out, size_t n);
	void (*radio)(void *ctx, struct api_radio *out); /* NULL: none */
	/* Each pre-flight check; NULL: none. */
	void (*checks)(void *ctx, void (*row)(void *row_ctx, const struct api_check *c),
		       void *row_ctx);
	struct api_captures captures; /* all functions, or none */
	const char *webui;	      /* the dashboard's folder; NULL: none */
	void *ctx;
};

/* Copies env; loads the dashboard's files. Does not listen yet. NULL with a sentence in why. */
struct api *api_new(const struct api_env *env, char why[API_WHY]);
/* After api_stop(), or without any api_http_start(). */
void api_free(struct api *api);

struct api_listen {
	const char *address; /* "127.0.0.1:8080", "[::1]:8080"; port 0 takes a free one */
	const char *cert_pem, *key_pem; /* texts; NULL: no TLS */
};
/* False with a sentence in why: bad address, port taken, bad certificate. */
bool api_http_start(struct api *api, const struct api_listen *l, char why[API_WHY]);
/* True when an address like that of struct api_listen is a loopback one. */
bool api_is_loopback(const char *address);
/* For the dashboard's address: "http://127.0.0.1:8080". */
const char *api_url(const struct api *api);
/* Watch it level-triggered for input, and call api_turn() when it wakes. */
int api_fd(const struct api *api);
/* Runs handlers and collects what the worker has done. Call it in every turn. */
void api_turn(struct api *api);
/* The longest time to wait for the next turn, microseconds; TIMERS_NEVER: no limit of ours. */
uint64_t api_timeout(const struct api *api);
/* The turn's changes are durable: their requests are answered in the next turn. */
void api_committed(struct api *api);
/* For struct jobs_env.changed: watchers will see it, coalesced. Does not call back. */
void api_changed(struct api *api, const struct jobs_change *c);
void api_radio_changed(struct api *api);
/* Stops listening, answers or ends what is open (up to 2 seconds), and stops. */
void api_stop(struct api *api);

/* While no user exists: makes sure that DIR/admin-token (mode 0600) is there, and puts a one-time
 * sign-in link, good for a day, in url ("" once a user exists). Commit before showing it. base is
 * api_url(). */
enum { API_LINK = 256 };
bool api_first_start(struct api *api, const char *dir, const char *base, char url[API_LINK],
		     char why[API_WHY]);
/* No user exists yet. */
bool api_setup_needed(struct api *api);

/* One line per route: "GET /api/v1/jobs viewer kind limit cursor state". */
void api_print_routes(FILE *out);

#endif
