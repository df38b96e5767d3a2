/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                                Node
 *   Composition Data Get 0   ----->
 *                            <-----  page 0: does it have the Large Composition Data Server?
 *   Get 2                    ----->        plainly, or part by part
 *                            <-----  the highest page up to 2
 *   Get 1, 130, 129, 128 ...         as far as they can be there
 *
 * An answer with a lower page says that the pages between are not there (4.4.1.2.2). It may also be
 * a late answer to an earlier question, so it counts when it comes a second time, after a pause.
 */
#include "page_reader.h"

#include <string.h>

#include "composition_pages.h"
#include "configure.h"
#include "log.h"
#include "reach.h"

enum { TRIES = 3, TTL_STEPS = 2 };

static const uint64_t doubt_pause = SEC(2);

/* The highest of each three first: one answer may settle all of them. */
static const uint8_t order[READER_PAGES] = { 0, 2, 1, 130, 129, 128 };

static size_t slot_of(uint8_t page)
{
	return page < COMPOSITION_NEXT ? page : 3u + page - COMPOSITION_NEXT;
}

static bool has_slot(uint8_t page)
{
	return page <= COMPOSITION_PAGE_PROFILES ||
	       (page >= COMPOSITION_NEXT && page <= COMPOSITION_NEXT + COMPOSITION_PAGE_PROFILES);
}

struct bytes page_reader_page(const struct page_reader *r, uint8_t page)
{
	const struct reader_page *p = &r->page[slot_of(page)];

	return p->there ? bytes_of(p->data, p->n) : bytes_of(NULL, 0);
}

static void go_on(struct page_reader *r);

static void finish(struct page_reader *r, bool ok)
{
	r->running = false;
	r->done(r->ctx, ok);
}

static void take(struct page_reader *r, uint8_t asked, uint8_t page, struct bytes data)
{
	struct reader_page *p = has_slot(page) ? &r->page[slot_of(page)] : NULL;

	for (size_t i = 0; i < READER_PAGES; i++)
		if (order[i] > page && order[i] <= asked)
			r->page[slot_of(order[i])].known = true;
	if (!p || data.n > sizeof p->data || p->there)
		return;
	p->known = p->there = true;
	p->n = data.n;
	if (data.n)
		memcpy(p->data, data.p, data.n);
}

/* What it tells in one message may be less than all: page 0 is read again, too. */
static bool turns_large(struct page_reader *r)
{
	struct reader_page *p = &r->page[0];
	struct composition c;

	if (r->is_large || !p->there)
		return false;
	r->is_large = composition_decode(&c, bytes_of(p->data, p->n)) &&
		      composition_has_model(&c, 0, MODEL_LARGE_COMPOSITION_SERVER);
	if (r->is_large)
		p->known = p->there = false;
	return r->is_large;
}

static void ask_again(void *ctx)
{
	go_on(ctx);
}

static void answered(struct page_reader *r, uint8_t page, struct bytes data, bool plainly)
{
	uint8_t asked = order[r->at];

	r->tries = 0;
	if (page < asked && !r->doubted) {
		r->doubted = true;
		timer_start(r->jobs->env.mesh_timers, &r->pause, doubt_pause, ask_again, r);
		return;
	}
	r->doubted = false;
	take(r, asked, page, data);
	if (asked == COMPOSITION_PAGE_MODELS && plainly && turns_large(r)) {
		go_on(r);
		return;
	}
	r->page[slot_of(asked)].known = true;
	go_on(r);
}

static void failed(struct page_reader *r)
{
	if (++r->tries < TRIES)
		go_on(r);
	else
		finish(r, false);
}

static void on_page(void *ctx, enum access_result result, struct config_call *call)
{
	struct page_reader *r = ctx;

	if (result == ACCESS_OK)
		answered(r, call->page, call->composition, true);
	else
		failed(r);
}

/* A node that has the model and does not obey it is asked plainly. */
static void on_large(void *ctx, enum access_result result, struct large_composition *call)
{
	struct page_reader *r = ctx;

	if (result == ACCESS_OK) {
		answered(r, call->page, call->data, false);
		return;
	}
	r->asking_large = false;
	go_on(r);
}

static void ask(struct page_reader *r, const struct access_target *to)
{
	if (r->is_large && r->asking_large) {
		r->large.done = on_large;
		r->large.ctx = r;
		large_composition_get(r->jobs->access, &r->large, to, order[r->at]);
	} else {
		r->config.done = on_page;
		r->config.ctx = r;
		config_composition_get(r->jobs->access, &r->config, to, order[r->at]);
	}
}

static bool differs(const struct page_reader *r)
{
	struct bytes now = page_reader_page(r, COMPOSITION_PAGE_MODELS);
	struct bytes next = page_reader_page(r, COMPOSITION_NEXT);

	return next.n && !bytes_equal(now, next);
}

static bool put_pages(struct page_reader *r, int64_t now)
{
	bool ok = true;

	for (size_t i = 0; i < READER_PAGES; i++) {
		struct db_node_page p = { .page = order[i],
					  .data = page_reader_page(r, order[i]),
					  .read_at = now };

		ok &= (r->page[slot_of(order[i])].there
			       ? db_node_page_put(r->jobs->env.db, r->uuid, &p)
			       : db_node_page_delete(r->jobs->env.db, r->uuid, order[i])) !=
		      DB_ERROR;
	}
	return ok;
}

static void server_changed(struct page_reader *r, const struct db_node *n)
{
	struct server *s = server_find(r->jobs, n->address);

	if (n->server && !s)
		server_add(r->jobs, n);
	else if (!n->server && s && !s->links_open)
		server_remove(r->jobs, n->address);
}

static bool store(struct page_reader *r)
{
	int64_t now = jobs_wall(r->jobs);
	struct db_node n;
	bool ok = db_node_get_uuid(r->jobs->env.db, r->uuid, &n) == DB_OK;

	if (!ok)
		return false;
	if (!configure_read_composition(&n, page_reader_page(r, COMPOSITION_PAGE_MODELS)))
		log_warning("addr=%04x gave a composition that cannot be used", n.address);
	if (!differs(r))
		n.composition_change = 0;
	else if (!n.composition_change)
		n.composition_change = now;
	ok = put_pages(r, now) && db_node_update(r->jobs->env.db, &n) == DB_OK;
	server_changed(r, &n);
	jobs_tell_node(r->jobs, n.address, false);
	secret_wipe(&n, sizeof n);
	return ok;
}

static void go_on(struct page_reader *r)
{
	struct access_target to;
	struct db_node n;

	while (r->at < READER_PAGES && r->page[slot_of(order[r->at])].known)
		r->at++;
	if (r->at == READER_PAGES) {
		finish(r, store(r));
		return;
	}
	if (db_node_get_uuid(r->jobs->env.db, r->uuid, &n) != DB_OK) {
		finish(r, false);
		return;
	}
	to = node_target(r->jobs, n.address, TTL_STEPS * r->tries);
	secret_wipe(&n, sizeof n);
	ask(r, &to);
}

void page_reader_start(struct page_reader *r, struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	r->jobs = j;
	memcpy(r->uuid, uuid, UUID_LEN);
	r->running = r->asking_large = true;
	r->is_large = r->doubted = false;
	r->tries = r->at = 0;
	for (size_t i = 0; i < READER_PAGES; i++)
		r->page[i].known = r->page[i].there = false;
	go_on(r);
}

void page_reader_cancel(struct page_reader *r)
{
	if (!r->running)
		return;
	r->running = false;
	timer_stop(r->jobs->env.mesh_timers, &r->pause);
	config_call_cancel(&r->config);
	large_composition_cancel(&r->large);
}
