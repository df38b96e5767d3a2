/* SPDX-License-Identifier: Apache-2.0 */
/* A node is provisioned anew through itself (3.10.8), and falls silent or loses its power on the
 * way. It is afterwards as it was or as it was to be, and whoever asks in the right order finds out
 * which. */
#include "check.h"
#include "nppi_story.h"

enum { AT_COMPLETE = 12, AT_CLOSING = 14 };

static const struct moment moments[] = {
	{ "Link Open sent", true, OP_RPR_LINK_OPEN, -1 },
	{ "Link Status heard", false, OP_RPR_LINK_STATUS, -1 },
	{ "Invite sent", true, OP_RPR_PDU_SEND, PROV_INVITE },
	{ "Capabilities heard", false, OP_RPR_PDU_REPORT, PROV_CAPABILITIES },
	{ "Start sent", true, OP_RPR_PDU_SEND, PROV_START },
	{ "Public Key sent", true, OP_RPR_PDU_SEND, PROV_PUBLIC_KEY },
	{ "Public Key heard", false, OP_RPR_PDU_REPORT, PROV_PUBLIC_KEY },
	{ "Confirmation sent", true, OP_RPR_PDU_SEND, PROV_CONFIRMATION },
	{ "Confirmation heard", false, OP_RPR_PDU_REPORT, PROV_CONFIRMATION },
	{ "Random sent", true, OP_RPR_PDU_SEND, PROV_RANDOM },
	{ "Random heard", false, OP_RPR_PDU_REPORT, PROV_RANDOM },
	{ "Data sent", true, OP_RPR_PDU_SEND, PROV_DATA },
	{ "Complete heard", false, OP_RPR_PDU_REPORT, PROV_COMPLETE },
	{ "Link Close sent", true, OP_RPR_LINK_CLOSE, -1 },
	{ "Link Status Closing heard", false, OP_RPR_LINK_STATUS, RPR_LINK_CLOSING },
	{ "last Link Report heard", false, OP_RPR_LINK_REPORT, RPR_LINK_IDLE },
};

/* The order in which to ask. True: it has changed. An answer to the old key first would prove
 * nothing. */
static bool resolve(struct story *s)
{
	bool changed;

	if (!s->complete)
		story_close_link(s, PROV_CLOSE_FAIL);
	if (!s->has_candidate)
		return false;
	changed = story_probe_new(s);
	if (!changed && s->complete)
		story_close_link(s, PROV_CLOSE_SUCCESS);
	if (!changed && !story_probe_old(s)) {
		changed = story_probe_new(s);
		story_must(changed, "neither the old key nor the new one");
	}
	return changed || story_probe_new(s) || story_probe_new(s);
}

/* An opening is repeated. A new key is there for good with Complete; what else changes needs the
 * close. */
static bool survives(const struct moment *at, enum nppi_procedure procedure)
{
	if (at == &moments[0])
		return true;
	return procedure == NPPI_DEVICE_KEY ? at >= &moments[AT_COMPLETE]
					    : at >= &moments[AT_CLOSING];
}

static void disturb(const struct moment *at, int what, uint64_t lasts,
		    enum nppi_procedure procedure, unsigned *changed, unsigned *unchanged)
{
	struct device_make make = story_server(2, 2);
	struct story *s = story_new(100 + (uint64_t)what, 0, &make);
	char name[120];
	bool is_changed;

	snprintf(name, sizeof(name), "%s, %s, %d for %us", story_name(procedure), at->name, what,
		 (unsigned)(lasts / SEC(1)));
	s->at = at;
	s->what = what;
	s->lasts = lasts;
	story_join(s);
	story_plan(s, procedure);
	story_refresh(s);
	check_row(name, s->happened);
	timers_advance(&s->lab->timers, timers_now(&s->lab->timers) + SEC(30));
	story_recover(s);
	is_changed = resolve(s);
	check_row(name, what != POWER_CUT || is_changed == survives(at, procedure));
	if (is_changed) {
		++*changed;
		story_take_over(s);
		check_row(name, lab_state(s->lab, 0).changed == (procedure != NPPI_DEVICE_KEY));
	} else {
		++*unchanged;
		if (s->has_candidate)
			story_let_go(s);
		check_row(name, !lab_state(s->lab, 0).changed);
	}
	check_row(name, story_probe_old(s));
	story_must_agree(s, name);
	if (procedure == NPPI_COMPOSITION && lab_state(s->lab, 0).changed)
		procedure = NPPI_DEVICE_KEY;
	story_must_succeed(s, procedure, name);
	story_free(s);
}

static void disturb_all(int what, uint64_t lasts)
{
	unsigned changed = 0, unchanged = 0;

	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		for (int procedure = 0; procedure <= NPPI_COMPOSITION; procedure++)
			disturb(&moments[i], what, lasts, (enum nppi_procedure)procedure, &changed,
				&unchanged);
	}
	check(changed > 0 && unchanged > 0);
}

/* We have died before it, and close the link when we are back: under the old key. */
TEST(the_candidate_waits_for_the_close)
{
	for (int procedure = 0; procedure <= NPPI_COMPOSITION; procedure++) {
		struct device_make make = story_server(2, 2);
		struct story *s = story_new(90, 0, &make);

		story_join(s);
		story_plan(s, (enum nppi_procedure)procedure);
		s->crashes = true;
		story_refresh(s);
		check(s->complete && !s->ended);
		story_must(!story_probe_new(s), "the new key before its time");
		story_must(story_probe_old(s), "the old key is dead before its time");
		story_close_link(s, PROV_CLOSE_SUCCESS);
		story_must(story_probe_new(s), "the close has come to nothing");
		story_take_over(s);
		story_must_agree(s, story_name((enum nppi_procedure)procedure));
		story_free(s);
	}
}

TEST(silence_at_any_step_is_got_over_or_found_out)
{
	disturb_all(SILENCE, SEC(20));	/* less than any limit */
	disturb_all(SILENCE, SEC(100)); /* more than all */
}

TEST(a_node_that_hears_nothing_for_a_while_is_found_out)
{
	disturb_all(DEAFNESS, SEC(50));
}

TEST(a_node_that_is_not_heard_for_a_while_is_found_out)
{
	disturb_all(MUTENESS, SEC(50));
}

TEST(a_power_cut_at_any_step_is_found_out)
{
	disturb_all(POWER_CUT, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_candidate_waits_for_the_close),
		cmocka_unit_test(silence_at_any_step_is_got_over_or_found_out),
		cmocka_unit_test(a_node_that_hears_nothing_for_a_while_is_found_out),
		cmocka_unit_test(a_node_that_is_not_heard_for_a_while_is_found_out),
		cmocka_unit_test(a_power_cut_at_any_step_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
