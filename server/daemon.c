/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "api.h"
#include "captures.h"
#include "clock.h"
#include "core.h"
#include "fetch.h"
#include "log.h"
#include "loop.h"
#include "master_key.h"
#include "preflight.h"
#include "radio.h"

enum { WHY = DAEMON_WHY, CHECKS_FRESH_S = 5 };

struct daemon {
	const struct options *o;
	struct loop *loop;
	struct timers mesh_time;
	struct clock clock;
	bool simulated; /* the building is in this process, on our clock */
	struct radio *radio;
	struct fetch *fetch;
	struct core *core;
	struct api *api;
	struct captures *captures;
	struct preflight_facts facts;
	uint64_t facts_at; /* of the loop's clock; 0: none yet */
	struct loop_fd api_fd, radio_fd, fetch_fd;
	char speed[16];
	char *cert, *key; /* PEM texts */
};

static int64_t wall(void *ctx)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void random_octets(void *ctx, void *out, size_t n)
{
	uint8_t *o = out;

	while (n > 0) {
		ssize_t got = getrandom(o, n, 0);

		if (got < 0 && errno != EINTR)
			abort(); /* without randomness no key may be made */
		if (got > 0) {
			o += got;
			n -= (size_t)got;
		}
	}
}

/* ---- what the parts ask of the daemon ---- */

static void on_changed(void *ctx, const struct jobs_change *c)
{
	struct daemon *d = ctx;

	if (d->api)
		api_changed(d->api, c);
}

static uint64_t on_fetch(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx)
{
	struct daemon *d = ctx;

	return fetch_start(d->fetch, url, done, done_ctx);
}

static void on_fetch_cancel(void *ctx, uint64_t number)
{
	struct daemon *d = ctx;

	fetch_cancel(d->fetch, number);
}

static void on_radio(void *ctx, struct api_radio *out)
{
	struct daemon *d = ctx;

	out->kind = radio_kind(d->radio);
	out->name = radio_name(d->radio);
	out->up = radio_up(d->radio);
	out->speed = d->speed;
}

static void on_radio_state(void *ctx, bool up, const char *line)
{
	struct daemon *d = ctx;

	if (up)
		log_info("radio: %s", *line ? line : "up");
	else
		log_error("radio: %s", line);
	d->facts_at = 0;
	if (d->api)
		api_radio_changed(d->api);
}

static void on_checks(void *ctx, void (*row)(void *row_ctx, const struct api_check *c),
		      void *row_ctx)
{
	struct preflight_check checks[PREFLIGHT_MAX];
	struct daemon *d = ctx;
	struct preflight_config config = { .radio = d->o->radio,
					   .data = d->o->data,
					   .now = wall(NULL) / 1000,
					   .running = true,
					   .up = radio_up(d->radio),
					   .line = radio_line(d->radio) };
	uint64_t now = loop_now();
	size_t n;

	if (!d->facts_at || now - d->facts_at > SEC(CHECKS_FRESH_S)) {
		preflight_gather(&config, &d->facts);
		d->facts_at = now;
	}
	n = preflight_judge(&d->facts, checks);
	for (size_t i = 0; i < n; i++) {
		struct api_check c = { checks[i].name, checks[i].message, checks[i].cure,
				       checks[i].ok };

		row(row_ctx, &c);
	}
}

/* At the pace of real time nothing has to wait for a fetch. */
static bool must_hold(const struct daemon *d)
{
	return d->o->sim_speed != 1 && fetch_busy(d->fetch);
}

static bool settle_instant(void *ctx)
{
	struct daemon *d = ctx;

	if (!core_settle(d->core))
		return false;
	d->clock.held = must_hold(d);
	d->clock.calm = d->simulated && core_asks(d->core);
	return true;
}

static void on_turn(void *ctx, uint64_t now)
{
	struct daemon *d = ctx;

	d->clock.calm = d->simulated && core_asks(d->core);
	d->clock.held = must_hold(d);
	if (!clock_run(&d->clock, now, core_busy(d->core), settle_instant, d)) {
		loop_stop(d->loop);
		return;
	}
	api_turn(d->api);
}

static bool on_settle(void *ctx)
{
	struct daemon *d = ctx;

	if (!core_settle(d->core))
		return false;
	api_committed(d->api);
	return true;
}

static uint64_t on_patience(void *ctx, uint64_t now)
{
	struct daemon *d = ctx;
	uint64_t mesh = clock_patience(&d->clock, now), http = api_timeout(d->api);

	return mesh < http ? mesh : http;
}

static void on_api_ready(void *ctx, uint32_t events)
{
	/* served by api_turn in the same turn */
}

static void on_fetch_ready(void *ctx, uint32_t events)
{
	struct daemon *d = ctx;

	fetch_work(d->fetch);
}

static void on_radio_ready(void *ctx, uint32_t events)
{
	struct daemon *d = ctx;

	radio_readable(d->radio);
}

/* ---- start, in order; each part says in why what is wrong ---- */

static bool open_data(struct daemon *d, char why[WHY])
{
	struct stat st;

	if (mkdir(d->o->data, 0700) != 0 && errno != EEXIST) {
		snprintf(why, WHY, "data directory %s: %s", d->o->data, strerror(errno));
		return false;
	}
	if (stat(d->o->data, &st) != 0 || !S_ISDIR(st.st_mode)) {
		snprintf(why, WHY, "data directory %s: not a directory", d->o->data);
		return false;
	}
	return true;
}

static bool open_radio(struct daemon *d, char why[WHY])
{
	struct radio_config config = {
		.spec = d->o->radio,
		.data = d->o->data,
		.capture = d->o->capture,
		.timers = &d->mesh_time,
		.now = wall(NULL) / 1000,
		.state = on_radio_state,
		.ctx = d,
	};

	random_octets(NULL, &config.seed, sizeof(config.seed));
	d->radio = radio_open(&config, why);
	return d->radio != NULL;
}

static bool open_fetch(struct daemon *d, char why[WHY])
{
	struct fetch_config config = {
		.timers = loop_timers(d->loop),
		.rules = { .allow = d->o->fetch_allow, .private_too = d->o->fetch_private },
		.ca = d->o->fetch_ca,
	};

	d->fetch = fetch_new(&config, why);
	return d->fetch != NULL;
}

static bool open_core(struct daemon *d, char why[WHY])
{
	char path[600];
	struct core_env env = {
		.db_path = path,
		.radio = radio_bearer(d->radio),
		.mesh_time = &d->mesh_time,
		.real_time = loop_timers(d->loop),
		.wall = wall,
		.random = random_octets,
		.changed = on_changed,
		.fetch = on_fetch,
		.fetch_cancel = on_fetch_cancel,
		.ctx = d,
	};

	snprintf(path, sizeof(path), "%s/meshmason.db", d->o->data);
	if (!master_key_load(d->o->data, &env.master, why, WHY))
		return false;
	d->core = core_open(&env, why);
	secret_wipe(&env.master, sizeof(env.master));
	return d->core != NULL;
}

static char *read_text(const char *path, char why[WHY])
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "re");
	size_t n = f && text ? fread(text, 1, 65535, f) : 0;

	if (f)
		fclose(f);
	if (n > 0 && n < 65535)
		return text;
	snprintf(why, WHY, "%s: cannot be read as PEM", path);
	free(text);
	return NULL;
}

static bool open_http(struct daemon *d, char why[WHY])
{
	const struct options *o = d->o;
	struct api_listen listen = { .address = o->listen };

	if (*o->tls_cert) {
		d->cert = read_text(o->tls_cert, why);
		d->key = d->cert ? read_text(o->tls_key, why) : NULL;
		if (!d->key)
			return false;
		listen.cert_pem = d->cert;
		listen.key_pem = d->key;
	}
	return api_http_start(d->api, &listen, why);
}

static bool open_captures(struct daemon *d, char why[WHY])
{
	struct captures_config config = {
		.data = d->o->data,
		.tap = radio_tap(d->radio),
		.real_time = loop_timers(d->loop),
		.wall = wall,
		.ctx = d,
	};

	d->captures = captures_new(&config);
	if (!d->captures)
		snprintf(why, WHY, "no memory");
	return d->captures != NULL;
}

static bool open_api(struct daemon *d, char why[WHY])
{
	struct api_env env = {
		.db = core_db(d->core),
		.jobs = core_jobs(d->core),
		.timers = loop_timers(d->loop),
		.wall = wall,
		.random = random_octets,
		.radio = on_radio,
		.checks = on_checks,
		.webui = *d->o->webui ? d->o->webui : NULL,
		.ctx = d,
	};
	struct stat st;

	if (!env.webui && stat(MESHMASON_WEBUI_DIR, &st) == 0)
		env.webui = MESHMASON_WEBUI_DIR;
	captures_api(d->captures, &env.captures);
	d->api = api_new(&env, why);
	return d->api && open_http(d, why);
}

static bool announce(struct daemon *d, char why[WHY])
{
	char link[API_LINK];

	if (!api_first_start(d->api, d->o->data, api_url(d->api), link, why))
		return false;
	if (!core_settle(d->core)) {
		snprintf(why, WHY, "the store refuses to write");
		return false;
	}
	printf("listening: %s\n", api_url(d->api));
	if (*link)
		printf("dashboard: %s\n", link);
	fflush(stdout);
	return true;
}

static bool watch(struct daemon *d, char why[WHY])
{
	d->api_fd = (struct loop_fd){ api_fd(d->api), on_api_ready, d };
	d->radio_fd = (struct loop_fd){ radio_fd(d->radio), on_radio_ready, d };
	d->fetch_fd = (struct loop_fd){ fetch_fd(d->fetch), on_fetch_ready, d };
	if (loop_watch(d->loop, &d->api_fd, EPOLLIN) &&
	    loop_watch(d->loop, &d->fetch_fd, EPOLLIN) &&
	    (d->radio_fd.fd < 0 || loop_watch(d->loop, &d->radio_fd, EPOLLIN)))
		return true;
	snprintf(why, WHY, "epoll: %s", strerror(errno));
	return false;
}

static bool listen_is_safe(const struct options *o, char why[WHY])
{
	if (*o->tls_cert || o->insecure_listen || api_is_loopback(o->listen))
		return true;
	snprintf(why, WHY,
		 "listen %s: beyond loopback only with --tls-cert and --tls-key, or with "
		 "--insecure-listen",
		 o->listen);
	return false;
}

bool daemon_config_good(const struct options *o, char why[DAEMON_WHY])
{
	if (!radio_spec_good(o->radio, why))
		return false;
	if (o->sim_speed == CLOCK_MAX_SPEED && strncmp(o->radio, "sim:", 4) != 0) {
		snprintf(why, DAEMON_WHY, "sim-speed max: only with --radio sim:...");
		return false;
	}
	if (!*o->tls_cert != !*o->tls_key) {
		snprintf(why, DAEMON_WHY, "tls-cert and tls-key: both, or none");
		return false;
	}
	return listen_is_safe(o, why);
}

static bool start(struct daemon *d, char why[WHY])
{
	struct loop_hooks hooks = { on_turn, on_settle, on_patience, d };

	if (!daemon_config_good(d->o, why) || !open_data(d, why))
		return false;
	d->loop = loop_new(&hooks);
	if (!d->loop) {
		snprintf(why, WHY, "epoll: %s", strerror(errno));
		return false;
	}
	timers_init(&d->mesh_time, SEC(1));
	if (!open_radio(d, why))
		return false;
	d->simulated = strncmp(d->o->radio, "sim:", 4) == 0;
	clock_init(&d->clock, &d->mesh_time, d->o->sim_speed, loop_now());
	snprintf(d->speed, sizeof(d->speed), d->o->sim_speed ? "%u" : "max", d->o->sim_speed);
	return open_fetch(d, why) && open_core(d, why) && open_captures(d, why) &&
	       open_api(d, why) && watch(d, why) && announce(d, why);
}

static void stop(struct daemon *d)
{
	if (d->api) {
		api_stop(d->api);
		api_free(d->api);
		d->api = NULL;
	}
	if (d->core)
		core_close(d->core);
	fetch_free(d->fetch);
	captures_free(d->captures);
	if (d->radio)
		radio_close(d->radio);
	if (d->loop)
		loop_free(d->loop);
	timers_free(&d->mesh_time);
	free(d->cert);
	free(d->key);
}

int daemon_run(const struct options *o)
{
	struct daemon d = { .o = o };
	char why[WHY] = "";
	int status = EXIT_SUCCESS;

	if (!start(&d, why)) {
		fprintf(stderr, "meshmasond: %s\n", why);
		status = EXIT_FAILURE;
	} else if (!loop_run(d.loop)) {
		status = EXIT_FAILURE;
	}
	stop(&d);
	return status;
}

int daemon_check(const struct options *o)
{
	struct preflight_config config = { .radio = o->radio,
					   .data = o->data,
					   .now = wall(NULL) / 1000 };
	struct preflight_check checks[PREFLIGHT_MAX];
	struct preflight_facts facts;
	int status = EXIT_SUCCESS;
	size_t n;

	preflight_gather(&config, &facts);
	n = preflight_judge(&facts, checks);
	for (size_t i = 0; i < n; i++) {
		const struct preflight_check *c = &checks[i];

		printf("%-6s %s: %s%s%s\n", c->ok ? "good" : "BAD", c->name, c->message,
		       !*c->cure ? ""
		       : c->ok	 ? "; better: "
				 : "; cure: ",
		       c->cure);
		if (!c->ok)
			status = EXIT_FAILURE;
	}
	return status;
}
