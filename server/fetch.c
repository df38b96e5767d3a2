/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "log.h"

enum { CONNECT_MS = 5000, HEADERS_MAX = 16384, URL_MAX = 512, EVENTS = 16 };

static const char accepted[] = "Accept: application/pkix-cert, multipart/mixed";

struct slot {
	enum { SLOT_FREE, SLOT_WAITING, SLOT_RUNNING } state;
	struct fetch *f;
	uint64_t number;
	char url[URL_MAX];
	jobs_fetched_fn *done;
	void *ctx;
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	char forbidden[64]; /* the address that was not to be asked */
	bool too_large;
	size_t headers;
	uint8_t *body; /* FETCH_BODY_MAX octets */
	size_t n;
};

struct fetch {
	struct fetch_config config;
	CURLM *multi;
	struct curl_slist *accept;
	int epfd;
	struct timer curl_timer, begin;
	uint64_t numbers;
	struct slot slots[FETCH_SLOTS];
};

/* ---- what libcurl asks of us about one transfer ---- */

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct slot *s = ctx;
	const void *ip = a->family == AF_INET
				 ? (const void *)&((struct sockaddr_in *)(void *)&a->addr)->sin_addr
				 : &((struct sockaddr_in6 *)(void *)&a->addr)->sin6_addr;

	if (purpose == CURLSOCKTYPE_IPCXN && fetch_address_allowed(&s->f->config.rules, &a->addr))
		return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
	if (!inet_ntop(a->family, ip, s->forbidden, sizeof(s->forbidden)))
		snprintf(s->forbidden, sizeof(s->forbidden), "?");
	return CURL_SOCKET_BAD;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct slot *s = ctx;

	if (n > FETCH_BODY_MAX - s->n) {
		s->too_large = true;
		return 0;
	}
	memcpy(s->body + s->n, data, n);
	s->n += n;
	return n;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct slot *s = ctx;

	s->headers += n;
	s->too_large |= s->headers > HEADERS_MAX;
	return s->too_large ? 0 : n;
}

/* Beside the system's authorities, not in their place. */
static CURLcode on_tls(CURL *easy, void *tls, void *ctx)
{
	const struct slot *s = ctx;

	return SSL_CTX_load_verify_locations(tls, s->f->config.ca, NULL) == 1
		       ? CURLE_OK
		       : CURLE_SSL_CACERT_BADFILE;
}

/* ---- descriptors and time ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct fetch *f = ctx;
	struct epoll_event ev = { .data.fd = fd };

	if (what & CURL_POLL_IN)
		ev.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		ev.events |= EPOLLOUT;
	if (what == CURL_POLL_REMOVE)
		epoll_ctl(f->epfd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(f->epfd, EPOLL_CTL_MOD, fd, &ev) != 0 && errno == ENOENT)
		epoll_ctl(f->epfd, EPOLL_CTL_ADD, fd, &ev);
	return 0;
}

static void finish_all(struct fetch *f);

static void on_curl_time(void *ctx)
{
	struct fetch *f = ctx;
	int running;

	curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_all(f);
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
	struct fetch *f = ctx;

	timer_stop(f->config.timers, &f->curl_timer);
	if (ms >= 0)
		timer_start(f->config.timers, &f->curl_timer, (uint64_t)ms * 1000, on_curl_time, f);
	return 0;
}

void fetch_work(struct fetch *f)
{
	struct epoll_event ready[EVENTS];
	int running, n = epoll_wait(f->epfd, ready, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		int what = 0;

		if (ready[i].events & EPOLLIN)
			what |= CURL_CSELECT_IN;
		if (ready[i].events & EPOLLOUT)
			what |= CURL_CSELECT_OUT;
		if (ready[i].events & (EPOLLERR | EPOLLHUP))
			what |= CURL_CSELECT_ERR;
		curl_multi_socket_action(f->multi, ready[i].data.fd, what, &running);
	}
	finish_all(f);
}

/* ---- the end of one ---- */

static void slot_clear(struct slot *s)
{
	if (s->easy) {
		curl_multi_remove_handle(s->f->multi, s->easy);
		curl_easy_cleanup(s->easy);
	}
	free(s->body);
	memset(s, 0, sizeof(*s));
}

static void say(struct jobs_fetched *out, enum jobs_fetch_end end, char why[FETCH_WHY],
		const char *format, ...) __attribute__((format(printf, 4, 5)));
static void say(struct jobs_fetched *out, enum jobs_fetch_end end, char why[FETCH_WHY],
		const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, FETCH_WHY, format, args);
	va_end(args);
	out->end = end;
	out->why = why;
}

/* What a transfer that brought no whole response is called. */
static void explain(const struct slot *s, CURLcode code, struct jobs_fetched *out,
		    char why[FETCH_WHY])
{
	const char *detail = *s->error ? s->error : curl_easy_strerror(code);

	if (*s->forbidden)
		say(out, JOBS_FETCH_REFUSED, why,
		    "The maker's site is at the private address %.60s, which fetch-private does "
		    "not allow.",
		    s->forbidden);
	else if (s->too_large || code == CURLE_FILESIZE_EXCEEDED)
		say(out, JOBS_FETCH_REFUSED, why,
		    "The answer of the maker's site is too large: more than %d KiB.",
		    FETCH_BODY_MAX / 1024);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		say(out, JOBS_FETCH_FAILED, why,
		    "The maker's site is too slow: it took longer than %d seconds.", FETCH_SECONDS);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		say(out, JOBS_FETCH_REFUSED, why,
		    "TLS: the certificate of the maker's site is refused: %.120s.", detail);
	else if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CACERT_BADFILE)
		say(out, JOBS_FETCH_FAILED, why,
		    "TLS: no secure connection with the maker's site: %.120s.", detail);
	else if (code == CURLE_COULDNT_RESOLVE_HOST)
		say(out, JOBS_FETCH_FAILED, why, "The name of the maker's site is not known.");
	else if (code == CURLE_COULDNT_CONNECT)
		say(out, JOBS_FETCH_FAILED, why, "The maker's site does not answer.");
	else if (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
		 code == CURLE_SEND_ERROR || code == CURLE_PARTIAL_FILE)
		say(out, JOBS_FETCH_FAILED, why, "The connection to the maker's site broke off.");
	else
		say(out, JOBS_FETCH_REFUSED, why,
		    "The maker's site does not speak HTTP as it should: %.120s.", detail);
}

/* The slot is free before its owner hears of it: it may start another from there. */
static void end(struct slot *s, CURLcode code)
{
	struct jobs_fetched out = { .end = JOBS_FETCH_OK, .type = "", .why = "" };
	char why[FETCH_WHY] = "", type[128] = "", *given = NULL;
	jobs_fetched_fn *done = s->done;
	void *ctx = s->ctx;
	uint8_t *body = s->body;
	long status = 0;

	if (code == CURLE_OK) {
		curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(s->easy, CURLINFO_CONTENT_TYPE, &given);
		snprintf(type, sizeof(type), "%s", given ? given : "");
		out.status = (int)status;
		out.type = type;
		out.body = bytes_of(body, s->n);
	} else {
		explain(s, code, &out, why);
		log_info("fetch %.200s: %s", s->url, why);
	}
	s->body = NULL;
	slot_clear(s);
	done(ctx, &out);
	free(body);
}

static void begin_later(struct fetch *f);

static void finish_all(struct fetch *f)
{
	struct CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left))) {
		struct slot *s = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
		if (s)
			end(s, code);
	}
	begin_later(f);
}

/* ---- the start of one ---- */

static bool set_up(struct slot *s)
{
	CURL *e = s->easy;
	bool ok = true;

	ok &= curl_easy_setopt(e, CURLOPT_URL, s->url) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_PRIVATE, s) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "https") == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK; /* not that of the environment */
	ok &= curl_easy_setopt(e, CURLOPT_NOPROXY, "*") == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_HTTPHEADER, s->f->accept) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, FETCH_SECONDS * 1000L) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)FETCH_BODY_MAX) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->error) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, s) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_WRITEDATA, s) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
	ok &= curl_easy_setopt(e, CURLOPT_HEADERDATA, s) == CURLE_OK;
	/* A resolver that hangs is left to itself: waiting for it would stop the loop. */
	ok &= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
	if (*s->f->config.ca) {
		ok &= curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_tls) == CURLE_OK;
		ok &= curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, s) == CURLE_OK;
	}
	return ok;
}

static void refuse_url(struct slot *s, const char *why)
{
	struct jobs_fetched out = { .end = JOBS_FETCH_REFUSED, .type = "", .why = why };
	jobs_fetched_fn *done = s->done;
	void *ctx = s->ctx;

	log_info("fetch %.200s: %s", s->url, why);
	slot_clear(s);
	done(ctx, &out);
}

static void begin(struct slot *s)
{
	char why[FETCH_WHY];

	if (!fetch_url_allowed(&s->f->config.rules, s->url, why)) {
		refuse_url(s, why);
		return;
	}
	s->state = SLOT_RUNNING;
	s->body = malloc(FETCH_BODY_MAX);
	s->easy = curl_easy_init();
	if (!s->body || !s->easy)
		abort();
	if (!set_up(s) || curl_multi_add_handle(s->f->multi, s->easy) != CURLM_OK)
		refuse_url(s, "The HTTP client cannot be set up as safely as it has to be.");
}

static struct slot *slot_next(struct fetch *f)
{
	struct slot *first = NULL;
	unsigned running = 0;

	for (size_t i = 0; i < FETCH_SLOTS; i++) {
		struct slot *s = &f->slots[i];

		running += s->state == SLOT_RUNNING;
		if (s->state == SLOT_WAITING && (!first || s->number < first->number))
			first = s;
	}
	return running < FETCH_AT_ONCE ? first : NULL;
}

static void on_begin(void *ctx)
{
	struct fetch *f = ctx;
	struct slot *s;

	while ((s = slot_next(f)))
		begin(s);
}

static void begin_later(struct fetch *f)
{
	if (slot_next(f) && !timer_running(&f->begin))
		timer_start(f->config.timers, &f->begin, 0, on_begin, f);
}

uint64_t fetch_start(struct fetch *f, const char *url, jobs_fetched_fn *done, void *ctx)
{
	struct slot *s = f->slots;

	while (s < f->slots + FETCH_SLOTS && s->state != SLOT_FREE)
		s++;
	if (s == f->slots + FETCH_SLOTS || strlen(url) >= sizeof(s->url))
		return 0;
	s->f = f;
	s->number = ++f->numbers;
	s->state = SLOT_WAITING;
	s->done = done;
	s->ctx = ctx;
	snprintf(s->url, sizeof(s->url), "%s", url);
	begin_later(f);
	return s->number;
}

void fetch_cancel(struct fetch *f, uint64_t number)
{
	for (size_t i = 0; i < FETCH_SLOTS; i++) {
		if (f->slots[i].state != SLOT_FREE && f->slots[i].number == number)
			slot_clear(&f->slots[i]);
	}
	begin_later(f);
}

bool fetch_busy(const struct fetch *f)
{
	for (size_t i = 0; i < FETCH_SLOTS; i++) {
		if (f->slots[i].state != SLOT_FREE)
			return true;
	}
	return false;
}

int fetch_fd(const struct fetch *f)
{
	return f->epfd;
}

static bool ca_is_good(const char *path, char why[FETCH_WHY])
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	bool ok = tls && SSL_CTX_load_verify_locations(tls, path, NULL) == 1;

	SSL_CTX_free(tls);
	if (!ok)
		snprintf(why, FETCH_WHY, "fetch-ca %.150s: no certificates in PEM are in it", path);
	return ok;
}

struct fetch *fetch_new(const struct fetch_config *config, char why[FETCH_WHY])
{
	struct fetch *f;

	if (*config->ca && !ca_is_good(config->ca, why))
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	f->config = *config;
	f->epfd = epoll_create1(EPOLL_CLOEXEC);
	f->multi = curl_multi_init();
	f->accept = curl_slist_append(NULL, accepted);
	if (f->epfd >= 0 && f->multi && f->accept &&
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) == CURLM_OK &&
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) == CURLM_OK)
		return f;
	snprintf(why, FETCH_WHY, "the HTTP client does not start");
	fetch_free(f);
	return NULL;
}

void fetch_free(struct fetch *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < FETCH_SLOTS; i++) {
		if (f->slots[i].state != SLOT_FREE)
			slot_clear(&f->slots[i]);
	}
	curl_multi_cleanup(f->multi);
	timer_stop(f->config.timers, &f->curl_timer);
	timer_stop(f->config.timers, &f->begin);
	curl_slist_free_all(f->accept);
	if (f->epfd >= 0)
		close(f->epfd);
	curl_global_cleanup();
	free(f);
}
