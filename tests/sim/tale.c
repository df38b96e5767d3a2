/* SPDX-License-Identifier: Apache-2.0 */
#include "tale.h"

#include <stdlib.h>

#include "building_file.h"
#include "building_plan.h"
#include "check.h"

uint64_t tale_draw(struct tale *t, uint64_t below) /* SplitMix64 */
{
	uint64_t z = (t->random += 0x9E3779B97F4A7C15u);

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (z ^ z >> 31) % below;
}

bool tale_chance(struct tale *t, unsigned percent)
{
	return tale_draw(t, 100) < percent;
}

void tale_note(struct tale *t, const char *format, ...)
{
	size_t n = strlen(t->told);
	va_list args;

	va_start(args, format);
	vsnprintf(t->told + n, sizeof(t->told) - n, format, args);
	va_end(args);
}

void tale_fail(const struct tale *t, const char *what, const char *detail)
{
	fail_msg("%s %s\n  MESHMASON_SEED=%llu repeats it\n  %s\n  %s", what, detail,
		 (unsigned long long)t->seed, t->keys, t->told);
}

/* ---- the building ---- */

static void add_key(struct tale *t, const char *name, unsigned value, const char *unit)
{
	size_t n = strlen(t->keys);

	if (value)
		snprintf(t->keys + n, sizeof(t->keys) - n, ",%s=%u%s", name, value, unit);
}

/* No more than one fault that only a server can have: the others must still reach everybody. */
static void draw_faults(struct tale *t)
{
	bool of_server = false;

	for (unsigned n = (unsigned)tale_draw(t, 3); n > 0; n--) {
		enum device_fault f = 1 + (enum device_fault)tale_draw(t, DEVICE_FAULTS - 1);
		bool is_servers = f >= DEVICE_NPPI_UNCOMMITTED;

		if (strstr(t->keys, building_fault_name(f)) || (is_servers && of_server))
			continue;
		of_server |= is_servers;
		add_key(t, building_fault_name(f), 1, "");
	}
	add_key(t, "fault_times", 1 + (unsigned)tale_draw(t, 2), "");
	add_key(t, "faults_in_refresh", tale_chance(t, 15), "");
}

static void draw_building(struct tale *t)
{
	unsigned *bad[] = { &t->untrusted, &t->expired, &t->misnamed, &t->absent };

	*t->keys = 0;
	t->devices = 5 + (unsigned)tale_draw(t, 4);
	t->policy = tale_chance(t, 20) ? DB_POLICY_OUTPUT_OOB : DB_POLICY_CERTIFICATE;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		*bad[i] = t->policy == DB_POLICY_CERTIFICATE && tale_chance(t, 12);
	snprintf(t->keys, sizeof(t->keys), "devices=%u,floors=%u,spacing_m=%u,loss=0.%02u",
		 t->devices, 1 + (unsigned)tale_draw(t, 2), 3 + (unsigned)tale_draw(t, 10),
		 (unsigned)tale_draw(t, 31));
	add_key(t, "servers", 60 + (unsigned)tale_draw(t, 40), "%");
	add_key(t, "large_composition", (unsigned)tale_draw(t, 60), "%");
	add_key(t, "composition_change", (unsigned)tale_draw(t, 2), "");
	add_key(t, "duplicates", tale_chance(t, 30) ? (unsigned)tale_draw(t, 20) : 0, "%");
	add_key(t, "reorders", tale_chance(t, 30) ? (unsigned)tale_draw(t, 20) : 0, "%");
	add_key(t, "attackers", tale_chance(t, 10), "");
	if (t->policy == DB_POLICY_OUTPUT_OOB) {
		snprintf(t->keys + strlen(t->keys), 8, ",cbp=0");
		add_key(t, "oob_prompt", t->devices, "");
	} else {
		add_key(t, "static_oob", (unsigned)tale_draw(t, 50), "%");
		add_key(t, "uri", tale_chance(t, 30) ? (unsigned)tale_draw(t, 60) : 0, "%");
	}
	add_key(t, "untrusted", t->untrusted, "");
	add_key(t, "expired", t->expired, "");
	add_key(t, "misnamed", t->misnamed, "");
	add_key(t, "absent", t->absent, "");
	draw_faults(t);
}

/* It can be made, and every device can be heard, though perhaps only through others. */
static bool is_possible(const struct tale *t)
{
	struct building_keys keys = building_keys_default();
	struct building_file file;
	char error[BUILDING_ERROR];
	bool good;

	keys.seed = t->seed;
	if (!building_keys_parse(&keys, t->keys, error))
		tale_fail(t, "a key is not known:", error);
	if (!building_plan(&keys, &file, error))
		return false;
	good = building_reach(&file, NULL) == 0;
	building_file_free(&file);
	return good;
}

void tale_make(struct tale *t)
{
	do
		draw_building(t);
	while (!is_possible(t));
	t->w = world_new(t->seed, t->keys);
	t->outside = outside_new(t->w);
	world_start(t->w);
}

/* ---- judgement ---- */

struct verdict {
	struct tale *t;
	enum db_job_kind kind;
	unsigned failed, certificate[3];
};

static const char *const certificate_codes[3] = { "certificate_untrusted", "certificate_expired",
						  "certificate_uuid_mismatch" };

/* What any task may end with in a disturbed building. */
static const char *const link_codes[] = { "link_open_failed",
					  "link_lost",
					  "timeout",
					  "server_lost",
					  "not_heard",
					  "cancelled",
					  "node_gone",
					  "configuration_failed",
					  NULL };
static const char *const refresh_codes[] = { "refresh_not_supported", "refresh_unresolved", NULL };

static bool is_any(const char *code, const char *const *codes)
{
	while (*codes && strcmp(code, *codes) != 0)
		codes++;
	return *codes;
}

/* Only a device that lies ends with a code that says so. */
static const char *code_of_fault(enum device_fault fault)
{
	switch (fault) {
	case DEVICE_KEY_REFLECTED:
	case DEVICE_KEY_OFF_CURVE:
	case DEVICE_KEY_ZERO:
		return "key_invalid";
	case DEVICE_CONFIRMATION_REFLECTED:
	case DEVICE_CONFIRMATION_WRONG:
	case DEVICE_RANDOM_REFLECTED:
		return "auth_failed";
	case DEVICE_RECORD_OVERSIZE:
	case DEVICE_RECORD_CHANGES:
	case DEVICE_RECORD_DISORDER:
	case DEVICE_RECORD_OVERLAP:
		return "records_error";
	case DEVICE_NPPI_UNCOMMITTED:
	case DEVICE_NPPI_UNANSWERED:
		return "device_refused";
	case DEVICE_SOUND:
	case DEVICE_DEAD:
	case DEVICE_SILENT:
	case DEVICE_REBOOT_INVITE:
	case DEVICE_REBOOT_START:
	case DEVICE_REBOOT_KEY:
	case DEVICE_REBOOT_CONFIRMATION:
	case DEVICE_REBOOT_RANDOM:
	case DEVICE_REBOOT_DATA:
	case DEVICE_REBOOT_COMPLETE:
	case DEVICE_SLOW_FLASH:
	case DEVICE_VANISHES:
	case DEVICE_SERVER_REBOOT:
	case DEVICE_FAULTS:
		break;
	}
	return "";
}

static const struct device_make *make_of(const struct tale *t, const uint8_t uuid[UUID_LEN])
{
	const struct building *b = world_building(t->w);

	for (size_t i = 0; i < building_count(b); i++)
		if (memcmp(building_make_of(b, i)->uuid, uuid, UUID_LEN) == 0)
			return building_make_of(b, i);
	return NULL; /* an attacker pretends to be one */
}

static bool is_right(struct verdict *v, const struct db_task *task)
{
	const char *code = task->error_code;
	const struct device_make *make;
	bool is_refresh = v->kind >= DB_JOB_REFRESH_DEVICE_KEY;
	bool right = is_any(code, link_codes) || (is_refresh && is_any(code, refresh_codes));

	for (size_t i = 0; i < ARRAY_LEN(certificate_codes); i++) {
		bool is = strcmp(code, certificate_codes[i]) == 0 && v->kind == DB_JOB_PROVISION;

		v->certificate[i] += is;
		right |= is;
	}
	if (!task->has_uuid)
		return right;
	make = make_of(v->t, task->uuid);
	if (!make)
		return strstr(v->t->keys, "attackers");
	if (!strcmp(code, "refresh_not_supported"))
		return !make->server;
	if (!strcmp(code, "certificate_absent"))
		return !make->certificates;
	return right || !strcmp(code, code_of_fault(make->fault));
}

static void judge_task(void *ctx, const struct db_task *task)
{
	struct verdict *v = ctx;
	char what[96];

	if (task->state < DB_TASK_SUCCEEDED)
		tale_fail(v->t, "a task has not ended:", task->step);
	if (task->state == DB_TASK_SUCCEEDED) {
		check_str(task->error_code, "");
		return;
	}
	if (strlen(task->error_message) < 10)
		tale_fail(v->t, "a task says nothing but", task->error_code);
	v->failed += task->state == DB_TASK_FAILED;
	snprintf(what, sizeof(what), "%s %s of %s", db_job_kind_name(v->kind), task->error_code,
		 task->has_uuid && make_of(v->t, task->uuid) ? make_of(v->t, task->uuid)->name
							     : "another");
	if (!is_right(v, task))
		tale_fail(v->t, "this code is not right here:", what);
}

unsigned tale_judge(struct tale *t, int64_t id)
{
	struct db_task_filter filter = { .job = id, .state = -1 };
	struct db_page page = { .limit = 100 };
	struct db_job job = story_job(t->w, id);
	struct verdict v = { .t = t, .kind = job.kind };
	char next[DB_CURSOR];

	check_int(db_tasks(story_db(t->w), &filter, &page, judge_task, &v, next), DB_OK);
	if (v.certificate[0] > t->untrusted || v.certificate[1] > t->expired ||
	    v.certificate[2] > t->misnamed)
		tale_fail(t, "a good certificate is refused", "");
	for (size_t i = 0; i < ARRAY_LEN(v.certificate); i++)
		if (v.certificate[i] > t->refused[i])
			t->refused[i] = v.certificate[i];
	return v.failed;
}

void tale_note_strays(struct tale *t)
{
	for (size_t i = 0; i < building_count(world_building(t->w)); i++) {
		const struct device_make *make = building_make_of(world_building(t->w), i);
		struct db_node row;
		bool is_node = db_node_get_uuid(story_db(t->w), make->uuid, &row) == DB_OK;

		if ((!is_node && story_address(t->w, i) && story_let_go(t->w, i)) ||
		    (is_node && make->fault == DEVICE_VANISHES &&
		     row.refresh.step != DB_REFRESH_NONE))
			world_stray(t->w, i);
	}
}

/* It joins in the end, unless its certificate is bad. */
static bool is_good(const struct device_make *make)
{
	switch (make->fault) {
	case DEVICE_SOUND:
	case DEVICE_REBOOT_INVITE:
	case DEVICE_REBOOT_START:
	case DEVICE_REBOOT_KEY:
	case DEVICE_REBOOT_CONFIRMATION:
	case DEVICE_REBOOT_RANDOM:
	case DEVICE_REBOOT_DATA:
	case DEVICE_REBOOT_COMPLETE:
	case DEVICE_SLOW_FLASH:
	case DEVICE_NPPI_UNCOMMITTED:
	case DEVICE_NPPI_UNANSWERED:
	case DEVICE_SERVER_REBOOT:
		return true;
	case DEVICE_DEAD:
	case DEVICE_SILENT:
	case DEVICE_KEY_REFLECTED:
	case DEVICE_KEY_OFF_CURVE:
	case DEVICE_KEY_ZERO:
	case DEVICE_CONFIRMATION_REFLECTED:
	case DEVICE_CONFIRMATION_WRONG:
	case DEVICE_RANDOM_REFLECTED:
	case DEVICE_RECORD_OVERSIZE:
	case DEVICE_RECORD_CHANGES:
	case DEVICE_RECORD_DISORDER:
	case DEVICE_RECORD_OVERLAP:
	case DEVICE_VANISHES:
	case DEVICE_FAULTS:
		break;
	}
	return false;
}

bool tale_is_whole(struct tale *t)
{
	unsigned out = 0;

	for (size_t i = 0; i < building_count(world_building(t->w)); i++)
		out += is_good(building_make_of(world_building(t->w), i)) &&
		       !story_address(t->w, i);
	return out == t->untrusted + t->expired + t->misnamed + t->absent &&
	       t->refused[0] == t->untrusted && t->refused[1] == t->expired &&
	       t->refused[2] == t->misnamed;
}
