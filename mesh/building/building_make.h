/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a building out of KEY=VALUE: devices with places, keys and certificates, all derived from
 * the seed (only the certificates' dates come from now). With a seed, a building can be made
 * again; its keys are therefore no secrets.
 */
#ifndef MESHMASON_BUILDING_MAKE_H
#define MESHMASON_BUILDING_MAKE_H

#include "building.h"
#include "building_file.h"

enum { BUILDING_URI_MAX = 96 };

/* A share is 0..1 of the devices, written so or as a percentage. */
struct building_keys {
	uint64_t devices, floors, seed;
	double spacing_m; /* between neighbours of a floor */
	double loss;	  /* the chance that a receiver misses an event */
	/* Share of devices with a Remote Provisioning Server; above 0, a few more get one where
	 * the job could not grow through the building otherwise. */
	double servers;
	double cbp; /* share with certificates */
	double uri; /* share of those with certificates whose chain is only online */
	char uri_base[BUILDING_URI_MAX]; /* where */
	double static_oob;		 /* share with 32 octets of static OOB, on the list */
	double oob_pubkey; /* share of those without certificate that offer a public key OOB */
	/* Numbers of bad devices. No device is bad in two ways. */
	uint64_t untrusted, expired, misnamed, absent;
	uint64_t faults[DEVICE_FAULTS]; /* by the fault's name; of servers: sound ones */
	double faulty;			/* share with a fault drawn of those that are no server's */
	uint64_t fault_times;		/* how often a device restarts by its fault; 0: always */
	uint64_t
		faults_in_refresh; /* 1: faults that bend or break a link do so in refreshes only */
	double duplicates, reorders; /* of the air, see air.h */
	uint64_t attackers;	     /* radios that record, replay and invent */
	/* Number of sound devices with a display or keys, for output or input OOB: in turn digits,
	 * text and counts. */
	uint64_t oob_prompt;
	/* Numbers of sound servers that a later firmware gives another model. */
	uint64_t composition_change;
	double large_composition; /* share with a Large Composition Data Server */
	uint64_t cmac_only;	  /* devices that know BTM_ECDH_P256_CMAC_AES128_AES_CCM only */
};

/* What is taken where nothing is said: 60 devices, 3 floors, 10 m, 5 % loss, seed 1, half of
 * them servers, all with certificates, none bad. */
struct building_keys building_keys_default(void);
/* One KEY=VALUE; false: error is one line. */
bool building_keys_set(struct building_keys *k, const char *assignment, char error[BUILDING_ERROR]);
/* "KEY=VALUE,KEY=VALUE", or nothing. */
bool building_keys_parse(struct building_keys *k, const char *list, char error[BUILDING_ERROR]);

struct building_made {
	size_t devices, servers;
	size_t unreached; /* devices on the air that no chain of servers hears */
};

/* Writes the building (0600), the CA certificate as PEM and the device list as CSV. now: seconds
 * since 1970, for the certificates' validity. False: error is one line. */
bool building_make(const struct building_keys *k, const char *file, const char *ca,
		   const char *list, int64_t now, struct building_made *made,
		   char error[BUILDING_ERROR]);

/* From the gateway's usual place outward through the servers that can be provisioned: the number of
 * devices on the air that none of them hears. hops (may be NULL) gets for each device its distance,
 * 1 heard by the gateway itself, 0 not reached. The graph of who hears whom; loss and time play no
 * part. */
size_t building_reach(const struct building_file *file, unsigned *hops);

#endif
