/* SPDX-License-Identifier: Apache-2.0 */
/* One simulated node beside the gateway, and a Configuration Manager that provisions it anew: what
 * a job does, without a job. */
#ifndef MESHMASON_TESTS_NPPI_STORY_H
#define MESHMASON_TESTS_NPPI_STORY_H

#include "config_client.h"
#include "lab.h"
#include "large_composition.h"
#include "pb_remote.h"
#include "provisioner.h"

enum { OLD = LAB_FIRST, NEW = 0x0300, OLD_KEY = ACCESS_DEVICE_KEY, NEW_KEY = ACCESS_CANDIDATE_KEY };

/* A moment of the session: the first message of that opcode whose fourth octet is the one given:
 * the type of a Provisioning PDU, or the state of a link. */
struct moment {
	const char *name;
	bool outgoing;
	uint16_t opcode;
	int octet; /* -1: any */
};

struct story {
	struct lab *lab;
	struct lab_member *node;
	enum nppi_procedure procedure;
	uint16_t address; /* where it is, as far as we know */
	uint8_t elements;
	struct secret16 key, candidate;
	bool has_candidate;
	unsigned candidates_used;
	/* the session that runs */
	struct prov *prov;
	struct prov_policy policy;
	struct prov_data data; /* what the node is given */
	uint8_t new_elements;
	enum prov_event_type abort_at; /* 0 is not used: the session goes on */
	bool aborts, reads_records;
	bool crashes; /* we do, before the link is closed */
	bool data_sent, complete, ended, confirmed;
	enum prov_end end;
	enum carrier_end carrier_end;
	uint8_t device_error;
	/* when something happens, and what */
	const struct moment *at;
	enum { NOTHING, DEAFNESS, MUTENESS, SILENCE, POWER_CUT } what;
	struct timer later; /* the power cut, and the end of the rest */
	uint64_t lasts;
	bool happened;
	/* calls */
	bool done;
	enum access_result result;
	uint8_t page[LARGE_COMPOSITION_MAX];
	size_t page_n;
	uint8_t page_number;
};

/* A server that a later firmware gives another composition; changed 0: it does not. */
struct device_make story_server(uint8_t elements, uint8_t changed);
struct story *story_new(uint64_t seed, double loss, const struct device_make *make);
void story_free(struct story *s);
/* As new from the factory, over PB-ADV. */
void story_join(struct story *s);
/* What a Configuration Manager gives the node, unless the test spoils it before the refresh. */
void story_plan(struct story *s, enum nppi_procedure procedure);
void story_refresh(struct story *s);
/* The link is closed with Fail whatever the session says. */
void story_refresh_with(struct story *s, bool close_fails);
/* The node has answered under the new key; or it never will. */
void story_take_over(struct story *s);
void story_let_go(struct story *s);
/* The silence is over, if it was not before. */
void story_recover(struct story *s);
const char *story_name(enum nppi_procedure procedure);
/* A whole refresh, and the old key and address are dead. */
void story_must_succeed(struct story *s, enum nppi_procedure procedure, const char *row);
/* The node's flash says what we believe. */
void story_must_agree(struct story *s, const char *row);
void story_must(bool ok, const char *what);

struct access_target story_target(const struct story *s, uint16_t address, int key);
/* The call under way has ended well. */
bool story_answered(struct story *s);
void story_on_config(void *ctx, enum access_result r, struct config_call *call);
/* Whatever it is answered. */
void story_close_link(struct story *s, enum prov_close_reason reason);
/* A composition page is there. */
bool story_page(struct story *s, uint16_t address, int key, uint8_t number);
/* Composition Data Get works on every node and changes nothing. */
bool story_probe(struct story *s, uint16_t address, int key);
bool story_probe_new(struct story *s);
bool story_probe_old(struct story *s);

#endif
