/* SPDX-License-Identifier: Apache-2.0 */
/* Where a node may move to: before it is done, and as it is asked for. */
#include <stdio.h>
#include <string.h>

#include "db_refresh.h"
#include "refresh.h"

/* As many as it has now, or will have: its next composition comes with the new address. */
static uint8_t elements_of(struct jobs *j, const struct db_node *n)
{
	uint8_t data[DB_PAGE_MAX];
	struct composition c;
	size_t len;

	if (db_node_page_get(j->env.db, n->uuid, COMPOSITION_NEXT, data, sizeof data, &len) ==
		    DB_OK &&
	    composition_decode(&c, bytes_of(data, len)) && c.n_elements > n->elements)
		return c.n_elements;
	return n->elements;
}

static enum db_rc fits(struct jobs *j, const struct db_node *n, uint16_t to, uint8_t elements,
		       char why[JOBS_WHY])
{
	struct mesh_iv iv;
	enum db_rc rc;

	mesh_iv(j->env.mesh, &iv);
	rc = db_address_is_free(j->env.db, to, elements, n->uuid, iv.index);
	if (rc == DB_CONFLICT)
		snprintf(why, JOBS_WHY, "0x%04x to 0x%04x are not all free.", to,
			 to + elements - 1);
	return rc;
}

static enum jobs_rc plan(struct jobs *j, const struct db_node *n, uint16_t to,
			 struct jobs_move *out)
{
	struct mesh_iv iv;
	enum db_rc rc;

	mesh_iv(j->env.mesh, &iv);
	*out = (struct jobs_move){ .from = n->address,
				   .to = to,
				   .elements = elements_of(j, n),
				   .quarantine_last = (uint16_t)(n->address + n->elements - 1) };
	if (!to) {
		rc = db_address_lowest_free(j->env.db, out->elements, iv.index, &out->to);
		out->free = rc == DB_OK;
		if (rc == DB_NONE)
			snprintf(out->reason, sizeof out->reason, "%s",
				 jobs_reason("addresses_exhausted")->message);
	} else {
		rc = fits(j, n, to, out->elements, out->reason);
		out->free = rc == DB_OK;
	}
	if (out->free && !n->server) {
		out->free = false;
		snprintf(out->reason, sizeof out->reason, "%s",
			 jobs_reason("refresh_not_supported")->message);
	}
	return rc == DB_ERROR ? JOBS_STORE : JOBS_OK;
}

enum jobs_rc jobs_node_move(struct jobs *j, uint16_t address, uint16_t to, struct jobs_move *out)
{
	struct db_node n;
	enum db_rc rc = db_node_get(j->env.db, address, &n);

	if (rc != DB_OK)
		return rc == DB_NONE ? JOBS_NOT_FOUND : JOBS_STORE;
	enum jobs_rc result = plan(j, &n, to, out);
	secret_wipe(&n, sizeof n);
	return result;
}

enum jobs_rc refresh_check(struct jobs *j, const struct jobs_request *rq, char why[JOBS_WHY])
{
	uint16_t to = rq->options.address;
	struct jobs_move move;
	struct db_node n;
	enum db_rc rc;

	if (!to)
		return JOBS_OK;
	if (rq->kind != DB_JOB_REFRESH_ADDRESS || rq->targets != DB_TARGETS_LIST ||
	    rq->n_uuids + rq->n_addresses != 1) {
		snprintf(why, JOBS_WHY, "address: only with one target, for refresh-address");
		return JOBS_BAD_OPTION;
	}
	rc = rq->n_uuids ? db_node_get_uuid(j->env.db, rq->uuids[0], &n)
			 : db_node_get(j->env.db, rq->addresses[0], &n);
	if (rc != DB_OK)
		return rc == DB_NONE ? JOBS_OK : JOBS_STORE; /* the target is judged elsewhere */
	enum jobs_rc result = plan(j, &n, to, &move);
	if (result == JOBS_OK && fits(j, &n, to, move.elements, move.reason) != DB_OK) {
		snprintf(why, JOBS_WHY, "address: %.200s", move.reason);
		result = JOBS_BAD_OPTION;
	}
	secret_wipe(&n, sizeof n);
	return result;
}
