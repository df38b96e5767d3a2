/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "log.h"

enum { SLOW_TURN_MS = 20 };

struct loop {
	struct loop_hooks hooks;
	struct timers timers;
	int epfd;
	struct loop_fd signals;
	bool stop, failed;
};

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static void on_signal(void *ctx, uint32_t events)
{
	struct loop *l = ctx;
	struct signalfd_siginfo info;

	if (read(l->signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		log_info("signal %u: stopping", info.ssi_signo);
	l->stop = true;
}

struct loop *loop_new(const struct loop_hooks *hooks)
{
	struct loop *l = calloc(1, sizeof(*l));
	sigset_t set;

	if (!l)
		return NULL;
	l->hooks = *hooks;
	timers_init(&l->timers, loop_now());
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	l->signals = (struct loop_fd){
		.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
		.ready = on_signal,
		.ctx = l,
	};
	if (l->epfd < 0 || l->signals.fd < 0 || !loop_watch(l, &l->signals, EPOLLIN)) {
		loop_free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->signals.fd >= 0)
		close(l->signals.fd);
	if (l->epfd >= 0)
		close(l->epfd);
	timers_free(&l->timers);
	free(l);
}

struct timers *loop_timers(struct loop *l)
{
	return &l->timers;
}

bool loop_watch(struct loop *l, struct loop_fd *w, uint32_t epoll_events)
{
	struct epoll_event ev = { .events = epoll_events, .data.ptr = w };

	return epoll_ctl(l->epfd, EPOLL_CTL_ADD, w->fd, &ev) == 0;
}

void loop_unwatch(struct loop *l, struct loop_fd *w)
{
	epoll_ctl(l->epfd, EPOLL_CTL_DEL, w->fd, NULL);
}

static int wait_ms(struct loop *l, uint64_t limit)
{
	uint64_t now = loop_now(), next = timers_next(&l->timers);
	uint64_t wait = next == TIMERS_NEVER ? SEC(60) : next > now ? next - now : 0;
	uint64_t patience = l->hooks.patience(l->hooks.ctx, now);

	if (patience < wait)
		wait = patience;
	if (limit < wait)
		wait = limit;
	return (int)((wait + 999) / 1000);
}

bool loop_turn(struct loop *l, uint64_t limit)
{
	struct epoll_event ready[16];
	int n = epoll_wait(l->epfd, ready, ARRAY_LEN(ready), wait_ms(l, limit));
	uint64_t start = loop_now(), spent;

	timers_advance(&l->timers, start);
	for (int i = 0; i < n; i++) {
		struct loop_fd *w = ready[i].data.ptr;

		w->ready(w->ctx, ready[i].events);
	}
	l->hooks.turn(l->hooks.ctx, loop_now());
	if (!l->hooks.settle(l->hooks.ctx)) {
		l->failed = true;
		l->stop = true;
	}
	spent = (loop_now() - start) / 1000;
	if (spent > SLOW_TURN_MS)
		log_debug("a turn took %llu ms", (unsigned long long)spent);
	return !l->stop;
}

bool loop_run(struct loop *l)
{
	while (!l->stop)
		loop_turn(l, TIMERS_NEVER);
	return !l->failed;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
