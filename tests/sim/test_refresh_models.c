/* SPDX-License-Identifier: Apache-2.0 */
/* What a node's models were told to do outlives its move; and pages of all sizes are read. */
#include <string.h>

#include "check.h"
#include "db_refresh.h"
#include "model_config.h"
#include "refresh_story.h"

enum { APP_KEY = 0, GROUP = 0xC001, OTHER_GROUP = 0xC002, TO = 0x0100 };

static const struct model_publication publication = {
	.address = GROUP, .app_index = APP_KEY, .ttl = 7, .period = 0x41, .retransmit = 0x0A
};

struct ask {
	struct model_config call;
	bool done;
	enum access_result result;
};

static void on_answer(void *ctx, enum access_result r, struct model_config *call)
{
	struct ask *a = ctx;

	a->done = true;
	a->result = r;
}

static bool is_done(struct world *w, void *ctx)
{
	return ((struct ask *)ctx)->done;
}

static void wait_for(struct refresh_story *s, struct ask *a)
{
	check(core_settle(world_core(s->w)));
	check(world_run(s->w, SEC(60), is_done, a));
	check_int(a->result, ACCESS_OK);
	check_int(a->call.status, CONFIG_SUCCESS);
	a->done = false;
}

static struct access *access_of(struct refresh_story *s)
{
	return mesh_access(core_mesh(world_core(s->w)));
}

struct place {
	struct access_target node;
	struct model_ref model;
};

static struct place place_of(struct refresh_story *s, size_t i)
{
	struct db_node n;

	refresh_story_node(s, i, &n);
	return (struct place){ { .dst = n.address, .app_index = ACCESS_DEVICE_KEY, .ttl = 8 },
			       { .element = n.address, .model = MODEL_GENERIC_ONOFF_SERVER } };
}

static void tell_model(struct refresh_story *s, size_t i)
{
	struct place p = place_of(s, i);
	struct ask a = { .call = { .done = on_answer, .ctx = &a } };

	model_publication_set(access_of(s), &a.call, &p.node, &p.model, &publication);
	wait_for(s, &a);
	model_subscription_add(access_of(s), &a.call, &p.node, &p.model, GROUP);
	wait_for(s, &a);
	model_subscription_add(access_of(s), &a.call, &p.node, &p.model, OTHER_GROUP);
	wait_for(s, &a);
}

static void must_be_told(struct refresh_story *s, size_t i)
{
	struct place p = place_of(s, i);
	struct ask a = { .call = { .done = on_answer, .ctx = &a } };

	model_app_get(access_of(s), &a.call, &p.node, &p.model);
	wait_for(s, &a);
	check_int(a.call.n, 1);
	check_int(a.call.list[0], APP_KEY);
	model_publication_get(access_of(s), &a.call, &p.node, &p.model);
	wait_for(s, &a);
	check_int(a.call.publication.address, GROUP);
	check_int(a.call.publication.ttl, publication.ttl);
	check_int(a.call.publication.period, publication.period);
	check_int(a.call.publication.retransmit, publication.retransmit);
	model_subscription_get(access_of(s), &a.call, &p.node, &p.model);
	wait_for(s, &a);
	check_int(a.call.n, 2);
}

static void take_last(void *ctx, const struct db_refreshed *r)
{
	*(struct db_refreshed *)ctx = *r;
}

static struct db_refreshed last_of(struct refresh_story *s, size_t i)
{
	struct db_refreshed last = { 0 };
	struct db_node n;

	refresh_story_node(s, i, &n);
	check_int(db_refreshes(core_db(world_core(s->w)), n.uuid, 1, take_last, &last), DB_OK);
	return last;
}

TEST(what_models_were_told_outlives_a_move)
{
	struct refresh_story s = refresh_story_new(1, "devices=3,floors=1,servers=1,spacing_m=5");
	struct db_refreshed last;

	tell_model(&s, 0);
	must_be_told(&s, 0);
	refresh_story_finish(&s, refresh_story_job_one(&s, DB_JOB_REFRESH_ADDRESS, 0, TO));
	check_int(s.job.succeeded, 1);
	must_be_told(&s, 0);
	last = last_of(&s, 0);
	check_int(last.procedure, NPPI_ADDRESS);
	check_int(last.new_address, TO);
	check(last.reread && last.bindings.restored >= 2 && last.bindings.lost == 0);
	check_int(last.publications.restored, 1);
	check_int(last.subscriptions.restored, 2);
	check_int(last.publications.lost + last.subscriptions.lost, 0);
	refresh_story_free(&s);
}

/* A new composition takes nothing from the models that stay; new ones are bound like the rest. */
TEST(a_new_composition_keeps_what_models_were_told)
{
	struct refresh_story s = refresh_story_new(
		2, "devices=3,floors=1,servers=1,spacing_m=5,composition_change=3");
	struct db_refreshed last;

	tell_model(&s, 0);
	refresh_story_finish(&s, refresh_story_job_one(&s, DB_JOB_REFRESH_COMPOSITION, 0, 0));
	check_int(s.job.succeeded, 1);
	must_be_told(&s, 0);
	last = last_of(&s, 0);
	check_int(last.procedure, NPPI_COMPOSITION);
	check_int(last.publications.restored + last.subscriptions.restored,
		  0); /* nothing was lost */
	refresh_story_free(&s);
}

struct seen {
	unsigned pages;
	size_t size;
};

static void count_page(void *ctx, const struct db_node_page *p)
{
	struct seen *seen = ctx;

	seen->pages++;
	seen->size += p->data.n;
}

TEST(pages_are_read_whole_or_in_parts)
{
	static const char *const keys[] = {
		"devices=4,floors=1,servers=1,loss=0.2",
		"devices=4,floors=1,servers=1,loss=0.2,large_composition=1",
	};

	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		struct refresh_story s = refresh_story_new(3, keys[k]);

		refresh_story_finish(&s, refresh_story_job(&s, DB_JOB_READ_COMPOSITION));
		check_int(s.job.succeeded, 4);
		for (size_t i = 0; i < 4; i++) {
			struct seen seen = { 0 };
			struct db_node n;

			refresh_story_node(&s, i, &n);
			check_int(
				db_node_pages(core_db(world_core(s.w)), n.uuid, count_page, &seen),
				DB_OK);
			check_int(seen.pages, 6);
			check(seen.size > 6 * 5u);
			check(!n.composition_change);
		}
		refresh_story_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_models_were_told_outlives_a_move),
		cmocka_unit_test(a_new_composition_keeps_what_models_were_told),
		cmocka_unit_test(pages_are_read_whole_or_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
