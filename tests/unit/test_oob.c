/* SPDX-License-Identifier: Apache-2.0 */
#include "oob.h"
#include "vectors.h"

static const char *const auth_ids[] = {
	"auth-binary-short-cmac", "auth-binary-short-hmac", "auth-binary-long-cmac",
	"auth-numeric-5",	  "auth-numeric-019655",    "auth-alnum-123ABC",
	"auth-numeric-hmac",
};

TEST(auth_values_of_every_data_type_match_the_published_ones)
{
	json_t *root = vectors_load("provisioning.json");

	for (size_t i = 0; i < ARRAY_LEN(auth_ids); i++) {
		json_t *v = vector_by_id(root, auth_ids[i]), *in = json_object_get(v, "input");
		const char *type = json_string_value(json_object_get(in, "data_type"));
		const char *text = json_string_value(json_object_get(in, "value"));
		struct vector expected = vector_hex(json_object_get(v, "expected"), "out");
		struct secret32 out;

		if (strcmp(type, "binary") == 0) {
			struct vector value = vector_hex(in, "value");

			oob_auth_binary(vector_view(&value), &out, expected.n);
		} else if (strcmp(type, "numeric") == 0) {
			oob_auth_number(strtoull(text, NULL, 10), &out, expected.n);
		} else {
			oob_auth_alphanumeric(text, &out, expected.n);
		}
		check_row(auth_ids[i], memcmp(out.octet, expected.octet, expected.n) == 0);
	}
	json_decref(root);
}

#define CMAC   PROV_ALG_CMAC
#define HMAC   PROV_ALG_HMAC
#define NONE   PROV_AUTH_NONE
#define STATIC PROV_AUTH_STATIC

#define WEAK	    PROV_END_ALGORITHM_TOO_WEAK
#define UNAVAILABLE PROV_END_OOB_UNAVAILABLE

static const struct choice_row {
	const char *name;
	struct prov_policy policy;
	bool have_key;
	struct prov_capabilities caps;
	struct {
		enum prov_end end; /* PROV_OK: chosen */
		enum prov_algorithm algorithm;
		bool oob_key;
		enum prov_auth_method method;
		uint8_t action, size;
	} want;
} choices[] = {
	{ "the stronger algorithm although the weaker would do",
	  { .min_algorithm = CMAC, .allow_none = true },
	  false,
	  { .elements = 1, .algorithms = 3 },
	  { PROV_OK, HMAC, false, NONE, 0, 0 } },
	{ "only the weaker, asked for",
	  { .min_algorithm = CMAC, .allow_none = true },
	  false,
	  { .elements = 1, .algorithms = 1 },
	  { PROV_OK, CMAC, false, NONE, 0, 0 } },
	{ "only the weaker, not asked for",
	  { .min_algorithm = HMAC, .allow_none = true },
	  false,
	  { .elements = 1, .algorithms = 1 },
	  { .end = WEAK } },
	{ "a downgrade of a device that offered more before",
	  { .min_algorithm = CMAC, .allow_none = true, .saw_stronger = true },
	  false,
	  { .elements = 1, .algorithms = 1 },
	  { .end = WEAK } },
	{ "algorithms of the future only",
	  { .min_algorithm = CMAC, .allow_none = true },
	  false,
	  { .elements = 1, .algorithms = 0xFFFC },
	  { .end = WEAK } },
	{ "bits of the future are ignored",
	  { .min_algorithm = CMAC, .allow_none = true },
	  true,
	  { .elements = 1, .algorithms = 0xFFFE, .public_key_type = 0xFE, .oob_type = 0xFC },
	  { PROV_OK, HMAC, false, NONE, 0, 0 } },
	{ "certificate: its key is used, nothing else authenticates",
	  { .min_algorithm = HMAC, .require_oob_public_key = true },
	  true,
	  { .elements = 1, .algorithms = 2, .public_key_type = 1 },
	  { PROV_OK, HMAC, true, NONE, 0, 0 } },
	{ "certificate, and a static value that we have",
	  { .min_algorithm = HMAC, .require_oob_public_key = true, .static_oob_len = 16 },
	  true,
	  { .elements = 1, .algorithms = 2, .public_key_type = 1, .oob_type = 1 },
	  { PROV_OK, HMAC, true, STATIC, 0, 0 } },
	{ "certificate, and a static value that we lack",
	  { .min_algorithm = HMAC, .require_oob_public_key = true },
	  true,
	  { .elements = 1, .algorithms = 2, .public_key_type = 1, .oob_type = 1 },
	  { PROV_OK, HMAC, true, NONE, 0, 0 } },
	{ "certificate, but the device would send another key",
	  { .min_algorithm = HMAC, .require_oob_public_key = true, .allow_none = true },
	  true,
	  { .elements = 1, .algorithms = 2 },
	  { .end = UNAVAILABLE } },
	{ "certificate wanted, no key at hand",
	  { .min_algorithm = HMAC, .require_oob_public_key = true, .allow_none = true },
	  false,
	  { .elements = 1, .algorithms = 2, .public_key_type = 1 },
	  { .end = UNAVAILABLE } },
	{ "the device insists on OOB and the key alone is not that",
	  { .min_algorithm = HMAC, .require_oob_public_key = true },
	  true,
	  { .elements = 1, .algorithms = 2, .public_key_type = 1, .oob_type = 3 },
	  { .end = UNAVAILABLE } },
	{ "static OOB before none, even where none is allowed",
	  { .min_algorithm = HMAC, .allow_none = true, .static_oob_len = 16 },
	  false,
	  { .elements = 1, .algorithms = 2, .oob_type = 1 },
	  { PROV_OK, HMAC, false, STATIC, 0, 0 } },
	{ "none where it is not allowed",
	  { .min_algorithm = HMAC },
	  false,
	  { .elements = 1, .algorithms = 2 },
	  { .end = UNAVAILABLE } },
	{ "static OOB wanted, not offered",
	  { .min_algorithm = HMAC,
	    .allow_none = true,
	    .static_oob_len = 16,
	    .require_static_oob = true },
	  false,
	  { .elements = 1, .algorithms = 2 },
	  { .end = UNAVAILABLE } },
	{ "static OOB wanted, value unknown",
	  { .min_algorithm = HMAC, .allow_none = true, .require_static_oob = true },
	  false,
	  { .elements = 1, .algorithms = 2, .oob_type = 1 },
	  { .end = UNAVAILABLE } },
	{ "only output OOB, which asks a person",
	  { .min_algorithm = HMAC },
	  false,
	  { .elements = 1, .algorithms = 2, .output_size = 4, .output_actions = 8 },
	  { .end = UNAVAILABLE } },
	{ "a prompt by output",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_OUTPUT },
	  false,
	  { .elements = 1,
	    .algorithms = 2,
	    .output_size = 4,
	    .output_actions = 8,
	    .input_size = 4,
	    .input_actions = 4 },
	  { PROV_OK, HMAC, false, PROV_AUTH_OUTPUT, 3, 4 } },
	{ "a prompt by input",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_INPUT },
	  false,
	  { .elements = 1,
	    .algorithms = 2,
	    .output_size = 4,
	    .output_actions = 8,
	    .input_size = 8,
	    .input_actions = 8 },
	  { PROV_OK, HMAC, false, PROV_AUTH_INPUT, 3, 8 } },
	{ "output asked for, only input offered: as strong",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_OUTPUT },
	  false,
	  { .elements = 1, .algorithms = 2, .input_size = 2, .input_actions = 5 },
	  { PROV_OK, HMAC, false, PROV_AUTH_INPUT, 2, 2 } },
	{ "a prompt asked for, a static value known: stronger",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_OUTPUT, .static_oob_len = 16 },
	  false,
	  { .elements = 1, .algorithms = 2, .oob_type = 1, .output_size = 4, .output_actions = 8 },
	  { PROV_OK, HMAC, false, STATIC, 0, 0 } },
	{ "a prompt asked for, and the device can do none",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_OUTPUT, .allow_none = true },
	  true,
	  { .elements = 1, .algorithms = 2, .public_key_type = 1 },
	  { .end = UNAVAILABLE } },
	{ "a prompt asked for, and its actions are of the future",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_OUTPUT },
	  false,
	  { .elements = 1,
	    .algorithms = 2,
	    .output_size = 4,
	    .output_actions = 0xFFE0,
	    .input_size = 9,
	    .input_actions = 4 },
	  { .end = UNAVAILABLE } },
	{ "actions of the future beside one of today",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_OUTPUT },
	  false,
	  { .elements = 1, .algorithms = 2, .output_size = 4, .output_actions = 0xFFE8 },
	  { PROV_OK, HMAC, false, PROV_AUTH_OUTPUT, 3, 4 } },
	{ "insists on OOB, by a prompt",
	  { .min_algorithm = HMAC, .prompt = PROV_PROMPT_INPUT },
	  false,
	  { .elements = 1, .algorithms = 2, .oob_type = 2, .input_size = 4, .input_actions = 4 },
	  { PROV_OK, HMAC, false, PROV_AUTH_INPUT, 2, 4 } },
	{ "insists on OOB: never falls back to none",
	  { .min_algorithm = HMAC, .allow_none = true },
	  false,
	  { .elements = 1, .algorithms = 2, .oob_type = 2, .input_size = 4, .input_actions = 4 },
	  { .end = UNAVAILABLE } },
	{ "insists on OOB, and has CMAC",
	  { .min_algorithm = HMAC, .static_oob_len = 16 },
	  false,
	  { .elements = 1, .algorithms = 3, .oob_type = 3 },
	  { .end = PROV_END_PROTOCOL } },
	{ "insists on OOB, and has none",
	  { .min_algorithm = HMAC, .static_oob_len = 16 },
	  false,
	  { .elements = 1,
	    .algorithms = 2,
	    .oob_type = 2,
	    .output_size = 9,
	    .output_actions = 0x1F },
	  { .end = PROV_END_PROTOCOL } },
	{ "insists on OOB, static",
	  { .min_algorithm = HMAC, .static_oob_len = 32 },
	  false,
	  { .elements = 1, .algorithms = 2, .oob_type = 3 },
	  { PROV_OK, HMAC, false, STATIC, 0, 0 } },
};

TEST(what_a_session_uses_follows_from_policy_and_capabilities)
{
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		const struct choice_row *row = &choices[i];
		struct prov_pdu_start start;
		enum prov_end why = PROV_OK;
		bool chosen = oob_choose(&row->policy, &row->caps, row->have_key, &start, &why);

		check_row(row->name, chosen == (row->want.end == PROV_OK));
		check_row(row->name, why == row->want.end);
		if (!chosen)
			continue;
		check_row(row->name, start.algorithm == row->want.algorithm);
		check_row(row->name, start.oob_public_key == row->want.oob_key);
		check_row(row->name, start.method == row->want.method);
		check_row(row->name, start.action == row->want.action);
		check_row(row->name, start.size == row->want.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth_values_of_every_data_type_match_the_published_ones),
		cmocka_unit_test(what_a_session_uses_follows_from_policy_and_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
