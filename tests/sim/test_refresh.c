/* SPDX-License-Identifier: Apache-2.0 */
/* Refresh jobs in a world: a building's nodes are provisioned anew, and building and inventory say
 * the same afterwards. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "refresh_story.h"

TEST(every_device_key_of_a_building_changes)
{
	struct refresh_story s = refresh_story_new(1, "devices=20,floors=1,loss=0.1,servers=1");
	int64_t job = refresh_story_job(&s, DB_JOB_REFRESH_DEVICE_KEY);

	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	check(s.job.links_peak > 1);
	for (size_t i = 0; i < building_count(world_building(s.w)); i++)
		check_int(world_keys(s.w, i), 2);
	refresh_story_free(&s);
}

TEST(every_node_of_a_building_moves)
{
	struct refresh_story s = refresh_story_new(2, "devices=20,floors=1,loss=0.1,servers=1");
	int64_t job = refresh_story_job(&s, DB_JOB_REFRESH_ADDRESS);

	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	refresh_story_free(&s);
}

TEST(changed_compositions_are_found_and_taken)
{
	struct refresh_story s = refresh_story_new(
		3, "devices=20,floors=1,loss=0.1,servers=1,composition_change=5");
	int64_t job = refresh_story_job(&s, DB_JOB_READ_COMPOSITION);

	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	job = refresh_story_job(&s, DB_JOB_REFRESH_COMPOSITION);
	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	refresh_story_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_device_key_of_a_building_changes),
		cmocka_unit_test(every_node_of_a_building_moves),
		cmocka_unit_test(changed_compositions_are_found_and_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
