/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <sqlite3.h>

#include "db_devices.h"
#include "db_network.h"
#include "db_nodes.h"
#include "db_world.h"

static struct db_network network(void)
{
	struct db_network n = { .name = "Site", .address = 1, .iv_recovered = UINT32_MAX };

	memset(n.uuid, 0xAB, sizeof n.uuid);
	memset(&n.device_key, 0x17, sizeof n.device_key);
	return n;
}

static struct db_node node(uint16_t address)
{
	struct db_node n = { .address = address, .elements = 1, .state = DB_NODE_JOINED };

	n.uuid[0] = (uint8_t)(address >> 8);
	n.uuid[1] = (uint8_t)address;
	memset(&n.device_key, 0x99, sizeof n.device_key);
	return n;
}

TEST(a_new_file_gets_the_whole_schema_and_opens_again)
{
	struct db_world w;
	db_world_init(&w);
	int version = db_schema_version(w.db);

	check(version >= 1);
	check(db_sound(w.db));
	check(!db_dirty(w.db));
	db_world_crash(&w);
	check_int(db_schema_version(w.db), version);
	db_world_free(&w);
}

TEST(a_file_of_a_newer_program_is_refused)
{
	struct db_world w;
	sqlite3 *raw;
	char why[DB_WHY];

	db_world_init(&w);
	db_close(w.db);
	check_int(sqlite3_open(w.path, &raw), SQLITE_OK);
	check_int(sqlite3_exec(raw, "PRAGMA user_version = 9999", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
	check(!db_world_open(&w, why));
	check(strstr(why, "9999"));
	db_world_free(&w);
}

TEST(a_wrong_master_key_is_told_at_once)
{
	struct db_world w;
	char why[DB_WHY];

	db_world_init(&w);
	db_close(w.db);
	w.env.master.octet[31] ^= 1;
	check(!db_world_open(&w, why));
	check(strstr(why, "master key"));
	w.env.master.octet[31] ^= 1;
	check(db_world_open(&w, why));
	db_world_free(&w);
}

TEST(a_second_process_is_kept_out)
{
	struct db_world w;
	char why[DB_WHY];

	db_world_init(&w);
	check(!db_open(w.path, &w.env, why));
	check(strstr(why, "another process"));
	db_world_free(&w);
}

TEST(a_file_that_is_no_database_is_refused)
{
	struct db_world w;
	char why[DB_WHY];

	db_world_init(&w);
	db_close(w.db);
	FILE *f = fopen(w.path, "w");
	for (int i = 0; i < 2000; i++)
		fputs("not a database ", f);
	fclose(f);
	check(!db_world_open(&w, why));
	db_world_free(&w);
}

TEST(a_turn_is_kept_whole_by_its_commit_and_lost_whole_without)
{
	struct db_world w;
	struct db_network n = network();

	db_world_init(&w);
	check_int(db_network_create(w.db, &n), DB_OK);
	check(db_dirty(w.db));
	check_int(db_commit(w.db), DB_OK);
	check(!db_dirty(w.db));
	check_int(db_network_save_seq(w.db, 500), DB_OK);
	check_int(db_replay_save(w.db, 7, 77), DB_OK);
	check_int(db_network_get(w.db, &n), DB_OK);
	check_int(n.seq_reserved, 500); /* the turn sees its own writes */
	db_world_crash(&w);
	check_int(db_network_get(w.db, &n), DB_OK);
	check_int(n.seq_reserved, 0);
	check_int(db_network_save_seq(w.db, 600), DB_OK);
	check_int(db_commit(w.db), DB_OK);
	db_world_crash(&w);
	check_int(db_network_get(w.db, &n), DB_OK);
	check_int(n.seq_reserved, 600);
	check_int(db_commits(w.db), 0);
	db_world_free(&w);
}

struct boundary {
	uint64_t stop, seen;
};

static bool stop_at(void *ctx, uint64_t number)
{
	struct boundary *b = ctx;

	b->seen++;
	return number != b->stop;
}

TEST(a_write_boundary_can_be_made_to_fail)
{
	struct db_world w;
	struct boundary b = { .stop = 2 };
	struct db_network n = network();

	db_world_init(&w);
	db_on_commit(w.db, stop_at, &b);
	check_int(db_commit(w.db), DB_OK); /* nothing to write is no boundary */
	check_int(b.seen, 0);
	check_int(db_network_create(w.db, &n), DB_OK);
	check_int(db_commit(w.db), DB_OK);
	check_int(db_network_save_seq(w.db, 9), DB_OK);
	check_int(db_commit(w.db), DB_ERROR);
	check_int(b.seen, 2);
	check(!db_dirty(w.db));
	check_int(db_network_get(w.db, &n), DB_OK);
	check_int(n.seq_reserved, 0);
	db_world_free(&w);
}

static bool contains(const char *path, const void *needle, size_t n)
{
	FILE *f = fopen(path, "rb");
	char *all = malloc(16 << 20);
	size_t len = f ? fread(all, 1, 16 << 20, f) : 0;
	bool found = len && memmem(all, len, needle, n);

	if (f)
		fclose(f);
	free(all);
	return found;
}

static bool on_disk(const struct db_world *w, const void *needle, size_t n)
{
	char wal[128];

	snprintf(wal, sizeof wal, "%s-wal", w->path);
	return contains(w->path, needle, n) || contains(wal, needle, n);
}

static const uint8_t keys[6][16] = {
	"net key -secret", "new net -secret", "app key -secret",
	"dev key -secret", "candidat-secret", "own key -secret",
};

static void write_every_secret(struct db *db)
{
	struct db_network n = network();
	struct db_net_key net = { .name = "visible name", .has_new = true, .phase = 1 };
	struct db_app_key app = { .index = 3 };
	struct db_node d = node(2);
	struct db_device dev = { .static_oob_len = 32 };

	memcpy(&net.key, keys[0], 16);
	memcpy(&net.new_key, keys[1], 16);
	memcpy(&app.key, keys[2], 16);
	memcpy(&d.device_key, keys[3], 16);
	memcpy(&d.candidate, keys[4], 16);
	memcpy(&n.device_key, keys[5], 16);
	d.has_candidate = true;
	memcpy(dev.static_oob, "static-oob-secret-of-32-octets!!", 32);
	check_int(db_network_create(db, &n), DB_OK);
	check_int(db_net_key_put(db, &net), DB_OK);
	check_int(db_app_key_put(db, &app), DB_OK);
	check_int(db_address_claim(db, 2, 1, d.uuid, 0), DB_OK);
	check_int(db_node_insert(db, &d), DB_OK);
	check_int(db_device_put(db, &dev), DB_OK);
	check_int(db_commit(db), DB_OK);
}

TEST(no_key_octet_is_in_the_file_or_its_log)
{
	struct db_world w;

	db_world_init(&w);
	write_every_secret(w.db);
	check(on_disk(&w, "visible name", 12)); /* the search itself works */
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		check(!on_disk(&w, keys[i], 10));
	check(!on_disk(&w, "static-oob-secret", 10));
	db_close(w.db);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		check(!on_disk(&w, keys[i], 10));
	check(!on_disk(&w, w.env.master.octet, 16));
	check(db_world_open(&w, (char[DB_WHY]){ 0 }));
	db_world_free(&w);
}

TEST(every_secret_is_read_back)
{
	struct db_world w;
	struct db_net_key net;
	struct db_app_key app;
	struct db_node d;
	struct db_network n;
	struct db_device dev;

	db_world_init(&w);
	write_every_secret(w.db);
	db_world_crash(&w);
	check_int(db_net_key_get(w.db, 0, &net), DB_OK);
	check_int(db_app_key_get(w.db, 3, &app), DB_OK);
	check_int(db_node_get(w.db, 2, &d), DB_OK);
	check_int(db_network_get(w.db, &n), DB_OK);
	check_int(db_device_get(w.db, (uint8_t[16]){ 0 }, &dev), DB_OK);
	check_mem(&net.key, keys[0], 16);
	check_mem(&net.new_key, keys[1], 16);
	check_mem(&app.key, keys[2], 16);
	check_mem(&d.device_key, keys[3], 16);
	check_mem(&d.candidate, keys[4], 16);
	check_mem(&n.device_key, keys[5], 16);
	check_mem(dev.static_oob, "static-oob-secret-of-32-octets!!", 32);
	check_int(strlen(d.device_key_id), 8);
	db_world_free(&w);
}

TEST(a_sealed_key_does_not_open_in_another_row)
{
	struct db_world w;
	struct db_node d = node(2), e = node(3);
	sqlite3 *raw;
	char why[DB_WHY];

	db_world_init(&w);
	check_int(db_address_claim(w.db, 2, 1, d.uuid, 0), DB_OK);
	check_int(db_address_claim(w.db, 3, 1, e.uuid, 0), DB_OK);
	check_int(db_node_insert(w.db, &d), DB_OK);
	check_int(db_node_insert(w.db, &e), DB_OK);
	check_int(db_commit(w.db), DB_OK);
	db_close(w.db);
	check_int(sqlite3_open(w.path, &raw), SQLITE_OK);
	check_int(sqlite3_exec(raw,
			       "UPDATE nodes SET device_key_sealed = (SELECT device_key_sealed FROM"
			       " nodes WHERE address = 2) WHERE address = 3",
			       NULL, NULL, NULL),
		  SQLITE_OK);
	sqlite3_close(raw);
	check(db_world_open(&w, why));
	check_int(db_node_get(w.db, 2, &d), DB_OK);
	check_int(db_node_get(w.db, 3, &e), DB_ERROR);
	db_world_free(&w);
}

TEST(a_conflict_leaves_the_rest_of_the_turn_alone)
{
	struct db_world w;
	struct db_network n = network(), again = network();

	db_world_init(&w);
	check_int(db_network_create(w.db, &n), DB_OK);
	check_int(db_network_create(w.db, &again), DB_CONFLICT);
	check_int(db_replay_save(w.db, 5, 1), DB_OK);
	check_int(db_commit(w.db), DB_OK);
	db_world_crash(&w);
	check_int(db_network_get(w.db, &n), DB_OK);
	db_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_gets_the_whole_schema_and_opens_again),
		cmocka_unit_test(a_file_of_a_newer_program_is_refused),
		cmocka_unit_test(a_wrong_master_key_is_told_at_once),
		cmocka_unit_test(a_second_process_is_kept_out),
		cmocka_unit_test(a_file_that_is_no_database_is_refused),
		cmocka_unit_test(a_turn_is_kept_whole_by_its_commit_and_lost_whole_without),
		cmocka_unit_test(a_write_boundary_can_be_made_to_fail),
		cmocka_unit_test(no_key_octet_is_in_the_file_or_its_log),
		cmocka_unit_test(every_secret_is_read_back),
		cmocka_unit_test(a_sealed_key_does_not_open_in_another_row),
		cmocka_unit_test(a_conflict_leaves_the_rest_of_the_turn_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
