/* SPDX-License-Identifier: Apache-2.0 */
#include "dev_fault.h"

#include <string.h>

#include "dev_core.h"

/* How long it takes to start, and the slow flash to write a setting or a whole new life. */
#define START_TAKES   SEC(2)
#define SETTING_TAKES SEC(3)
#define JOINING_TAKES SEC(20)

/* Where the parts of a Record Response stand. */
enum { RECORD_OFFSET = 4, RECORD_TOTAL = 6, RECORD_DATA = 8 };
enum { FIRST_FRAGMENT = DEV_PROV_FRAGMENT, OVERLAP = 10 };
enum { CARRIED_FIRST = 3 }; /* PDUs that a server carries before it fails */

static bool is_now(const struct device *d, enum dev_fault_link link)
{
	return d->make->fault_in_refresh == (link == DEV_FAULT_REFRESH);
}

static bool is_left(const struct device *d)
{
	return d->make->fault_times == 0 || d->flash.faults < d->make->fault_times;
}

static void on_power_on(void *ctx)
{
	dev_power_on(ctx);
}

/* In a turn of its own: what it was about to do is cut off half-way, but not our caller. */
static void on_power_off(void *ctx)
{
	struct device *d = ctx;

	dev_power_off(d);
	if (!d->flash.silenced)
		timer_start(d->env.timers, &d->fault.timer, START_TAKES, on_power_on, d);
}

static void lose_power(struct device *d, bool for_good)
{
	if (d->flash.faults < UINT8_MAX)
		d->flash.faults++;
	d->flash.silenced = for_good;
	dev_save(d);
	d->mute = true;
	timer_start(d->env.timers, &d->fault.timer, 0, on_power_off, d);
}

static bool restarts_at(enum device_fault fault, uint8_t type)
{
	switch (fault) {
	case DEVICE_REBOOT_INVITE:
		return type == PROV_INVITE;
	case DEVICE_REBOOT_START:
		return type == PROV_START;
	case DEVICE_REBOOT_KEY:
		return type == PROV_PUBLIC_KEY;
	case DEVICE_REBOOT_CONFIRMATION:
		return type == PROV_CONFIRMATION;
	case DEVICE_REBOOT_RANDOM:
		return type == PROV_RANDOM;
	case DEVICE_REBOOT_DATA:
		return type == PROV_DATA;
	case DEVICE_REBOOT_COMPLETE: /* with its answer, see below */
	default:
		return false;
	}
}

bool dev_fault_heard(struct device *d, enum dev_fault_link link, struct bytes pdu)
{
	struct dev_fault *f = &d->fault;

	f->heard_len = pdu.n <= sizeof(f->heard) ? pdu.n : 0;
	if (f->heard_len > 0)
		memcpy(f->heard, pdu.p, pdu.n);
	if (pdu.n == 0 || !is_now(d, link))
		return false;
	if (d->make->fault == DEVICE_SILENT && pdu.p[0] == PROV_CONFIRMATION) {
		lose_power(d, true);
		return true;
	}
	if (!restarts_at(d->make->fault, pdu.p[0]) || !is_left(d))
		return false;
	lose_power(d, false);
	return true;
}

static void add_be16(uint8_t *at, int by)
{
	struct wr w = wr_to(at, 2);

	wr_be16(&w, (uint16_t)((at[0] << 8 | at[1]) + by));
}

static void bend_record(enum device_fault fault, uint8_t *pdu, size_t n)
{
	bool later = n > RECORD_DATA && (pdu[RECORD_OFFSET] || pdu[RECORD_OFFSET + 1]);

	if (n <= RECORD_DATA)
		return;
	if (fault == DEVICE_RECORD_OVERSIZE)
		pdu[RECORD_TOTAL] = pdu[RECORD_TOTAL + 1] = 0xFF;
	else if (fault == DEVICE_RECORD_CHANGES && later)
		add_be16(pdu + RECORD_TOTAL, 1);
	else if (fault == DEVICE_RECORD_DISORDER && later)
		add_be16(pdu + RECORD_OFFSET, FIRST_FRAGMENT);
	else if (fault == DEVICE_RECORD_OVERLAP && later)
		add_be16(pdu + RECORD_OFFSET, -OVERLAP);
}

/* The provisioner's own words, when it has said as many of the same kind. */
static void reflect(const struct dev_fault *f, uint8_t *pdu, size_t n)
{
	if (f->heard_len == n && f->heard[0] == pdu[0])
		memcpy(pdu, f->heard, n);
}

static void bend(struct device *d, uint8_t *pdu, size_t n)
{
	enum device_fault fault = d->make->fault;

	if (pdu[0] == PROV_RECORD_RESPONSE)
		bend_record(fault, pdu, n);
	else if (pdu[0] == PROV_PUBLIC_KEY && fault == DEVICE_KEY_REFLECTED)
		reflect(&d->fault, pdu, n);
	else if (pdu[0] == PROV_PUBLIC_KEY && fault == DEVICE_KEY_OFF_CURVE)
		pdu[n - 1] ^= 1;
	else if (pdu[0] == PROV_PUBLIC_KEY && fault == DEVICE_KEY_ZERO)
		memset(pdu + 1, 0, n - 1);
	else if (pdu[0] == PROV_CONFIRMATION && fault == DEVICE_CONFIRMATION_REFLECTED)
		reflect(&d->fault, pdu, n);
	else if (pdu[0] == PROV_CONFIRMATION && fault == DEVICE_CONFIRMATION_WRONG)
		pdu[n - 1] ^= 1;
	else if (pdu[0] == PROV_RANDOM && fault == DEVICE_RANDOM_REFLECTED)
		reflect(&d->fault, pdu, n);
}

static void on_flash_ready(void *ctx)
{
	static const uint8_t complete = PROV_COMPLETE;
	struct device *d = ctx;

	if (d->fault.late == DEV_FAULT_REFRESH)
		dev_rpr_report_pdu(d, bytes_of(&complete, 1));
	else
		dev_pb_send(&d->acceptor, bytes_of(&complete, 1));
}

static bool completes(struct device *d, enum dev_fault_link link)
{
	if (d->make->fault == DEVICE_REBOOT_COMPLETE && is_left(d)) {
		lose_power(d, false);
		return false;
	}
	if (d->make->fault == DEVICE_SLOW_FLASH) {
		d->fault.late = link;
		timer_start(d->env.timers, &d->fault.timer, JOINING_TAKES, on_flash_ready, d);
		return false;
	}
	return true;
}

bool dev_fault_answers(struct device *d, enum dev_fault_link link, uint8_t *pdu, size_t n)
{
	if (n == 0 || !is_now(d, link))
		return true;
	bend(d, pdu, n);
	return pdu[0] != PROV_COMPLETE || completes(d, link);
}

bool dev_fault_serving(struct device *d, unsigned carried)
{
	enum device_fault fault = d->make->fault;

	if ((fault != DEVICE_VANISHES && fault != DEVICE_SERVER_REBOOT) ||
	    carried < CARRIED_FIRST || !is_left(d))
		return false;
	lose_power(d, fault == DEVICE_VANISHES);
	return true;
}

bool dev_fault_forgets_refresh(const struct device *d)
{
	return d->make->fault == DEVICE_NPPI_UNCOMMITTED;
}

bool dev_fault_hurries_refresh(const struct device *d)
{
	return d->make->fault == DEVICE_NPPI_UNANSWERED;
}

void dev_fault_saved(struct device *d)
{
	if (d->make->fault == DEVICE_SLOW_FLASH)
		d->fault.flash_until = timers_now(d->env.timers) + SETTING_TAKES;
}

uint64_t dev_fault_wait(const struct device *d)
{
	uint64_t now = timers_now(d->env.timers);

	return d->fault.flash_until > now ? d->fault.flash_until - now : 0;
}
