/* SPDX-License-Identifier: Apache-2.0 */
/* Before a node's address or composition is refreshed: all that can be known of it, and a range of
 * addresses for it to move to. */
#include <stdio.h>

#include "log.h"
#include "reach.h"
#include "refresh.h"
#include "refresh_node.h"

static uint8_t elements_of(struct bytes page)
{
	struct composition c;

	return composition_decode(&c, page) ? c.n_elements : 0;
}

static uint8_t most(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

/* The new composition may be the larger one, and the node takes it with the new address. */
static uint8_t elements_wanted(struct task *t, const struct db_node *n)
{
	const struct page_reader *pages = &refresh_work_of(t)->pages;

	if (refresh_procedure_of(t) != NPPI_ADDRESS)
		return n->elements;
	return most(n->elements, most(elements_of(page_reader_page(pages, COMPOSITION_PAGE_MODELS)),
				      elements_of(page_reader_page(pages, COMPOSITION_NEXT))));
}

static enum db_rc reserve(struct task *t, const struct db_node *n, uint8_t elements,
			  uint16_t *first)
{
	struct jobs *j = t->job->jobs;
	uint16_t chosen = t->job->row.options.address;
	struct mesh_iv iv;

	mesh_iv(j->env.mesh, &iv);
	*first = chosen;
	return chosen ? db_address_reserve_at(j->env.db, chosen, elements, n->uuid, iv.index)
		      : db_address_reserve_again(j->env.db, elements, n->uuid, iv.index, first);
}

bool refresh_begin(struct task *t)
{
	struct jobs *j = t->job->jobs;
	enum nppi_procedure procedure = refresh_procedure_of(t);
	enum db_rc rc = DB_OK;
	uint16_t first = 0;
	uint8_t elements;
	struct db_node n;

	if (!refresh_node(t, &n))
		return false;
	elements = elements_wanted(t, &n);
	if (procedure == NPPI_ADDRESS)
		rc = reserve(t, &n, elements, &first);
	t->row.new_address = first;
	if (rc == DB_OK && !node_refresh_begin(j, &n, procedure, first, elements, t->row.id))
		rc = DB_ERROR;
	secret_wipe(&n, sizeof n);
	if (rc == DB_CONFLICT)
		task_fail(t, REASON_ADDRESS_TAKEN, NULL);
	else if (rc == DB_NONE)
		task_fail(t, REASON_ADDRESSES_EXHAUSTED, NULL);
	else if (rc != DB_OK)
		task_fail(t, REASON_CONFIGURATION_FAILED, "The store failed.");
	else
		task_save(t);
	return rc == DB_OK;
}

bool refresh_room_for(struct task *t, struct db_node *n, uint8_t elements)
{
	struct jobs *j = t->job->jobs;
	uint16_t first;
	bool ok;

	if (!n->refresh.address || elements <= n->refresh.elements)
		return true;
	log_info("addr=%04x will have %u elements", n->address, elements);
	if (db_address_release(j->env.db, n->refresh.address) == DB_ERROR)
		return false;
	ok = reserve(t, n, elements, &first) == DB_OK;
	/* What was let go may be another's when this is undone: it is not this node's any more. */
	n->refresh.address = t->row.new_address = ok ? first : 0;
	n->refresh.elements = ok ? elements : 0;
	return db_node_update(j->env.db, n) == DB_OK && ok;
}

static void on_models(void *ctx, bool ok)
{
	struct task *t = ctx;

	if (ok)
		task_enter(t, REFRESH_OPEN_LINK);
	else
		task_fail(t, REASON_CONFIGURATION_FAILED, "The store failed.");
}

static void read_models(struct task *t)
{
	struct refresh_work *w = refresh_work_of(t);

	w->models.done = on_models;
	w->models.ctx = t;
	model_reader_start(&w->models, t->job->jobs, t->row.uuid);
}

/* Its composition is refreshed only where that brings something, and fits. */
static bool is_wanted(struct task *t, const struct db_node *n)
{
	const struct page_reader *pages = &refresh_work_of(t)->pages;
	uint8_t now = elements_of(page_reader_page(pages, COMPOSITION_PAGE_MODELS));
	uint8_t then = elements_of(page_reader_page(pages, COMPOSITION_NEXT));

	if (refresh_procedure_of(t) != NPPI_COMPOSITION)
		return true;
	if (!n->composition_change)
		task_succeed(t, "Its composition has not changed.");
	else if (!n->server)
		task_fail(t, REASON_REFRESH_NOT_SUPPORTED, NULL);
	else if (then > now)
		task_fail(t, REASON_ADDRESS_REFRESH_NEEDED, NULL);
	else
		return true;
	return false;
}

static void on_pages(void *ctx, bool ok)
{
	struct task *t = ctx;
	struct db_node n;
	bool wanted;

	if (!ok) {
		refresh_attempt_failed(t, REASON_TIMEOUT, "The node does not answer.");
		return;
	}
	if (!refresh_node(t, &n))
		return;
	wanted = is_wanted(t, &n);
	secret_wipe(&n, sizeof n);
	if (wanted)
		read_models(t);
}

void refresh_read(struct task *t)
{
	struct refresh_work *w = refresh_work_of(t);

	w->pages.done = on_pages;
	w->pages.ctx = t;
	page_reader_start(&w->pages, t->job->jobs, t->row.uuid);
}
