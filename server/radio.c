/* SPDX-License-Identifier: Apache-2.0 */
#include "radio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "air_pcap.h"
#include "bearer_air.h"
#include "bearer_hci.h"
#include "bearer_mgmt.h"
#include "capture.h"
#include "building_make.h"
#include "radio_sim.h"

struct radio {
	const struct driver *driver;
	char name[RADIO_NAME];
	bool up;
	union {
		struct bearer_hci *hci;
		struct bearer_mgmt *mgmt;
		struct bearer_air *air;
		struct radio_sim *sim;
	};
	char line[RADIO_WHY]; /* the last one of its state */
	struct capture capture;
	struct capture_file file; /* that of --capture */
	struct air_pcap *pcap;
	uint64_t epoch; /* microseconds since 1970 of timers' zero */
	void (*state)(void *ctx, bool up, const char *line);
	void *ctx;
};

/* One kind of radio. The first whose prefix fits the spec takes it; "" fits all that is left. */
struct driver {
	const char *kind, *prefix;
	bool (*open)(struct radio *r, const struct radio_config *c, const char *rest,
		     char why[RADIO_WHY]);
	void (*close)(struct radio *r);
	struct bearer *(*bearer)(struct radio *r);
	int (*fd)(const struct radio *r); /* NULL: nothing to wait for */
	void (*readable)(struct radio *r);
};

static void on_state(void *ctx, bool up, const char *line)
{
	struct radio *r = ctx;

	r->up = up;
	snprintf(r->line, sizeof(r->line), "%s", line);
	if (r->state)
		r->state(r->ctx, up, line);
}

/* ---- the HCI user channel ---- */

static bool hci_parse(const char *rest, struct bearer_hci_config *config,
		      char adapter[BEARER_HCI_ADAPTER], char why[RADIO_WHY])
{
	if (bearer_hci_parse(rest, config, adapter))
		return true;
	snprintf(
		why, RADIO_WHY,
		"radio \"%.200s\": hciN or an address, then ,legacy ,extended ,pause-scan ,scan=N; "
		"or mgmt:hciN, air:DIR, sim:... wanted",
		rest);
	return false;
}

static bool hci_open(struct radio *r, const struct radio_config *c, const char *rest,
		     char why[RADIO_WHY])
{
	char adapter[BEARER_HCI_ADAPTER];
	struct bearer_hci_config config = {
		.timers = c->timers,
		.seed = c->seed,
		.state = on_state,
		.ctx = r,
	};

	if (!hci_parse(rest, &config, adapter, why))
		return false;
	r->up = false;
	r->hci = bearer_hci_open(&config, why);
	return r->hci != NULL;
}

static void hci_close(struct radio *r)
{
	bearer_hci_close(r->hci);
}

static struct bearer *hci_bearer(struct radio *r)
{
	return bearer_hci_bearer(r->hci);
}

static int hci_fd(const struct radio *r)
{
	return bearer_hci_fd(r->hci);
}

static void hci_readable(struct radio *r)
{
	bearer_hci_readable(r->hci);
}

/* ---- the kernel's mesh commands ---- */

static bool mgmt_open(struct radio *r, const struct radio_config *c, const char *rest,
		      char why[RADIO_WHY])
{
	struct bearer_mgmt_config config = {
		.timers = c->timers,
		.adapter = rest,
		.seed = c->seed,
		.state = on_state,
		.ctx = r,
	};

	r->up = false;
	r->mgmt = bearer_mgmt_open(&config, why);
	return r->mgmt != NULL;
}

static void mgmt_close(struct radio *r)
{
	bearer_mgmt_close(r->mgmt);
}

static struct bearer *mgmt_bearer(struct radio *r)
{
	return bearer_mgmt_bearer(r->mgmt);
}

static int mgmt_fd(const struct radio *r)
{
	return bearer_mgmt_fd(r->mgmt);
}

static void mgmt_readable(struct radio *r)
{
	bearer_mgmt_readable(r->mgmt);
}

/* ---- a folder of sockets ---- */

/* DIR or DIR,NAME: the name of our socket, where several gateways share an air. */
static bool air_open(struct radio *r, const struct radio_config *c, const char *rest,
		     char why[RADIO_WHY])
{
	char dir[RADIO_WHY];
	const char *comma = strrchr(rest, ',');
	struct bearer_air_config config = {
		.timers = c->timers,
		.dir = rest,
		.name = "gateway",
		.seed = c->seed,
	};

	if (comma) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(comma - rest), rest);
		config.dir = dir;
		config.name = comma + 1;
	}
	if (comma && (!*config.name || *config.name == '.' || strchr(config.name, '/'))) {
		snprintf(why, RADIO_WHY, "air:%.100s: a plain name wanted after the comma", rest);
		return false;
	}

	/* A static random address: the two highest bits are set (Core Vol 6 Part B 1.3.2.1). */
	for (int i = 0; i < 6; i++)
		config.address[i] = (uint8_t)(c->seed >> 8 * i);
	config.address[5] |= 0xC0;
	r->air = bearer_air_open(&config, why);
	return r->air != NULL;
}

static void air_close(struct radio *r)
{
	bearer_air_close(r->air);
}

static struct bearer *air_bearer(struct radio *r)
{
	return bearer_air_bearer(r->air);
}

static int air_fd(const struct radio *r)
{
	return bearer_air_fd(r->air);
}

static void air_readable(struct radio *r)
{
	bearer_air_readable(r->air);
}

/* ---- the simulated building in this process ---- */

static void on_air(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	struct radio *r = ctx;

	if (r->pcap)
		air_pcap_write(r->pcap, r->epoch + at, address, ad);
}

static bool sim_open(struct radio *r, const struct radio_config *c, const char *rest,
		     char why[RADIO_WHY])
{
	struct radio_sim_config config = {
		.timers = c->timers,
		.spec = rest,
		.data = c->data,
		.now = c->now,
		.seed = c->seed,
		.capture = on_air,
		.ctx = r,
	};

	r->sim = radio_sim_open(&config, why);
	return r->sim != NULL;
}

static void sim_close(struct radio *r)
{
	radio_sim_close(r->sim);
}

static struct bearer *sim_bearer(struct radio *r)
{
	return radio_sim_bearer(r->sim);
}

/* ---- all of them ---- */

static const struct driver drivers[] = {
	{ "sim", "sim:", sim_open, sim_close, sim_bearer, NULL, NULL },
	{ "air", "air:", air_open, air_close, air_bearer, air_fd, air_readable },
	{ "mgmt", "mgmt:", mgmt_open, mgmt_close, mgmt_bearer, mgmt_fd, mgmt_readable },
	{ "hci", "", hci_open, hci_close, hci_bearer, hci_fd, hci_readable },
};

static const struct driver *driver_of(const char *spec)
{
	const struct driver *d = drivers;

	while (strncmp(spec, d->prefix, strlen(d->prefix)) != 0)
		d++;
	return d;
}

bool radio_spec_good(const char *spec, char why[RADIO_WHY])
{
	const struct driver *d = driver_of(spec);
	const char *rest = spec + strlen(d->prefix);
	char adapter[BEARER_HCI_ADAPTER], error[BUILDING_ERROR];
	struct building_keys keys = building_keys_default();
	struct bearer_hci_config config = { 0 };

	if (!*spec) {
		snprintf(why, RADIO_WHY,
			 "no radio: --radio hciN, mgmt:hciN, air:DIR or sim:... wanted");
		return false;
	}
	if (d->open == hci_open)
		return hci_parse(rest, &config, adapter, why);
	if (d->open == sim_open && strchr(rest, '=') && !building_keys_parse(&keys, rest, error)) {
		snprintf(why, RADIO_WHY, "radio sim:%.200s: %.200s", rest, error);
		return false;
	}
	if (*rest || d->open == sim_open)
		return true;
	snprintf(why, RADIO_WHY, "radio \"%s\": nothing is named", spec);
	return false;
}

static bool start_capture(struct radio *r, const char *path, char why[RADIO_WHY])
{
	bool whole_air = r->driver->open == sim_open;

	if (!*path)
		return true;
	if (whole_air)
		r->pcap = air_pcap_open(path);
	if (whole_air ? r->pcap != NULL : capture_start(&r->capture, &r->file, path, 0))
		return true;
	snprintf(why, RADIO_WHY, "capture %.300s: %s", path, strerror(errno));
	return false;
}

struct radio *radio_open(const struct radio_config *config, char why[RADIO_WHY])
{
	struct radio *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(why, RADIO_WHY, "no memory");
		return NULL;
	}
	r->driver = driver_of(config->spec);
	r->up = true;
	r->state = config->state;
	r->ctx = config->ctx;
	r->epoch = (uint64_t)config->now * 1000000u - timers_now(config->timers);
	snprintf(r->name, sizeof(r->name), "%s", config->spec);
	if (!r->driver->open(r, config, config->spec + strlen(r->driver->prefix), why)) {
		free(r);
		return NULL;
	}
	capture_init(&r->capture, r->driver->bearer(r), config->timers, (int64_t)r->epoch);
	if (!start_capture(r, config->capture, why)) {
		radio_close(r);
		return NULL;
	}
	return r;
}

void radio_close(struct radio *r)
{
	capture_stop(&r->capture, &r->file);
	r->driver->close(r);
	if (r->pcap)
		air_pcap_close(r->pcap);
	free(r);
}

struct bearer *radio_bearer(struct radio *r)
{
	return &r->capture.bearer;
}

const char *radio_kind(const struct radio *r)
{
	return r->driver->kind;
}

const char *radio_name(const struct radio *r)
{
	return r->name;
}

bool radio_up(const struct radio *r)
{
	return r->up;
}

const char *radio_line(const struct radio *r)
{
	return r->line;
}

struct capture *radio_tap(struct radio *r)
{
	return &r->capture;
}

int radio_fd(const struct radio *r)
{
	return r->driver->fd ? r->driver->fd(r) : -1;
}

void radio_readable(struct radio *r)
{
	r->driver->readable(r);
}
