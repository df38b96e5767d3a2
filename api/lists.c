/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of several lists share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api_private.h"

struct db_page page_of(const struct page_query *q, const char *sort)
{
	return (struct db_page){
		.limit = q->limit.given ? (unsigned)q->limit.v : 0,
		.cursor = q->cursor.s,
		.sort = sort,
	};
}

struct reply reply_page(enum db_rc rc, json_t *items, const char *next)
{
	if (rc == DB_OK)
		return reply_list(items, next);
	json_decref(items);
	if (rc == DB_CONFLICT)
		return reply_error(400, "invalid_cursor", "cursor",
				   "This cursor is not one that the same list gave.");
	return reply_internal();
}

bool path_id(const struct request *rq, int64_t *out, struct reply *bad)
{
	const char *text = rq->args[0];
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (*text >= '1' && *text <= '9' && !*end && !errno)
		return true;
	*bad = reply_error(400, "invalid_value", "id", "The id must be a number from 1.");
	return false;
}

bool path_address(const struct request *rq, uint16_t *out, struct reply *bad)
{
	if (address_parse(rq->args[0], out))
		return true;
	*bad = reply_error(400, "invalid_value", "address",
			   "The address must be a unicast one, as in 0x0005.");
	return false;
}

bool path_uuid(const struct request *rq, uint8_t out[UUID_LEN], struct reply *bad)
{
	if (uuid_parse(rq->args[0], out))
		return true;
	*bad = reply_error(400, "invalid_value", "uuid",
			   "The uuid must be 8-4-4-4-12 hexadecimal digits.");
	return false;
}

json_t *error_json(const char *code, const char *message)
{
	const struct jobs_reason *reason;
	json_t *o;

	if (!*code)
		return json_null();
	reason = jobs_reason(code);
	o = json_object();
	json_object_set_new(o, "code", json_string(code));
	json_object_set_new(o, "message",
			    json_text(*message ? message
				      : reason ? reason->message
					       : code));
	json_object_set_new(o, "advice", json_string(reason ? reason->advice : ""));
	return o;
}

struct reply reply_jobs(enum jobs_rc rc, const char *why, const char *field)
{
	switch (rc) {
	case JOBS_OK:
		return reply_none();
	case JOBS_NOT_FOUND:
		return reply_error(404, "not_found", NULL, "%s", why);
	case JOBS_CONFLICT:
		return reply_error(409, "conflict", NULL, "%s", why);
	case JOBS_BAD_TARGETS:
		return reply_error(400, "invalid_value", "targets", "%s", why);
	case JOBS_BAD_OPTION:
		return reply_error(400, "invalid_value", field, "%s", why);
	case JOBS_STORE:
		break;
	}
	return reply_internal();
}

json_t *certificate_json(const struct db_certificate *c)
{
	json_t *o;

	if (!c->present)
		return json_null();
	o = json_object();
	json_object_set_new(o, "subject", json_string(c->subject)); /* may be empty */
	json_object_set_new(o, "issuer", json_string(c->issuer));
	json_object_set_new(o, "serial", json_text(c->serial));
	json_object_set_new(o, "not_before", json_time_s(c->not_before));
	json_object_set_new(o, "not_after", json_time_s(c->not_after));
	json_object_set_new(o, "fingerprint", json_fingerprint(c->fingerprint));
	return o;
}
