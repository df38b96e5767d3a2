/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share. Devices (devices.c) and servers (reach.c) are what memory
 * knows of the air; surveys (survey.c) keep it fresh; a session (session.c) is one link; jobs and
 * tasks are rows in memory that only the runner (runner.c) moves.
 */
#ifndef MESHMASON_CORE_JOBS_H
#define MESHMASON_CORE_JOBS_H

#include "assign.h"
#include "certificate.h"
#include "config_client.h"
#include "jobs.h"
#include "provisioner.h"
#include "reasons.h"
#include "remote_prov_extended.h"

enum { DEVICE_SIGHTINGS = 8, DEVICE_BUCKETS = 1024, LISTEN_AT_ONCE = 8 };

struct task;
struct job;
struct session;
struct refresh_work;
struct refresh_prober;
struct page_reader;

/* A device that was heard, or is expected by a running job. */
struct device {
	uint8_t uuid[UUID_LEN];
	uint16_t oob_info;
	bool has_uri_hash, heard, listed;
	uint32_t uri_hash;
	uint64_t first_heard, last_heard; /* mesh time */
	int64_t heard_wall;
	bool is_node;	     /* joined, by the store */
	uint64_t node_since; /* mesh time when it joined; late reports are of before */
	struct device_sighting {
		uint16_t server;
		int rssi;
		uint64_t when; /* mesh time */
		int64_t wall;
		uint32_t count;
		bool dirty;
	} sighting[DEVICE_SIGHTINGS];
	size_t n_sightings;
	bool dirty;		 /* something here is newer than the store */
	struct task *task;	 /* of the provision job */
	struct session *session; /* the link that it has now */
	unsigned held;		 /* tasks that point here: it may not be forgotten */
	struct device *next, *next_dirty;
	struct device *older, *newer; /* by when something was last heard of it */
};

/* A Remote Provisioning Server, or the local radio. */
struct server {
	struct jobs *jobs;
	uint16_t address;
	bool local, relays;
	bool gone;	  /* removed while it held links: freed with the last */
	bool no_extended; /* its software does not survive an extended scan of a device */
	bool unclean;	  /* a link of an earlier life, or a lost one, may be open there */
	bool locked;	  /* it is being refreshed: nothing else is asked of it */
	unsigned max_items;
	unsigned links_open, links_max;
	unsigned asking;       /* of these, who wait for a person: they need no air */
	struct device *device; /* of its link */
	unsigned succeeded, failed, recent_failures;
	unsigned silences;     /* in a row */
	uint64_t silent_until; /* not asked before */
	unsigned ttl_boost;
	uint64_t latency;
	/* survey */
	enum server_call {
		SERVER_IDLE,
		SERVER_CLEANING,
		SERVER_STARTING,
		SERVER_SCANNING,
		SERVER_EXTENDED
	} busy;
	struct rpr_call call;
	struct timer timer;
	uint8_t scan_seconds;
	unsigned reports, repeats;
	uint64_t scanned_at; /* end of the last whole scan; 0 never */
	uint64_t round;	     /* the survey round that it has done */
	bool wanted;	     /* a scan was asked for */
	bool wanted_one;     /* for this device only */
	uint8_t wanted_uuid[UUID_LEN];
	struct task *scan_task;
	struct server *next;
};

/* Last authenticated word of each node, by address. */
struct presence {
	struct server *server; /* when it serves */
	int64_t wall;
	int8_t hops;
	uint8_t default_ttl; /* 0: no such node, or not known */
	uint8_t farther;     /* times in a row that it seemed farther */
	bool dirty;
};

struct survey {
	uint64_t round; /* number of the running round */
	uint64_t since; /* its start, mesh time */
	uint64_t news;	/* last news, mesh time */
	unsigned quiet; /* whole rounds without news */
	bool running;
};

/* What a person is asked while a task's link waits for it. */
struct prompt {
	bool open, given_up;
	uint8_t method, action, size;
	char value[PROV_OOB_TEXT]; /* input: what is to be entered at the device */
	int64_t asked;		   /* Unix milliseconds */
	uint64_t until;		   /* mesh time */
};

/* The running state of a task: links, calls and what they learnt. */
struct work {
	struct session *session;
	struct config_call config;
	struct rpr_call rpr;
	struct timer limit;
	bool config_running, rpr_running;
	uint64_t phase_since;
	uint64_t step_since;
	unsigned tries; /* of this step */
	bool verdict;	/* how to end is decided: */
	enum reason reason;
	char message[DB_MESSAGE];
	bool final;
	struct cert_facts facts;
	bool have_facts;
	uint64_t fetch;	 /* number of the running one; 0 none */
	bool fetch_next; /* its link closes so that its certificate can be fetched */
	struct prompt prompt;
	uint8_t algorithm, method;
	bool oob_public_key;
	size_t bind_at;	   /* next of the models to bind */
	size_t neighbours; /* servers that heard the device before it joined */
	struct refresh_work *refresh;
	struct page_reader *pages; /* of read-composition */
	/* extended scan */
	struct rpr_extended extended;
	uint16_t asked; /* the server that is at it */
	bool heard;	/* by our own radio: from here */
	uint8_t heard_from[6];
	uint16_t ads_seen;
	size_t n_ads;
	uint8_t ads[DB_ADS];
	struct work *next_dead;
};

struct task {
	struct db_task row;
	struct job *job;
	struct device *device;
	int step; /* index into the kind's table */
	uint64_t not_before;
	uint64_t mute_since; /* its link broke off: it must be heard again, or long be over; 0 no */
	unsigned server_losses, refusals;
	bool ended_here; /* in this life of ours, and of its job */
	uint16_t tried[4];
	bool fetch_failed; /* from where it is advertised; the device itself is asked */
	size_t n_tried;
	struct work *work; /* while it runs */
	struct task *next;
};

struct job {
	struct jobs *jobs;
	struct db_job row;
	const struct job_kind *kind;
	struct task *tasks, **tail;
	struct pace pace;
	uint64_t began; /* mesh time in this life */
	unsigned links_ended, links_failed;
	bool ending; /* no new task starts: cancelled, or stopped by itself */
	bool cancelled;
	struct job *next;
};

struct jobs {
	struct jobs_env env;
	struct access *access;
	uint16_t own;
	struct trust *trust;
	struct device *buckets[DEVICE_BUCKETS];
	struct device *dirty;
	struct device *oldest, *newest;
	bool overfull; /* the store may hold more devices than it should */
	size_t n_devices, devices_max;
	struct server *servers; /* the local radio first, then by address */
	size_t n_servers;
	struct presence *presence; /* by address */
	bool presence_dirty;
	int64_t presence_flushed; /* Unix milliseconds */
	struct work *dead;	  /* of tasks that ended in this turn: freed in the next */
	struct survey survey;
	struct job *active;
	struct access_listener on_scan_report;
	struct refresh_prober *prober;
	struct task *listening[LISTEN_AT_ONCE]; /* extended scans through our own radio */
	struct timer kick, tick, behind;
	bool busy;
};

/* ---- jobs.c ---- */
uint64_t jobs_now(const struct jobs *j);
int64_t jobs_wall(const struct jobs *j);
void jobs_tell(struct jobs *j, const struct jobs_change *c);
void jobs_tell_device(struct jobs *j, const uint8_t uuid[UUID_LEN], bool gone);
void jobs_tell_node(struct jobs *j, uint16_t address, bool gone);
void jobs_tell_server(struct jobs *j, uint16_t address);
/* The scheduler runs in a turn of its own. */
void jobs_kick(struct jobs *j);

/* ---- trust.c ---- */
bool trust_load(struct jobs *j);
void trust_copy_facts(struct db_certificate *out, const struct cert_facts *in);

#endif
