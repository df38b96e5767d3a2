/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outside witness for network, transport and access layers: a simulated run is captured whole,
 * tshark decrypts it with the exported keys, and what it reads must equal what our server sent and
 * read, octet for octet.
 *
 * What tshark 4.0 cannot do, and is therefore left out here: it has no names for 0x804F-0x805F
 * (Remote Provisioning; it shows their octets), does not know provisioning PDUs 0x0A-0x0D
 * (records) and calls 0x0C malformed, and cannot read private beacons.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "air_pcap.h"
#include "check.h"
#include "db_network.h"
#include "world.h"

enum { MESSAGES_MAX = 20000, TEXT = 800 };

struct message {
	uint16_t src, dst;
	char pdu[TEXT]; /* opcode and parameters, hexadecimal */
	bool seen;
};

struct messages {
	struct message *row;
	size_t n;
};

struct witness {
	struct air_pcap *pcap;
	struct messages ours;
};

static void add(struct messages *ms, uint16_t src, uint16_t dst, const char *pdu)
{
	for (size_t i = 0; i < ms->n; i++) {
		if (ms->row[i].src == src && ms->row[i].dst == dst && !strcmp(ms->row[i].pdu, pdu))
			return;
	}
	check(ms->n < MESSAGES_MAX && strlen(pdu) < TEXT);
	ms->row[ms->n].src = src;
	ms->row[ms->n].dst = dst;
	ms->row[ms->n].seen = false;
	strcpy(ms->row[ms->n++].pdu, pdu);
}

static struct message *find(struct messages *ms, const struct message *m)
{
	for (size_t i = 0; i < ms->n; i++) {
		if (ms->row[i].src == m->src && ms->row[i].dst == m->dst &&
		    !strcmp(ms->row[i].pdu, m->pdu))
			return &ms->row[i];
	}
	return NULL;
}

static void on_access(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct witness *wit = ctx;
	char hex[TEXT];

	check(2 * pdu.n < sizeof(hex));
	add(&wit->ours, m->src, m->dst, hex_format(hex, pdu));
}

static void on_air(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	air_pcap_write(((struct witness *)ctx)->pcap, at, address, ad);
}

/* btmesh_nw_keys and btmesh_dev_keys, as Wireshark's dissector wants them. */
static void write_keys(struct world *w, const char *folder)
{
	struct building *b = world_building(w);
	struct db_net_key net;
	struct db_app_key app;
	char path[160], a[33], n[33];
	FILE *f;

	check_int(db_net_key_get(core_db(world_core(w)), 0, &net), DB_OK);
	check_int(db_app_key_get(core_db(world_core(w)), 0, &app), DB_OK);
	snprintf(path, sizeof(path), "%s/btmesh_nw_keys", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "\"0x%s\",\"0x%s\",\"0x00000000\"\n", hex_format(n, bytes_of(net.key.octet, 16)),
		hex_format(a, bytes_of(app.key.octet, 16)));
	fclose(f);
	snprintf(path, sizeof(path), "%s/btmesh_dev_keys", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	for (size_t i = 0; i < building_count(b); i++) {
		struct device_keys keys;

		if (building_keys_of(b, i, &keys))
			fprintf(f, "\"0x%s\",\"0x%04x\"\n",
				hex_format(a, bytes_of(keys.device_key.octet, 16)), keys.address);
	}
	fclose(f);
}

/* "src TAB dst TAB decrypted[,decrypted] TAB opcode": one line for each frame that completes a
 * message. */
static void read_tshark(const char *folder, const char *pcap, struct messages *out)
{
	char command[600], line[4096];
	FILE *p;

	snprintf(command, sizeof(command),
		 "WIRESHARK_CONFIG_DIR=%s timeout 300 tshark -2 -r %s -Y btmesh.access.decrypted "
		 "-T fields -e btmesh.src -e btmesh.dst -e btmesh.access.decrypted "
		 "-e btmesh.model.opcode 2>/dev/null",
		 folder, pcap);
	p = popen(command, "r");
	assert_non_null(p);
	while (fgets(line, sizeof(line), p)) {
		char pdu[TEXT];
		int src, dst; /* decimal, or with 0x: as the version prints */

		if (sscanf(line, "%i\t%i\t%799[0-9a-f]", &src, &dst, pdu) == 3)
			add(out, (uint16_t)src, (uint16_t)dst, pdu);
	}
	check_int(pclose(p), 0);
}

static void compare(struct messages *ours, struct messages *theirs)
{
	size_t missing = 0, foreign = 0;

	for (size_t i = 0; i < ours->n; i++) {
		struct message *m = find(theirs, &ours->row[i]);

		if (m) {
			m->seen = true;
			continue;
		}
		missing++;
		print_message("tshark has not: %04x -> %04x %s\n", ours->row[i].src,
			      ours->row[i].dst, ours->row[i].pdu);
	}
	for (size_t i = 0; i < theirs->n; i++) {
		if (theirs->row[i].seen)
			continue;
		foreign++;
		print_message("only tshark has: %04x -> %04x %s\n", theirs->row[i].src,
			      theirs->row[i].dst, theirs->row[i].pdu);
	}
	print_message("%zu messages of ours, %zu of tshark's\n", ours->n, theirs->n);
	check_int(missing, 0);
	check_int(foreign, 0);
}

TEST(tshark_reads_every_message_as_we_do)
{
	struct world *w = world_new(31, "devices=8,floors=1,loss=0");
	struct witness wit = { .ours.row = calloc(MESSAGES_MAX, sizeof(struct message)) };
	struct messages theirs = { .row = calloc(MESSAGES_MAX, sizeof(struct message)) };
	char pcap[128], folder[128];
	int64_t job;

	snprintf(pcap, sizeof(pcap), "%s/air.pcap", world_folder(w));
	snprintf(folder, sizeof(folder), "%s/wireshark", world_folder(w));
	check(mkdir(folder, 0700) == 0);
	wit.pcap = air_pcap_open(pcap);
	assert_non_null(wit.pcap);
	world_on_air(w, on_air, &wit);
	world_on_access(w, on_access, &wit);
	world_start(w);
	job = world_provision(w);
	check(world_finish(w, job, SEC(3600)));
	world_advance(w, SEC(5)); /* the last answers and acknowledgments */
	check(air_pcap_close(wit.pcap));
	write_keys(w, folder);
	read_tshark(folder, pcap, &theirs);
	check(wit.ours.n > 100);
	compare(&wit.ours, &theirs);
	world_free(w);
	free(wit.ours.row);
	free(theirs.row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tshark_reads_every_message_as_we_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
