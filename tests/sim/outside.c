/* SPDX-License-Identifier: Apache-2.0 */
#include "outside.h"

#include <stdlib.h>

#include "check.h"

enum { CALLS = 32, BODY = 12288, PROMPT_SECONDS = 105 };

struct call {
	struct outside *outside;
	uint64_t number;
	char uuid[UUID_TEXT];
	jobs_fetched_fn *done; /* NULL: free */
	void *ctx;
	struct timer timer;
};

struct outside {
	struct world *w;
	struct call calls[CALLS];
	uint64_t numbers;
	uint8_t body[BODY];
};

/* ---- the site ---- */

/* Part i of the building's certificates for a device, in a body of several. */
static size_t put_part(struct outside *h, size_t n, const char *uuid, unsigned i)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/building/building.json.certs/%s.%u.der",
		 world_folder(h->w), uuid, i);
	f = fopen(path, "rb");
	if (!f)
		return n;
	n += (size_t)snprintf((char *)h->body + n, BODY - n,
			      "\r\n--cut\r\nContent-Type: application/pkix-cert\r\n\r\n");
	n += fread(h->body + n, 1, BODY / 3, f);
	fclose(f);
	return n;
}

static void on_answer(void *ctx)
{
	struct call *c = ctx;
	struct outside *h = c->outside;
	struct jobs_fetched f = { .end = JOBS_FETCH_OK,
				  .status = 200,
				  .type = "multipart/mixed; boundary=\"cut\"",
				  .why = "" };
	jobs_fetched_fn *done = c->done;
	size_t n = put_part(h, put_part(h, 0, c->uuid, 0), c->uuid, 1);

	n += (size_t)snprintf((char *)h->body + n, BODY - n, "\r\n--cut--\r\n");
	f.body = bytes_of(h->body, n);
	c->done = NULL;
	done(c->ctx, &f);
}

static uint64_t on_fetch(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx)
{
	struct outside *h = ctx;
	const char *uuid = strstr(url, "?uuid=");

	check(uuid && strlen(uuid) == 6 + UUID_TEXT - 1);
	for (struct call *c = h->calls; c < h->calls + CALLS; c++) {
		if (c->done)
			continue;
		*c = (struct call){
			.outside = h, .number = ++h->numbers, .done = done, .ctx = done_ctx
		};
		memcpy(c->uuid, uuid + 6, UUID_TEXT);
		timer_start(world_real_time(h->w), &c->timer, SEC(2), on_answer, c);
		return c->number;
	}
	return 0;
}

static void on_cancel(void *ctx, uint64_t number)
{
	struct outside *h = ctx;

	for (struct call *c = h->calls; c < h->calls + CALLS; c++) {
		if (!c->done || c->number != number)
			continue;
		timer_stop(world_real_time(h->w), &c->timer);
		c->done = NULL;
	}
}

/* ---- the person ---- */

struct errand {
	struct outside *outside;
	struct jobs_prompt prompt;
	bool have;
};

/* It takes a few seconds to get there. */
static void on_prompt(void *ctx, const struct jobs_prompt *p)
{
	struct errand *e = ctx;

	if (e->have || p->seconds_left > PROMPT_SECONDS)
		return;
	e->prompt = *p;
	e->have = true;
}

static size_t device_of(const struct building *b, const uint8_t uuid[UUID_LEN])
{
	size_t i = 0;

	while (memcmp(building_make_of(b, i)->uuid, uuid, UUID_LEN) != 0)
		i++;
	return i;
}

static void on_instant(void *ctx)
{
	struct outside *h = ctx;
	struct building *b = world_building(h->w);
	struct jobs *jobs = core_jobs(world_core(h->w));
	struct errand e = { .outside = h };
	const struct device_prompt *shown;
	char why[JOBS_WHY], text[16];
	size_t i;

	if (!jobs_prompting(jobs))
		return;
	jobs_prompts(jobs, on_prompt, &e);
	if (!e.have)
		return;
	i = device_of(b, e.prompt.uuid);
	shown = building_display(b, i);
	if (!shown)
		return; /* it has given up */
	snprintf(text, sizeof(text), "%s", e.prompt.value ? e.prompt.value : shown->value);
	if (e.prompt.value)
		building_press(b, i, text);
	else if (*text)
		jobs_prompt_answer(jobs, e.prompt.task, text, why);
}

struct outside *outside_new(struct world *w)
{
	struct outside *h = calloc(1, sizeof(*h));
	struct world_internet internet = { on_fetch, on_cancel, h };

	assert_non_null(h);
	h->w = w;
	world_connect(w, &internet);
	world_on_instant(w, on_instant, h);
	return h;
}

void outside_free(struct outside *h)
{
	for (struct call *c = h->calls; c < h->calls + CALLS; c++)
		if (c->done)
			timer_stop(world_real_time(h->w), &c->timer);
	world_on_instant(h->w, NULL, NULL);
	free(h);
}
