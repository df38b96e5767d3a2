/* SPDX-License-Identifier: Apache-2.0 */
/* The server is killed at every write boundary of a refresh, before the commit and after it: the
 * job goes on and succeeds, and no key changes twice. */
#include "check.h"
#include "refresh_story.h"

enum { NODES = 20 };

static const char keys[] =
	"devices=20,floors=1,spacing_m=5,loss=0.05,servers=1,composition_change=20";

/* False: the job had ended before that many commits. */
static bool killed_at(struct refresh_story *s, enum db_job_kind kind, size_t i, uint64_t at,
		      bool after)
{
	unsigned had = world_keys(s->w, i);
	int64_t job = refresh_story_job_one(s, kind, i, 0);
	bool killed;

	world_kill_at_commit(s->w, at, after);
	killed = !world_wait(s->w, job, SEC(7200));
	refresh_story_finish(s, job);
	world_kill_at_commit(s->w, 0, false);
	if (s->job.succeeded != 1 || world_keys(s->w, i) != had + 1)
		fail_msg("%s, commit %u %s: %u keys new", db_job_kind_name(kind), (unsigned)at,
			 after ? "after" : "before", world_keys(s->w, i) - had);
	return killed;
}

/* A node's composition changes once: then the next node is taken, and the next building. */
static unsigned kill_everywhere(enum db_job_kind kind, bool after)
{
	struct refresh_story s = refresh_story_new(70, keys);
	uint64_t at = 1;

	while (killed_at(&s, kind, at % NODES, at, after)) {
		if (++at % NODES == 0 && kind == DB_JOB_REFRESH_COMPOSITION) {
			refresh_story_free(&s);
			s = refresh_story_new(70 + at, keys);
		}
	}
	refresh_story_free(&s);
	print_message("%s: %u boundaries\n", db_job_kind_name(kind), (unsigned)at - 1);
	return (unsigned)at - 1;
}

TEST(a_kill_at_every_write_boundary_of_a_key_refresh_loses_nothing)
{
	check(kill_everywhere(DB_JOB_REFRESH_DEVICE_KEY, false) > 6);
	check(kill_everywhere(DB_JOB_REFRESH_DEVICE_KEY, true) > 6);
}

TEST(a_kill_at_every_write_boundary_of_a_move_loses_nothing)
{
	check(kill_everywhere(DB_JOB_REFRESH_ADDRESS, false) > 8);
	check(kill_everywhere(DB_JOB_REFRESH_ADDRESS, true) > 8);
}

TEST(a_kill_at_every_write_boundary_of_a_new_composition_loses_nothing)
{
	check(kill_everywhere(DB_JOB_REFRESH_COMPOSITION, false) > 8);
	check(kill_everywhere(DB_JOB_REFRESH_COMPOSITION, true) > 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_at_every_write_boundary_of_a_key_refresh_loses_nothing),
		cmocka_unit_test(a_kill_at_every_write_boundary_of_a_move_loses_nothing),
		cmocka_unit_test(a_kill_at_every_write_boundary_of_a_new_composition_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
