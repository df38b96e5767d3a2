/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "building.h"
#include "building_file.h"
#include "building_make.h"
#include "building_plan.h"
#include "building_show.h"
#include "building_folder.h"
#include "building_store.h"

struct world {
	struct timers timers;
	struct building *building;
	struct building_radio *gateway;
	size_t heard, beacons, captured;
	uint64_t hash;
	bool uuid_heard[64];
};

static void on_heard(void *ctx, const struct building_report *report)
{
	struct world *w = ctx;
	struct bytes ad = report->data;

	w->heard++;
	for (size_t i = 0; i < ad.n; i++)
		w->hash = (w->hash ^ ad.p[i]) * UINT64_C(1099511628211);
	w->hash = (w->hash ^ timers_now(&w->timers)) * UINT64_C(1099511628211);
	if (ad.n < 19 || ad.p[1] != AD_MESH_BEACON || ad.p[2] != BEACON_UNPROVISIONED)
		return;
	w->beacons++;
	for (size_t i = 0; i < building_count(w->building); i++) {
		if (memcmp(building_make_of(w->building, i)->uuid, ad.p + 3, UUID_LEN) == 0)
			w->uuid_heard[i] = true;
	}
}

static void on_capture(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	struct world *w = ctx;

	assert_int_equal(at, timers_now(&w->timers));
	assert_true(ad.n > 0 && ad.n <= AD_MAX && (address[5] & 0xC0) == 0xC0);
	w->captured++;
}

static struct world *world_new(const struct folder *f, const char *state_folder, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct building_env env = { .timers = &w->timers,
				    .file = f->file,
				    .state = state_folder,
				    .fast_flash = true,
				    .seed = seed,
				    .capture = on_capture,
				    .ctx = w };
	struct building_radio_config gateway = { .heard = on_heard,
						 .ctx = w,
						 .address = { 1, 2, 3, 4, 5, 0xC0 } };
	char error[BUILDING_ERROR] = "";

	timers_init(&w->timers, 0);
	w->building = building_open(&env, error);
	if (!w->building)
		fail_msg("%s", error);
	w->gateway = building_radio_add(w->building, &gateway);
	return w;
}

static void world_free(struct world *w)
{
	building_radio_remove(w->gateway);
	building_close(w->building);
	check_int(timers_next(&w->timers), TIMERS_NEVER);
	timers_free(&w->timers);
	free(w);
}

TEST(the_gateway_hears_the_beacons_of_near_devices_and_of_no_others)
{
	struct folder *f = *state;
	struct building_file file;
	struct place origin = { 0, 0, 0 };
	char error[BUILDING_ERROR];
	struct world *w;
	struct building_counters c;

	make(f, "devices=60,absent=5,dead=3,seed=4");
	check(building_file_load(f->file, &file, error));
	w = world_new(f, NULL, 0);
	timers_advance(&w->timers, SEC(60));
	check(w->beacons > 50);
	for (size_t i = 0; i < file.n; i++)
		check_int(w->uuid_heard[i],
			  !file.devices[i].absent &&
				  air_hears(file.seed, &origin, &file.devices[i].place));
	c = building_counters(w->building);
	check(c.events == w->captured && c.events > 0 && c.full == 0);
	check(c.lost * 100 > (c.lost + c.deliveries) * 4 &&
	      c.lost * 100 < (c.lost + c.deliveries) * 6);
	world_free(w);
	building_file_free(&file);
}

TEST(the_same_seed_gives_the_same_run)
{
	struct folder *f = *state;
	struct world *a, *b, *c;

	make(f, "devices=30,floors=2");
	a = world_new(f, NULL, 0);
	b = world_new(f, NULL, 0);
	c = world_new(f, NULL, 77);
	timers_advance(&a->timers, SEC(30));
	for (uint64_t t = 0; t <= SEC(30); t += MSEC(7))
		timers_advance(&b->timers, t);
	timers_advance(&b->timers, SEC(30));
	timers_advance(&c->timers, SEC(30));
	check(a->heard > 10);
	check_int(a->heard, b->heard);
	check(a->hash == b->hash);
	check(a->hash != c->hash);
	world_free(a);
	world_free(b);
	world_free(c);
}

TEST(a_state_folder_serves_one_building_at_a_time)
{
	struct folder *f = *state;
	struct timers timers;
	struct building_env env = { .timers = &timers, .file = f->file, .state = f->state };
	char error[BUILDING_ERROR] = "";
	struct world *w;

	make(f, "devices=3,floors=1");
	timers_init(&timers, 0);
	w = world_new(f, f->state, 0);
	assert_null(building_open(&env, error));
	assert_non_null(strstr(error, "in use"));
	world_free(w);
	w = world_new(f, f->state, 0);
	world_free(w);
	env.file = "/nonexistent.json";
	assert_null(building_open(&env, error));
	env.file = f->file;
	env.state = "/nonexistent/state";
	assert_null(building_open(&env, error));
	assert_non_null(strstr(error, "/nonexistent/state"));
	timers_free(&timers);
}

TEST(places_are_read)
{
	static const struct {
		const char *text;
		bool ok;
		double x, y;
		int floor;
	} rows[] = {
		{ "0,0,0", true, 0, 0, 0 },    { "1.5,-2,3", true, 1.5, -2, 3 },
		{ "4,5", true, 4, 5, 0 },      { "", false, 0, 0, 0 },
		{ "4", false, 0, 0, 0 },       { "4,5,6,7", false, 0, 0, 0 },
		{ "4,5,x", false, 0, 0, 0 },   { "4,5,1.5", false, 0, 0, 0 },
		{ "nan,0,0", false, 0, 0, 0 }, { "1e9,0,0", false, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		double x = 0, y = 0;
		int floor = 0;

		check_row(rows[i].text,
			  building_place_parse(rows[i].text, &x, &y, &floor) == rows[i].ok);
		if (rows[i].ok)
			check_row(rows[i].text,
				  x == rows[i].x && y == rows[i].y && floor == rows[i].floor);
	}
}

/* --- the command --- */

static int command(const char *arguments, char *out, size_t cap)
{
	char line[600];
	size_t n;
	FILE *p;

	snprintf(line, sizeof(line), "%s/meshmason-building %s 2>&1", BUILD_DIR, arguments);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(out, 1, cap - 1, p);
	out[n] = 0;
	return WEXITSTATUS(pclose(p));
}

TEST(make_and_show_go_together)
{
	struct folder *f = *state;
	char line[300], out[65536];
	struct building_file b;
	char error[BUILDING_ERROR], uuid[UUID_TEXT];

	snprintf(line, sizeof(line), "make %s devices=10 floors=2 absent=1", f->file);
	check_int(command(line, out, sizeof(out)), 0);
	check(building_file_load(f->file, &b, error));
	snprintf(line, sizeof(line), "show %s --state --json", f->file);
	check_int(command(line, out, sizeof(out)), 0);
	for (size_t i = 0; i < b.n; i++)
		assert_non_null(strstr(out, uuid_format(uuid, b.devices[i].make.uuid)));
	assert_non_null(strstr(out, "\"provisioned\": false"));
	assert_null(strstr(out, "\"provisioned\": true"));
	assert_non_null(strstr(out, "\"device_key_id\": null"));
	snprintf(line, sizeof(line), "show %s", f->file);
	check_int(command(line, out, sizeof(out)), 0);
	for (size_t i = 0; i < b.n; i++) {
		char secret[65];

		assert_non_null(strstr(out, b.devices[i].make.name));
		assert_null(strstr(
			out, hex_format(secret, bytes_of(b.devices[i].make.secret_key.octet, 32))));
	}
	building_file_free(&b);
}

TEST(mistakes_on_the_command_line_are_one_line_and_status_2)
{
	static const char *const rows[] = {
		"",
		"fly",
		"make",
		"make --json",
		"make /nonexistent/x",
		"make /tmp/never devices=0",
		"make /tmp/never uri=2",
		"make /tmp/never nothing",
		"show",
		"show /nonexistent",
		"show /nonexistent --what",
		"show /dev/null a",
		"show /dev/null",
		"run",
		"run /nonexistent",
		"run /nonexistent --air",
		"run /nonexistent --air /tmp",
		"run /dev/null --air /tmp --speed fast",
		"run /dev/null --air /tmp --place there",
		"run /dev/null --air /tmp --place =1,2,3",
		"run /dev/null --air /tmp --seed x",
		"run /dev/null --air /tmp --name a/b",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[4096];

		check_row(rows[i], command(rows[i], out, sizeof(out)) == 2);
		check_row(rows[i], strncmp(out, "meshmason-building: ", 20) == 0);
		check_row(rows[i], strchr(out, '\n') == out + strlen(out) - 1);
	}
}

static pid_t start_run(const struct folder *f, int *out)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl(BUILD_DIR "/meshmason-building", "meshmason-building", "run", f->file,
		      "--air", f->air, "--speed", "50", "--place", "far=1000,1000,0", "--seed", "5",
		      NULL);
		_exit(127);
	}
	close(ends[1]);
	*out = ends[0];
	return pid;
}

static int bind_radio(const struct folder *f, const char *name)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(own.sun_path, sizeof(own.sun_path), "%s/%s", f->air, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	return fd;
}

/* In real time, but it waits for what must come, not for time to pass. */
TEST(run_is_a_radio_among_the_sockets_of_a_folder_and_ends_cleanly)
{
	struct folder *f = *state;
	uint8_t frame[64];
	struct pollfd near_by, far_off;
	int out, status;
	char text[512];
	pid_t pid;

	make(f, "devices=6,floors=1,loss=0");
	check_int(mkdir(f->air, 0700), 0);
	near_by = (struct pollfd){ .fd = bind_radio(f, "gateway"), .events = POLLIN };
	far_off = (struct pollfd){ .fd = bind_radio(f, "far"), .events = POLLIN };
	pid = start_run(f, &out);
	for (int beacons = 0; beacons < 100;) { /* names are said in between */
		check_int(poll(&near_by, 1, 20000), 1);
		check(recv(near_by.fd, frame, sizeof(frame), 0) > 7 + 2);
		check(frame[0] == 3 && (frame[6] & 0xC0) == 0xC0);
		beacons += frame[8] == AD_MESH_BEACON;
	}
	check_int(poll(&far_off, 1, 0), 0);
	kill(pid, SIGTERM);
	check_int(waitpid(pid, &status, 0), pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = (int)read(out, text, sizeof(text) - 1);
	text[status > 0 ? status : 0] = 0;
	assert_non_null(strstr(text, "building: ready: 6 devices"));
	close(out);
	close(near_by.fd);
	close(far_off.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(the_gateway_hears_the_beacons_of_near_devices_and_of_no_others),
		IN_FOLDER(the_same_seed_gives_the_same_run),
		IN_FOLDER(a_state_folder_serves_one_building_at_a_time),
		cmocka_unit_test(places_are_read),
		IN_FOLDER(make_and_show_go_together),
		IN_FOLDER(mistakes_on_the_command_line_are_one_line_and_status_2),
		IN_FOLDER(run_is_a_radio_among_the_sockets_of_a_folder_and_ends_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
