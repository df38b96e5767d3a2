/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "outbox.h"

struct fake_radio {
	struct bearer bearer;
	unsigned sent;
	uint8_t last;
	uint32_t cancelled;
	bool full;
};

static bool radio_send(struct bearer *b, const struct bearer_send *s)
{
	struct fake_radio *r = CONTAINER_OF(b, struct fake_radio, bearer);

	if (r->full)
		return false;
	r->sent++;
	r->last = s->data[0];
	return true;
}

static void radio_cancel(struct bearer *b, uint32_t tag)
{
	CONTAINER_OF(b, struct fake_radio, bearer)->cancelled = tag;
}

static struct fake_radio radio(void)
{
	return (struct fake_radio){ .bearer = { .send = radio_send, .cancel = radio_cancel } };
}

static struct bearer_send message(uint8_t first, uint32_t tag)
{
	return (struct bearer_send){ .count = 1, .tag = tag, .len = 3, .data = { first } };
}

TEST(nothing_leaves_before_release)
{
	struct fake_radio r = radio();
	struct outbox o;
	struct bearer_send m = message(1, 0);

	outbox_init(&o, &r.bearer);
	check(outbox_empty(&o));
	check(o.bearer.send(&o.bearer, &m));
	m.data[0] = 2;
	check(o.bearer.send(&o.bearer, &m));
	check(!outbox_empty(&o));
	check_int(r.sent, 0);
	outbox_release(&o);
	check_int(r.sent, 2);
	check_int(r.last, 2);
	check(outbox_empty(&o));
}

TEST(a_cancelled_send_never_leaves)
{
	struct fake_radio r = radio();
	struct outbox o;
	struct bearer_send keep = message(1, 7), drop = message(2, 8);

	outbox_init(&o, &r.bearer);
	o.bearer.send(&o.bearer, &keep);
	o.bearer.send(&o.bearer, &drop);
	o.bearer.cancel(&o.bearer, 8);
	check_int(r.cancelled, 8);
	outbox_release(&o);
	check_int(r.sent, 1);
	check_int(r.last, 1);
}

TEST(a_crash_sends_nothing_and_hears_nothing)
{
	struct fake_radio r = radio();
	struct outbox o;
	struct bearer_send m = message(1, 0);

	outbox_init(&o, &r.bearer);
	o.bearer.send(&o.bearer, &m);
	outbox_discard(&o);
	outbox_release(&o);
	check_int(r.sent, 0);
	check(r.bearer.heard == NULL);
}

TEST(what_no_queue_has_room_for_is_counted)
{
	struct fake_radio r = radio();
	struct outbox o;
	struct bearer_send m = message(1, 0);
	unsigned taken = 0;

	outbox_init(&o, &r.bearer);
	while (o.bearer.send(&o.bearer, &m))
		taken++;
	check_int(taken, ARRAY_LEN(o.waiting));
	check_int(o.dropped, 1);
	r.full = true;
	outbox_release(&o);
	check_int(o.dropped, 1 + ARRAY_LEN(o.waiting));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_leaves_before_release),
		cmocka_unit_test(a_cancelled_send_never_leaves),
		cmocka_unit_test(a_crash_sends_nothing_and_hears_nothing),
		cmocka_unit_test(what_no_queue_has_room_for_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
