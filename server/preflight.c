/* SPDX-License-Identifier: Apache-2.0 */
#include "preflight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mgmt_const.h"

enum { HEADER = 6, MGMT_READ_COMMANDS = 0x0002 };

#define DISK_LOW (UINT64_C(100) << 20)

static void set(struct preflight_check *c, bool ok, const char *cure, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void set(struct preflight_check *c, bool ok, const char *cure, const char *format, ...)
{
	va_list args;

	c->ok = ok;
	snprintf(c->cure, sizeof(c->cure), "%s", cure);
	va_start(args, format);
	vsnprintf(c->message, sizeof(c->message), format, args);
	va_end(args);
}

static bool has_adapter(const struct preflight_facts *f)
{
	return f->radio == PREFLIGHT_HCI || f->radio == PREFLIGHT_MGMT;
}

/* "hci0: what is wrong: what to do": the second colon with a space parts it. */
static void set_line(struct preflight_check *c, const char *line)
{
	const char *what = strstr(line, ": "), *cure = what ? strstr(what + 2, ": ") : NULL;

	if (cure)
		set(c, false, cure + 2, "%.*s", (int)(cure - line), line);
	else
		set(c, false, "see the log", "%s", *line ? line : "the radio does not work");
}

static void judge_radio(const struct preflight_facts *f, struct preflight_check *c)
{
	if (f->radio == PREFLIGHT_NO_RADIO)
		set(c, false, "--radio hciN, mgmt:hciN, air:DIR or sim:KEY=VALUE,...",
		    "no radio is named");
	else if (f->radio_ok)
		set(c, true, "", "%s", *f->radio_line ? f->radio_line : "the radio works");
	else
		set_line(c, f->radio_line);
}

static void judge_kernel(const struct preflight_facts *f, struct preflight_check *c)
{
	if (f->bluetooth_error)
		set(c, false, "modprobe bluetooth; a container needs the host's network",
		    "Linux %s has no Bluetooth for us: %s", f->kernel,
		    strerror(f->bluetooth_error));
	else if (f->radio == PREFLIGHT_MGMT && f->mesh_commands == PREFLIGHT_NO)
		set(c, false, "Linux 6.1 or later, or an adapter of our own: --radio hciN",
		    "Linux %s has no mesh commands", f->kernel);
	else if (f->radio == PREFLIGHT_MGMT && f->mesh_commands == PREFLIGHT_YES)
		set(c, true, "", "Linux %s has Bluetooth and the mesh commands", f->kernel);
	else
		set(c, true, "", "Linux %s has Bluetooth", f->kernel);
}

static void judge_permission(const struct preflight_facts *f, struct preflight_check *c)
{
	if (f->net_admin || f->radio_ok)
		set(c, true, "", "%s",
		    f->net_admin ? "CAP_NET_ADMIN is there" : "the adapter is open");
	else
		set(c, false,
		    "AmbientCapabilities=CAP_NET_ADMIN in the unit, or setcap cap_net_admin+ep on "
		    "the program",
		    "CAP_NET_ADMIN is missing");
}

static void judge_daemons(const struct preflight_facts *f, struct preflight_check *c)
{
	if (!*f->daemons)
		set(c, true, "", "no other Bluetooth program is seen in the way");
	else if (f->radio_ok)
		set(c, true, "", "%s: runs, and leaves the adapter alone", f->daemons);
	else if (strstr(f->daemons, "bluetooth-meshd"))
		set(c, false, "systemctl stop bluetooth-mesh", "%s: may hold the adapter",
		    f->daemons);
	else if (strstr(f->daemons, "bluetoothd"))
		set(c, false, "systemctl stop bluetooth, or share the adapter: --radio mgmt:hciN",
		    "%s: may hold the adapter", f->daemons);
	else
		set(c, false, "stop it, if it holds the adapter", "%s: may hold the adapter",
		    f->daemons);
}

static const char *day(int64_t at, char out[16])
{
	time_t t = (time_t)at;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, 16, "%Y-%m-%d", &tm))
		snprintf(out, 16, "no date");
	return out;
}

static void judge_clock(const struct preflight_facts *f, struct preflight_check *c)
{
	char today[16], then[16];

	day(f->now, today);
	if (f->now < f->built)
		set(c, false,
		    "timedatectl set-ntp true, or timedatectl set-time; without the date no "
		    "certificate can be judged",
		    "the clock says %s, but this server was built on %s", today,
		    day(f->built, then));
	else if (f->clock_kept == PREFLIGHT_YES)
		set(c, true, "", "%s, kept by a time server", today);
	else
		set(c, true, "timedatectl set-ntp true", "%s, %s kept by a time server", today,
		    f->clock_kept == PREFLIGHT_NO ? "not" : "maybe not");
}

static void judge_data(const struct preflight_facts *f, struct preflight_check *c)
{
	if (!f->data_error)
		set(c, true, "", "%.300s %s", f->data,
		    f->data_missing ? "will be made" : "can be written");
	else
		set(c, false,
		    f->data_error == ENOENT
			    ? "make the folder that it is in, or name another: --data"
			    : "give it to the user that the server runs as, or name another: "
			      "--data",
		    "%.300s: %s", f->data, strerror(f->data_error));
}

static void judge_disk(const struct preflight_facts *f, struct preflight_check *c)
{
	unsigned long long mib = f->disk_free >> 20;

	if (!f->disk_known)
		set(c, true, "", "how much is free is not known");
	else if (f->disk_free < DISK_LOW)
		set(c, false, "delete captures and logs; below it nothing can be saved",
		    "%llu MiB are free, 100 are wanted", mib);
	else if (mib < 10240)
		set(c, true, "", "%llu MiB are free", mib);
	else
		set(c, true, "", "%llu GiB are free", mib >> 10);
}

size_t preflight_judge(const struct preflight_facts *f, struct preflight_check out[PREFLIGHT_MAX])
{
	static const struct {
		const char *name;
		bool adapter; /* only where the radio is one */
		void (*judge)(const struct preflight_facts *f, struct preflight_check *c);
	} checks[] = {
		{ "radio", false, judge_radio },
		{ "kernel", true, judge_kernel },
		{ "permission", true, judge_permission },
		{ "daemons", true, judge_daemons },
		{ "clock", false, judge_clock },
		{ "data", false, judge_data },
		{ "disk", false, judge_disk },
	};
	size_t n = 0;

	_Static_assert(ARRAY_LEN(checks) <= PREFLIGHT_MAX, "there is room for all");
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		if (checks[i].adapter && !has_adapter(f))
			continue;
		out[n].name = checks[i].name;
		checks[i].judge(f, &out[n++]);
	}
	return n;
}

bool preflight_capability(const char *status, unsigned number)
{
	const char *line = strstr(status, "\nCapEff:");

	return line && number < 64 && strtoull(line + 8, NULL, 16) >> number & 1;
}

/* Command Complete: event, index, length; opcode, status; numbers of commands and events. */
bool preflight_has_command(struct bytes reply, uint16_t opcode)
{
	struct rd r = rd_from(reply);
	uint16_t event = rd_le16(&r), length, n;
	bool found = false;

	rd_le16(&r);
	length = rd_le16(&r);
	if (event != MGMT_EV_COMMAND_COMPLETE || reply.n != (size_t)length + HEADER ||
	    rd_le16(&r) != MGMT_READ_COMMANDS || rd_u8(&r) != MGMT_OK)
		return false;
	n = rd_le16(&r);
	rd_le16(&r);
	for (uint16_t i = 0; i < n; i++)
		found = rd_le16(&r) == opcode || found;
	return rd_ok(&r) && found;
}
