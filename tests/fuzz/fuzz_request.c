/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's line: path, query, content type. Input: an octet for the method, then the path (after
 * /api/v1), and behind a '?' the query, and behind a line end the content type. Accepted: there is
 * such a route, and its query is good.
 */
#include <stdlib.h>
#include <string.h>

#include "api_private.h"
#include "fuzz.h"

enum { TEXT = REQUEST_PATH_MAX + REQUEST_QUERY_MAX };

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static bool query_good(struct request *rq, char *query)
{
	struct problem p = { 0 };
	char out[1024];
	size_t room = 0;

	query_split(rq, query);
	promise(rq->n_query <= REQUEST_PARAMS_MAX);
	if (rq->query_overflow)
		return false;
	for (size_t i = 0; i < rq->route->n_query; i++)
		if (rq->route->query[i].offset + sizeof(struct field_text) > room)
			room = rq->route->query[i].offset + sizeof(struct field_text);
	promise(room <= sizeof(out));
	if (query_read(rq->query, rq->n_query, rq->route->query, rq->route->n_query, out,
		       sizeof(out), &p))
		return true;
	promise(p.status >= 400 && p.code && memchr(p.detail, 0, sizeof(p.detail)) &&
		memchr(p.field, 0, sizeof(p.field)));
	return false;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	static const struct route_table *const all[] = {
		&status_routes, &device_routes, &import_routes,	 &node_routes,	&server_routes,
		&job_routes,	&anchor_routes, &session_routes, &event_routes,
	};
	struct route_table tables[ARRAY_LEN(all)];
	struct request rq = { 0 };
	char text[TEXT], allow[ROUTE_ALLOW], *query, *type;
	enum route_result result;

	if (n < 1 || n > sizeof(text))
		return false;
	memcpy(text, data + 1, n - 1);
	text[n - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		tables[i] = *all[i];
	type = strchr(text, '\n');
	if (type) {
		*type++ = '\0';
		body_kind_parse(type);
	}
	query = strchr(text, '?');
	if (query)
		*query++ = '\0';
	rq.method = data[0] % (HTTP_OTHER + 1);
	result = router_match(tables, ARRAY_LEN(tables), &rq, text, allow);
	promise(memchr(allow, 0, sizeof(allow)) && (result == ROUTE_FOUND) == (rq.route != NULL));
	if (result != ROUTE_FOUND)
		return false;
	return !query || query_good(&rq, query);
}
