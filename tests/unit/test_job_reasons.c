/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <ctype.h>

#include "reasons.h"

/* The contract's list: codes may be added, never renamed. */
static const char *const codes[] = {
	"not_heard",
	"link_open_failed",
	"link_lost",
	"timeout",
	"server_lost",
	"certificate_absent",
	"certificate_malformed",
	"certificate_untrusted",
	"certificate_expired",
	"certificate_not_yet_valid",
	"certificate_revoked",
	"certificate_uuid_mismatch",
	"certificate_usage",
	"certificate_key",
	"certificate_chain",
	"certificate_product_mismatch",
	"certificate_fetch_failed",
	"records_error",
	"clock_wrong",
	"key_invalid",
	"auth_failed",
	"algorithm_too_weak",
	"oob_unavailable",
	"device_refused",
	"addresses_exhausted",
	"configuration_failed",
	"cancelled",
};

TEST(every_code_of_the_contract_has_words)
{
	size_t n;
	const struct jobs_reason *all = jobs_reasons(&n);

	check(n >= ARRAY_LEN(codes));
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		check_row(codes[i], jobs_reason(codes[i]) != NULL);
	for (size_t i = 0; i < n; i++) {
		check(all[i].code && all[i].message && all[i].advice);
		check_row(all[i].code, strlen(all[i].code) < DB_CODE);
		check_row(all[i].code, strlen(all[i].message) > 10);
		check_row(all[i].code, strlen(all[i].message) < DB_MESSAGE);
		check_row(all[i].code, all[i].message[strlen(all[i].message) - 1] == '.');
		check_row(all[i].code, all[i].advice[strlen(all[i].advice) - 1] == '.');
		check_row(all[i].code, isupper((unsigned char)all[i].message[0]));
		for (size_t k = 0; k < i; k++)
			check_row(all[i].code, strcmp(all[i].code, all[k].code) != 0);
	}
	check(!jobs_reason("no_such_code"));
}

TEST(each_verdict_on_a_certificate_has_a_code_of_its_own)
{
	static const struct {
		enum cert_verdict verdict;
		const char *code;
	} rows[] = {
		{ CERT_MALFORMED, "certificate_malformed" },
		{ CERT_UNTRUSTED, "certificate_untrusted" },
		{ CERT_EXPIRED, "certificate_expired" },
		{ CERT_NOT_YET_VALID, "certificate_not_yet_valid" },
		{ CERT_REVOKED, "certificate_revoked" },
		{ CERT_UUID_MISMATCH, "certificate_uuid_mismatch" },
		{ CERT_USAGE, "certificate_usage" },
		{ CERT_KEY, "certificate_key" },
		{ CERT_CHAIN, "certificate_chain" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum reason r = reason_of_certificate(rows[i].verdict, 1800000000);

		check_row(rows[i].code, strcmp(reason_code(r), rows[i].code) == 0);
		check_row(rows[i].code, !reason_worth_retry(r));
		check_row(rows[i].code, !reason_is_link_failure(r));
	}
}

TEST(a_clock_out_of_this_products_time_is_blamed_and_not_the_device)
{
	check_int(reason_of_certificate(CERT_NOT_YET_VALID, 0), REASON_CLOCK_WRONG);
	check_int(reason_of_certificate(CERT_EXPIRED, 5000000000), REASON_CLOCK_WRONG);
	check_int(reason_of_certificate(CERT_EXPIRED, 0), REASON_CERTIFICATE_EXPIRED);
	check(reason_clock_is_wrong(0) && reason_clock_is_wrong(5000000000));
	check(!reason_clock_is_wrong(1800000000));
}

TEST(only_what_may_end_better_is_tried_again)
{
	static const struct {
		const char *name;
		enum prov_end end;
		enum carrier_end carrier;
		enum reason reason;
		bool retry;
	} rows[] = {
		{ "silent when called", PROV_END_CARRIER, CARRIER_OPEN_FAILED,
		  REASON_LINK_OPEN_FAILED, true },
		{ "server busy", PROV_END_CARRIER, CARRIER_BUSY, REASON_LINK_OPEN_FAILED, true },
		{ "server gone", PROV_END_CARRIER, CARRIER_SERVER_LOST, REASON_SERVER_LOST, true },
		{ "device gone", PROV_END_CARRIER, CARRIER_LOST, REASON_LINK_LOST, true },
		{ "no answer", PROV_END_TIMEOUT, 0, REASON_TIMEOUT, true },
		{ "records broken", PROV_END_RECORDS, 0, REASON_RECORDS_ERROR, true },
		{ "device says no", PROV_END_DEVICE_FAILED, 0, REASON_DEVICE_REFUSED, true },
		{ "bad point", PROV_END_KEY_INVALID, 0, REASON_KEY_INVALID, false },
		{ "wrong value", PROV_END_AUTH_FAILED, 0, REASON_AUTH_FAILED, false },
		{ "cmac only", PROV_END_ALGORITHM_TOO_WEAK, 0, REASON_ALGORITHM_TOO_WEAK, false },
		{ "no method", PROV_END_OOB_UNAVAILABLE, 0, REASON_OOB_UNAVAILABLE, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum reason r = reason_of_session(rows[i].end, rows[i].carrier);

		check_row(rows[i].name, r == rows[i].reason);
		check_row(rows[i].name, reason_worth_retry(r) == rows[i].retry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_of_the_contract_has_words),
		cmocka_unit_test(each_verdict_on_a_certificate_has_a_code_of_its_own),
		cmocka_unit_test(a_clock_out_of_this_products_time_is_blamed_and_not_the_device),
		cmocka_unit_test(only_what_may_end_better_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
