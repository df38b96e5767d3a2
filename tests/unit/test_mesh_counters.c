/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with what was heard is counted once, whichever layer finds it. */
#include <stdlib.h>

#include "check.h"
#include "config_client.h"
#include "mesh.h"
#include "net_pdu.h"
#include "remote_prov_client.h"
#include "subnet.h"
#include "timers.h"
#include "upper_crypt.h"

enum { OURS = 0x0001, NODE = 0x0100 };

static const struct secret16 NET = { { 1 } }, OTHER_NET = { { 2 } };
static const struct secret16 OUR_KEY = { { 3 } }, NODE_KEY = { { 4 } }, OTHER_KEY = { { 5 } };

struct world {
	struct timers timers;
	struct bearer bearer;
	struct mesh_store store;
	struct mesh *mesh;
	struct subnet_key net;
	uint32_t seq;
	struct config_call composition, bind;
	struct rpr_call capabilities, scan;
};

static bool send_nothing(struct bearer *b, const struct bearer_send *s)
{
	return true;
}

static void cancel_nothing(struct bearer *b, uint32_t tag)
{
}

static void save_seq(void *ctx, uint32_t reserved)
{
}

static void save_iv(void *ctx, const struct mesh_iv *iv, uint32_t reserved)
{
}

static void save_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
}

static void random_octets(void *ctx, void *out, size_t n)
{
	memset(out, 0x55, n);
}

static void configured(void *ctx, enum access_result r, struct config_call *call)
{
	fail_msg("answered by %u octets", (unsigned)call->composition.n);
}

static void called(void *ctx, enum access_result r, struct rpr_call *call)
{
	fail_msg("answered");
}

/* Requests wait for all the answers that the rows below are not. */
static void world_open(struct world *w)
{
	static const struct model_ref model = { .element = NODE, .model = MODEL_HEALTH_SERVER };
	struct access_target node = { .dst = NODE, .app_index = ACCESS_DEVICE_KEY, .ttl = 5 };

	memset(w, 0, sizeof(*w));
	timers_init(&w->timers, SEC(1000));
	w->bearer = (struct bearer){ .send = send_nothing, .cancel = cancel_nothing };
	w->store = (struct mesh_store){ save_seq, save_iv, save_replay, w };
	w->mesh = mesh_new(&(struct mesh_env){ .bearer = &w->bearer,
					       .timers = &w->timers,
					       .store = &w->store,
					       .random = random_octets },
			   &(struct mesh_boot){ .address = OURS, .device_key = OUR_KEY });
	check(mesh_net_key_add(w->mesh, 0, &NET));
	check(mesh_node_set(w->mesh, NODE, 1, &NODE_KEY, NULL));
	subnet_key_init(&w->net, &NET);
	w->composition.done = w->bind.done = configured;
	w->capabilities.done = w->scan.done = called;
	config_composition_get(mesh_access(w->mesh), &w->composition, &node, 0);
	config_model_app_bind(mesh_access(w->mesh), &w->bind, &node, &model, 0);
	rpr_capabilities_get(mesh_access(w->mesh), &w->capabilities, &node);
	rpr_scan_stop(mesh_access(w->mesh), &w->scan, &node);
	timers_advance(&w->timers, timers_now(&w->timers) + MSEC(100));
	w->seq = 10;
}

static void world_close(struct world *w)
{
	config_call_cancel(&w->composition);
	config_call_cancel(&w->bind);
	rpr_call_cancel(&w->capabilities);
	rpr_call_cancel(&w->scan);
	mesh_free(w->mesh);
	subnet_key_free(&w->net);
	timers_free(&w->timers);
}

static void report(struct world *w, struct bytes ad)
{
	struct bearer_report r = { .data = ad, .event_type = ADV_NONCONN_IND, .rssi = -50 };

	w->bearer.heard(w->bearer.heard_ctx, &r);
}

static void transport(struct world *w, const struct subnet_key *k, bool ctl, uint32_t seq,
		      struct bytes in)
{
	struct net_pdu p = { .seq = seq, .src = NODE, .dst = OURS, .ctl = ctl, .ttl = 5 };
	uint8_t ad[2 + NETWORK_PDU_MAX];
	size_t n;

	p.len = (uint8_t)in.n;
	memcpy(p.transport, in.p, in.n);
	n = net_pdu_encode(&k->flooding, &p, ad + 2);
	ad[0] = (uint8_t)(n + 1);
	ad[1] = AD_MESH_MESSAGE;
	report(w, bytes_of(ad, n + 2));
}

static void access_pdu(struct world *w, const struct secret16 *key, struct bytes in)
{
	struct upper_nonce n = { .device_key = true, .seq = w->seq, .src = NODE, .dst = OURS };
	uint8_t out[16] = { 0 };

	transport(w, &w->net, false, w->seq,
		  bytes_of(out, 1 + upper_encrypt(key, &n, in, out + 1)));
	w->seq++;
}

enum layer { AIR, ACCESS_PDU, CONTROL, FOREIGN_NET, AS_NODE, TO_US, FOREIGN_KEY, OLDER };
enum counted { NOTHING, MALFORMED, NET_UNDECRYPTABLE, ACCESS_UNDECRYPTABLE, REPLAYED };

static void say(struct world *w, enum layer layer, struct bytes in)
{
	struct subnet_key other = { 0 };

	switch (layer) {
	case AIR:
		report(w, in);
		break;
	case ACCESS_PDU:
	case CONTROL:
		transport(w, &w->net, layer == CONTROL, w->seq++, in);
		break;
	case FOREIGN_NET:
		subnet_key_init(&other, &OTHER_NET);
		transport(w, &other, false, w->seq++, in);
		subnet_key_free(&other);
		break;
	case AS_NODE:
		access_pdu(w, &NODE_KEY, in);
		break;
	case TO_US:
		access_pdu(w, &OUR_KEY, in);
		break;
	case FOREIGN_KEY:
		access_pdu(w, &OTHER_KEY, in);
		break;
	case OLDER:
		access_pdu(w, &OUR_KEY, bytes_of("\x80\x09", 2));
		w->seq = 5;
		access_pdu(w, &NODE_KEY, in);
		break;
	}
}

TEST(what_is_wrong_is_counted_once_whichever_layer_finds_it)
{
	static const struct {
		const char *name;
		enum layer layer;
		const char *hex;
		enum counted counted;
	} rows[] = {
		{ "AD structure beyond the data", AIR, "052a00", MALFORMED },
		{ "network PDU too short", AIR, "042a680102", MALFORMED },
		{ "network PDU of another network", FOREIGN_NET, "00112233445566",
		  NET_UNDECRYPTABLE },
		{ "beacon of an unknown type", AIR, "032b0500", MALFORMED },
		{ "secure network beacon cut short", AIR, "042b010000", MALFORMED },
		{ "PB-ADV frame too short", AIR, "0429112233", MALFORMED },
		{ "PB-ADV start whose SegN does not fit", AIR, "0b29112233440008000100aa",
		  MALFORMED },
		{ "PB-ADV of a link that is not ours", AIR, "0729112233440007", NOTHING },
		{ "unsegmented message without room for a MIC", ACCESS_PDU, "0011223344",
		  MALFORMED },
		{ "SegO above SegN", ACCESS_PDU, "80000020aabbccddeeff", MALFORMED },
		{ "middle segment that is not full", ACCESS_PDU, "80000001aabbccddeeff",
		  MALFORMED },
		{ "acknowledgment cut short", CONTROL, "000000000000", MALFORMED },
		{ "control message of an unknown kind", CONTROL, "7e00", NOTHING },
		{ "message under a key we do not have", FOREIGN_KEY, "8009", ACCESS_UNDECRYPTABLE },
		{ "message with a number below the last accepted", OLDER, "800e05", REPLAYED },
		{ "reserved opcode", AS_NODE, "7f00", MALFORMED },
		{ "opcode cut short", AS_NODE, "c001", MALFORMED },
		{ "message that nobody waits for", AS_NODE, "800e05", NOTHING },
		{ "Composition Data Status without data", AS_NODE, "0200", MALFORMED },
		{ "Composition Data Status of a page above", AS_NODE, "02010000", NOTHING },
		{ "Model App Status too long", AS_NODE, "803e00000100000002ff", MALFORMED },
		{ "Model App Status of a vendor's model", AS_NODE, "803e000001000005f10001",
		  NOTHING },
		{ "Scan Capabilities Status too short", AS_NODE, "805004", MALFORMED },
		{ "Scan Status too long", AS_NODE, "80540000000000", MALFORMED },
		{ "question to ourselves with an octet too many", TO_US, "800900", MALFORMED },
		{ "question to ourselves", TO_US, "8009", NOTHING },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum counted want = rows[i].counted;
		struct mesh_counters c;
		uint8_t in[32];
		struct world w;
		int n = hex_parse(rows[i].hex, in, sizeof(in));

		check_row(rows[i].name, n > 0);
		world_open(&w);
		say(&w, rows[i].layer, bytes_of(in, (size_t)n));
		mesh_counters(w.mesh, &c);
		check_row(rows[i].name, c.malformed == (want == MALFORMED));
		check_row(rows[i].name, c.network_undecryptable == (want == NET_UNDECRYPTABLE));
		check_row(rows[i].name, c.access_undecryptable == (want == ACCESS_UNDECRYPTABLE));
		check_row(rows[i].name, c.replayed == (want == REPLAYED));
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_counted_once_whichever_layer_finds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
