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

TEST(keys_that_are_wrong_are_refused_with_the_key_s_name)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "devices", "KEY=VALUE" },
		{ "devices=", "devices" },
		{ "devices=0", "devices" },
		{ "devices=5001", "devices" },
		{ "devices=2.5", "devices" },
		{ "devices=ten", "devices" },
		{ "devices=-1", "devices" },
		{ "floors=0", "floors" },
		{ "spacing_m=0", "spacing_m" },
		{ "spacing_m=nan", "spacing_m" },
		{ "loss=5", "loss" },
		{ "loss=-0.1", "loss" },
		{ "loss=101%", "loss" },
		{ "seed=-1", "seed" },
		{ "servers=1.01", "servers" },
		{ "cbp=x", "cbp" },
		{ "untrusted=5%", "untrusted" },
		{ "uri=1.1", "uri=1.1: a share from 0 to 1" },
		{ "uri_base=x", "uri_base: 9 to" },
		{ "oob_prompt=1.5", "oob_prompt=1.5: a number" },
		{ "composition_change=x", "a number" },
		{ "large_composition=2", "a share" },
		{ "colour=red", "colour: unknown" },
		{ "device=5", "device: unknown" },
		{ "devicesx=5", "devicesx: unknown" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct building_keys k = building_keys_default();
		char error[BUILDING_ERROR] = "";

		check_row(rows[i].text, !building_keys_set(&k, rows[i].text, error));
		check_row(rows[i].text, strstr(error, rows[i].says) && !strchr(error, '\n'));
	}
}

TEST(keys_that_are_right_are_taken)
{
	struct building_keys k = building_keys_default();
	char error[BUILDING_ERROR] = "";

	check(building_keys_parse(&k,
				  "devices=7,floors=2,spacing_m=8.5,loss=5%,seed=99,servers=0.25,"
				  "cbp=0,static_oob=100%,uri=0,oob_prompt=0,composition_change=0",
				  error));
	check(k.devices == 7 && k.floors == 2 && k.spacing_m == 8.5 && k.loss == 0.05 &&
	      k.seed == 99 && k.servers == 0.25 && k.cbp == 0 && k.static_oob == 1);
	check(building_keys_parse(&k, "", error));
}

TEST(a_plan_that_cannot_be_is_refused)
{
	static const char *const rows[] = { "devices=3,dead=4", "devices=2,floors=3",
					    "devices=5,untrusted=2,expired=2,absent=2",
					    "devices=5,servers=0,composition_change=1" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct building_keys k = building_keys_default();
		struct building_file f;
		char error[BUILDING_ERROR] = "";

		check_row(rows[i], building_keys_parse(&k, rows[i], error));
		check_row(rows[i], !building_plan(&k, &f, error));
		check_row(rows[i], error[0] && !strchr(error, '\n'));
	}
}

/* --- geometry --- */

static size_t heard_by(const struct building_file *f, size_t of)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += i != of && air_hears(f->seed, &f->devices[of].place, &f->devices[i].place);
	return n;
}

TEST(sixty_devices_on_three_floors_are_connected_and_several_hops_deep)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct building_keys k = building_keys_default();
		unsigned hops[60], deepest = 0, first = 0;
		struct building_file f;
		char error[BUILDING_ERROR];

		k.seed = seed;
		k.untrusted = 3;
		k.expired = k.misnamed = k.absent = 1;
		k.faults[DEVICE_DEAD] = 2;
		check(building_plan(&k, &f, error));
		check_int(f.n, 60);
		check_int(building_reach(&f, hops), 0);
		for (size_t i = 0; i < f.n; i++) {
			check_int(hops[i] == 0, f.devices[i].absent);
			deepest = hops[i] > deepest ? hops[i] : deepest;
			first += hops[i] == 1;
			check(heard_by(&f, i) >= 4);
		}
		check(deepest >= 3 && first >= 4 && first <= 20);
		building_file_free(&f);
	}
}

TEST(few_servers_are_put_where_growth_would_stop)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct building_keys k = building_keys_default();
		struct building_file f;
		char error[BUILDING_ERROR];
		size_t servers = 0;

		k.seed = seed;
		k.servers = 0.02;
		check(building_plan(&k, &f, error));
		check_int(building_reach(&f, NULL), 0);
		for (size_t i = 0; i < f.n; i++)
			servers += f.devices[i].make.server;
		check(servers > 1 && servers < 15);
		building_file_free(&f);
		k.servers = 0;
		check(building_plan(&k, &f, error));
		check(building_reach(&f, NULL) > 30);
		building_file_free(&f);
	}
}

/* Without any, the devices are the same, octet for octet. */
TEST(sound_servers_get_another_composition_and_nothing_else_changes)
{
	struct building_keys k = building_keys_default();
	char error[BUILDING_ERROR], file[] = BUILD_DIR "/test-building-composition.json";
	struct building_file plain, f, again;
	size_t changed = 0, large = 0;

	check(building_keys_parse(&k, "untrusted=3,dead=2,absent=1,seed=7", error));
	check(building_plan(&k, &plain, error));
	check(building_keys_parse(&k, "composition_change=6,large_composition=0.25", error));
	check(building_plan(&k, &f, error));
	for (size_t i = 0; i < f.n; i++) {
		const struct building_device *d = &f.devices[i];

		changed += d->make.changed_elements != 0;
		large += d->make.large_composition;
		if (d->make.changed_elements) {
			check_int(d->make.changed_elements, d->make.elements);
			check(d->make.server && d->make.fault == DEVICE_SOUND && !d->absent);
			check_int(d->certificate, CERTIFICATE_GOOD);
		}
		check_mem(d->make.uuid, plain.devices[i].make.uuid, UUID_LEN);
		check_int(d->make.server, plain.devices[i].make.server);
		check_int(d->certificate, plain.devices[i].certificate);
		check(d->place.x == plain.devices[i].place.x);
	}
	check_int(changed, 6);
	check_int(large, 15);
	check(building_file_save(file, &f, error));
	check(building_file_load(file, &again, error));
	for (size_t i = 0; i < f.n; i++) {
		check_int(again.devices[i].make.changed_elements,
			  f.devices[i].make.changed_elements);
		check_int(again.devices[i].make.large_composition,
			  f.devices[i].make.large_composition);
	}
	remove(file);
	building_file_free(&again);
	building_file_free(&plain);
	building_file_free(&f);
}

TEST(the_numbers_of_bad_devices_and_the_shares_are_kept)
{
	struct building_keys k = building_keys_default();
	struct building_file f;
	char error[BUILDING_ERROR];
	size_t certificates = 0, oob = 0, kinds[4] = { 0 }, faults[3] = { 0 }, absent = 0, bad = 0;

	check(building_keys_parse(&k,
				  "devices=40,cbp=0.5,static_oob=0.25,untrusted=3,expired=2,"
				  "misnamed=1,dead=4,silent=2,absent=5,seed=3",
				  error));
	check(building_plan(&k, &f, error));
	for (size_t i = 0; i < f.n; i++) {
		const struct building_device *d = &f.devices[i];

		certificates += d->make.certificates;
		oob += d->make.static_oob_len == 32;
		kinds[d->certificate]++;
		faults[d->make.fault]++;
		absent += d->absent;
		bad += d->certificate != CERTIFICATE_GOOD || d->make.fault != DEVICE_SOUND ||
		       d->absent;
		check(d->certificate == CERTIFICATE_GOOD || d->make.certificates);
		check_int(d->make.oob_public_key, d->make.certificates);
	}
	check(certificates == 20 && oob == 10 && absent == 5 && bad == 17);
	check(kinds[CERTIFICATE_UNTRUSTED] == 3 && kinds[CERTIFICATE_EXPIRED] == 2 &&
	      kinds[CERTIFICATE_MISNAMED] == 1);
	check(faults[DEVICE_DEAD] == 4 && faults[DEVICE_SILENT] == 2);
	building_file_free(&f);
}

TEST(every_fault_is_a_key_and_is_given_to_so_many_devices)
{
	for (enum device_fault fault = DEVICE_DEAD; fault < DEVICE_FAULTS; fault++) {
		struct building_keys k = building_keys_default();
		struct building_file f;
		char error[BUILDING_ERROR], text[64];
		size_t n = 0;

		snprintf(text, sizeof(text), "%s=2", building_fault_name(fault));
		check_row(text,
			  building_keys_parse(&k, "devices=40,servers=1,fault_times=3", error));
		check_row(text, building_keys_set(&k, text, error));
		check_row(text, building_plan(&k, &f, error));
		for (size_t i = 0; i < f.n; i++) {
			const struct device_make *m = &f.devices[i].make;
			bool in_key = fault >= DEVICE_KEY_REFLECTED && fault <= DEVICE_KEY_ZERO;

			if (m->fault == DEVICE_SOUND)
				continue;
			n++;
			check_row(text, m->fault == fault);
			/* A key that comes with a certificate is never sent. */
			check_row(text, m->certificates == !in_key);
			check_row(text, fault <= DEVICE_SILENT || m->fault_times == 3);
			check_row(text, fault < DEVICE_NPPI_UNCOMMITTED || m->server);
		}
		check_row(text, n == 2);
		check_row(text, building_reach(&f, NULL) == 0);
		building_file_free(&f);
	}
}

TEST(more_servers_that_vanish_than_can_be_spared_are_refused)
{
	struct building_keys k = building_keys_default();
	struct building_file f;
	char error[BUILDING_ERROR] = "";

	check(building_keys_parse(&k, "devices=20,servers=0.1,vanishes=20", error));
	check(!building_plan(&k, &f, error));
	check(strstr(error, "servers") && !strchr(error, '\n'));
}

TEST(faults_that_are_drawn_are_of_many_kinds)
{
	struct building_keys k = building_keys_default();
	struct building_file f;
	char error[BUILDING_ERROR];
	size_t kinds[DEVICE_FAULTS] = { 0 }, n = 0, different = 0;

	check(building_keys_parse(&k, "devices=200,faulty=0.5", error));
	check(building_plan(&k, &f, error));
	for (size_t i = 0; i < f.n; i++)
		kinds[f.devices[i].make.fault]++;
	for (size_t i = DEVICE_SILENT + 1; i < DEVICE_FAULTS; i++) {
		n += kinds[i];
		different += kinds[i] > 0;
	}
	check(n == 100 && different > 15);
	check(kinds[DEVICE_VANISHES] == 0 && kinds[DEVICE_NPPI_UNANSWERED] == 0);
	building_file_free(&f);
}

/* --- files --- */

TEST(faults_attackers_and_a_bad_air_are_written_down)
{
	struct folder *f = *state;
	struct building_file a;
	char error[BUILDING_ERROR];
	size_t n = 0;

	make(f,
	     "devices=12,servers=1,reboot_data=2,fault_times=0,faults_in_refresh=1,duplicates=0.25,"
	     "reorders=0.125,attackers=3");
	check(building_file_load(f->file, &a, error));
	for (size_t i = 0; i < a.n; i++) {
		const struct device_make *m = &a.devices[i].make;

		if (m->fault == DEVICE_SOUND)
			continue;
		n++;
		check(m->fault == DEVICE_REBOOT_DATA && m->fault_times == 0 && m->fault_in_refresh);
	}
	check(n == 2 && a.duplicates == 0.25 && a.reorders == 0.125 && a.n_attackers == 3);
	building_file_free(&a);
}

TEST(what_is_made_can_be_loaded_and_is_the_same_for_the_same_seed)
{
	struct folder *f = *state;
	struct building_file a, b;
	char error[BUILDING_ERROR];
	struct stat st;

	make(f, "devices=12,floors=2,seed=8,static_oob=0.5,cbp=0.75,oob_pubkey=1,dead=1,absent=1");
	check(building_file_load(f->file, &a, error));
	check_int(stat(f->file, &st), 0);
	check_int(st.st_mode & 0777, 0600);
	check(building_file_save(f->file, &a, error));
	check(building_file_load(f->file, &b, error));
	check_int(a.n, 12);
	check_int(b.n, 12);
	check(a.seed == 8 && b.seed == 8 && a.loss == 0.05 && b.loss == 0.05);
	for (size_t i = 0; i < a.n; i++) {
		struct device_make x = a.devices[i].make, y = b.devices[i].make;

		check_int(x.n_records, x.certificates ? 3 : 0);
		check_int(y.n_records, x.n_records);
		for (size_t k = 0; k < x.n_records; k++) {
			check(x.records[k].id == y.records[k].id &&
			      bytes_equal(x.records[k].data, y.records[k].data));
			x.records[k].data = y.records[k].data = bytes_of(NULL, 0);
		}
		check_mem(x.uuid, y.uuid, UUID_LEN);
		check_str(x.name, y.name);
		check_mem(x.secret_key.octet, y.secret_key.octet, 32);
		check_mem(x.static_oob, y.static_oob, 32);
		check(x.company == y.company && x.product == y.product &&
		      x.elements == y.elements && x.features == y.features &&
		      x.algorithms == y.algorithms && x.server == y.server &&
		      x.oob_public_key == y.oob_public_key &&
		      x.static_oob_len == y.static_oob_len && x.fault == y.fault);
		check_str(a.devices[i].area, b.devices[i].area);
		check(a.devices[i].place.x == b.devices[i].place.x &&
		      a.devices[i].place.y == b.devices[i].place.y &&
		      a.devices[i].place.floor == b.devices[i].place.floor &&
		      a.devices[i].absent == b.devices[i].absent);
	}
	building_file_free(&b);
	make(f, "devices=12,floors=2,seed=8,static_oob=0.5,cbp=0.75,oob_pubkey=1,dead=1,absent=1");
	check(building_file_load(f->file, &b, error));
	for (size_t i = 0; i < a.n; i++) {
		check_mem(a.devices[i].make.uuid, b.devices[i].make.uuid, UUID_LEN);
		check_mem(&a.devices[i].make.secret_key, &b.devices[i].make.secret_key, 32);
	}
	building_file_free(&a);
	building_file_free(&b);
}

TEST(the_list_has_every_device_and_its_static_oob)
{
	struct folder *f = *state;
	struct building_file b;
	char error[BUILDING_ERROR], line[256], uuid[UUID_TEXT], oob[65];
	FILE *list;

	make(f, "devices=9,floors=1,static_oob=0.5,absent=2,untrusted=1");
	check(building_file_load(f->file, &b, error));
	list = fopen(f->list, "r");
	assert_non_null(list);
	assert_non_null(fgets(line, sizeof(line), list));
	check_str(line, "uuid,name,area,profile,static_oob,certificate\n");
	for (size_t i = 0; i < b.n; i++) {
		const struct device_make *m = &b.devices[i].make;
		char wanted[256];

		snprintf(wanted, sizeof(wanted), "%s,%s,%s,,%s,\n", uuid_format(uuid, m->uuid),
			 m->name, b.devices[i].area,
			 hex_format(oob, bytes_of(m->static_oob, m->static_oob_len)));
		assert_non_null(fgets(line, sizeof(line), list));
		check_str(line, wanted);
	}
	assert_null(fgets(line, sizeof(line), list));
	fclose(list);
	building_file_free(&b);
}

TEST(a_file_that_is_no_building_is_refused_in_one_line)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "", "line" },
		{ "{", "line" },
		{ "[]", "not a building" },
		{ "{\"format\": \"other\"}", "not a building" },
		{ "{\"format\": \"meshmason-building-1\", \"seed\": -1}", "seed" },
		{ "{\"format\": \"meshmason-building-1\", \"seed\": 1, \"loss\": 2}", "loss" },
		{ "{\"format\": \"meshmason-building-1\", \"seed\": 1, \"loss\": 0}", "devices" },
		{ "{\"format\": \"meshmason-building-1\", \"seed\": 1, \"loss\": 0, "
		  "\"devices\": []}",
		  "devices" },
		{ "{\"format\": \"meshmason-building-1\", \"seed\": 1, \"loss\": 0, "
		  "\"devices\": [{\"uuid\": \"x\"}]}",
		  "device 1: uuid" },
		{ "{\"format\": \"meshmason-building-1\", \"seed\": 1, \"loss\": 0, "
		  "\"devices\": [7]}",
		  "device 1" },
	};
	struct folder *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct building_file b;
		char error[BUILDING_ERROR] = "";

		check(building_store_replace(f->file, bytes_of(rows[i].text, strlen(rows[i].text)),
					     0600, false));
		check_row(rows[i].text, !building_file_load(f->file, &b, error));
		check_row(rows[i].text, strstr(error, rows[i].says) && !strchr(error, '\n'));
		check_int(b.n, 0);
	}
}

TEST(a_killed_writer_leaves_a_whole_image)
{
	struct folder *f = *state;
	uint8_t image[2][5000];
	size_t seen[2] = { 0 };
	pid_t writer;

	memset(image[0], 'a', sizeof(image[0]));
	memset(image[1], 'b', sizeof(image[1]));
	check(building_store_replace(f->file, bytes_of(image[0], sizeof(image[0])), 0600, true));
	/* Ten rounds, and more where the writer was not given its turn beside the reader. */
	for (int round = 0; round < 10 || (round < 1000 && !(seen[0] && seen[1])); round++) {
		writer = fork();
		if (writer == 0) {
			for (size_t i = 0;; i++)
				(void)building_store_replace(f->file, bytes_of(image[i % 2], 5000),
							     0600, false);
		}
		for (int i = 0; i < 500; i++) {
			uint8_t *p;
			size_t n;

			check(building_store_read(f->file, 10000, &p, &n));
			check_int(n, 5000);
			check(memcmp(p, image[0], n) == 0 || memcmp(p, image[1], n) == 0);
			seen[p[0] == 'b']++;
			free(p);
		}
		kill(writer, SIGKILL);
		check_int(waitpid(writer, NULL, 0), writer);
	}
	check(seen[0] > 0 && seen[1] > 0);
	/* What a killed one left behind does not stop the next. */
	check(building_store_replace(f->file, bytes_of("new", 3), 0600, true));
}

TEST(an_image_that_cannot_be_written_leaves_the_old_one)
{
	struct folder *f = *state;
	uint8_t uuid[UUID_LEN] = { 1 }, *p;
	char temp[160], text[UUID_TEXT];
	size_t n;

	check(building_flash_read(f->path, uuid, 100, &p, &n) && n == 0);
	free(p);
	check(building_flash_write(f->path, uuid, bytes_of("old", 3), true));
	snprintf(temp, sizeof(temp), "%s/%s.flash.tmp", f->path, uuid_format(text, uuid));
	check_int(mkdir(temp, 0700), 0);
	check(!building_flash_write(f->path, uuid, bytes_of("newer", 5), true));
	check(building_flash_read(f->path, uuid, 100, &p, &n) && n == 3 &&
	      memcmp(p, "old", 3) == 0);
	free(p);
	check(!building_flash_read(f->path, uuid, 2, &p, &n));
}

/* --- the building at run time --- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_that_are_wrong_are_refused_with_the_key_s_name),
		cmocka_unit_test(keys_that_are_right_are_taken),
		cmocka_unit_test(a_plan_that_cannot_be_is_refused),
		cmocka_unit_test(sixty_devices_on_three_floors_are_connected_and_several_hops_deep),
		cmocka_unit_test(few_servers_are_put_where_growth_would_stop),
		cmocka_unit_test(sound_servers_get_another_composition_and_nothing_else_changes),
		cmocka_unit_test(the_numbers_of_bad_devices_and_the_shares_are_kept),
		cmocka_unit_test(every_fault_is_a_key_and_is_given_to_so_many_devices),
		cmocka_unit_test(more_servers_that_vanish_than_can_be_spared_are_refused),
		cmocka_unit_test(faults_that_are_drawn_are_of_many_kinds),
		IN_FOLDER(faults_attackers_and_a_bad_air_are_written_down),
		IN_FOLDER(what_is_made_can_be_loaded_and_is_the_same_for_the_same_seed),
		IN_FOLDER(the_list_has_every_device_and_its_static_oob),
		IN_FOLDER(a_file_that_is_no_building_is_refused_in_one_line),
		IN_FOLDER(a_killed_writer_leaves_a_whole_image),
		IN_FOLDER(an_image_that_cannot_be_written_leaves_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
