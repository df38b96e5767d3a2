/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a kernel radio, sends one AD structure again and again, prints what it hears.
 *
 *   radio_probe RADIO SECONDS [--send HEX] [--count N] [--until AD] [--reports N] [--legacy]
 *               [--extended] [--pause]
 *
 * RADIO: hciN, AA:BB:CC:DD:EE:FF or mgmt:hciN. HEX: the AD structure without its length octet,
 * sent every 100 ms, --count times each. With --until it ends well at the first report that has
 * this AD type (hexadecimal), with --reports after N reports; badly when the time is over first.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bearer_hci.h"
#include "bearer_mgmt.h"
#include "log.h"

enum { SEND_EVERY_MS = 100 };

struct probe {
	struct timers timers;
	struct timer timer;
	struct bearer_hci *hci;
	struct bearer_mgmt *mgmt;
	struct bearer *bearer;
	struct bearer_send send;
	unsigned until, wanted, heard;
	bool done, up;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void on_state(void *ctx, bool up, const char *line)
{
	struct probe *p = ctx;

	p->up = up;
	printf("%s: %s\n", up ? "up" : "down", line);
	fflush(stdout);
}

static void on_heard(void *ctx, const struct bearer_report *report)
{
	struct probe *p = ctx;
	char hex[2 * 256 + 1];

	p->heard++;
	printf("heard %s rssi %d\n", hex_format(hex, report->data), report->rssi);
	fflush(stdout);
	if ((p->until != 0 && report->data.n > 1 && report->data.p[1] == p->until) ||
	    (p->wanted != 0 && p->heard >= p->wanted))
		p->done = true;
}

static void send_again(void *ctx)
{
	struct probe *p = ctx;

	if (p->up)
		p->bearer->send(p->bearer, &p->send);
	timer_start(&p->timers, &p->timer, MSEC(SEND_EVERY_MS), send_again, p);
}

static int usage(void)
{
	fprintf(stderr, "radio_probe RADIO SECONDS [--send HEX] [--count N] [--until AD]"
			" [--reports N] [--legacy] [--extended] [--pause]\n");
	return 2;
}

static bool options(struct probe *p, struct bearer_hci_config *hci, int argc, char **argv)
{
	p->send = (struct bearer_send){ .kind = BEARER_NETWORK, .count = 1, .interval_ms = 20 };
	for (int i = 3; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		int n;

		if (strcmp(argv[i], "--legacy") == 0) {
			hci->advertising = HCI_ADVERTISING_LEGACY;
			continue;
		} else if (strcmp(argv[i], "--extended") == 0) {
			hci->advertising = HCI_ADVERTISING_EXTENDED;
			continue;
		} else if (strcmp(argv[i], "--pause") == 0) {
			hci->pause_scan = true;
			continue;
		} else if (strcmp(argv[i], "--send") == 0) {
			n = hex_parse(value, p->send.data + 1, AD_MAX - 1);
			if (n < 2)
				return false;
			p->send.data[0] = (uint8_t)n;
			p->send.len = (uint8_t)(n + 1);
		} else if (strcmp(argv[i], "--count") == 0) {
			p->send.count = (uint8_t)atoi(value);
		} else if (strcmp(argv[i], "--until") == 0) {
			p->until = (unsigned)strtoul(value, NULL, 16);
		} else if (strcmp(argv[i], "--reports") == 0) {
			p->wanted = (unsigned)atoi(value);
		} else {
			return false;
		}
		i++;
	}
	return true;
}

static bool open_radio(struct probe *p, const struct bearer_hci_config *hci)
{
	struct bearer_mgmt_config mgmt = {
		.timers = &p->timers, .seed = hci->seed, .state = on_state, .ctx = p
	};
	char why[BEARER_HCI_ERROR];

	if (strncmp(hci->adapter, "mgmt:", 5) == 0) {
		mgmt.adapter = hci->adapter + 5;
		p->mgmt = bearer_mgmt_open(&mgmt, why);
		p->bearer = p->mgmt ? bearer_mgmt_bearer(p->mgmt) : NULL;
	} else {
		p->hci = bearer_hci_open(hci, why);
		p->bearer = p->hci ? bearer_hci_bearer(p->hci) : NULL;
	}
	if (!p->bearer) {
		printf("refused: %s\n", why);
		return false;
	}
	p->bearer->heard = on_heard;
	p->bearer->heard_ctx = p;
	return true;
}

static void turn(struct probe *p)
{
	struct pollfd fd = { .fd = p->hci ? bearer_hci_fd(p->hci) : bearer_mgmt_fd(p->mgmt),
			     .events = POLLIN };
	uint64_t next = timers_next(&p->timers), now = now_us();

	poll(&fd, 1,
	     next <= now		 ? 0
	     : (next - now) / 1000 < 100 ? (int)((next - now) / 1000)
					 : 100);
	timers_advance(&p->timers, now_us());
	if (!fd.revents)
		return;
	if (p->hci)
		bearer_hci_readable(p->hci);
	else
		bearer_mgmt_readable(p->mgmt);
}

static void close_radio(struct probe *p)
{
	timer_stop(&p->timers, &p->timer);
	if (p->hci) {
		struct hci_host_counters c = bearer_hci_counters(p->hci);

		printf("sent %ju refused %ju rejected %ju timeouts %ju resets %ju malformed %ju "
		       "mesh %ju other %ju\n",
		       (uintmax_t)c.sent, (uintmax_t)c.refused, (uintmax_t)c.rejected,
		       (uintmax_t)c.timeouts, (uintmax_t)c.resets,
		       (uintmax_t)(c.malformed + c.reports.malformed), (uintmax_t)c.reports.mesh,
		       (uintmax_t)c.reports.other);
		bearer_hci_close(p->hci);
	} else {
		struct mgmt_host_counters c = bearer_mgmt_counters(p->mgmt);

		printf("sent %ju refused %ju rejected %ju overdue %ju malformed %ju mesh %ju\n",
		       (uintmax_t)c.sent, (uintmax_t)c.refused, (uintmax_t)c.rejected,
		       (uintmax_t)c.overdue, (uintmax_t)c.malformed, (uintmax_t)c.heard);
		bearer_mgmt_close(p->mgmt);
	}
	timers_free(&p->timers);
}

int main(int argc, char **argv)
{
	struct probe p = { 0 };
	struct bearer_hci_config hci = {
		.timers = &p.timers, .seed = now_us(), .state = on_state, .ctx = &p
	};
	uint64_t end;

	log_set_level(LOG_LEVEL_DEBUG);
	if (argc < 3 || !options(&p, &hci, argc, argv))
		return usage();
	hci.adapter = argv[1];
	timers_init(&p.timers, now_us());
	if (!open_radio(&p, &hci))
		return 3;
	if (p.send.len > 0)
		timer_start(&p.timers, &p.timer, 0, send_again, &p);
	end = now_us() + SEC((uint64_t)atoi(argv[2]));
	while (!p.done && now_us() < end)
		turn(&p);
	close_radio(&p);
	return p.done || (p.until == 0 && p.wanted == 0) ? 0 : 1;
}
