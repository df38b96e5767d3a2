/* SPDX-License-Identifier: Apache-2.0 */
#include "oob_prompt.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "oob.h"
#include "provision.h"
#include "reach.h"
#include "runner.h"
#include "session.h"

static bool is_open(const struct task *t)
{
	const struct work *w = t->work;

	return t->row.state == DB_TASK_RUNNING && w && w->prompt.open && w->session &&
	       prov_is_prompting(w->session->prov);
}

/* A server of its own has one link and no more; our radio has room while it waits. */
static void count_asking(struct task *t, int change)
{
	struct server *s = server_find(t->job->jobs, t->row.server);

	if (s && s->local)
		s->asking += (unsigned)change;
}

void oob_asked(struct task *t, const struct prov_event *ev)
{
	struct jobs *j = t->job->jobs;
	struct prompt *p = &t->work->prompt;

	*p = (struct prompt){ .open = true,
			      .method = (uint8_t)ev->method,
			      .action = ev->action,
			      .size = ev->size,
			      .asked = jobs_wall(j),
			      .until = jobs_now(j) + SEC(PROV_PROMPT_SECONDS) };
	snprintf(p->value, sizeof p->value, "%s", ev->value ? ev->value : "");
	count_asking(t, 1);
	task_enter(t, PROVISION_PROMPT);
	jobs_kick(j); /* its link is another's now */
}

bool oob_ended(struct task *t, const struct prov_event *ev)
{
	struct work *w = t->work;
	bool asked = w->prompt.open, given_up = w->prompt.given_up;
	bool refused = ev->end == PROV_END_AUTH_FAILED ||
		       (ev->end == PROV_END_DEVICE_FAILED &&
			ev->device_error == PROV_ERR_CONFIRMATION_FAILED);

	secret_wipe(&w->prompt, sizeof w->prompt);
	if (asked)
		count_asking(t, -1);
	if (!asked || t->step >= PROVISION_DELIVER_DATA || (t->job->ending && t->job->cancelled))
		return false;
	if (given_up)
		task_fail(t, REASON_CANCELLED, "The prompt was given up. Retry to be asked again.");
	else if (ev->prompting && ev->end == PROV_END_TIMEOUT)
		task_fail(t, REASON_TIMEOUT,
			  "Nobody answered the prompt in time. Retry the task when somebody is at "
			  "the device: it asks again then.");
	else if (refused && !w->verdict)
		task_fail(t, REASON_AUTH_FAILED,
			  "What was entered did not match what the device has. Retry the task: it "
			  "asks again, with a new value.");
	else
		return false;
	return true;
}

bool oob_expired(const struct task *t)
{
	return strcmp(t->row.step, "prompt") == 0;
}

/* A link that waits for a person takes no air. max_links, where given, is the user's own limit, and
 * a person can only be at so many devices at a time. */
unsigned oob_room(const struct job *job)
{
	unsigned open = 0, maybe = 0, links = job->row.links_open, most = job->pace.limit;
	enum db_job_policy policy = job->row.options.policy;

	for (const struct task *t = job->tasks; t; t = t->next) {
		open += is_open(t);
		maybe += t->row.state == DB_TASK_RUNNING && t->step >= PROVISION_OPEN_LINK &&
			 t->step <= PROVISION_PROMPT;
	}
	if (!job->row.options.max_links)
		links -= open < links ? open : links;
	most = most > links ? most - links : 0;
	if (policy != DB_POLICY_OUTPUT_OOB && policy != DB_POLICY_INPUT_OOB)
		return most;
	maybe = maybe < OOB_PROMPTS_MOST ? OOB_PROMPTS_MOST - maybe : 0;
	return maybe < most ? maybe : most;
}

static struct task *find(const struct jobs *j, int64_t id)
{
	for (const struct job *job = j->active; job; job = job->next)
		for (struct task *t = job->tasks; t; t = t->next)
			if (t->row.id == id)
				return t;
	return NULL;
}

static void describe(const struct task *t, struct jobs_prompt *out)
{
	static const char *const outputs[] = { "blink", "beep", "vibrate", "number", "text" };
	static const char *const inputs[] = { "push", "twist", "number", "text" };
	static const char *const types[] = { [OOB_COUNT] = "count",
					     [OOB_NUMERIC] = "numeric",
					     [OOB_ALPHANUMERIC] = "alphanumeric" };
	const struct jobs *j = t->job->jobs;
	const struct prompt *p = &t->work->prompt;
	bool output = p->method == PROV_AUTH_OUTPUT;
	uint64_t now = jobs_now(j), left = p->until > now ? p->until - now : 0;

	*out = (struct jobs_prompt){
		.task = t->row.id,
		.job = t->row.job,
		.server = t->row.server,
		.method = output ? "output-oob" : "input-oob",
		.action = output ? outputs[p->action] : inputs[p->action],
		.type = types[oob_type_of(p->method, p->action)],
		.size = p->size,
		.value = output ? NULL : p->value,
		.asked = p->asked,
		.expires = jobs_wall(j) + (int64_t)(left / 1000),
		.seconds_left = (unsigned)((left + SEC(1) - 1) / SEC(1)),
	};
	memcpy(out->uuid, t->row.uuid, UUID_LEN);
}

void jobs_prompts(const struct jobs *j, void (*each)(void *ctx, const struct jobs_prompt *p),
		  void *ctx)
{
	for (const struct job *job = j->active; job; job = job->next)
		for (struct task *t = job->tasks; t; t = t->next)
			if (is_open(t)) {
				struct jobs_prompt p;

				describe(t, &p);
				each(ctx, &p);
			}
}

bool jobs_prompt_get(const struct jobs *j, int64_t task, struct jobs_prompt *out)
{
	struct task *t = find(j, task);

	if (!t || !is_open(t))
		return false;
	describe(t, out);
	return true;
}

bool jobs_prompting(const struct jobs *j)
{
	for (const struct job *job = j->active; job; job = job->next)
		for (const struct task *t = job->tasks; t; t = t->next)
			if (is_open(t))
				return true;
	return false;
}

/* Not open: did it ever ask? */
static enum jobs_rc closed(const struct jobs *j, int64_t task, char why[JOBS_WHY])
{
	struct db_task row;

	if (db_task_get(j->env.db, task, &row) != DB_OK ||
	    (strcmp(row.method, "output-oob") != 0 && strcmp(row.method, "input-oob") != 0)) {
		snprintf(why, JOBS_WHY, "no prompt of this task is open");
		return JOBS_NOT_FOUND;
	}
	snprintf(why, JOBS_WHY, "The prompt has ended meanwhile.");
	return JOBS_CONFLICT;
}

enum jobs_rc jobs_prompt_answer(struct jobs *j, int64_t task, const char *text, char why[JOBS_WHY])
{
	struct task *t = find(j, task);

	if (!t || !is_open(t))
		return closed(j, task, why);
	if (t->work->prompt.method != PROV_AUTH_OUTPUT) {
		snprintf(why, JOBS_WHY, "This value is to be entered at the device itself.");
		return JOBS_BAD_OPTION;
	}
	if (!prov_oob_value(t->work->session->prov, text)) {
		struct jobs_prompt p;

		describe(t, &p);
		snprintf(why, JOBS_WHY, "The device shows 1 to %u %s%s.", p.size,
			 strcmp(p.type, "alphanumeric") == 0 ? "letters and digits" : "digits",
			 strcmp(p.type, "count") == 0 ? ", at least 1" : "");
		return JOBS_BAD_OPTION;
	}
	task_enter(t, PROVISION_EXCHANGE);
	return JOBS_OK;
}

enum jobs_rc jobs_prompt_cancel(struct jobs *j, int64_t task, char why[JOBS_WHY])
{
	struct task *t = find(j, task);

	if (!t || !is_open(t))
		return closed(j, task, why);
	t->work->prompt.given_up = true;
	session_abort(t->work->session);
	return JOBS_OK;
}
