/* SPDX-License-Identifier: Apache-2.0 */
#include "building_run.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "air_pcap.h"
#include "mesh_const.h"

enum {
	HEADER = 7,	   /* event type, address */
	FIRE_MAX = 128,	   /* timers between two looks at the socket, which queues about 10 */
	BACKLOG_MAX = 512, /* frames for a radio that is slow to read */
	BACKLOG_RETRY_MS = 1,
	LOOK_EVERY_MS = 250,
	LAG_MS = 100, /* of real time: worth a line */
	LAG_LINE_EVERY_MS = 5000,
	TELL_EVERY_MS = 1000, /* flushes the capture */
};

struct run;

/* Another socket of the folder. */
struct stranger {
	struct run *run;
	struct stranger *next;
	struct sockaddr_un address;
	bool dead, present;
	struct building_radio *radio;
	/* A socket queues about ten datagrams: what a reader that was busy for some milliseconds
	 * had no room for waits here, oldest first. */
	struct frame {
		uint8_t len;
		uint8_t data[HEADER + AD_MAX];
	} backlog[BACKLOG_MAX];
	size_t first, waiting;
};

struct run {
	const struct building_run_config *config;
	struct timers timers;
	struct building *building;
	struct air_pcap *pcap;
	struct stranger *strangers;
	struct sockaddr_un own;
	int fd, signals;
	bool bound;
	uint64_t started, wall; /* microseconds, monotonic and since 1970 */
	uint64_t look_at, lag_line_at, flush_at;
	uint64_t received, sent, dropped, malformed, lags, worst_lag;
};

static uint64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static uint64_t real_us(const struct run *r)
{
	return clock_us(CLOCK_MONOTONIC) - r->started;
}

static uint64_t mesh_us(const struct run *r)
{
	return (uint64_t)((double)real_us(r) * r->config->speed);
}

static bool socket_address(struct sockaddr_un *out, const char *dir, const char *name)
{
	int n;

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	n = snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s", dir, name);
	return n > 0 && n < (int)sizeof(out->sun_path);
}

/* --- the building is heard --- */

static void on_capture(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	struct run *r = ctx;

	air_pcap_write(r->pcap, r->wall + at, address, ad);
}

/* False when the receiver has no room now. */
static bool push_frame(struct stranger *s, const struct frame *f)
{
	struct run *r = s->run;

	if (sendto(r->fd, f->data, f->len, MSG_DONTWAIT | MSG_NOSIGNAL,
		   (struct sockaddr *)&s->address, sizeof(s->address)) >= 0) {
		r->sent++;
	} else if (errno == EAGAIN || errno == ENOBUFS) {
		return false;
	} else {
		s->dead = true; /* left behind; tried again at the next look */
		s->waiting = 0;
	}
	return true;
}

static void push_backlog(struct stranger *s)
{
	while (s->waiting > 0 && push_frame(s, &s->backlog[s->first])) {
		if (s->waiting == 0)
			return;
		s->first = (s->first + 1) % BACKLOG_MAX;
		s->waiting--;
	}
}

static void on_heard(void *ctx, const struct building_report *report)
{
	struct stranger *s = ctx;
	struct frame f = { .len = (uint8_t)(HEADER + report->data.n), .data = { ADV_NONCONN_IND } };

	if (s->dead)
		return;
	memcpy(f.data + 1, report->address, 6);
	memcpy(f.data + HEADER, report->data.p, report->data.n);
	if (s->waiting == 0 && push_frame(s, &f))
		return;
	if (s->waiting == BACKLOG_MAX)
		s->run->dropped++;
	else
		s->backlog[(s->first + s->waiting++) % BACKLOG_MAX] = f;
}

/* True when some frames still wait. */
static bool push_backlogs(struct run *r)
{
	bool more = false;

	for (struct stranger *s = r->strangers; s; s = s->next) {
		push_backlog(s);
		more = more || s->waiting > 0;
	}
	return more;
}

/* --- who else is in the folder --- */

static struct stranger *stranger_find(struct run *r, const char *path)
{
	for (struct stranger *s = r->strangers; s; s = s->next) {
		if (strcmp(s->address.sun_path, path) == 0)
			return s;
	}
	return NULL;
}

static struct stranger *stranger_add(struct run *r, const struct sockaddr_un *address)
{
	struct building_radio_config radio = { .heard = on_heard };
	struct stranger *s = calloc(1, sizeof(*s));
	const char *name = strrchr(address->sun_path, '/') + 1;

	if (!s)
		abort();
	for (size_t i = 0; i < r->config->n_places; i++) {
		const struct building_run_place *p = &r->config->places[i];

		if (strcmp(p->name, name) == 0) {
			radio.x = p->x;
			radio.y = p->y;
			radio.floor = p->floor;
		}
	}
	s->run = r;
	s->address = *address;
	s->next = r->strangers;
	r->strangers = s;
	radio.ctx = s;
	s->radio = building_radio_add(r->building, &radio);
	printf("building: radio %s at %g,%g,%d hears %zu devices\n", name, radio.x, radio.y,
	       radio.floor, building_radio_neighbours(s->radio));
	fflush(stdout);
	return s;
}

static void strangers_drop(struct run *r, bool all)
{
	struct stranger **at = &r->strangers;

	while (*at) {
		struct stranger *s = *at;

		if (s->present && !all) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		building_radio_remove(s->radio);
		free(s);
	}
}

static void look(struct run *r)
{
	DIR *d = opendir(r->config->air);
	struct dirent *e;

	r->look_at = real_us(r) + MSEC(LOOK_EVERY_MS);
	if (!d)
		return;
	for (struct stranger *s = r->strangers; s; s = s->next)
		s->present = false;
	while ((e = readdir(d))) {
		struct sockaddr_un address;
		struct stranger *s;
		struct stat st;

		if (!socket_address(&address, r->config->air, e->d_name) ||
		    strcmp(address.sun_path, r->own.sun_path) == 0 ||
		    stat(address.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
			continue;
		s = stranger_find(r, address.sun_path);
		if (!s)
			s = stranger_add(r, &address);
		s->dead = false;
		s->present = true;
	}
	closedir(d);
	strangers_drop(r, false);
}

/* The sender may know the folder by another path: only the name counts. */
static struct stranger *sender_of(struct run *r, const struct sockaddr_un *from, socklen_t n)
{
	char path[sizeof(from->sun_path) + 1] = "";
	struct sockaddr_un address;
	const char *name;
	struct stranger *s;

	if (n <= offsetof(struct sockaddr_un, sun_path))
		return NULL;
	memcpy(path, from->sun_path, n - offsetof(struct sockaddr_un, sun_path));
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	if (!*name || !socket_address(&address, r->config->air, name))
		return NULL;
	s = stranger_find(r, address.sun_path);
	if (!s) {
		look(r);
		s = stranger_find(r, address.sun_path);
	}
	return s;
}

static bool read_one(struct run *r)
{
	uint8_t frame[HEADER + AD_MAX + 1];
	struct sockaddr_un from;
	socklen_t from_n = sizeof(from);
	ssize_t n = recvfrom(r->fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from,
			     &from_n);
	struct stranger *s;

	if (n < 0)
		return errno == EINTR;
	s = sender_of(r, &from, from_n);
	if (!s || n <= HEADER || n > HEADER + AD_MAX || frame[0] != ADV_NONCONN_IND) {
		r->malformed++;
		return true;
	}
	s->dead = false;
	r->received++;
	building_radio_set_address(s->radio, frame + 1);
	/* A full queue there is counted by the building. */
	(void)building_radio_transmit(s->radio, bytes_of(frame + HEADER, (size_t)n - HEADER));
	return true;
}

/* --- the loop --- */

/* Late work is done late, and told; nothing is left out. */
static void watch_lag(struct run *r)
{
	uint64_t now = mesh_us(r), due = timers_next(&r->timers), lag;

	if (due >= now)
		return;
	lag = (uint64_t)((double)(now - due) / r->config->speed);
	if (lag < MSEC(LAG_MS))
		return;
	r->lags++;
	if (lag > r->worst_lag)
		r->worst_lag = lag;
	if (real_us(r) < r->lag_line_at)
		return;
	r->lag_line_at = real_us(r) + MSEC(LAG_LINE_EVERY_MS);
	fprintf(stderr, "building: %.1f s behind (%llu times so far)\n", (double)lag / 1e6,
		(unsigned long long)r->lags);
}

static void turn(struct run *r)
{
	watch_lag(r);
	for (;;) {
		uint64_t now = mesh_us(r);
		unsigned fired = 0;

		while (read_one(r))
			;
		(void)push_backlogs(r);
		while (fired < FIRE_MAX && timers_fire_next(&r->timers, now))
			fired++;
		if (fired < FIRE_MAX) {
			timers_advance(&r->timers, now);
			break;
		}
	}
	if (real_us(r) >= r->look_at)
		look(r);
	if (r->pcap && real_us(r) >= r->flush_at) {
		air_pcap_flush(r->pcap);
		r->flush_at = real_us(r) + MSEC(TELL_EVERY_MS);
	}
}

static void loop(struct run *r)
{
	struct pollfd fds[] = { { .fd = r->fd, .events = POLLIN },
				{ .fd = r->signals, .events = POLLIN } };

	while (!(fds[1].revents & POLLIN)) {
		uint64_t now = mesh_us(r), due = timers_next(&r->timers);
		uint64_t wait = MSEC(push_backlogs(r) ? BACKLOG_RETRY_MS : LOOK_EVERY_MS);
		struct timespec t;

		if (due <= now)
			wait = 0;
		else if ((double)(due - now) / r->config->speed < (double)wait)
			wait = (uint64_t)((double)(due - now) / r->config->speed);
		t = (struct timespec){ .tv_nsec = (long)wait * 1000 };
		if (ppoll(fds, ARRAY_LEN(fds), &t, NULL) < 0)
			fds[1].revents = 0;
		turn(r);
	}
}

/* --- start and end --- */

static bool refuse(char error[BUILDING_ERROR], const char *what, const char *why)
{
	snprintf(error, BUILDING_ERROR, "%.200s: %.100s", what, why);
	return false;
}

/* A socket that answers belongs to a living building; one that refuses was left behind. */
static bool socket_open(struct run *r, char error[BUILDING_ERROR])
{
	struct stat st;
	int probe;

	if (!socket_address(&r->own, r->config->air, r->config->name))
		return refuse(error, r->config->air, "too long for the path of a socket");
	if (stat(r->config->air, &st) < 0 || !S_ISDIR(st.st_mode))
		return refuse(error, r->config->air, "no such folder");
	r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || probe < 0)
		return refuse(error, "socket", strerror(errno));
	if (connect(probe, (struct sockaddr *)&r->own, sizeof(r->own)) == 0) {
		close(probe);
		return refuse(error, r->own.sun_path, "in use by another process");
	}
	close(probe);
	if (lstat(r->own.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(r->own.sun_path);
	/* Who may enter the folder may speak to us, whatever our umask: an air has no owner. */
	if (bind(r->fd, (struct sockaddr *)&r->own, sizeof(r->own)) < 0 ||
	    chmod(r->own.sun_path, 0666) < 0)
		return refuse(error, r->own.sun_path, strerror(errno));
	r->bound = true;
	return true;
}

static bool start(struct run *r, char error[BUILDING_ERROR])
{
	const struct building_run_config *c = r->config;
	struct building_env env = {
		.timers = &r->timers, .file = c->file, .state = c->state, .seed = c->seed, .ctx = r
	};
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	r->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0)
		return refuse(error, "signalfd", strerror(errno));
	if (c->capture) {
		r->pcap = air_pcap_open(c->capture);
		if (!r->pcap)
			return refuse(error, c->capture, strerror(errno));
		env.capture = on_capture;
	}
	r->building = building_open(&env, error);
	return r->building && socket_open(r, error);
}

static bool end(struct run *r, char error[BUILDING_ERROR])
{
	bool ok = true;

	strangers_drop(r, true);
	if (r->building)
		building_close(r->building);
	if (r->bound)
		unlink(r->own.sun_path);
	if (r->fd >= 0)
		close(r->fd);
	if (r->signals >= 0)
		close(r->signals);
	if (!air_pcap_close(r->pcap))
		ok = refuse(error, r->config->capture, "the capture could not be written");
	timers_free(&r->timers);
	return ok;
}

static void tell_end(const struct run *r)
{
	struct building_counters c = building_counters(r->building);

	printf("building: %llu events, %llu deliveries, %llu lost, %llu refused by full queues, "
	       "%llu late or doubled; "
	       "sockets: %llu in, %llu out, %llu dropped, %llu malformed; "
	       "late %llu times, at most %.1f s\n",
	       (unsigned long long)c.events, (unsigned long long)c.deliveries,
	       (unsigned long long)c.lost, (unsigned long long)c.full, (unsigned long long)c.late,
	       (unsigned long long)r->received, (unsigned long long)r->sent,
	       (unsigned long long)r->dropped, (unsigned long long)r->malformed,
	       (unsigned long long)r->lags, (double)r->worst_lag / 1e6);
	fflush(stdout);
}

bool building_run(const struct building_run_config *config, char error[BUILDING_ERROR])
{
	struct run r = { .config = config, .fd = -1, .signals = -1 };
	char ignored[BUILDING_ERROR];

	timers_init(&r.timers, 0);
	if (!start(&r, error)) {
		(void)end(&r, ignored);
		return false;
	}
	r.wall = clock_us(CLOCK_REALTIME);
	r.started = clock_us(CLOCK_MONOTONIC);
	look(&r);
	printf("building: ready: %zu devices of %s on %s, %g times real time\n",
	       building_count(r.building), config->file, r.own.sun_path, config->speed);
	fflush(stdout);
	loop(&r);
	tell_end(&r);
	return end(&r, error);
}
