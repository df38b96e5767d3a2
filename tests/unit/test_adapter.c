/* SPDX-License-Identifier: Apache-2.0 */
/* An adapter that comes, goes and comes back: how often it is tried, and what is told. */
#include "adapter.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

struct world {
	struct timers timers;
	struct adapter adapter;
	enum hci_socket_result result; /* of the next tries */
	unsigned tries, opened, closed, told;
	uint64_t tried_at;
	uint8_t fed[4];
	bool up;
	char line[ADAPTER_ERROR];
	int kernel; /* its end of the socket */
};

static enum hci_socket_result on_open(void *host, const char *name, int *fd, uint16_t *index,
				      char why[HCI_SOCKET_WHY])
{
	struct world *w = host;
	int ends[2];

	w->tries++;
	w->tried_at = timers_now(&w->timers);
	snprintf(why, HCI_SOCKET_WHY, "%s: busy", name);
	if (w->result != HCI_SOCKET_OPEN)
		return w->result;
	check_int(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
	*fd = ends[0];
	w->kernel = ends[1];
	*index = 7;
	return HCI_SOCKET_OPEN;
}

static void on_opened(void *host, uint16_t index)
{
	struct world *w = host;

	check_int(index, 7);
	w->opened++;
}

static void on_feed(void *host, struct bytes packet)
{
	struct world *w = host;

	check(packet.n <= sizeof(w->fed));
	memcpy(w->fed, packet.p, packet.n);
}

static void on_closed(void *host)
{
	struct world *w = host;

	w->closed++;
	adapter_failed(&w->adapter, "hci7: unplugged");
}

static void on_state(void *ctx, bool up, const char *line)
{
	struct world *w = ctx;

	w->told++;
	w->up = up;
	snprintf(w->line, sizeof(w->line), "%s", line);
}

static bool begin(struct world *w, enum hci_socket_result result)
{
	struct adapter_config config = {
		.timers = &w->timers,
		.name = "hci7",
		.open = on_open,
		.opened = on_opened,
		.feed = on_feed,
		.closed = on_closed,
		.host = w,
		.state = on_state,
		.ctx = w,
	};
	char error[ADAPTER_ERROR];

	memset(w, 0, sizeof(*w));
	timers_init(&w->timers, 0);
	w->result = result;
	w->kernel = -1;
	return adapter_open(&w->adapter, &config, error);
}

static void end(struct world *w)
{
	adapter_close(&w->adapter);
	check_int(timers_next(&w->timers), TIMERS_NEVER);
	timers_free(&w->timers);
	if (w->kernel >= 0)
		close(w->kernel);
}

TEST(a_busy_adapter_is_told_once_and_tried_ever_more_rarely)
{
	static const unsigned after_s[] = { 1, 2, 4, 8, 16, 30, 30 };
	struct world w;
	uint64_t at = 0;

	check(begin(&w, HCI_SOCKET_LATER));
	check_int(w.told, 0); /* its owner is not ready yet */
	for (unsigned i = 0; i < ARRAY_LEN(after_s); i++) {
		at += SEC(after_s[i]);
		timers_advance(&w.timers, at);
		check_int(w.tries, i + 2);
		check_int(w.tried_at, at);
	}
	check_int(w.told, 1);
	check(!w.up);
	check_str(w.line, "hci7: busy");
	end(&w);
}

TEST(one_that_comes_back_is_used_again_and_the_pauses_begin_anew)
{
	static const uint8_t packet[] = { 1, 2, 3 };
	struct world w;
	int fd, first;

	check(begin(&w, HCI_SOCKET_OPEN));
	fd = w.adapter.epoll;
	first = w.kernel;
	adapter_is_up(&w.adapter, "hci7: up");
	check_int(w.told, 1);
	check(w.up);

	check_int(close(first), 0);
	w.result = HCI_SOCKET_LATER;
	adapter_readable(&w.adapter);
	check_int(w.closed, 1);
	check_str(w.line, "hci7: unplugged");
	timers_advance(&w.timers, SEC(1)); /* and 2 s after that */
	check_str(w.line, "hci7: busy");
	w.result = HCI_SOCKET_OPEN;
	timers_advance(&w.timers, SEC(3));
	check_int(w.opened, 2);
	check(!w.up); /* its owner sets it up first */
	check_int(send(w.kernel, packet, sizeof(packet), 0), sizeof(packet));
	adapter_readable(&w.adapter);
	check_mem(w.fed, packet, sizeof(packet));
	adapter_is_up(&w.adapter, "hci7: up");
	check_int(w.told, 4);
	check_int(w.adapter.epoll, fd);

	w.result = HCI_SOCKET_LATER;
	adapter_failed(&w.adapter, "hci7: does not answer");
	timers_advance(&w.timers, SEC(4));
	check_int(w.tried_at, SEC(4));
	end(&w);
}

TEST(what_will_never_work_is_refused_at_once)
{
	struct world w;

	check(!begin(&w, HCI_SOCKET_NEVER));
	check_int(w.tries, 1);
	check_int(timers_next(&w.timers), TIMERS_NEVER);
	timers_free(&w.timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_adapter_is_told_once_and_tried_ever_more_rarely),
		cmocka_unit_test(one_that_comes_back_is_used_again_and_the_pauses_begin_anew),
		cmocka_unit_test(what_will_never_work_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
