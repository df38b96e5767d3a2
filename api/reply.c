/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "log.h"

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Error";
}

static struct reply reply_dump(int status, const char *type, json_t *body)
{
	struct reply r = { .kind = REPLY_BODY, .status = status, .type = type };

	r.body = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	if (!r.body) {
		log_error("api: no memory for a reply");
		r.status = 500;
		r.type = NULL;
		return r;
	}
	r.body_len = strlen(r.body);
	return r;
}

struct reply reply_json(int status, json_t *body)
{
	return reply_dump(status, "application/json", body);
}

struct reply reply_problem_rows(const struct problem *p, json_t *rows)
{
	char type[96];
	json_t *o = json_object();

	snprintf(type, sizeof(type), "urn:meshmason:problem:%s", p->code);
	json_object_set_new(o, "type", json_string(type));
	json_object_set_new(o, "title", json_string(http_status_text(p->status)));
	json_object_set_new(o, "status", json_integer(p->status));
	json_object_set_new(o, "code", json_string(p->code));
	json_object_set_new(o, "detail", json_string(p->detail));
	if (p->field[0])
		json_object_set_new(o, "field", json_string(p->field));
	if (rows)
		json_object_set_new(o, "rows", rows);
	return reply_dump(p->status, "application/problem+json", o);
}

struct reply reply_problem(const struct problem *p)
{
	return reply_problem_rows(p, NULL);
}

struct reply reply_error(int status, const char *code, const char *field, const char *format, ...)
{
	struct problem p;
	va_list args;

	problem_set(&p, status, code, field, "%s", "");
	va_start(args, format);
	vsnprintf(p.detail, sizeof(p.detail), format, args);
	va_end(args);
	return reply_problem(&p);
}

struct reply reply_not_found(const char *what)
{
	return reply_error(404, "not_found", NULL, "There is no such %s.", what);
}

struct reply reply_internal(void)
{
	return reply_error(500, "internal", NULL, "The store failed; the log says more.");
}

struct reply reply_none(void)
{
	return (struct reply){ .kind = REPLY_BODY, .status = 204 };
}

void reply_free(struct reply *r)
{
	if (!r->body_static)
		free(r->body);
	if (r->kind == REPLY_FD)
		close(r->fd);
	r->kind = REPLY_BODY;
	r->body = NULL;
	r->body_len = 0;
}

struct reply reply_list(json_t *items, const char *next)
{
	json_t *o = json_object();

	json_object_set_new(o, "items", items);
	json_object_set_new(o, "next", json_text(next));
	return reply_json(200, o);
}

json_t *json_time_s(int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	char text[40];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return json_null();
	return json_string(text);
}

json_t *json_time_ms(int64_t unix_ms)
{
	time_t t = (time_t)(unix_ms / 1000);
	char day[32], text[48];
	struct tm tm;

	if (unix_ms <= 0 || !gmtime_r(&t, &tm) ||
	    !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		return json_null();
	snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(unix_ms % 1000));
	return json_string(text);
}

json_t *json_hex16(uint16_t value)
{
	char text[8];

	snprintf(text, sizeof(text), "0x%04x", value);
	return json_string(text);
}

json_t *json_address(uint16_t address)
{
	return address ? json_hex16(address) : json_null();
}

json_t *json_uuid(const uint8_t uuid[16])
{
	char text[UUID_TEXT];

	return json_string(uuid_format(text, uuid));
}

json_t *json_text(const char *text)
{
	json_t *s = *text ? json_string(text) : NULL;

	/* What a certificate says may be no UTF-8: shown as unknown rather than not at all. */
	return s ? s : json_null();
}

json_t *json_rssi(int rssi)
{
	return rssi == 127 ? json_null() : json_integer(rssi);
}

json_t *json_fingerprint(const uint8_t sha256[32])
{
	char text[65];

	return json_string(hex_format(text, bytes_of(sha256, 32)));
}
