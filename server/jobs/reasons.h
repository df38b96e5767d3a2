/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of reasons, and which reason an outcome of the stack is. */
#ifndef MESHMASON_REASONS_H
#define MESHMASON_REASONS_H

#include "certificate.h"
#include "jobs.h"
#include "provisioner.h"

enum reason {
	REASON_NOT_HEARD,
	REASON_LINK_OPEN_FAILED,
	REASON_LINK_LOST,
	REASON_TIMEOUT,
	REASON_SERVER_LOST,
	REASON_SERVER_REFUSED,
	REASON_CERTIFICATE_ABSENT,
	REASON_CERTIFICATE_MALFORMED,
	REASON_CERTIFICATE_UNTRUSTED,
	REASON_CERTIFICATE_EXPIRED,
	REASON_CERTIFICATE_NOT_YET_VALID,
	REASON_CERTIFICATE_REVOKED,
	REASON_CERTIFICATE_UUID_MISMATCH,
	REASON_CERTIFICATE_USAGE,
	REASON_CERTIFICATE_KEY,
	REASON_CERTIFICATE_CHAIN,
	REASON_CERTIFICATE_PRODUCT_MISMATCH,
	REASON_CERTIFICATE_FETCH_FAILED,
	REASON_RECORDS_ERROR,
	REASON_CLOCK_WRONG,
	REASON_KEY_INVALID,
	REASON_AUTH_FAILED,
	REASON_ALGORITHM_TOO_WEAK,
	REASON_OOB_UNAVAILABLE,
	REASON_DEVICE_REFUSED,
	REASON_ADDRESSES_EXHAUSTED,
	REASON_CONFIGURATION_FAILED,
	REASON_REFRESH_NOT_SUPPORTED,
	REASON_REFRESH_UNRESOLVED,
	REASON_ADDRESS_TAKEN,
	REASON_ADDRESS_REFRESH_NEEDED,
	REASON_NODE_GONE,
	REASON_CANCELLED,
	REASONS,
};

const char *reason_code(enum reason r);
/* Obviously; now in Unix seconds. */
bool reason_clock_is_wrong(int64_t now);
/* now in Unix seconds. */
enum reason reason_of_certificate(enum cert_verdict verdict, int64_t now);
enum reason reason_of_session(enum prov_end end, enum carrier_end carrier_end);
/* Another attempt, best through another server, may end better. Never for a certificate, once it
 * is here. */
bool reason_worth_retry(enum reason r);
/* Counts for options.stop_at_failure_percent. */
bool reason_is_link_failure(enum reason r);

#endif
