/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 256 << 20, URL_MAX = 2048, CONNECT_SECONDS = 10 };

struct rest {
	CURL *curl;
	char *base, *authorization;
	char why[CURL_ERROR_SIZE];
	char *answer;
	size_t n;
	FILE *file; /* where a good answer goes; NULL: to answer */
};

struct rest *rest_new(const char *url, const char *token)
{
	struct rest *r = calloc(1, sizeof(*r));
	size_t n = strlen(url);

	if (!r)
		return NULL;
	r->curl = curl_easy_init();
	r->base = strndup(url, n && url[n - 1] == '/' ? n - 1 : n);
	if (!r->curl || !r->base ||
	    (token && asprintf(&r->authorization, "Authorization: Bearer %s", token) < 0)) {
		rest_free(r);
		return NULL;
	}
	return r;
}

void rest_free(struct rest *r)
{
	if (!r)
		return;
	if (r->curl)
		curl_easy_cleanup(r->curl);
	free(r->base);
	free(r->authorization);
	free(r->answer);
	free(r);
}

const char *rest_why(const struct rest *r)
{
	return r->why;
}

static size_t on_answer(char *data, size_t size, size_t n, void *ctx)
{
	struct rest *r = ctx;
	long status = 0;
	char *more;

	n *= size;
	if (r->file)
		curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return fwrite(data, 1, n, r->file);
	if (r->n + n > ANSWER_MAX)
		return 0;
	more = realloc(r->answer, r->n + n + 1);
	if (!more)
		return 0;
	memcpy(more + r->n, data, n);
	r->answer = more;
	r->n += n;
	return n;
}

static struct curl_slist *headers(const struct rest *r, const struct rest_body *body)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	char line[256];

	if (r->authorization)
		list = curl_slist_append(list, r->authorization);
	if (body) {
		snprintf(line, sizeof(line), "Content-Type: %s", body->type);
		list = curl_slist_append(list, line);
	}
	if (body && body->idempotency_key) {
		snprintf(line, sizeof(line), "Idempotency-Key: %s", body->idempotency_key);
		list = curl_slist_append(list, line);
	}
	return list;
}

long rest_call(struct rest *r, const char *method, const char *path, const struct rest_body *body,
	       json_t **out)
{
	struct curl_slist *list = headers(r, body);
	char url[URL_MAX];
	long status = 0;
	CURLcode rc;

	*out = NULL;
	r->n = 0;
	r->why[0] = '\0';
	snprintf(url, sizeof(url), "%s/api/v1%s", r->base, path);
	curl_easy_reset(r->curl);
	curl_easy_setopt(r->curl, CURLOPT_URL, url);
	curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(r->curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
	curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, r->why);
	curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, r);
	if (body) {
		curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, body->data);
		curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
	}
	rc = curl_easy_perform(r->curl);
	curl_slist_free_all(list);
	if (rc != CURLE_OK) {
		if (!r->why[0])
			snprintf(r->why, sizeof(r->why), "%s", curl_easy_strerror(rc));
		return 0;
	}
	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	if (r->n)
		*out = json_loadb(r->answer, r->n, JSON_DECODE_ANY, NULL);
	return status;
}

long rest_download(struct rest *r, const char *path, FILE *file, json_t **out)
{
	long status;

	r->file = file;
	status = rest_call(r, "GET", path, NULL, out);
	r->file = NULL;
	return status;
}

json_t *rest_list(struct rest *r, const char *path, long *status, json_t **problem)
{
	json_t *all = json_array(), *page;
	char url[1024], *cursor = NULL;

	*problem = NULL;
	for (;;) {
		const char *next;

		snprintf(url, sizeof(url), "%s%climit=1000%s%s", path,
			 strchr(path, '?') ? '&' : '?', cursor ? "&cursor=" : "",
			 cursor ? cursor : "");
		curl_free(cursor);
		cursor = NULL;
		*status = rest_call(r, "GET", url, NULL, &page);
		if (*status != 200) {
			json_decref(all);
			*problem = page;
			return NULL;
		}
		json_array_extend(all, json_object_get(page, "items"));
		next = json_string_value(json_object_get(page, "next"));
		if (next)
			cursor = curl_easy_escape(r->curl, next, 0);
		json_decref(page);
		if (!cursor)
			return all;
	}
}
