/* SPDX-License-Identifier: Apache-2.0 */
/* The faults of devices by name (as a building file and the keys of `make` have them), and which
 * devices of a building get them. */
#ifndef MESHMASON_BUILDING_FAULTS_H
#define MESHMASON_BUILDING_FAULTS_H

#include "building_file.h"
#include "building_make.h"

/* DEVICE_FAULTS when there is no fault of that name. */
enum device_fault building_fault_find(const char *name, size_t n);

/* How many devices the keys want faulty, servers' faults left out. */
uint64_t building_faults_wanted(const struct building_keys *k);
/* Gives faults to the devices order[at..]; returns the index after the last of them. */
size_t building_faults_give(const struct building_keys *k, struct building_file *f,
			    const size_t *order, size_t at);
/* After it is decided who has certificates and keys: a key can only be bent where it is sent. */
void building_faults_settle(struct building_file *f);
/* After servers are placed, to sound ones. One that vanishes takes nobody with it: each device
 * stays within reach of the others. False: there are not enough of them. */
bool building_faults_servers(const struct building_keys *k, struct building_file *f);
/* The attackers' radios, anywhere among the devices. */
void building_attackers_place(const struct building_keys *k, struct building_file *f);

#endif
