/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which enums appear in the contract. */
#include <string.h>

#include "db_auth.h"
#include "db_jobs.h"

static const char *const kinds[DB_JOB_KINDS] = {
	[DB_JOB_SCAN] = "scan",
	[DB_JOB_PROVISION] = "provision",
	[DB_JOB_CONFIGURE] = "configure",
	[DB_JOB_REMOVE] = "remove",
	[DB_JOB_IDENTIFY] = "identify",
	[DB_JOB_REFRESH_DEVICE_KEY] = "refresh-device-key",
	[DB_JOB_REFRESH_ADDRESS] = "refresh-address",
	[DB_JOB_REFRESH_COMPOSITION] = "refresh-composition",
	[DB_JOB_READ_COMPOSITION] = "read-composition",
};
static const char *const states[] = {
	[DB_JOB_QUEUED] = "queued",	  [DB_JOB_RUNNING] = "running", [DB_JOB_PAUSED] = "paused",
	[DB_JOB_SUCCEEDED] = "succeeded", [DB_JOB_PARTIAL] = "partial", [DB_JOB_FAILED] = "failed",
	[DB_JOB_CANCELLED] = "cancelled",
};
static const char *const policies[] = {
	[DB_POLICY_CERTIFICATE] = "certificate",
	[DB_POLICY_STATIC_OOB] = "static-oob",
	[DB_POLICY_NONE] = "none",
	[DB_POLICY_OUTPUT_OOB] = "output-oob",
	[DB_POLICY_INPUT_OOB] = "input-oob",
};
static const char *const task_states[] = {
	[DB_TASK_WAITING] = "waiting",	   [DB_TASK_RUNNING] = "running",
	[DB_TASK_SUCCEEDED] = "succeeded", [DB_TASK_FAILED] = "failed",
	[DB_TASK_CANCELLED] = "cancelled",
};
static const char *const phases[DB_PHASES] = {
	[DB_PHASE_LINK] = "link",	  [DB_PHASE_RECORDS] = "records",
	[DB_PHASE_EXCHANGE] = "exchange", [DB_PHASE_DATA] = "data",
	[DB_PHASE_PROVE] = "prove",	  [DB_PHASE_CONFIGURE] = "configure",
};
static const char *const roles[] = {
	[DB_ROLE_VIEWER] = "viewer",
	[DB_ROLE_INSTALLER] = "installer",
	[DB_ROLE_ADMIN] = "admin",
};

static int find(const char *const *names, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], text) == 0)
			return (int)i;
	return -1;
}

const char *db_job_kind_name(enum db_job_kind kind)
{
	return kinds[kind];
}

const char *db_job_state_name(enum db_job_state state)
{
	return states[state];
}

const char *db_job_policy_name(enum db_job_policy policy)
{
	return policies[policy];
}

int db_job_kind_parse(const char *text)
{
	return find(kinds, ARRAY_LEN(kinds), text);
}

int db_job_state_parse(const char *text)
{
	return find(states, ARRAY_LEN(states), text);
}

int db_job_policy_parse(const char *text)
{
	return find(policies, ARRAY_LEN(policies), text);
}

const char *db_task_state_name(enum db_task_state state)
{
	return task_states[state];
}

int db_task_state_parse(const char *text)
{
	return find(task_states, ARRAY_LEN(task_states), text);
}

const char *db_phase_name(enum db_phase phase)
{
	return phases[phase];
}

const char *db_role_name(enum db_role role)
{
	return roles[role];
}

int db_role_parse(const char *text)
{
	return find(roles, ARRAY_LEN(roles), text);
}
