/* SPDX-License-Identifier: Apache-2.0 */
#include "preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bearer_hci.h"
#include "hci_socket.h"
#include "mgmt_const.h"

enum { CAP_NET_ADMIN_BIT = 12, REPLY_MAX = 4096 };

static enum preflight_radio kind_of(const char *spec)
{
	if (!*spec)
		return PREFLIGHT_NO_RADIO;
	if (strncmp(spec, "sim:", 4) == 0)
		return PREFLIGHT_SIM;
	if (strncmp(spec, "air:", 4) == 0)
		return PREFLIGHT_AIR;
	return strncmp(spec, "mgmt:", 5) == 0 ? PREFLIGHT_MGMT : PREFLIGHT_HCI;
}

/* ---- the adapter ---- */

/* The kernel answers within the write. */
static enum preflight_maybe ask_mesh_commands(int fd)
{
	static const uint8_t read_commands[] = { 0x02, 0x00, 0xFF, 0xFF, 0x00, 0x00 };
	uint8_t reply[REPLY_MAX];
	ssize_t n;

	if (write(fd, read_commands, sizeof(read_commands)) != sizeof(read_commands))
		return PREFLIGHT_UNKNOWN;
	n = read(fd, reply, sizeof(reply));
	if (n <= 0)
		return PREFLIGHT_UNKNOWN;
	return preflight_has_command(bytes_of(reply, (size_t)n), MGMT_MESH_SEND) ? PREFLIGHT_YES
										 : PREFLIGHT_NO;
}

static void try_hci(const char *spec, struct preflight_facts *f)
{
	struct bearer_hci_config config = { 0 };
	char adapter[BEARER_HCI_ADAPTER], why[HCI_SOCKET_WHY] = "";
	uint16_t index;
	int fd = -1;

	if (!bearer_hci_parse(spec, &config, adapter)) {
		snprintf(f->radio_line, sizeof(f->radio_line),
			 "%.100s: not an adapter's name: hciN or AA:BB:CC:DD:EE:FF", spec);
		return;
	}
	f->radio_ok = hci_socket_user(adapter, &fd, &index, why) == HCI_SOCKET_OPEN;
	if (fd >= 0)
		close(fd);
	if (f->radio_ok)
		snprintf(why, sizeof(why), "%.100s: there, and free", adapter);
	snprintf(f->radio_line, sizeof(f->radio_line), "%s", why);
}

/* The management channel; for an adapter that is ours already only what the kernel can. */
static void try_mgmt(const char *adapter, bool running, struct preflight_facts *f)
{
	char why[HCI_SOCKET_WHY] = "";
	uint16_t index;
	int fd = -1;
	bool there = hci_socket_control(adapter, &fd, &index, why) == HCI_SOCKET_OPEN;

	/* Without the capability the kernel lists only what everybody may ask. */
	if (there && f->net_admin)
		f->mesh_commands = ask_mesh_commands(fd);
	if (fd >= 0)
		close(fd);
	if (running)
		return;
	f->radio_ok = there && f->net_admin && f->mesh_commands != PREFLIGHT_NO;
	if (!there)
		snprintf(f->radio_line, sizeof(f->radio_line), "%s", why);
	else if (!f->net_admin)
		snprintf(f->radio_line, sizeof(f->radio_line),
			 "%.100s: not permitted: give CAP_NET_ADMIN", adapter);
	else if (!f->radio_ok)
		snprintf(f->radio_line, sizeof(f->radio_line),
			 "%.100s: no mesh commands in this kernel: Linux 6.1 or later", adapter);
	else
		snprintf(f->radio_line, sizeof(f->radio_line), "%.100s: there", adapter);
}

/* ---- the radios that need no adapter ---- */

static void try_air(const char *dir, struct preflight_facts *f)
{
	struct stat st;

	f->radio_ok = stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && access(dir, W_OK | X_OK) == 0;
	if (f->radio_ok)
		snprintf(f->radio_line, sizeof(f->radio_line), "air:%.200s: a folder", dir);
	else
		snprintf(f->radio_line, sizeof(f->radio_line),
			 "air:%.200s: no folder that we may write: make it, or start the building "
			 "(meshmason-building run FILE --air DIR)",
			 dir);
}

static void try_sim(const char *spec, struct preflight_facts *f)
{
	bool by_keys = !*spec || strchr(spec, '=');

	f->radio_ok = by_keys || access(spec, R_OK) == 0;
	if (f->radio_ok)
		snprintf(f->radio_line, sizeof(f->radio_line), "a simulated building");
	else
		snprintf(f->radio_line, sizeof(f->radio_line),
			 "sim:%.200s: %s: meshmason-building make FILE KEY=VALUE...", spec,
			 strerror(errno));
}

/* ---- the machine ---- */

static bool net_admin(void)
{
	char text[4096];
	FILE *file = fopen("/proc/self/status", "re");
	size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[n] = '\0';
	return preflight_capability(text, CAP_NET_ADMIN_BIT);
}

static void look_at_kernel(struct preflight_facts *f)
{
	struct hci_adapter one;
	struct utsname name;

	if (uname(&name) == 0)
		snprintf(f->kernel, sizeof(f->kernel), "%.79s", name.release);
	f->bluetooth_error = hci_adapters(&one, 1) < 0 ? errno : 0;
	f->net_admin = net_admin();
}

static enum preflight_maybe clock_kept(void)
{
	struct timex tx = { 0 };

	if (adjtimex(&tx) < 0)
		return PREFLIGHT_UNKNOWN;
	return tx.status & STA_UNSYNC ? PREFLIGHT_NO : PREFLIGHT_YES;
}

/* DATA, or where it would be made. */
static void look_at_data(const char *data, struct preflight_facts *f)
{
	char place[PREFLIGHT_TEXT];
	struct statvfs fs;
	struct stat st;
	char *slash;

	snprintf(f->data, sizeof(f->data), "%s", data);
	snprintf(place, sizeof(place), "%s", data);
	if (stat(place, &st) != 0 && errno == ENOENT) {
		f->data_missing = true;
		while (strlen(place) > 1 && place[strlen(place) - 1] == '/')
			place[strlen(place) - 1] = '\0';
		slash = strrchr(place, '/');
		if (!slash)
			snprintf(place, sizeof(place), ".");
		else
			slash[slash == place] = '\0';
	}
	if (stat(place, &st) != 0)
		f->data_error = errno;
	else if (!S_ISDIR(st.st_mode))
		f->data_error = ENOTDIR;
	else if (access(place, R_OK | W_OK | X_OK) != 0)
		f->data_error = errno;
	f->disk_known = statvfs(place, &fs) == 0 && fs.f_blocks > 0;
	if (f->disk_known)
		f->disk_free = (uint64_t)fs.f_bavail * fs.f_frsize;
}

static void look_at_radio(const struct preflight_config *c, struct preflight_facts *f)
{
	const char *rest = strchr(c->radio, ':');

	if (c->running) {
		f->radio_ok = c->up;
		snprintf(f->radio_line, sizeof(f->radio_line), "%s", c->line);
	}
	switch (f->radio) {
	case PREFLIGHT_NO_RADIO:
		return;
	case PREFLIGHT_SIM:
		if (!c->running)
			try_sim(rest + 1, f);
		return;
	case PREFLIGHT_AIR:
		if (!c->running)
			try_air(rest + 1, f);
		return;
	case PREFLIGHT_MGMT:
		try_mgmt(rest + 1, c->running, f);
		break;
	case PREFLIGHT_HCI:
		if (!c->running)
			try_hci(c->radio, f);
		break;
	}
	/* Looking through all processes takes its time: only where somebody may be in the way. */
	if (!f->radio_ok || !c->running)
		hci_socket_holders(NULL, f->radio == PREFLIGHT_MGMT ? "bluetoothd" : NULL,
				   f->daemons, sizeof(f->daemons));
}

void preflight_gather(const struct preflight_config *config, struct preflight_facts *out)
{
	memset(out, 0, sizeof(*out));
	out->radio = kind_of(config->radio);
	out->now = config->now;
	out->built = MESHMASON_BUILT;
	out->clock_kept = clock_kept();
	look_at_kernel(out);
	look_at_data(config->data, out);
	look_at_radio(config, out);
}
