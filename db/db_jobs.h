/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and their tasks: durable, one row for each step reached. Only server/jobs writes here. */
#ifndef MESHMASON_DB_JOBS_H
#define MESHMASON_DB_JOBS_H

#include "db.h"

enum db_job_kind {
	DB_JOB_SCAN,
	DB_JOB_PROVISION,
	DB_JOB_CONFIGURE,
	DB_JOB_REMOVE,
	DB_JOB_IDENTIFY,
	DB_JOB_REFRESH_DEVICE_KEY,
	DB_JOB_REFRESH_ADDRESS,
	DB_JOB_REFRESH_COMPOSITION,
	DB_JOB_READ_COMPOSITION,
	DB_JOB_KINDS,
};
enum db_job_state {
	DB_JOB_QUEUED,
	DB_JOB_RUNNING,
	DB_JOB_PAUSED,
	DB_JOB_SUCCEEDED, /* from here on it has ended */
	DB_JOB_PARTIAL,
	DB_JOB_FAILED,
	DB_JOB_CANCELLED,
};
enum db_job_targets { DB_TARGETS_LIST, DB_TARGETS_ALL, DB_TARGETS_ALL_TRUSTED };
enum db_job_policy {
	DB_POLICY_CERTIFICATE,
	DB_POLICY_STATIC_OOB,
	DB_POLICY_NONE,
	DB_POLICY_OUTPUT_OOB,
	DB_POLICY_INPUT_OOB,
};

/* Names as in the contract: "scan", "succeeded", "all-trusted", "static-oob". The parsers return
 * -1 for anything else. */
const char *db_job_kind_name(enum db_job_kind kind);
const char *db_job_state_name(enum db_job_state state);
const char *db_job_policy_name(enum db_job_policy policy);
int db_job_kind_parse(const char *text);
int db_job_state_parse(const char *text);
int db_job_policy_parse(const char *text);

enum { DB_AD_TYPES = 16 };

struct db_job_options {
	enum db_job_policy policy;
	int min_algorithm;		  /* -1 by policy, 0 cmac, 1 hmac-sha256 */
	unsigned max_links;		  /* 0 automatic */
	unsigned stop_at_failure_percent; /* 20; 0 never */
	unsigned attempts;		  /* per task; 0: 3 */
	uint16_t server;		  /* only through this one; 0 any */
	bool relay;			  /* switch relays on as it goes */
	unsigned seconds;		  /* scan: how long; identify: attention; 0 by kind */
	char profile[DB_NAME];		  /* "" default */
	uint16_t address;		  /* refresh-address: first of the new range; 0 any */
	uint8_t n_ad_types;		  /* scan: an extended one, for these AD types */
	uint8_t ad_types[DB_AD_TYPES];
};

struct db_job {
	int64_t id;
	enum db_job_kind kind;
	enum db_job_state state;
	enum db_job_targets targets;
	struct db_job_options options;
	int64_t created, started, ended; /* Unix milliseconds; 0 not yet */
	char created_by[DB_NAME];
	unsigned links_open, links_peak;
	char error_code[DB_CODE], error_message[DB_MESSAGE]; /* why the job stopped by itself */
	/* read only, counted from its tasks */
	int64_t total, succeeded, failed, running, waiting, cancelled;
};

enum db_task_state {
	DB_TASK_WAITING,
	DB_TASK_RUNNING,
	DB_TASK_SUCCEEDED, /* from here on it has ended */
	DB_TASK_FAILED,
	DB_TASK_CANCELLED,
};
const char *db_task_state_name(enum db_task_state state);
int db_task_state_parse(const char *text);

/* Durations by phase, milliseconds of mesh time, of the last attempt. */
enum db_phase {
	DB_PHASE_LINK,	    /* open_link */
	DB_PHASE_RECORDS,   /* certificates over the link, and their check */
	DB_PHASE_EXCHANGE,  /* invite to key agreed */
	DB_PHASE_DATA,	    /* Provisioning Data to link closed */
	DB_PHASE_PROVE,	    /* first answer under the new key */
	DB_PHASE_CONFIGURE, /* the profile */
	DB_PHASES,
};
const char *db_phase_name(enum db_phase phase);

enum { DB_STEP = 24 };

struct db_task {
	int64_t id, job;
	bool has_uuid;
	uint8_t uuid[UUID_LEN];
	uint16_t address; /* of the node: the target, or what it became; 0 none yet */
	enum db_task_state state;
	char step[DB_STEP];
	unsigned attempts;
	uint16_t server; /* used last; our own address: the local radio; 0 none yet */
	int rssi;	 /* of the device at that server; 127 unknown */
	int64_t created, started, ended; /* Unix milliseconds; 0 not yet */
	uint32_t phase_ms[DB_PHASES];
	uint16_t new_address;	     /* refresh-address: where it moves to; 0 none */
	char method[DB_STEP];	     /* how it was authenticated, "output-oob"; "" not yet */
	char method_why[DB_MESSAGE]; /* why this method, in a sentence */
	char error_code[DB_CODE], error_message[DB_MESSAGE];
};

enum db_rc db_job_insert(struct db *db, const struct db_job *j, int64_t *id);
enum db_rc db_job_get(struct db *db, int64_t id, struct db_job *out);
enum db_rc db_job_update(struct db *db, const struct db_job *j);
struct db_job_filter {
	int kind, state; /* -1 any */
	bool active;	 /* only those that have not ended */
};
/* Sorts: "id" (default), "created", "ended". */
enum db_rc db_jobs(struct db *db, const struct db_job_filter *f, const struct db_page *page,
		   void (*each)(void *ctx, const struct db_job *j), void *ctx,
		   char next[DB_CURSOR]);
enum db_rc db_job_count(struct db *db, const struct db_job_filter *f, int64_t *out);

enum db_rc db_task_insert(struct db *db, const struct db_task *t, int64_t *id);
enum db_rc db_task_get(struct db *db, int64_t id, struct db_task *out);
enum db_rc db_task_update(struct db *db, const struct db_task *t);
struct db_task_filter {
	int64_t job;	     /* 0: any */
	int state;	     /* -1 any */
	const char *code;    /* error code; NULL: any */
	const uint8_t *uuid; /* NULL: any */
	uint16_t address;    /* 0: any */
};
/* Sorts: "id" (default), "state", "ended", "attempts". */
enum db_rc db_tasks(struct db *db, const struct db_task_filter *f, const struct db_page *page,
		    void (*each)(void *ctx, const struct db_task *t), void *ctx,
		    char next[DB_CURSOR]);
enum db_rc db_task_count(struct db *db, const struct db_task_filter *f, int64_t *out);

/* Links that a crash may leave open on servers: written before the Link Open leaves. */
enum db_rc db_link_put(struct db *db, uint16_t server, const uint8_t uuid[UUID_LEN]);
enum db_rc db_link_delete(struct db *db, uint16_t server);
enum db_rc db_links(struct db *db,
		    void (*each)(void *ctx, uint16_t server, const uint8_t uuid[UUID_LEN]),
		    void *ctx);

#endif
