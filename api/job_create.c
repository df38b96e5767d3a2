/* SPDX-License-Identifier: Apache-2.0 */
/* POST /jobs: kind, targets, and the options that this kind takes. */
#include <stdlib.h>
#include <string.h>

#include "ad_types.h"
#include "api_private.h"

struct options_body {
	struct field_text policy, min_algorithm, server, address;
	struct field_int max_links, stop_at_failure_percent, attempts, seconds;
	struct field_bool relay;
	struct field_json ad_types;
};

static const char *const policies[] = { "certificate", "static-oob", "output-oob",
					"input-oob",   "none",	     NULL };
static const char *const algorithms[] = { "cmac", "hmac-sha256", NULL };

#define OPT_AT(member) offsetof(struct options_body, member)
#define OPT_SERVER                                                              \
	{                                                                       \
		"server", FIELD_TEXT, FIELD_NULL, 0, 6, NULL, field_is_address, \
			"a unicast address, as in 0x0005", OPT_AT(server)       \
	}
#define OPT_ATTEMPTS                                                                \
	{                                                                           \
		"attempts", FIELD_INT, 0, 1, 20, NULL, NULL, NULL, OPT_AT(attempts) \
	}
#define OPT_MAX_LINKS                                                                 \
	{                                                                             \
		"max_links", FIELD_INT, 0, 0, 64, NULL, NULL, NULL, OPT_AT(max_links) \
	}
#define OPT_RELAY                                                             \
	{                                                                     \
		"relay", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL, OPT_AT(relay) \
	}
#define OPT_SECONDS                                                                \
	{                                                                          \
		"seconds", FIELD_INT, 0, 1, 255, NULL, NULL, NULL, OPT_AT(seconds) \
	}

static const struct field scan_options[] = {
	OPT_SERVER,
	OPT_SECONDS,
	{ "ad_types", FIELD_JSON, 0, 0, 0, NULL, NULL, NULL, OPT_AT(ad_types) },
};
static const struct field provision_options[] = {
	OPT_SERVER,
	OPT_ATTEMPTS,
	OPT_RELAY,
	{ "policy", FIELD_ENUM, 0, 0, 0, policies, NULL, NULL, OPT_AT(policy) },
	{ "min_algorithm", FIELD_ENUM, 0, 0, 0, algorithms, NULL, NULL, OPT_AT(min_algorithm) },
	OPT_MAX_LINKS,
	{ "stop_at_failure_percent", FIELD_INT, 0, 0, 100, NULL, NULL, NULL,
	  OPT_AT(stop_at_failure_percent) },
};
static const struct field configure_options[] = { OPT_ATTEMPTS, OPT_RELAY };
static const struct field remove_options[] = { OPT_ATTEMPTS };
static const struct field refresh_options[] = { OPT_ATTEMPTS, OPT_MAX_LINKS };
static const struct field move_options[] = {
	OPT_ATTEMPTS,
	OPT_MAX_LINKS,
	{ "address", FIELD_TEXT, FIELD_NULL, 0, 6, NULL, field_is_address,
	  "a unicast address, as in 0x0100", OPT_AT(address) },
};
static const struct field read_options[] = { OPT_ATTEMPTS };
static const struct field identify_options[] = { OPT_SERVER, OPT_SECONDS };

static const struct {
	const struct field *fields;
	size_t n;
} options_of[DB_JOB_KINDS] = {
	[DB_JOB_SCAN] = { scan_options, ARRAY_LEN(scan_options) },
	[DB_JOB_PROVISION] = { provision_options, ARRAY_LEN(provision_options) },
	[DB_JOB_CONFIGURE] = { configure_options, ARRAY_LEN(configure_options) },
	[DB_JOB_REMOVE] = { remove_options, ARRAY_LEN(remove_options) },
	[DB_JOB_IDENTIFY] = { identify_options, ARRAY_LEN(identify_options) },
	[DB_JOB_REFRESH_DEVICE_KEY] = { refresh_options, ARRAY_LEN(refresh_options) },
	[DB_JOB_REFRESH_ADDRESS] = { move_options, ARRAY_LEN(move_options) },
	[DB_JOB_REFRESH_COMPOSITION] = { refresh_options, ARRAY_LEN(refresh_options) },
	[DB_JOB_READ_COMPOSITION] = { read_options, ARRAY_LEN(read_options) },
};

static bool options_read(json_t *object, struct jobs_request *rq, struct problem *p)
{
	struct db_job_options *out = &rq->options;
	struct options_body b;

	jobs_options_default(out, rq->kind);
	if (!object)
		return true;
	if (!fields_read(object, options_of[rq->kind].fields, options_of[rq->kind].n, "options.",
			 &b, sizeof(b), p))
		return false;
	if (b.policy.s)
		out->policy = (enum db_job_policy)db_job_policy_parse(b.policy.s);
	if (b.min_algorithm.s)
		out->min_algorithm = b.min_algorithm.s == algorithms[1];
	if (b.server.s)
		address_parse(b.server.s, &out->server);
	if (b.address.s)
		address_parse(b.address.s, &out->address);
	if (b.max_links.given)
		out->max_links = (unsigned)b.max_links.v;
	if (b.stop_at_failure_percent.given)
		out->stop_at_failure_percent = (unsigned)b.stop_at_failure_percent.v;
	if (b.attempts.given)
		out->attempts = (unsigned)b.attempts.v;
	if (b.seconds.given)
		out->seconds = (unsigned)b.seconds.v;
	if (b.relay.given)
		out->relay = b.relay.v;
	if (b.ad_types.given)
		return ad_types_read(b.ad_types.v, out, p);
	return true;
}

/* The lists that a request points to. */
struct targets {
	uint8_t (*uuids)[UUID_LEN];
	uint16_t *addresses;
	size_t n_uuids, n_addresses;
};

static bool targets_list(json_t *list, struct targets *t, struct problem *p)
{
	size_t n = json_array_size(list), i;
	char name[32];
	json_t *one;

	if (n == 0 || n > JOBS_TARGETS_MAX)
		return problem_set(p, 400, "invalid_value", "targets",
				   "targets must have 1 to %d members.", JOBS_TARGETS_MAX);
	t->uuids = calloc(n, sizeof(*t->uuids));
	t->addresses = calloc(n, sizeof(*t->addresses));
	if (!t->uuids || !t->addresses)
		return problem_set(p, 503, "unavailable", NULL, "No memory for the targets.");
	json_array_foreach(list, i, one)
	{
		const char *text = json_string_value(one);

		snprintf(name, sizeof(name), "targets[%zu]", i);
		if (!text)
			return problem_set(p, 400, "wrong_type", name, "%s must be a string.",
					   name);
		if (uuid_parse(text, t->uuids[t->n_uuids]))
			t->n_uuids++;
		else if (address_parse(text, &t->addresses[t->n_addresses]))
			t->n_addresses++;
		else
			return problem_set(p, 400, "invalid_value", name,
					   "%s must be a uuid or a unicast address.", name);
	}
	return true;
}

static bool targets_read(json_t *value, struct jobs_request *rq, struct targets *t,
			 struct problem *p)
{
	const char *word = json_string_value(value);

	if (word && strcmp(word, "all") == 0) {
		rq->targets = DB_TARGETS_ALL;
	} else if (word && strcmp(word, "all-trusted") == 0) {
		rq->targets = DB_TARGETS_ALL_TRUSTED;
	} else if (word) {
		return problem_set(p, 400, "invalid_value", "targets",
				   "targets must be \"all-trusted\", \"all\" or a list.");
	} else if (json_is_array(value)) {
		rq->targets = DB_TARGETS_LIST;
		if (!targets_list(value, t, p))
			return false;
		rq->uuids = (const uint8_t(*)[UUID_LEN])t->uuids;
		rq->n_uuids = t->n_uuids;
		rq->addresses = t->addresses;
		rq->n_addresses = t->n_addresses;
	} else {
		return problem_set(p, 400, "wrong_type", "targets",
				   "targets must be a string or a list.");
	}
	return true;
}

struct job_body {
	struct field_text kind;
	struct field_json targets, options;
};

static struct reply create(struct api *api, const struct request *rq, json_t *body)
{
	static const struct field fields[] = {
		{ "kind", FIELD_ENUM, FIELD_REQUIRED, 0, 0, job_kinds, NULL, NULL,
		  offsetof(struct job_body, kind) },
		{ "targets", FIELD_JSON, FIELD_REQUIRED, 0, 0, NULL, NULL, NULL,
		  offsetof(struct job_body, targets) },
		{ "options", FIELD_JSON, 0, 0, 0, NULL, NULL, NULL,
		  offsetof(struct job_body, options) },
	};
	struct jobs_request job = { 0 };
	struct targets targets = { 0 };
	char why[JOBS_WHY] = "";
	struct job_body b;
	struct problem p;
	struct reply r;
	int64_t id = 0;

	if (!fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p))
		return reply_problem(&p);
	job.kind = (enum db_job_kind)db_job_kind_parse(b.kind.s);
	snprintf(job.created_by, sizeof(job.created_by), "%s", rq->who.name);
	if (!options_read(b.options.v, &job, &p) ||
	    !targets_read(b.targets.v, &job, &targets, &p)) {
		r = reply_problem(&p);
	} else {
		enum jobs_rc rc = jobs_create(api->env.jobs, &job, &id, why);

		r = rc == JOBS_OK ? reply_json(202, job_json(api, id))
				  : reply_jobs(rc, why, "options");
		if (rc == JOBS_OK)
			snprintf(r.location, sizeof(r.location), "/api/v1/jobs/%lld",
				 (long long)id);
	}
	free(targets.uuids);
	free(targets.addresses);
	return r;
}

struct reply job_create(struct api *api, const struct request *rq)
{
	struct problem p;
	struct reply r;
	json_t *body = body_parse(rq->body, &p);

	if (!body)
		return reply_problem(&p);
	r = create(api, rq, body);
	json_decref(body);
	return r;
}
