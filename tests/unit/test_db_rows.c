/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "db_auth.h"
#include "db_devices.h"
#include "db_jobs.h"
#include "db_network.h"
#include "db_nodes.h"
#include "db_world.h"

static struct db_node full_node(uint16_t address)
{
	struct db_node n;

	memset(&n, 0, sizeof n);
	n.address = address;
	memset(n.uuid, 0x30, sizeof n.uuid);
	n.uuid[14] = (uint8_t)(address >> 8);
	n.uuid[15] = (uint8_t)address;
	n.elements = 3;
	n.state = DB_NODE_CONFIGURED;
	memset(&n.device_key, (uint8_t)address, sizeof n.device_key);
	snprintf(n.name, sizeof n.name, "Lamp %u", address);
	snprintf(n.area, sizeof n.area, "%s", address % 2 ? "odd" : "even");
	strcpy(n.profile, "default");
	n.net_index = 1;
	n.composition_len = 5;
	memcpy(n.composition, "\1\2\3\4\5", 5);
	n.company = 0x0059;
	n.product = 2;
	n.version = 3;
	n.features = 0x000F;
	n.server = address % 3 == 0;
	n.scan_max_items = 8;
	n.scan_active = true;
	n.relay = true;
	n.default_ttl = 9;
	n.hops = address % 5;
	n.via = 1;
	n.algorithm = 1;
	n.auth_method = 1;
	n.oob_public_key = true;
	n.job = 4;
	n.created = 1000;
	n.key_created = 1001;
	n.joined = 1002;
	n.configured = 1003;
	n.heard = 1004;
	n.certificate.present = true;
	strcpy(n.certificate.subject, "CN=x");
	strcpy(n.certificate.issuer, "CN=ca");
	strcpy(n.certificate.serial, "01");
	n.certificate.not_before = 5;
	n.certificate.not_after = 6;
	memset(n.certificate.fingerprint, 9, 32);
	return n;
}

static void add_node(struct db *db, const struct db_node *n)
{
	check_int(db_address_claim(db, n->address, 1, n->uuid, 0), DB_OK);
	check_int(db_node_insert(db, n), DB_OK);
}

TEST(a_node_comes_back_as_it_was_written)
{
	struct db_world w;
	struct db_node in = full_node(7), out;

	db_world_init(&w);
	in.has_candidate = true;
	memset(&in.candidate, 0xCC, 16);
	add_node(w.db, &in);
	check_int(db_node_get(w.db, 7, &out), DB_OK);
	strcpy(in.device_key_id, out.device_key_id);
	check_mem(&in, &out, sizeof in);
	in.device_key = in.candidate;
	in.has_candidate = false;
	check_int(db_node_update(w.db, &in), DB_OK);
	check_int(db_node_get_uuid(w.db, in.uuid, &out), DB_OK);
	check(secret16_equal(&out.device_key, &in.candidate));
	check(!out.has_candidate);
	check(strcmp(out.device_key_id, in.device_key_id) != 0);
	check_int(db_node_get(w.db, 8, &out), DB_NONE);
	db_world_free(&w);
}

TEST(address_and_uuid_belong_to_one_node)
{
	struct db_world w;
	struct db_node a = full_node(7), b = full_node(8);

	db_world_init(&w);
	add_node(w.db, &a);
	check_int(db_node_insert(w.db, &b), DB_CONFLICT); /* its address is not reserved */
	check_int(db_address_claim(w.db, 8, 1, b.uuid, 0), DB_OK);
	memcpy(b.uuid, a.uuid, UUID_LEN);
	check_int(db_node_insert(w.db, &b), DB_CONFLICT);
	check_int(db_node_delete(w.db, 7), DB_OK);
	check_int(db_node_insert(w.db, &b), DB_OK);
	db_world_free(&w);
}

struct walk {
	int n;
	uint16_t last;
	bool ordered;
	char names[2][DB_NAME];
};

static void walk_node(void *ctx, const struct db_node *n)
{
	struct walk *k = ctx;

	if (k->n && n->address <= k->last)
		k->ordered = false;
	k->last = n->address;
	k->n++;
}

static int pages(struct db *db, const struct db_node_filter *f, const char *sort, unsigned limit,
		 struct walk *k)
{
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];
	int n = 0;

	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = limit, .cursor = cursor, .sort = sort };

		check_int(db_nodes(db, f, &page, walk_node, k, next), DB_OK);
		n++;
	} while (*next);
	return n;
}

TEST(pages_cover_every_row_once_in_every_order)
{
	static const char *const sorts[] = { NULL,   "name", "-area", "heard",
					     "hops", "uuid", "-hops", "created" };
	struct db_world w;

	db_world_init(&w);
	for (uint16_t a = 2; a < 125; a++) {
		struct db_node n = full_node(a);

		add_node(w.db, &n);
	}
	for (size_t i = 0; i < ARRAY_LEN(sorts); i++) {
		struct walk k = { .ordered = true };

		check_int(pages(w.db, NULL, sorts[i], 10, &k), 13);
		check_int(k.n, 123);
		if (i == 0 || i == 5)
			check(k.ordered);
	}
	db_world_free(&w);
}

TEST(filters_and_hostile_cursors)
{
	static const struct {
		const char *name;
		struct db_node_filter f;
		int n;
	} rows[] = {
		{ "all", { .server = -1, .state = -1 }, 30 },
		{ "area", { .area = "odd", .server = -1, .state = -1 }, 15 },
		{ "servers", { .server = 1, .state = -1 }, 10 },
		{ "name", { .search = "lamp 11", .server = -1, .state = -1 }, 1 },
		{ "address", { .search = "0x000A", .server = -1, .state = -1 }, 1 },
		{ "pattern is text", { .search = "%", .server = -1, .state = -1 }, 0 },
		{ "state", { .server = -1, .state = DB_NODE_JOINED }, 0 },
	};
	static const char *const cursors[] = { "x",
					       "address|i1",
					       "address|i1|",
					       "name|i1|i2",
					       "address|i|i2",
					       "address|t0|i2",
					       "address|i1;DROP|i2" };
	struct db_world w;
	char next[DB_CURSOR];

	db_world_init(&w);
	for (uint16_t a = 2; a < 32; a++) {
		struct db_node n = full_node(a);

		add_node(w.db, &n);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct walk k = { 0 };
		int64_t count;

		pages(w.db, &rows[i].f, NULL, 4, &k);
		check_row(rows[i].name, k.n == rows[i].n);
		check_int(db_node_count(w.db, &rows[i].f, &count), DB_OK);
		check_row(rows[i].name, count == rows[i].n);
	}
	for (size_t i = 0; i < ARRAY_LEN(cursors); i++) {
		struct db_page page = { .cursor = cursors[i] };
		struct walk k = { 0 };

		check_row(cursors[i],
			  db_nodes(w.db, NULL, &page, walk_node, &k, next) == DB_CONFLICT);
	}
	struct db_page odd = { .sort = "address; DROP TABLE nodes" };
	check_int(db_nodes(w.db, NULL, &odd, walk_node, NULL, next), DB_CONFLICT);
	db_world_free(&w);
}

static void count_sighting(void *ctx, const struct db_sighting *s)
{
	(*(int *)ctx)++;
}

TEST(a_device_its_sightings_and_its_certificate)
{
	struct db_world w;
	struct db_device d = { .listed = true, .has_uri_hash = true, .uri_hash = 0xFFFFFFFF }, out;
	struct db_sighting s = { .server = 1, .rssi = -60, .when = 5, .count = 1 };
	uint8_t der[64];
	char next[DB_CURSOR];
	size_t n;
	int seen = 0;

	db_world_init(&w);
	strcpy(d.name, "Lamp");
	check_int(db_sighting_put(w.db, &s), DB_CONFLICT); /* no such device */
	check_int(db_device_put(w.db, &d), DB_OK);
	check_int(db_sighting_put(w.db, &s), DB_OK);
	s.server = 2;
	check_int(db_sighting_put(w.db, &s), DB_OK);
	check_int(db_sighting_put(w.db, &s), DB_OK);
	check_int(db_device_set_certificate(w.db, d.uuid, bytes_of("der!", 4)), DB_OK);
	strcpy(d.name, "Lamp 2");
	check_int(db_device_put(w.db, &d), DB_OK);
	check_int(db_device_get(w.db, d.uuid, &out), DB_OK);
	check_str(out.name, "Lamp 2");
	check(out.has_certificate && out.has_uri_hash && out.uri_hash == 0xFFFFFFFF);
	check_int(db_device_certificate(w.db, d.uuid, der, sizeof der, &n), DB_OK);
	check_int(n, 4);
	check_int(db_device_certificate(w.db, d.uuid, der, 3, &n), DB_NONE);
	check_int(db_sightings(w.db, NULL, &(struct db_page){ .limit = 1 }, count_sighting, &seen,
			       next),
		  DB_OK);
	check(seen == 1 && *next);
	check_int(db_sightings(w.db, NULL, &(struct db_page){ .cursor = next }, count_sighting,
			       &seen, (char[DB_CURSOR]){ 0 }),
		  DB_OK);
	check_int(seen, 2);
	check_int(db_device_delete(w.db, d.uuid), DB_OK);
	seen = 0;
	check_int(db_sightings(w.db, NULL, NULL, count_sighting, &seen, next), DB_OK);
	check_int(seen, 0);
	db_world_free(&w);
}

TEST(a_job_counts_its_tasks)
{
	struct db_world w;
	struct db_job j = { .kind = DB_JOB_PROVISION, .state = DB_JOB_RUNNING }, out;
	struct db_task t = { .has_uuid = true, .step = "open_link", .rssi = 127 }, back;
	int64_t job, task;

	db_world_init(&w);
	j.options.stop_at_failure_percent = 20;
	check_int(db_job_insert(w.db, &j, &job), DB_OK);
	for (int i = 0; i < 10; i++) {
		t.job = job;
		t.state = (enum db_task_state)(i % 5);
		check_int(db_task_insert(w.db, &t, &task), DB_OK);
	}
	check_int(db_job_get(w.db, job, &out), DB_OK);
	check_int(out.total, 10);
	check_int(out.waiting, 2);
	check_int(out.cancelled, 2);
	check_int(out.options.stop_at_failure_percent, 20);
	t.id = task;
	t.phase_ms[DB_PHASE_PROVE] = 44;
	strcpy(t.error_code, "timeout");
	check_int(db_task_update(w.db, &t), DB_OK);
	check_int(db_task_get(w.db, task, &back), DB_OK);
	check_mem(&t, &back, sizeof t);
	t.job = 99;
	check_int(db_task_insert(w.db, &t, &task), DB_CONFLICT);
	db_world_free(&w);
}

TEST(a_sign_in_link_works_once)
{
	struct db_world w;
	struct db_signin_link l = { .role = DB_ROLE_ADMIN, .expires = 100 }, out;

	db_world_init(&w);
	memset(l.hash, 3, sizeof l.hash);
	check_int(db_signin_link_insert(w.db, &l), DB_OK);
	check_int(db_signin_link_find(w.db, l.hash, &out), DB_OK);
	check_int(db_signin_link_take(w.db, l.hash, &out), DB_OK);
	check_int(out.role, DB_ROLE_ADMIN);
	check_int(db_signin_link_take(w.db, l.hash, &out), DB_NONE);
	check_int(db_signin_link_insert(w.db, &l), DB_OK);
	check_int(db_auth_expire(w.db, 99), DB_OK);
	check_int(db_signin_link_find(w.db, l.hash, &out), DB_OK);
	check_int(db_auth_expire(w.db, 100), DB_OK);
	check_int(db_signin_link_find(w.db, l.hash, &out), DB_NONE);
	db_world_free(&w);
}

TEST(a_user_takes_tokens_and_sessions_along)
{
	struct db_world w;
	struct db_user u = { .name = "Ada", .role = DB_ROLE_ADMIN }, out;
	struct db_token t = { .name = "bms" }, found;
	struct db_session s = { .expires = 10 }, back;
	int64_t id, token;

	db_world_init(&w);
	check_int(db_user_insert(w.db, &u, &id), DB_OK);
	strcpy(u.name, "ADA");
	check_int(db_user_insert(w.db, &u, &token), DB_CONFLICT);
	check_int(db_user_get_name(w.db, "ada", &out), DB_OK);
	t.user = s.user = id;
	memset(t.hash, 4, sizeof t.hash);
	check_int(db_token_insert(w.db, &t, &token), DB_OK);
	check_int(db_session_insert(w.db, &s), DB_OK);
	check_int(db_token_revoke(w.db, token), DB_OK);
	check_int(db_token_find(w.db, t.hash, &found), DB_OK);
	check(found.revoked);
	check_int(db_user_delete(w.db, id), DB_OK);
	check_int(db_token_find(w.db, t.hash, &found), DB_NONE);
	check_int(db_session_find(w.db, s.hash, &back), DB_NONE);
	db_world_free(&w);
}

static void take_body(void *ctx, struct bytes body)
{
	memcpy(ctx, body.p, body.n);
}

TEST(an_idempotent_answer_is_its_actors_own)
{
	struct db_world w;
	static struct db_idempotency i = { .status = 202 }, out;
	static const char body[] = "{\"id\": 1}";
	char back[16] = "";

	db_world_init(&w);
	strcpy(i.key, "k");
	strcpy(i.actor, "token 1");
	check_int(db_idempotency_put(w.db, &i, bytes_of(body, strlen(body))), DB_OK);
	check_int(db_idempotency_put(w.db, &i, bytes_of(NULL, 0)), DB_CONFLICT);
	check_int(db_idempotency_find(w.db, "token 2", "k", &out, take_body, back), DB_NONE);
	check_str(back, "");
	check_int(db_idempotency_find(w.db, "token 1", "k", &out, take_body, back), DB_OK);
	check_int(out.status, 202);
	check_str(back, body);
	db_world_free(&w);
}

TEST(the_replay_list_never_goes_down)
{
	struct db_world w;

	db_world_init(&w);
	check_int(db_replay_save(w.db, 9, 100), DB_OK);
	check_int(db_replay_save(w.db, 9, 50), DB_OK);
	check_int(db_commit(w.db), DB_OK);
	check_int(db_replay_forget(w.db, 8, 2), DB_OK);
	check_int(db_replay_forget(w.db, 8, 2), DB_NONE);
	db_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_comes_back_as_it_was_written),
		cmocka_unit_test(address_and_uuid_belong_to_one_node),
		cmocka_unit_test(pages_cover_every_row_once_in_every_order),
		cmocka_unit_test(filters_and_hostile_cursors),
		cmocka_unit_test(a_device_its_sightings_and_its_certificate),
		cmocka_unit_test(a_job_counts_its_tasks),
		cmocka_unit_test(a_sign_in_link_works_once),
		cmocka_unit_test(a_user_takes_tokens_and_sessions_along),
		cmocka_unit_test(an_idempotent_answer_is_its_actors_own),
		cmocka_unit_test(the_replay_list_never_goes_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
