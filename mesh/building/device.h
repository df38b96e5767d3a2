/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated device: unprovisioned it beacons and accepts PB-ADV links; provisioned it is a
 * node with Configuration Server, Health Server and, where its make has it, Remote Provisioning
 * Server. Its protocol code is its own: nothing of the stack is shared but base, crypto and
 * constants. It knows no file and no air: everything reaches it through this header.
 */
#ifndef MESHMASON_BUILDING_DEVICE_H
#define MESHMASON_BUILDING_DEVICE_H

#include "bytes.h"
#include "crypto.h"
#include "mesh_const.h"
#include "secret.h"
#include "timers.h"

enum { DEVICE_RECORDS_MAX = 5, DEVICE_FLASH_MAX = 16384 };

/* What a device leaves the factory with. Owned by the caller, constant for the device's life. */
struct device_make {
	uint8_t uuid[UUID_LEN];
	char name[32];
	uint16_t appearance;	   /* advertised with the name; 0: neither is */
	char uri[24];		   /* as AD structures have it: the scheme in one character */
	uint16_t company, product; /* composition data page 0: CID, PID */
	uint8_t elements;	   /* 1..8 */
	uint16_t features;  /* enum feature_bit that it supports; relay leaves the factory off */
	uint8_t algorithms; /* bit 0 CMAC, bit 1 HMAC */
	bool server;	    /* hosts the Remote Provisioning Server */
	bool large_composition; /* hosts the Large Composition Data Server */
	/* Elements of the composition that a later firmware brings, which a node refresh makes
	 * the current one; 0: none comes. As many as now: one model more on the last of them. */
	uint8_t changed_elements;
	bool certificates;	    /* OOB information bits 7 and 8; records below */
	bool oob_public_key;	    /* offers its public key out of band */
	struct secret32 secret_key; /* of that public key; all zero: a fresh pair for each link */
	uint8_t static_oob[32];
	size_t static_oob_len; /* 0 none, 16 or 32 */
	/* Output and Input OOB as Capabilities tell them: sizes 0 (cannot) to 8, masks of actions.
	 */
	uint8_t output_size, output_actions, input_size, input_actions;
	bool oob_only; /* takes no Start without authentication */
	struct {
		uint16_t id; /* enum prov_record */
		struct bytes data;
	} records[DEVICE_RECORDS_MAX];
	size_t n_records;
	enum device_fault {
		DEVICE_SOUND,
		DEVICE_DEAD,   /* beacons, never answers */
		DEVICE_SILENT, /* stops for good in the middle of its first link */
		/* What it says on a link is bent. The keys: only where they go over the air. */
		DEVICE_KEY_REFLECTED, /* the provisioner's own public key */
		DEVICE_KEY_OFF_CURVE,
		DEVICE_KEY_ZERO,
		DEVICE_CONFIRMATION_REFLECTED,
		DEVICE_CONFIRMATION_WRONG,
		DEVICE_RANDOM_REFLECTED,
		DEVICE_RECORD_OVERSIZE, /* claims 65,535 octets */
		DEVICE_RECORD_CHANGES,	/* of another length from the second fragment on */
		DEVICE_RECORD_DISORDER, /* the second fragment is called the third */
		DEVICE_RECORD_OVERLAP,	/* the second fragment begins within the first */
		/* Restarts when this PDU arrives; the last one: when its answer is due, after the
		 * flash was written. */
		DEVICE_REBOOT_INVITE,
		DEVICE_REBOOT_START,
		DEVICE_REBOOT_KEY,
		DEVICE_REBOOT_CONFIRMATION,
		DEVICE_REBOOT_RANDOM,
		DEVICE_REBOOT_DATA,
		DEVICE_REBOOT_COMPLETE,
		DEVICE_SLOW_FLASH, /* Complete after 20 s, answers to settings after 3 s */
		/* Of nodes that host the Remote Provisioning Server. */
		DEVICE_NPPI_UNCOMMITTED, /* a node refresh that went well changes nothing */
		DEVICE_NPPI_UNANSWERED,	 /* it takes effect at once, without Complete */
		DEVICE_VANISHES,	 /* gone for good in the middle of a link it carries */
		DEVICE_SERVER_REBOOT,	 /* restarts in the middle of one */
		DEVICE_FAULTS,
	} fault;
	uint8_t fault_times;   /* so often does it restart; 0: whenever it can */
	bool fault_in_refresh; /* not when it joins, but when it is provisioned anew as a node */
};

/* What a device puts on the air: one AD structure, repeated. */
struct device_send {
	uint8_t count;
	uint16_t interval_ms;
	uint32_t tag; /* for cancel_send; 0: never cancelled */
	uint8_t len;
	uint8_t data[AD_MAX];
};

/* All that a device can touch. save() is its flash: it returns when the image is durable, and a
 * device calls it before it answers. */
struct device_env {
	struct timers *timers;
	void (*random)(void *ctx, void *out, size_t n);
	void (*send)(void *ctx, const struct device_send *s);
	void (*cancel_send)(void *ctx, uint32_t tag);
	void (*save)(void *ctx, struct bytes image);
	void *ctx;
};

struct device;

/* flash is the last saved image, empty for a factory-new device. A broken image is a factory-new
 * device. The caller frees with device_free. */
struct device *device_new(const struct device_make *make, const struct device_env *env,
			  struct bytes flash);
void device_free(struct device *d);

/* What a person sees at a device while it is provisioned with Output or Input OOB. */
enum { DEVICE_PROMPT_TEXT = 9 };
struct device_prompt {
	bool input; /* it waits for something to be entered: device_press() */
	enum { DEVICE_COUNT, DEVICE_DIGITS, DEVICE_TEXT } type;
	uint8_t size;			/* of the value, at most */
	char value[DEVICE_PROMPT_TEXT]; /* shown, or blinked; empty for input */
};
/* shown: with every change; NULL: nothing (any more). */
void device_on_display(struct device *d, void (*shown)(void *ctx, const struct device_prompt *now),
		       void *ctx);
/* Entered at the device; false: it waits for nothing, or not yet, or has no such keys. */
bool device_press(struct device *d, const char *text);

/* An advertising report: all AD structures of it. */
void device_heard(struct device *d, struct bytes ad, int8_t rssi);
/* The same, where the advertiser's address (6 octets) is known: it tells what belongs together. */
void device_heard_from(struct device *d, const uint8_t *address, struct bytes ad, int8_t rssi);

/* What a flash image says; also for `show --state`, which reads nothing else. */
struct device_state {
	bool provisioned;
	uint16_t address;
	uint8_t elements;
	char device_key_id[KEY_ID_TEXT];
	bool relay;
	bool changed; /* composition: that of the later firmware is the current one */
	/* Of the device key candidate that waits for its first message; empty: none does. */
	char candidate_key_id[KEY_ID_TEXT];
	uint32_t resets; /* Node Resets obeyed so far */
	uint8_t faults;	 /* how often it has lost its power by its fault */
};
bool device_state_read(struct bytes flash, struct device_state *out);

/* For captures that an outside witness decrypts: the keys of a provisioned flash image. */
struct device_keys {
	struct secret16 net_key, device_key;
	uint16_t address;
	uint32_t iv_index;
};
bool device_keys_read(struct bytes flash, struct device_keys *out);

#endif
