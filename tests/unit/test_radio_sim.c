/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "log.h"
#include "radio_sim.h"

struct world {
	char data[64];
	struct timers timers;
	struct radio_sim *radio;
	size_t heard, beacons;
	size_t captured, captured_ours;
};

static const uint8_t ours[6] = { 9, 8, 7, 6, 5, 0xC4 };

static void on_heard(void *ctx, const struct bearer_report *report)
{
	struct world *w = ctx;

	w->heard++;
	assert_true(report->rssi >= -95 && report->rssi < 0);
	assert_int_equal(report->event_type, ADV_NONCONN_IND);
	w->beacons += report->data.n > 2 && report->data.p[1] == AD_MESH_BEACON;
}

static void on_capture(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	struct world *w = ctx;

	w->captured++;
	w->captured_ours += memcmp(address, ours, 6) == 0;
}

static struct radio_sim *open_radio(struct world *w, const char *spec, char error[BUILDING_ERROR])
{
	struct radio_sim_config c = { .timers = &w->timers,
				      .spec = spec,
				      .data = w->data,
				      .now = 1790000000,
				      .address = ours,
				      .fast_flash = true,
				      .capture = on_capture,
				      .ctx = w };
	struct radio_sim *r = radio_sim_open(&c, error);

	if (r) {
		radio_sim_bearer(r)->heard = on_heard;
		radio_sim_bearer(r)->heard_ctx = w;
	}
	return r;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	log_set_level(LOG_LEVEL_WARNING);
	strcpy(w->data, "/tmp/test-radio-sim-XXXXXX");
	timers_init(&w->timers, 0);
	*state = w;
	return mkdtemp(w->data) ? 0 : -1;
}

static void empty(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(folder);
}

static int teardown(void **state)
{
	struct world *w = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/building/state", w->data);
	empty(path);
	snprintf(path, sizeof(path), "%s/building", w->data);
	empty(path);
	empty(w->data);
	timers_free(&w->timers);
	free(w);
	return 0;
}

static void check_there(const struct world *w, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/building/%s", w->data, name);
	check_row(name, access(path, F_OK) == 0);
}

TEST(keys_make_a_building_once_and_the_gateway_hears_it)
{
	struct world *w = *state;
	char error[BUILDING_ERROR] = "";
	uint8_t uuid[UUID_LEN];

	w->radio = open_radio(w, "devices=8,floors=1,loss=0,seed=3", error);
	check_str(error, "");
	assert_non_null(w->radio);
	check_there(w, "building.json");
	check_there(w, "ca.pem");
	check_there(w, "devices.csv");
	check_there(w, "state");
	timers_advance(&w->timers, SEC(20));
	check(w->beacons > 8);
	memcpy(uuid, building_make_of(radio_sim_building(w->radio), 0)->uuid, UUID_LEN);
	radio_sim_close(w->radio);
	/* Another time, other keys: it stays what it is. */
	w->radio = open_radio(w, "devices=9,floors=1,seed=4", error);
	assert_non_null(w->radio);
	check_int(building_count(radio_sim_building(w->radio)), 8);
	check_mem(uuid, building_make_of(radio_sim_building(w->radio), 0)->uuid, UUID_LEN);
	radio_sim_close(w->radio);
}

TEST(what_is_sent_goes_on_the_air_as_often_as_asked)
{
	struct world *w = *state;
	struct bearer_send s = { .kind = BEARER_NETWORK,
				 .count = 3,
				 .interval_ms = 20,
				 .tag = 5,
				 .len = 4,
				 .data = { 3, AD_MESH_MESSAGE, 1, 2 } };
	char error[BUILDING_ERROR] = "";
	struct bearer *b;
	bool ok = true;

	w->radio = open_radio(w, "devices=2,floors=1", error);
	assert_non_null(w->radio);
	b = radio_sim_bearer(w->radio);
	check(b->send(b, &s));
	check_int(w->captured_ours, 0); /* never from within send */
	timers_advance(&w->timers, SEC(1));
	check_int(w->captured_ours, 3);
	for (int i = 0; ok && i < 1000; i++)
		ok = b->send(b, &s);
	check(!ok);
	check_int(radio_sim_refused(w->radio), 1);
	check(radio_sim_waiting(w->radio) > 100);
	b->cancel(b, 5);
	check_int(radio_sim_waiting(w->radio), 0);
	timers_advance(&w->timers, SEC(2));
	check_int(w->captured_ours, 3);
	radio_sim_close(w->radio);
}

TEST(a_wrong_spec_is_refused_in_one_line)
{
	static const char *const rows[] = { "devices=0", "what=1", "/nonexistent.json", "uri=2" };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char error[BUILDING_ERROR] = "";

		check_row(rows[i], open_radio(w, rows[i], error) == NULL);
		check_row(rows[i], error[0] && !strchr(error, '\n'));
	}
}

int main(void)
{
#define WITH_WORLD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(keys_make_a_building_once_and_the_gateway_hears_it),
		WITH_WORLD(what_is_sent_goes_on_the_air_as_often_as_asked),
		WITH_WORLD(a_wrong_spec_is_refused_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
