/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: what the API may ask for, and what the server's core tells them. A job is a durable piece
 * of work with one task per device or node; it goes on after a restart where it stood. Nothing
 * here waits: everything runs from timers and from the stack's callbacks, and every write becomes
 * durable by the turn's db_commit().
 */
#ifndef MESHMASON_JOBS_H
#define MESHMASON_JOBS_H

#include "db.h"
#include "db_devices.h"
#include "db_jobs.h"
#include "db_network.h"
#include "db_nodes.h"
#include "mesh.h"
#include "timers.h"

struct jobs;

/* Something that a watcher would want to see again. Only ids: the reader asks the store. */
struct jobs_change {
	enum jobs_change_what {
		JOBS_CHANGE_DEVICE, /* uuid */
		JOBS_CHANGE_NODE,   /* address; gone: removed */
		JOBS_CHANGE_SERVER, /* address: its link, scan or load */
		JOBS_CHANGE_JOB,    /* job */
		JOBS_CHANGE_TASK,   /* job, task */
	} what;
	uint8_t uuid[UUID_LEN];
	uint16_t address;
	int64_t job, task;
	bool gone;
};

/* The answer of a certificate server. */
struct jobs_fetched {
	enum jobs_fetch_end {
		JOBS_FETCH_OK,	    /* an HTTP response: status, type, body */
		JOBS_FETCH_FAILED,  /* silence, a broken connection: later it may go well */
		JOBS_FETCH_REFUSED, /* by our own rules */
	} end;
	int status;
	const char *type; /* Content-Type; "" when there is none */
	struct bytes body;
	const char *why; /* a sentence, unless JOBS_FETCH_OK */
};
typedef void jobs_fetched_fn(void *ctx, const struct jobs_fetched *f);

struct jobs_env {
	struct db *db;
	struct mesh *mesh;
	struct timers *mesh_timers; /* mesh time: links, limits, back-offs */
	struct timers *real_timers; /* write-behind of what is only shown */
	int64_t (*wall)(void *ctx); /* Unix milliseconds */
	void (*random)(void *ctx, void *out, size_t n);
	/* Comes at once, possibly many times for one thing: the sink coalesces. Must not call back.
	 */
	void (*changed)(void *ctx, const struct jobs_change *c);
	/* May be NULL: work begins (true) or ends (false), for the pace of a simulation. */
	void (*busy)(void *ctx, bool busy);
	/* GET of an HTTPS URL; done comes later, once, never from within. Its number, 0 when there
	 * is no room now. May be NULL: nothing is ever fetched. */
	uint64_t (*fetch)(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx);
	void (*fetch_cancel)(void *ctx, uint64_t number);
	void *ctx;
};

/* ---- start ---- */

/* What the stack needs to start: the network's birth when the store is empty (*born), else what the
 * store says. False: the store failed. */
bool jobs_network_boot(struct db *db, void (*random)(void *ctx, void *out, size_t n), void *ctx,
		       int64_t now, struct mesh_boot *out, bool *born);
/* Gives the new stack its keys, nodes and replay rows. */
bool jobs_network_restore(struct db *db, struct mesh *mesh);

/* Copies env. Loads the anchors and takes up the jobs that have not ended: their first steps run
 * from timers. NULL when the store fails. */
struct jobs *jobs_new(const struct jobs_env *env);
/* Drops everything at once and silently, as a crash would. */
void jobs_free(struct jobs *j);
/* No job is queued or running. */
bool jobs_idle(const struct jobs *j);

/* ---- from the stack, forwarded by the server's core (see struct mesh_env) ---- */

void jobs_heard_unprovisioned(struct jobs *j, const struct mesh_unprovisioned *beacon);
/* Any advertising report, of a mesh or not. */
void jobs_heard_advertising(struct jobs *j, const uint8_t address[6], struct bytes ads);
void jobs_node_heard(struct jobs *j, uint16_t address, uint8_t ttl);
void jobs_candidate_used(struct jobs *j, uint16_t address);

/* ---- from the API ---- */

enum jobs_rc {
	JOBS_OK,
	JOBS_NOT_FOUND,	  /* no such job, device or node; why names it */
	JOBS_CONFLICT,	  /* not in this state; another job has it */
	JOBS_BAD_TARGETS, /* empty, too many, of the wrong sort for the kind */
	JOBS_BAD_OPTION,  /* why names the field */
	JOBS_STORE,	  /* the store failed */
};

enum { JOBS_WHY = 256, JOBS_TARGETS_MAX = 32767 };

struct jobs_request {
	enum db_job_kind kind;
	enum db_job_targets targets; /* DB_TARGETS_LIST: one or both of the arrays */
	const uint8_t (*uuids)[UUID_LEN];
	size_t n_uuids;
	const uint16_t *addresses;
	size_t n_addresses;
	struct db_job_options options;
	char created_by[DB_NAME];
};

/* The defaults of every option: fill before parsing the caller's. */
void jobs_options_default(struct db_job_options *out, enum db_job_kind kind);
/* On anything but JOBS_OK nothing was changed and why holds a sentence. */
enum jobs_rc jobs_create(struct jobs *j, const struct jobs_request *rq, int64_t *id,
			 char why[JOBS_WHY]);
enum jobs_rc jobs_pause(struct jobs *j, int64_t id, char why[JOBS_WHY]);
enum jobs_rc jobs_resume(struct jobs *j, int64_t id, char why[JOBS_WHY]);
enum jobs_rc jobs_cancel(struct jobs *j, int64_t id, char why[JOBS_WHY]);
/* Takes up the failed tasks of an ended or running job again. */
enum jobs_rc jobs_retry(struct jobs *j, int64_t id, char why[JOBS_WHY]);

/* Trust anchors: checks, stores and uses from now on. der is one certificate. JOBS_CONFLICT: it is
 * there already (*id is its id); JOBS_BAD_OPTION: it cannot anchor a device certificate. */
enum jobs_rc jobs_anchor_add(struct jobs *j, struct bytes der, const char *name, const char *by,
			     int64_t *id, char why[JOBS_WHY]);
/* Checks only. */
enum jobs_rc jobs_anchor_check(struct jobs *j, struct bytes der, struct db_certificate *facts,
			       char why[JOBS_WHY]);
enum jobs_rc jobs_anchor_delete(struct jobs *j, int64_t id);
/* Splits PEM text (one or many certificates) or one DER; the number found, -1 for neither. */
int jobs_certificates_each(struct bytes text, void (*each)(void *ctx, struct bytes der), void *ctx);

/* The revocation list of an anchor: PEM or DER, signed by it, and not older than the one that is
 * there. JOBS_BAD_OPTION with a sentence in why; JOBS_NOT_FOUND. */
enum jobs_rc jobs_crl_set(struct jobs *j, int64_t anchor, struct bytes text, char why[JOBS_WHY]);
enum jobs_rc jobs_crl_delete(struct jobs *j, int64_t anchor);

/* What a certificate, or a device, would get from a provision job now. */
struct jobs_verdict {
	enum jobs_verdict_is {
		JOBS_VERDICT_TRUSTED,
		JOBS_VERDICT_REFUSED,
		JOBS_VERDICT_UNKNOWN
	} is;
	const char *code, *advice; /* NULL: none */
	char message[JOBS_WHY];
	int64_t anchor; /* 0: none */
	struct db_certificate facts;
	enum jobs_verdict_source {
		JOBS_FROM_NOWHERE,
		JOBS_FROM_REQUEST,
		JOBS_FROM_LIST,	  /* imported */
		JOBS_FROM_CACHE,  /* fetched before from its maker's site */
		JOBS_FROM_DEVICE, /* read from it before */
	} source;
};
/* der: the device's own first, then intermediates. uuid NULL: for the device that it names. */
enum jobs_rc jobs_certificate_check(struct jobs *j, const uint8_t *uuid, const struct bytes *der,
				    size_t n, struct jobs_verdict *out);
enum jobs_rc jobs_device_check(struct jobs *j, const uint8_t uuid[UUID_LEN],
			       struct jobs_verdict *out);
/* What the list says a device is; -1: nothing. */
enum jobs_rc jobs_device_set_product(struct jobs *j, const uint8_t uuid[UUID_LEN], int company,
				     int product);
void jobs_device_product(struct jobs *j, const uint8_t uuid[UUID_LEN], int *company, int *product);

/* Devices: the API writes through these so that running jobs know. */
enum jobs_rc jobs_device_put(struct jobs *j, const struct db_device *d);
enum jobs_rc jobs_device_set_certificate(struct jobs *j, const uint8_t uuid[UUID_LEN],
					 struct bytes der, char why[JOBS_WHY]);
enum jobs_rc jobs_device_delete(struct jobs *j, const uint8_t uuid[UUID_LEN]);
enum jobs_rc jobs_node_set_label(struct jobs *j, uint16_t address, const char *name,
				 const char *area, const char *profile); /* NULL: leave */
/* What a move of a node would be; nothing is changed. to 0: the lowest free range. */
struct jobs_move {
	uint16_t from, to;
	uint8_t elements;
	bool free;
	char reason[JOBS_WHY];	  /* why it is not; "" */
	uint16_t quarantine_last; /* what it leaves: from up to here */
};
enum jobs_rc jobs_node_move(struct jobs *j, uint16_t address, uint16_t to, struct jobs_move *out);
/* Brings the store up to date with sightings and last-heard times held in memory. Lists call it
 * before they read; cheap when nothing is new. */
void jobs_flush(struct jobs *j);

/* ---- a person is asked: output and input OOB of waiting links ---- */

struct jobs_prompt {
	int64_t task, job;
	uint8_t uuid[UUID_LEN];
	uint16_t server;
	const char *method;	/* "output-oob", "input-oob" */
	const char *action;	/* "blink", "beep", "vibrate", "push", "twist", "number", "text" */
	const char *type;	/* "numeric", "alphanumeric", "count" */
	unsigned size;		/* digits or characters at most */
	const char *value;	/* input-oob: to be entered at the device; NULL for output-oob */
	int64_t asked, expires; /* Unix milliseconds */
	unsigned seconds_left;
};
void jobs_prompts(const struct jobs *j, void (*each)(void *ctx, const struct jobs_prompt *p),
		  void *ctx);
/* False: this task asks nobody now. */
bool jobs_prompt_get(const struct jobs *j, int64_t task, struct jobs_prompt *out);
/* JOBS_NOT_FOUND: it never asked; JOBS_CONFLICT: no longer; JOBS_BAD_OPTION: text cannot be what
 * the device shows, and it still asks. */
enum jobs_rc jobs_prompt_answer(struct jobs *j, int64_t task, const char *text, char why[JOBS_WHY]);
enum jobs_rc jobs_prompt_cancel(struct jobs *j, int64_t task, char why[JOBS_WHY]);
/* At least one is open: a simulation is no faster than the person. */
bool jobs_prompting(const struct jobs *j);

/* ---- what only memory knows ---- */

struct jobs_server {
	uint16_t address; /* our own: the local radio */
	bool local;
	int hops;
	unsigned links_open, links_max;
	bool has_device; /* the device of its link (remote servers) */
	uint8_t device[UUID_LEN];
	bool scanning;
	bool lost;		    /* silent: retried from time to time */
	unsigned sightings;	    /* devices that it hears now */
	unsigned succeeded, failed; /* links since start */
	uint64_t latency_us;	    /* from PDU Send to Outbound Report; 0 not known */
};
/* DB_NONE semantics: false when the address is no server. */
bool jobs_server_get(const struct jobs *j, uint16_t address, struct jobs_server *out);
/* All of them, the local radio first, then by address. */
void jobs_servers(const struct jobs *j, void (*each)(void *ctx, const struct jobs_server *s),
		  void *ctx);

/* An estimate for the progress bar: milliseconds of mesh time to the job's end; -1 unknown. */
int64_t jobs_time_left(const struct jobs *j, int64_t job);

/* ---- words ---- */

/* One table of all ways a task can fail: a stable code, a sentence, and what to do next. */
struct jobs_reason {
	const char *code, *message, *advice;
};
const struct jobs_reason *jobs_reasons(size_t *n);
/* NULL: no such code. */
const struct jobs_reason *jobs_reason(const char *code);

/* Composition Data page 0 of a node's row, decoded for showing. */
enum { JOBS_ELEMENTS_MAX = 32, JOBS_MODELS_MAX = 64 };
struct jobs_model {
	uint16_t id;
	bool vendor;
	uint16_t company; /* of a vendor model */
	const char *name; /* NULL: not known by name */
};
struct jobs_element {
	uint16_t address, location;
	size_t n_models;
	struct jobs_model models[JOBS_MODELS_MAX];
};
struct jobs_composition {
	uint16_t company, product, version, replay_list, features;
	size_t n_elements;
	struct jobs_element elements[JOBS_ELEMENTS_MAX];
};
/* False when there is none, or it is malformed. */
bool jobs_composition(const struct db_node *node, struct jobs_composition *out);
/* "Configuration Server"; NULL for an unknown one. */
const char *jobs_model_name(uint16_t sig_model);

#endif
