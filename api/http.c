/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listen.h"
#include "log.h"

enum {
	CONNECTIONS_MAX = 512,
	CONNECTION_MEMORY = 64 * 1024,
	HEADERS_MAX = 16 * 1024,
	CONNECTION_IDLE_S = 60,
	DISCARD_MAX = IMPORT_MAX + (1 << 20), /* of a body that is refused */
	STREAM_BLOCK = 4096,
	STOP_ROUNDS = 200,
};

enum call_state {
	CALL_NEW,
	CALL_READING,	 /* the body comes in */
	CALL_REFUSED,	 /* the body is thrown away, then the reply */
	CALL_COMMITTING, /* suspended until the turn is durable */
	CALL_LATER,	 /* suspended until http_finish() */
	CALL_READY,	 /* the reply may be queued */
	CALL_STREAMING,	 /* events; parked tells whether it is suspended */
	CALL_DONE,
};

struct call {
	struct http *http;
	struct MHD_Connection *connection;
	struct call *next, *prev;
	enum call_state state;
	bool parked; /* MHD has it suspended */
	bool gzip;
	const char *if_none_match;
	char *uri;
	struct request rq;
	uint8_t *body;
	size_t n, cap, body_max, discarded;
	struct reply reply;
	struct event_stream *stream;
};

struct http {
	struct api *api;
	struct MHD_Daemon *daemon;
	struct call *calls;
	bool resumed; /* since the last run */
	char url[160];
};

static void call_resume(struct call *c)
{
	if (c->parked) {
		c->parked = false;
		c->http->resumed = true;
		MHD_resume_connection(c->connection);
	}
}

static void call_suspend(struct call *c, enum call_state state)
{
	c->state = state;
	c->parked = true;
	MHD_suspend_connection(c->connection);
}

/* ---- replies ---- */

static void header(struct MHD_Response *r, const char *name, const char *value)
{
	if (value && *value)
		MHD_add_response_header(r, name, value);
}

static void headers_for_all(struct MHD_Response *r)
{
	header(r, "X-Content-Type-Options", "nosniff");
	header(r, "Referrer-Policy", "no-referrer");
	header(r, "Cross-Origin-Resource-Policy", "same-origin");
	header(r, "X-Frame-Options", "DENY");
	header(r, "Content-Security-Policy",
	       "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
	       "img-src 'self' data:; object-src 'none'");
}

static struct MHD_Response *body_response(struct reply *reply)
{
	struct MHD_Response *r;

	r = MHD_create_response_from_buffer(reply->body_len, reply->body ? reply->body : (void *)"",
					    reply->body && !reply->body_static
						    ? MHD_RESPMEM_MUST_FREE
						    : MHD_RESPMEM_PERSISTENT);
	if (!r)
		return NULL;
	if (!reply->body_static)
		reply->body = NULL; /* MHD frees it */
	headers_for_all(r);
	header(r, "Content-Type", reply->type);
	header(r, "Cache-Control", "no-store");
	header(r, "Location", reply->location);
	header(r, "Allow", reply->allow);
	header(r, "Set-Cookie", reply->cookie);
	if (reply->status == 401)
		header(r, "WWW-Authenticate", "Bearer realm=\"meshmason\"");
	if (reply->retry_after) {
		char seconds[16];

		snprintf(seconds, sizeof(seconds), "%d", reply->retry_after);
		header(r, "Retry-After", seconds);
	}
	return r;
}

static struct MHD_Response *file_response(const struct call *c, const struct file *f, int *status)
{
	bool gzip = f->gz && c->gzip, same = c->if_none_match && strstr(c->if_none_match, f->etag);
	struct MHD_Response *r;

	*status = same ? 304 : 200;
	r = MHD_create_response_from_buffer(same   ? 0
					    : gzip ? f->gz_n
						   : f->n,
					    same   ? (void *)""
					    : gzip ? f->gz
						   : f->data,
					    MHD_RESPMEM_PERSISTENT);
	if (!r)
		return NULL;
	headers_for_all(r);
	header(r, "Content-Type", f->type);
	header(r, "ETag", f->etag);
	header(r, "Vary", f->gz ? "Accept-Encoding" : NULL);
	header(r, "Content-Encoding", gzip && !same ? "gzip" : NULL);
	header(r, "Cache-Control",
	       f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	return r;
}

/* The library reads the file piece by piece, and closes it. */
static struct MHD_Response *fd_response(struct reply *reply)
{
	struct MHD_Response *r = MHD_create_response_from_fd64(reply->body_len, reply->fd);
	char disposition[96];

	if (!r)
		return NULL;
	reply->kind = REPLY_BODY; /* no longer ours to close */
	snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s\"", reply->file_name);
	headers_for_all(r);
	header(r, "Content-Type", reply->type);
	header(r, "Content-Disposition", disposition);
	header(r, "Cache-Control", "no-store");
	return r;
}

/* 0 without suspending would spin: who has nothing to say is parked. */
static ssize_t stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct call *c = cls;
	long n = c->stream ? events_read(c->stream, buf, max) : -1;

	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0)
		call_suspend(c, CALL_STREAMING);
	return n;
}

static struct MHD_Response *stream_response(struct call *c)
{
	struct MHD_Response *r;

	c->stream = events_open(c->http->api->events, c->rq.last_event_id, c);
	if (!c->stream) {
		c->reply = reply_error(503, "too_many_streams", NULL,
				       "%d event streams are open already.", EVENTS_STREAMS_MAX);
		c->reply.retry_after = 10;
		return body_response(&c->reply);
	}
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, c, NULL);
	if (!r)
		return NULL;
	headers_for_all(r);
	header(r, "Content-Type", "text/event-stream");
	header(r, "Cache-Control", "no-store");
	header(r, "X-Accel-Buffering", "no");
	c->reply.status = 200;
	c->state = CALL_STREAMING;
	return r;
}

static enum MHD_Result call_queue(struct call *c)
{
	struct MHD_Response *r = NULL;
	enum MHD_Result rc;
	int status = c->reply.status;

	c->state = CALL_DONE;
	switch (c->reply.kind) {
	case REPLY_BODY:
	case REPLY_LATER:
		r = body_response(&c->reply);
		break;
	case REPLY_FILE:
		r = file_response(c, c->reply.file, &status);
		break;
	case REPLY_FD:
		r = fd_response(&c->reply);
		break;
	case REPLY_STREAM:
		r = stream_response(c);
		status = c->reply.status;
		break;
	}
	if (!r)
		return MHD_NO;
	rc = MHD_queue_response(c->connection, (unsigned)status, r);
	MHD_destroy_response(r);
	return rc;
}

/* ---- requests ---- */

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http *h = cls;
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->uri = strdup(uri);
	c->http = h;
	c->connection = connection;
	c->next = h->calls;
	if (c->next)
		c->next->prev = c;
	h->calls = c;
	return c;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			 enum MHD_RequestTerminationCode toe)
{
	struct call *c = *con_cls;

	*con_cls = NULL;
	if (!c)
		return;
	if (c->stream)
		events_close(c->stream);
	if (c->prev)
		c->prev->next = c->next;
	else
		c->http->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	reply_free(&c->reply);
	if (c->body)
		secret_wipe(c->body, c->n);
	free(c->body);
	free(c->uri);
	free(c);
}

static void peer_fill(struct call *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (info)
		listen_address_text(info->client_addr, c->rq.peer, sizeof(c->rq.peer));
}

static const char *head(const struct call *c, const char *name)
{
	return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

static void request_fill(struct call *c, const char *method)
{
	struct request *rq = &c->rq;
	const char *encodings = head(c, "Accept-Encoding");
	char *query = c->uri ? strchr(c->uri, '?') : NULL;

	if (query) {
		*query++ = '\0';
		if (strlen(query) > REQUEST_QUERY_MAX)
			rq->query_overflow = true;
		else
			query_split(rq, query);
	}
	rq->method = http_method_parse(method);
	rq->url = c->uri ? c->uri : "";
	rq->authorization = head(c, "Authorization");
	rq->cookie = head(c, "Cookie");
	rq->origin = head(c, "Origin");
	rq->fetch_site = head(c, "Sec-Fetch-Site");
	rq->host = head(c, "Host");
	rq->content_type = head(c, "Content-Type");
	rq->idempotency_key = head(c, "Idempotency-Key");
	rq->last_event_id = head(c, "Last-Event-ID");
	rq->call = c;
	c->if_none_match = head(c, "If-None-Match");
	c->gzip = encodings && strstr(encodings, "gzip") && !strstr(encodings, "gzip;q=0");
	peer_fill(c);
}

/* Beyond the connection's memory the library refuses by itself, in its own words. */
static bool headers_fit(struct call *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	if (info && info->header_size <= HEADERS_MAX)
		return true;
	c->reply = reply_error(431, "headers_too_large", NULL,
			       "The headers are larger than %d octets.", HEADERS_MAX);
	return false;
}

static void too_large(struct call *c)
{
	reply_free(&c->reply);
	c->reply = reply_error(413, "payload_too_large", "body",
			       "The body is larger than %zu octets.", c->body_max);
	c->state = CALL_REFUSED;
}

/* The first call: headers only. A refused body of sensible size is read to its end, so that the
 * client, still writing, gets to see the reply. */
static enum MHD_Result call_begin(struct call *c, const char *method)
{
	const char *length = head(c, "Content-Length"), *expect = head(c, "Expect");
	unsigned long long announced = length ? strtoull(length, NULL, 10) : 0;

	request_fill(c, method);
	c->state = CALL_READING;
	if (!headers_fit(c) || !api_admit(c->http->api, &c->rq, &c->reply, &c->body_max))
		c->state = CALL_REFUSED;
	else if (announced > c->body_max)
		too_large(c);
	if (c->state == CALL_REFUSED && (announced > DISCARD_MAX || expect))
		return call_queue(c);
	return MHD_YES;
}

static enum MHD_Result call_body(struct call *c, const char *data, size_t n)
{
	if (c->state == CALL_READING && n > c->body_max - c->n)
		too_large(c);
	if (c->state != CALL_READING) {
		c->discarded += n;
		return c->discarded + c->n > DISCARD_MAX ? MHD_NO : MHD_YES;
	}
	/* One octet more than the body: parsers that end texts in place need it. */
	if (c->n + n + 1 > c->cap) {
		size_t cap = (c->n + n) * 2 + 1;
		uint8_t *bigger = realloc(c->body, cap);

		if (!bigger)
			return MHD_NO;
		c->body = bigger;
		c->cap = cap;
	}
	memcpy(c->body + c->n, data, n);
	c->n += n;
	return MHD_YES;
}

static enum MHD_Result call_end(struct call *c)
{
	c->rq.body = bytes_of(c->body, c->n);
	if (c->state == CALL_READING) {
		c->reply = api_answer(c->http->api, &c->rq);
		if (c->reply.kind == REPLY_LATER) {
			call_suspend(c, CALL_LATER);
			return MHD_YES;
		}
		/* Also a refusal waits: what it was decided on is then durable. */
		if (c->rq.route && c->rq.route->mutates) {
			call_suspend(c, CALL_COMMITTING);
			return MHD_YES;
		}
	}
	return call_queue(c);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **con_cls)
{
	struct call *c = *con_cls;

	if (!c)
		return MHD_NO;
	switch (c->state) {
	case CALL_NEW:
		return call_begin(c, method);
	case CALL_READING:
	case CALL_REFUSED:
		if (*size) {
			enum MHD_Result rc = call_body(c, data, *size);

			*size = 0;
			return rc;
		}
		return call_end(c);
	case CALL_READY:
		return call_queue(c);
	case CALL_COMMITTING:
	case CALL_LATER:
	case CALL_STREAMING:
	case CALL_DONE:
		break;
	}
	return MHD_NO;
}

/* Paths and queries are decoded by the router, which refuses what is not well-formed. */
static size_t no_unescape(void *cls, struct MHD_Connection *connection, char *text)
{
	return strlen(text);
}

static void on_log(void *cls, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void on_log(void *cls, const char *format, va_list args)
{
	char line[256];

	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

/* ---- the loop's side ---- */

struct http *http_start(struct api *api, const struct api_listen *l, char why[API_WHY])
{
	struct http *h = calloc(1, sizeof(*h));
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)l->cert_pem },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)l->key_pem },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem none = { MHD_OPTION_END, 0, NULL };
	int fd;

	if (!h) {
		snprintf(why, API_WHY, "No memory.");
		return NULL;
	}
	fd = listen_open(l->address, l->cert_pem != NULL, h->url, sizeof(h->url), why, API_WHY);
	if (fd < 0) {
		free(h);
		return NULL;
	}
	h->api = api;
	h->daemon = MHD_start_daemon(flags | (l->cert_pem ? MHD_USE_TLS : 0), 0, NULL, NULL,
				     on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				     (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				     (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
				     (unsigned)CONNECTION_IDLE_S, MHD_OPTION_URI_LOG_CALLBACK,
				     on_uri, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
				     MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
				     MHD_OPTION_ARRAY, l->cert_pem ? tls : &none, MHD_OPTION_END);
	if (!h->daemon) {
		snprintf(why, API_WHY, "The HTTP server does not start%s.",
			 l->cert_pem ? " (certificate or key refused)" : "");
		close(fd);
		free(h);
		return NULL;
	}
	return h;
}

int http_fd(const struct http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}

const char *http_url(const struct http *h)
{
	return h->url;
}

void http_run(struct http *h)
{
	h->resumed = false;
	MHD_run(h->daemon);
}

uint64_t http_timeout(const struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* In external epoll mode the library neither wakes its descriptor for a resumed connection
	 * nor counts it in its timeout (0.9.75). */
	if (h->resumed)
		return 0;
	return MHD_get_timeout(h->daemon, &ms) == MHD_YES ? (uint64_t)ms * 1000 : TIMERS_NEVER;
}

void http_committed(struct http *h)
{
	for (struct call *c = h->calls; c; c = c->next)
		if (c->state == CALL_COMMITTING) {
			c->state = CALL_READY;
			call_resume(c);
		}
}

void http_finish(void *call, struct reply reply)
{
	struct call *c = call;

	c->reply = reply;
	if (c->state == CALL_LATER)
		c->state = CALL_COMMITTING;
}

void http_wake(void *call)
{
	call_resume(call);
}

const struct auth_who *http_who(const void *call)
{
	return &((const struct call *)call)->rq.who;
}

/* A call that still waits for a commit must not hear that all is well. */
static void call_give_up(struct call *c)
{
	if (c->state == CALL_COMMITTING || c->state == CALL_LATER) {
		reply_free(&c->reply);
		c->reply = reply_error(503, "unavailable", NULL, "The server is stopping.");
		c->state = CALL_READY;
	}
	call_resume(c);
}

void http_stop(struct http *h)
{
	MHD_socket listening = MHD_quiesce_daemon(h->daemon);

	/* MHD aborts the process when it stops with a suspended connection: all are resumed and
	 * run to their ends first. */
	events_end(h->api->events);
	for (struct call *c = h->calls; c; c = c->next)
		call_give_up(c);
	for (int i = 0; h->calls && i < STOP_ROUNDS; i++) {
		struct pollfd p = { http_fd(h), POLLIN, 0 };

		MHD_run(h->daemon);
		for (struct call *c = h->calls; c; c = c->next)
			call_give_up(c);
		poll(&p, 1, 10);
	}
	MHD_run(h->daemon);
	MHD_stop_daemon(h->daemon);
	if (listening != MHD_INVALID_SOCKET)
		close(listening);
	free(h);
}
