/* SPDX-License-Identifier: Apache-2.0 */
/* The stack, without server and jobs, and simulated devices on one air in virtual time. */
#ifndef MESHMASON_TESTS_LAB_H
#define MESHMASON_TESTS_LAB_H

#include "access.h"
#include "air.h"
#include "device.h"
#include "mesh.h"

enum { LAB_DEVICES = 2, LAB_FIRST = 0x0002 };

struct lab_member {
	struct lab *lab;
	struct device_make make;
	struct device *device;
	struct air_radio *radio;
	uint8_t flash[DEVICE_FLASH_MAX];
	size_t flash_len;
	bool deaf, mute;
};

struct lab {
	struct timers timers;
	uint64_t random;
	struct air *air;
	struct air_radio *gateway;
	struct bearer bearer;
	struct mesh_store store;
	struct mesh *mesh;
	struct secret16 net_key;
	struct lab_member member[LAB_DEVICES];
	/* The stack's words to the test; may be NULL. */
	void (*trace)(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing);
	/* The last message that the stack took: from whom, IV Index << 24 | SEQ. */
	uint16_t heard_src;
	uint64_t heard_seq;
	void (*candidate_used)(void *ctx, uint16_t address);
	void *ctx;
};

/* Plain servers of one element, not yet on the air. */
struct lab *lab_new(uint64_t seed, double loss);
void lab_free(struct lab *l);
void lab_random(void *lab, void *out, size_t n);
/* Metres from the gateway. */
void lab_add(struct lab *l, size_t i, double x);
/* Power off and on: from its flash. */
void lab_restart(struct lab *l, size_t i);
bool lab_run(struct lab *l, uint64_t limit, const bool *until);
struct device_state lab_state(const struct lab *l, size_t i);

#endif
