/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A refresh job is disturbed at each message of it: the server is killed, the node falls silent,
 * what it hears or what it says is lost. Whatever comes of the job: nothing is open in the end,
 * building and inventory agree, no key has changed twice, and the next job succeeds.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "refresh_story.h"

enum { NODES = 18 };

static const char keys[] = "devices=18,floors=1,spacing_m=5,loss=0,servers=1,composition_change=18";

/* When a message is sent or heard, as an outside witness sees it. */
struct moment {
	const char *name;
	bool outgoing;
	uint32_t opcode;
	int octet; /* third octet after the opcode's first: the PDU's type, a state; -1 any */
};

static const struct moment moments[] = {
	{ "Link Open sent", true, OP_RPR_LINK_OPEN, -1 },
	{ "Link Status heard", false, OP_RPR_LINK_STATUS, -1 },
	{ "Invite sent", true, OP_RPR_PDU_SEND, PROV_INVITE },
	{ "Capabilities heard", false, OP_RPR_PDU_REPORT, PROV_CAPABILITIES },
	{ "Confirmation sent", true, OP_RPR_PDU_SEND, PROV_CONFIRMATION },
	{ "Random sent", true, OP_RPR_PDU_SEND, PROV_RANDOM },
	{ "Random heard", false, OP_RPR_PDU_REPORT, PROV_RANDOM },
	{ "Data sent", true, OP_RPR_PDU_SEND, PROV_DATA },
	{ "Complete heard", false, OP_RPR_PDU_REPORT, PROV_COMPLETE },
	{ "Link Close sent", true, OP_RPR_LINK_CLOSE, -1 },
	{ "Link Status Closing heard", false, OP_RPR_LINK_STATUS, RPR_LINK_CLOSING },
	{ "last Link Report heard", false, OP_RPR_LINK_REPORT, RPR_LINK_IDLE },
	{ "page asked for", true, OP_COMPOSITION_DATA_GET, -1 },
	{ "page heard", false, OP_COMPOSITION_DATA_STATUS, -1 },
};

enum what { KILL, SILENCE, DEAFNESS, MUTENESS, KINDS };
static const char *const what_names[KINDS] = { "killed", "silent", "deaf", "mute" };

struct watch {
	const struct moment *at;
	uint16_t address;
	bool happened;
};

static void on_access(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct watch *w = ctx;
	size_t opcode_len = w->at && w->at->opcode > 0xFF ? 2 : 1;

	if (!w->at || w->happened || outgoing != w->at->outgoing || m->opcode != w->at->opcode ||
	    (outgoing ? m->dst : m->src) != w->address)
		return;
	w->happened = w->at->octet < 0 ||
		      (pdu.n > opcode_len + 1 && pdu.p[opcode_len + 1] == w->at->octet);
}

struct row {
	const struct moment *at;
	enum what what;
	uint64_t lasts;
	enum db_job_kind kind;
};

struct waiting {
	struct watch *watch;
	int64_t job;
};

static bool has_happened(struct world *w, void *ctx)
{
	struct waiting *wait = ctx;

	return wait->watch->happened;
}

static void disturb(struct refresh_story *s, size_t i, const struct row *row)
{
	if (row->what == KILL) {
		world_kill(s->w);
		world_advance(s->w, row->lasts);
		return;
	}
	world_cover(s->w, i, row->what != MUTENESS, row->what != DEAFNESS);
	world_advance(s->w, row->lasts);
	world_cover(s->w, i, false, false);
}

static bool is_open(struct refresh_story *s, size_t i)
{
	struct db_node n;

	refresh_story_node(s, i, &n);
	return n.refresh.step != DB_REFRESH_NONE;
}

/* How they ended: the disturbances must come to all of it. */
struct tally {
	unsigned done, failed, unresolved;
};

/* Ended rightly: done, or with a code that says what is not; the hour finds out the rest. */
static void judge(struct refresh_story *s, size_t i, const char *name, int64_t job, unsigned had,
		  struct tally *tally)
{
	struct db_task t;
	unsigned changed;
	char why[256];

	check_row(name, world_task(s->w, job, i, &t));
	if (t.state == DB_TASK_FAILED && strcmp(t.error_code, "timeout") != 0 &&
	    strcmp(t.error_code, "link_lost") != 0 &&
	    strcmp(t.error_code, "configuration_failed") != 0 &&
	    strcmp(t.error_code, "refresh_unresolved") != 0)
		fail_msg("%s: ended with %s: %s", name, t.error_code, t.error_message);
	check_row(name, t.state == DB_TASK_FAILED || t.state == DB_TASK_SUCCEEDED);
	if (is_open(s, i))
		check_row(name, t.state == DB_TASK_FAILED);
	tally->done += t.state == DB_TASK_SUCCEEDED;
	tally->failed += t.state == DB_TASK_FAILED;
	tally->unresolved += is_open(s, i);
	for (int hour = 0; hour < 2 && is_open(s, i); hour++)
		world_advance(s->w, SEC(3700));
	check_row(name, !is_open(s, i));
	if (!world_agrees(s->w, why))
		fail_msg("%s: %s", name, why);
	changed = world_keys(s->w, i) - had;
	check_row(name, changed <= 1 && (changed == 1 || t.state == DB_TASK_FAILED));
}

static void tell(struct refresh_story *s, size_t i, const struct row *row, struct tally *tally)
{
	struct watch watch = { .at = NULL };
	struct waiting wait = { .watch = &watch };
	unsigned had = world_keys(s->w, i);
	struct db_node n;
	char name[160];
	int64_t job;

	snprintf(name, sizeof(name), "%s, %s at %s for %us", db_job_kind_name(row->kind),
		 what_names[row->what], row->at->name, (unsigned)(row->lasts / SEC(1)));
	refresh_story_node(s, i, &n);
	watch.address = n.address;
	world_on_access(s->w, on_access, &watch);
	watch.at = row->at;
	job = refresh_story_job_one(s, row->kind, i, 0);
	if (!world_run(s->w, SEC(600), has_happened, &wait))
		fail_msg("%s: it never comes to that", name);
	disturb(s, i, row);
	check_row(name, world_finish(s->w, job, SEC(7200)));
	world_on_access(s->w, NULL, NULL);
	judge(s, i, name, job, had, tally);
	had = world_keys(s->w, i);
	job = refresh_story_job_one(s, DB_JOB_REFRESH_DEVICE_KEY, i, 0);
	refresh_story_finish(s, job);
	check_row(name, s->job.succeeded == 1 && world_keys(s->w, i) == had + 1);
}

static struct tally tell_all(enum what what, uint64_t lasts)
{
	static const enum db_job_kind kinds[] = { DB_JOB_REFRESH_DEVICE_KEY, DB_JOB_REFRESH_ADDRESS,
						  DB_JOB_REFRESH_COMPOSITION };
	struct tally tally = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct refresh_story s = refresh_story_new(50 + (uint64_t)what, keys);

		for (size_t i = 0; i < ARRAY_LEN(moments) && i < NODES; i++)
			tell(&s, i, &(struct row){ &moments[i], what, lasts, kinds[k] }, &tally);
		refresh_story_free(&s);
	}
	print_message("%s for %u s: %u done, %u failed, %u left open\n", what_names[what],
		      (unsigned)(lasts / SEC(1)), tally.done, tally.failed, tally.unresolved);
	return tally;
}

TEST(a_kill_at_any_message_loses_nothing)
{
	check_int(tell_all(KILL, MSEC(300)).failed, 0);
	check_int(tell_all(KILL, SEC(90)).failed, 0); /* the node has given its link up meanwhile */
}

TEST(a_node_that_is_silent_for_a_while_is_found_out)
{
	struct tally tally;

	check_int(tell_all(SILENCE, SEC(20)).failed, 0);
	tally = tell_all(SILENCE, SEC(600));
	check(tally.failed > tally.unresolved && tally.unresolved > 0);
}

TEST(a_node_that_hears_nothing_for_a_while_is_found_out)
{
	check(tell_all(DEAFNESS, SEC(70)).done > 0);
}

TEST(a_node_whose_answers_are_lost_for_a_while_is_found_out)
{
	check(tell_all(MUTENESS, SEC(70)).done > 0);
	check(tell_all(MUTENESS, SEC(600)).unresolved > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_at_any_message_loses_nothing),
		cmocka_unit_test(a_node_that_is_silent_for_a_while_is_found_out),
		cmocka_unit_test(a_node_that_hears_nothing_for_a_while_is_found_out),
		cmocka_unit_test(a_node_whose_answers_are_lost_for_a_while_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
