/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of the published samples: every record of tests/unit/vectors is run by the test that
 * its row names, or is left out by a test here whose name says why. A record without a row, a row
 * without a record and a row whose test is gone all fail.
 */
#include "vectors.h"

struct entry {
	const char *file, *list;
	const char *member; /* NULL: every record of the list */
	const char *value;
	const char *source; /* NULL: left out */
	const char *test;   /* its name, or that of the test here that leaves it out */
	bool used;
};

#define CRYPTO "test_crypto.c"
#define REST   "test_vector_rest.c"
#define CHAIN  "test_cert_chain.c"
#define RPR    "test_remote_prov_client.c"
#define CONFIG "test_config_client.c"
#define PROVISIONING(op, source, test)                                        \
	{                                                                     \
		"provisioning.json", "vectors", "op", op, source, test, false \
	}
#define NETWORK(list, source, test)                                   \
	{                                                             \
		"network.json", list, NULL, NULL, source, test, false \
	}
#define COMPOSITION(id, source, test)                                             \
	{                                                                         \
		"network.json", "composition_data", "id", id, source, test, false \
	}
#define REMOTE(opcode, source, test)                                         \
	{                                                                    \
		"rpr.json", "vectors", "opcode", opcode, source, test, false \
	}

static const struct entry ledger_rows[] = {
	PROVISIONING("s1", CRYPTO, "the_published_provisioning_functions_come_out"),
	PROVISIONING("s2", CRYPTO, "the_published_provisioning_functions_come_out"),
	PROVISIONING("k1", CRYPTO, "the_published_provisioning_functions_come_out"),
	PROVISIONING("k5", CRYPTO, "the_published_provisioning_functions_come_out"),
	PROVISIONING("hmac_sha256", CRYPTO, "the_published_provisioning_functions_come_out"),
	PROVISIONING("k2", REST, "published_derivations_of_the_provisioning_sheet_come_out"),
	PROVISIONING("k3", REST, "published_derivations_of_the_provisioning_sheet_come_out"),
	PROVISIONING("k4", REST, "published_derivations_of_the_provisioning_sheet_come_out"),
	PROVISIONING("k1_netkey_derivative", REST,
		     "published_derivations_of_the_provisioning_sheet_come_out"),
	PROVISIONING("p256_ecdh", CRYPTO, "the_published_key_exchanges_come_out_on_both_sides"),
	PROVISIONING("prov_chain", CRYPTO, "the_published_provisioning_chains_come_out"),
	PROVISIONING("provisioning_data_pack", "test_prov_pdu.c",
		     "published_provisioning_data_is_packed_and_unpacked"),
	PROVISIONING("record_answer", "test_prov_pdu.c", "published_record_pdus_are_understood"),
	PROVISIONING("auth_value", "test_oob.c",
		     "auth_values_of_every_data_type_match_the_published_ones"),
	PROVISIONING("fcs", "test_gen_prov.c", "published_check_sequences_are_reproduced"),
	PROVISIONING("pbadv_control", "test_gen_prov.c",
		     "published_control_and_ack_frames_are_reproduced"),
	PROVISIONING("pbadv_ack", "test_gen_prov.c",
		     "published_control_and_ack_frames_are_reproduced"),
	PROVISIONING("pbadv_segment", "test_gen_prov.c",
		     "published_transactions_are_segmented_and_put_together"),
	PROVISIONING("unprov_beacon", REST, "published_unprovisioned_beacons_name_their_uri"),
	PROVISIONING("x509_ca_certificate", CHAIN, "the_published_test_suite_chain_passes"),
	PROVISIONING("x509_device_certificate", CHAIN, "the_published_test_suite_chain_passes"),
	PROVISIONING("cbp_common_name", REST, "the_published_common_name_is_read"),
	PROVISIONING("oid_der", REST, "the_published_object_identifier_has_the_published_octets"),
	PROVISIONING("cbp_uri", "test_cert_response.c", "the_published_request_is_built"),
	PROVISIONING("pbgatt_segment", NULL, "left_out_because_there_is_no_gatt_bearer"),

	NETWORK("crypto_toolbox", CRYPTO, "the_published_network_toolbox_samples_come_out"),
	NETWORK("seq_auth", "test_lower.c", "published_seq_auth_is_recovered_from_any_segment"),
	NETWORK("messages", "test_net.c", "every_published_network_pdu_encodes_and_decodes"),
	NETWORK("receive_cases", "test_net.c", "published_receive_cases_are_taken_or_dropped"),
	NETWORK("beacons", "test_beacon.c", "every_published_beacon_encodes_and_decodes"),
	{ "network.json", "proxy", "type", "proxy_configuration", REST,
	  "published_proxy_and_solicitation_messages_are_sealed_alike", false },
	{ "network.json", "proxy", "type", "solicitation", REST,
	  "published_proxy_and_solicitation_messages_are_sealed_alike", false },
	{ "network.json", "proxy", "type", "advertising", REST,
	  "published_advertised_identities_have_their_hashes", false },
	NETWORK("proxy_sar", NULL, "left_out_because_there_is_no_gatt_bearer"),
	COMPOSITION("8.10.1", CONFIG, "published_compositions_decode"),
	COMPOSITION("nordic-page0", CONFIG, "published_compositions_decode"),
	COMPOSITION("8.10.2", "test_composition_pages.c", "the_published_page_1_decodes"),
	COMPOSITION("8.14", NULL, "left_out_because_no_job_reads_models_metadata"),

	REMOTE("0x8050", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x8052", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x8054", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x8055", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x8056", "test_extended_scan.c",
	       "every_published_vector_of_the_extended_scan_agrees"),
	REMOTE("0x8057", "test_extended_scan.c",
	       "every_published_vector_of_the_extended_scan_agrees"),
	REMOTE("0x8059", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x805A", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x805B", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x805C", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x805D", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x805E", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x805F", RPR, "every_vector_of_a_message_that_we_use_agrees"),
	REMOTE("0x00", CONFIG, "recorded_configuration_messages_are_ours_octet_for_octet"),
	REMOTE("0x8003", CONFIG, "recorded_configuration_messages_are_ours_octet_for_octet"),
	REMOTE("0x803D", CONFIG, "recorded_configuration_messages_are_ours_octet_for_octet"),
	REMOTE("0x803E", CONFIG, "recorded_configuration_messages_are_ours_octet_for_octet"),
	REMOTE("0x8008", CONFIG, "recorded_configuration_messages_are_ours_octet_for_octet"),
	REMOTE("0x02", CONFIG, "published_compositions_decode"),
	REMOTE("0x8040", NULL, "left_out_because_no_job_sends_network_keys_yet"),
	REMOTE("0x8016", NULL, "left_out_because_no_job_sends_network_keys_yet"),
	REMOTE("0x8002", NULL, "left_out_because_no_job_reads_key_lists_yet"),
	REMOTE("0x8072", NULL, "left_out_because_nothing_uses_the_opcodes_aggregator"),
	REMOTE("0x806D", NULL, "left_out_because_nothing_sets_sar_states_of_nodes"),
	REMOTE("0x8070", NULL, "left_out_because_nothing_sets_sar_states_of_nodes"),
};

static struct entry *ledger_find(struct entry *rows, const char *file, const char *list,
				 json_t *record)
{
	for (size_t i = 0; i < ARRAY_LEN(ledger_rows); i++) {
		struct entry *e = &rows[i];
		const char *value =
			e->member ? json_string_value(json_object_get(record, e->member)) : NULL;

		if (strcmp(e->file, file) != 0 || strcmp(e->list, list) != 0)
			continue;
		if (!e->member || (value && strcmp(value, e->value) == 0))
			return e;
	}
	return NULL;
}

static unsigned count_list(struct entry *rows, const char *file, const char *list, json_t *records)
{
	json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		struct entry *e = ledger_find(rows, file, list, record);

		if (!e)
			fail_msg("%s: record %zu of %s has no row in the ledger", file, i, list);
		e->used = true;
	}
	return (unsigned)json_array_size(records);
}

/* "derived_examples", "totals" and such are objects or texts, not records. */
static unsigned count_file(struct entry *rows, const char *file)
{
	json_t *root = vectors_load(file), *value;
	unsigned n = 0;
	const char *list;

	json_object_foreach(root, list, value)
	{
		if (json_is_array(value) && json_is_object(json_array_get(value, 0)))
			n += count_list(rows, file, list, value);
	}
	json_decref(root);
	return n;
}

TEST(every_published_record_has_its_row)
{
	struct entry rows[ARRAY_LEN(ledger_rows)];
	unsigned n;

	memcpy(rows, ledger_rows, sizeof(rows));
	n = count_file(rows, "provisioning.json") + count_file(rows, "network.json") +
	    count_file(rows, "rpr.json");
	check_int(n, 75 + 99 + 70);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!rows[i].used)
			fail_msg("row %zu (%s) names no record", i, rows[i].test);
}

static bool file_has(const char *source, const char *test)
{
	char path[512], want[160], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), SOURCE_DIR "/tests/unit/%s", source);
	snprintf(want, sizeof(want), "TEST(%s)", test);
	f = fopen(path, "r");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, want);
	if (f)
		fclose(f);
	return found;
}

TEST(every_test_that_the_ledger_names_is_there)
{
	for (size_t i = 0; i < ARRAY_LEN(ledger_rows); i++) {
		const struct entry *e = &ledger_rows[i];

		if (!file_has(e->source ? e->source : "test_vector_ledger.c", e->test))
			fail_msg("%s has no test %s", e->source ? e->source : "the ledger",
				 e->test);
	}
}

TEST(left_out_because_there_is_no_gatt_bearer)
{
	skip();
}

TEST(left_out_because_no_job_reads_models_metadata)
{
	skip();
}

TEST(left_out_because_no_job_sends_network_keys_yet)
{
	skip();
}

TEST(left_out_because_no_job_reads_key_lists_yet)
{
	skip();
}

TEST(left_out_because_nothing_uses_the_opcodes_aggregator)
{
	skip();
}

TEST(left_out_because_nothing_sets_sar_states_of_nodes)
{
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_published_record_has_its_row),
		cmocka_unit_test(every_test_that_the_ledger_names_is_there),
		cmocka_unit_test(left_out_because_there_is_no_gatt_bearer),
		cmocka_unit_test(left_out_because_no_job_reads_models_metadata),
		cmocka_unit_test(left_out_because_no_job_sends_network_keys_yet),
		cmocka_unit_test(left_out_because_no_job_reads_key_lists_yet),
		cmocka_unit_test(left_out_because_nothing_uses_the_opcodes_aggregator),
		cmocka_unit_test(left_out_because_nothing_sets_sar_states_of_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
