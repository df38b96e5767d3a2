/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The building as a process of its own, in real time, on a folder of datagram sockets: it binds
 * one socket for all its devices, takes every other socket for a radio at a place, and applies
 * its physics in both directions. (One frame: octet 0 the advertising event type, 3; octets 1..6
 * the sender's address, least significant first; then at most 31 octets of AD structures.)
 */
#ifndef MESHMASON_BUILDING_RUN_H
#define MESHMASON_BUILDING_RUN_H

#include "building.h"

enum { BUILDING_PLACES_MAX = 64, BUILDING_NAME_MAX = 64 };

struct building_run_config {
	const char *file, *state, *air; /* air: the folder */
	const char *name;		/* of our socket in it */
	const char *capture;		/* pcap file, or NULL */
	double speed;			/* simulated seconds in a real one */
	uint64_t seed;			/* of this run */
	struct building_run_place {
		char name[BUILDING_NAME_MAX]; /* of a socket */
		double x, y;
		int floor;
	} places[BUILDING_PLACES_MAX]; /* all others are at 0,0,0 */
	size_t n_places;
};

/* Runs until SIGTERM or SIGINT, printing a line when it is ready, then from time to time if it
 * lags, and its counters at the end. False: error is one line. */
bool building_run(const struct building_run_config *config, char error[BUILDING_ERROR]);

#endif
