/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bearer_air.h"
#include "check.h"

struct air {
	char dir[64];
	struct timers timers;
	struct bearer_report last;
	uint8_t data[64];
	size_t heard;
};

static void on_heard(void *ctx, const struct bearer_report *report)
{
	struct air *air = ctx;

	air->last = *report;
	assert_true(report->data.n <= sizeof(air->data));
	memcpy(air->data, report->data.p, report->data.n);
	air->heard++;
}

static int setup(void **state)
{
	struct air *air = calloc(1, sizeof(*air));

	strcpy(air->dir, "/tmp/test-bearer-air-XXXXXX");
	timers_init(&air->timers, 0);
	*state = air;
	return mkdtemp(air->dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct air *air = *state;
	DIR *d = opendir(air->dir);
	struct dirent *e;

	while ((e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(air->dir);
	timers_free(&air->timers);
	free(air);
	return 0;
}

static struct bearer_air *open_radio(struct air *air, const char *name, uint8_t address)
{
	struct bearer_air_config config = { .timers = &air->timers,
					    .dir = air->dir,
					    .name = name,
					    .address = { address, 2, 3, 4, 5, 0xC6 },
					    .seed = 1 };
	char error[BEARER_AIR_ERROR];
	struct bearer_air *a = bearer_air_open(&config, error);

	assert_non_null(a);
	bearer_air_bearer(a)->heard = on_heard;
	bearer_air_bearer(a)->heard_ctx = air;
	return a;
}

static void send_one(struct air *air, struct bearer_air *a, uint8_t who)
{
	struct bearer *b = bearer_air_bearer(a);
	struct bearer_send s = { .kind = BEARER_NETWORK,
				 .count = 1,
				 .interval_ms = 20,
				 .len = 4,
				 .data = { 3, AD_MESH_MESSAGE, 0xAA, who } };

	check(b->send(b, &s));
	timers_advance(&air->timers, timers_now(&air->timers) + SEC(1));
}

/* A radio of another make: a plain socket. */
static int raw_radio(struct air *air, const char *name)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(own.sun_path, sizeof(own.sun_path), "%s/%s", air->dir, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	return fd;
}

static void raw_send(struct air *air, int fd, const char *to_name, const void *frame, size_t n)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", air->dir, to_name);
	assert_int_equal(sendto(fd, frame, n, 0, (struct sockaddr *)&to, sizeof(to)), n);
}

TEST(what_one_radio_sends_the_other_hears)
{
	struct air *air = *state;
	struct bearer_air *a = open_radio(air, "gateway", 1), *b = open_radio(air, "b", 9);
	struct pollfd fd = { .fd = bearer_air_fd(b), .events = POLLIN };

	send_one(air, a, 0x55);
	check_int(poll(&fd, 1, 0), 1);
	bearer_air_readable(b);
	bearer_air_readable(a);
	check_int(air->heard, 1);
	check_int(air->last.event_type, ADV_NONCONN_IND);
	check_int(air->last.rssi, RSSI_UNKNOWN);
	check_mem(air->last.address, ((uint8_t[]){ 1, 2, 3, 4, 5, 0xC6 }), 6);
	check_int(air->last.data.n, 4);
	check_mem(air->data, ((uint8_t[]){ 3, AD_MESH_MESSAGE, 0xAA, 0x55 }), 4);
	bearer_air_close(a);
	bearer_air_close(b);
}

TEST(a_frame_on_the_wire_is_type_address_and_ad_structures)
{
	static const uint8_t wanted[] = { 3, 1, 2, 3, 4, 5, 0xC6, 3, AD_MESH_MESSAGE, 0xAA, 0x77 };
	struct air *air = *state;
	struct bearer_air *a = open_radio(air, "gateway", 1);
	int fd = raw_radio(air, "1234");
	uint8_t frame[64];

	send_one(air, a, 0x77);
	check_int(recv(fd, frame, sizeof(frame), 0), sizeof(wanted));
	check_mem(frame, wanted, sizeof(wanted));
	close(fd);
	bearer_air_close(a);
}

TEST(frames_of_a_wrong_size_are_counted_and_dropped)
{
	struct air *air = *state;
	struct bearer_air *a = open_radio(air, "gateway", 1);
	int fd = raw_radio(air, "x");
	uint8_t frame[64] = { 3, 1, 1, 1, 1, 1, 1, 2, 0x2A, 0x00 };

	raw_send(air, fd, "gateway", frame, 7);
	raw_send(air, fd, "gateway", frame, 39);
	raw_send(air, fd, "gateway", frame, 64);
	raw_send(air, fd, "gateway", frame, 0);
	bearer_air_readable(a);
	check_int(air->heard, 0);
	check_int(bearer_air_counters(a).malformed, 4);
	raw_send(air, fd, "gateway", frame, 10);
	raw_send(air, fd, "gateway", frame, 38);
	bearer_air_readable(a);
	check_int(air->heard, 2);
	check_int(bearer_air_counters(a).received, 2);
	close(fd);
	bearer_air_close(a);
}

TEST(a_socket_left_behind_is_skipped_and_its_successor_is_heard_again)
{
	struct air *air = *state;
	struct bearer_air *a = open_radio(air, "gateway", 1);
	char path[96];
	int fd = raw_radio(air, "meshd");
	uint8_t frame[64];

	close(fd); /* killed: the file stays */
	send_one(air, a, 1);
	check_int(bearer_air_counters(a).sent, 0);
	check_int(bearer_air_counters(a).dropped, 0);
	snprintf(path, sizeof(path), "%s/meshd", air->dir);
	unlink(path);
	fd = raw_radio(air, "meshd");
	send_one(air, a, 2);
	check_int(recv(fd, frame, sizeof(frame), 0), 11);
	check_int(frame[10], 2);
	close(fd);
	bearer_air_close(a);
}

TEST(our_own_stale_socket_is_replaced_a_living_one_is_not)
{
	struct air *air = *state;
	struct bearer_air_config config = { .timers = &air->timers,
					    .dir = air->dir,
					    .name = "gateway" };
	struct bearer_air *a;
	char error[BEARER_AIR_ERROR] = "";

	close(raw_radio(air, "gateway"));
	a = open_radio(air, "gateway", 1);
	assert_null(bearer_air_open(&config, error));
	assert_non_null(strstr(error, "in use"));
	bearer_air_close(a);
	a = open_radio(air, "gateway", 1);
	bearer_air_close(a);
}

TEST(a_file_that_is_no_socket_is_neither_sent_to_nor_replaced)
{
	struct air *air = *state;
	struct bearer_air_config config = { .timers = &air->timers,
					    .dir = air->dir,
					    .name = "notes" };
	char path[96], error[BEARER_AIR_ERROR] = "";
	struct bearer_air *a = open_radio(air, "gateway", 1);
	FILE *file;

	snprintf(path, sizeof(path), "%s/notes", air->dir);
	file = fopen(path, "w");
	fclose(file);
	send_one(air, a, 1);
	check_int(bearer_air_counters(a).sent, 0);
	assert_null(bearer_air_open(&config, error));
	check(strchr(error, '\n') == NULL && error[0]);
	check_int(access(path, F_OK), 0);
	bearer_air_close(a);
}

TEST(a_receiver_that_does_not_read_costs_drops_not_waiting)
{
	struct air *air = *state;
	struct bearer_air *a = open_radio(air, "gateway", 1);
	int fd = raw_radio(air, "slow");

	for (unsigned i = 0; i < 2000; i++)
		send_one(air, a, (uint8_t)i);
	check(bearer_air_counters(a).dropped > 0);
	check_int(bearer_air_counters(a).sent + bearer_air_counters(a).dropped, 2000);
	close(fd);
	bearer_air_close(a);
}

TEST(a_folder_that_is_not_there_is_refused_in_one_line)
{
	struct air *air = *state;
	struct bearer_air_config config = { .timers = &air->timers,
					    .dir = "/nonexistent/folder",
					    .name = "gateway" };
	char error[BEARER_AIR_ERROR] = "", longer[200];

	assert_null(bearer_air_open(&config, error));
	assert_non_null(strstr(error, "no such folder"));
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	config.dir = longer;
	assert_null(bearer_air_open(&config, error));
	assert_non_null(strstr(error, "too long"));
}

int main(void)
{
#define WITH_AIR(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_AIR(what_one_radio_sends_the_other_hears),
		WITH_AIR(a_frame_on_the_wire_is_type_address_and_ad_structures),
		WITH_AIR(frames_of_a_wrong_size_are_counted_and_dropped),
		WITH_AIR(a_socket_left_behind_is_skipped_and_its_successor_is_heard_again),
		WITH_AIR(our_own_stale_socket_is_replaced_a_living_one_is_not),
		WITH_AIR(a_file_that_is_no_socket_is_neither_sent_to_nor_replaced),
		WITH_AIR(a_receiver_that_does_not_read_costs_drops_not_waiting),
		WITH_AIR(a_folder_that_is_not_there_is_refused_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
