/* SPDX-License-Identifier: Apache-2.0 */
#include "reasons.h"

#include <string.h>

static const struct jobs_reason reasons[REASONS] = {
	[REASON_NOT_HEARD] = { "not_heard", "No server has heard this device.",
			       "Check that it is powered and not already part of another network, "
			       "then scan near its place." },
	[REASON_LINK_OPEN_FAILED] = { "link_open_failed",
				      "The device was heard, but did not answer when called.",
				      "Power it off and on; if that does not help, move a server "
				      "closer or replace the device." },
	[REASON_LINK_LOST] = { "link_lost", "The connection to the device broke off.",
			       "Try again; if it stays like this, look for weak signal or a "
			       "device that restarts." },
	[REASON_TIMEOUT] = { "timeout", "The device stopped answering.",
			     "Power it off and on, then retry this task." },
	[REASON_SERVER_LOST] = { "server_lost",
				 "The node through which the device was reached went silent.",
				 "Check the power of that node, then retry: another one is taken "
				 "if there is one." },
	[REASON_SERVER_REFUSED] = { "server_refused",
				    "The node through which the device is heard did not take this "
				    "on.",
				    "Another job or another gateway may be using that node: try "
				    "again when it is free, or choose another server." },
	[REASON_CERTIFICATE_ABSENT] = { "certificate_absent", "The device shows no certificate.",
					"Import its certificate with the device list, or provision "
					"it with another authentication policy." },
	[REASON_CERTIFICATE_MALFORMED] = { "certificate_malformed",
					   "The device's certificate cannot be read.",
					   "Ask the maker for a replacement: the device is "
					   "defective or not genuine." },
	[REASON_CERTIFICATE_UNTRUSTED] = { "certificate_untrusted",
					   "The device's certificate was not issued by a maker "
					   "that you trust.",
					   "If the device is genuine, add its maker's root "
					   "certificate under Trust." },
	[REASON_CERTIFICATE_EXPIRED] = { "certificate_expired",
					 "The device's certificate has expired.",
					 "Ask the maker for a renewed certificate or a "
					 "replacement." },
	[REASON_CERTIFICATE_NOT_YET_VALID] = { "certificate_not_yet_valid",
					       "The device's certificate is not valid yet.",
					       "Check this gateway's clock; if it is right, ask "
					       "the maker." },
	[REASON_CERTIFICATE_REVOKED] = { "certificate_revoked",
					 "The maker has revoked the device's certificate.",
					 "Do not use this device; return it to the maker." },
	[REASON_CERTIFICATE_UUID_MISMATCH] = { "certificate_uuid_mismatch",
					       "The certificate belongs to another device.",
					       "Do not use this device: it shows a certificate "
					       "that is not its own." },
	[REASON_CERTIFICATE_USAGE] = { "certificate_usage",
				       "The certificate is not meant for provisioning.",
				       "Ask the maker for a certificate that follows the Mesh "
				       "profile." },
	[REASON_CERTIFICATE_KEY] = { "certificate_key",
				     "The certificate's key is not one that the Mesh profile "
				     "allows.",
				     "Ask the maker for a certificate with a P-256 key of the "
				     "device's own." },
	[REASON_CERTIFICATE_CHAIN] = { "certificate_chain",
				       "The chain from the device's certificate to a trust anchor "
				       "is not in order.",
				       "Ask the maker for the right intermediate certificates, or "
				       "add the one that issued the device's under Trust." },
	[REASON_CERTIFICATE_PRODUCT_MISMATCH] = { "certificate_product_mismatch",
						  "The certificate is of another company or "
						  "product "
						  "than the device list says.",
						  "Check the device list; if it is right, this is "
						  "not the device that was ordered." },
	[REASON_CERTIFICATE_FETCH_FAILED] = { "certificate_fetch_failed",
					      "The device's certificate could not be fetched from "
					      "its maker's site.",
					      "Check this gateway's way to the Internet and the "
					      "fetch-allow, fetch-private and fetch-ca settings, "
					      "or import the certificate with the device list." },
	[REASON_RECORDS_ERROR] = { "records_error",
				   "The device's records could not be read over the link.",
				   "Retry; if it stays like this, ask the maker for newer "
				   "firmware." },
	[REASON_CLOCK_WRONG] = { "clock_wrong",
				 "This gateway's clock is wrong, so certificates cannot be "
				 "checked.",
				 "Set the clock or connect a time server, then retry." },
	[REASON_KEY_INVALID] = { "key_invalid", "The device sent a key that is not valid.",
				 "Do not use this device: it is defective or under attack." },
	[REASON_AUTH_FAILED] = { "auth_failed", "The device could not prove who it is.",
				 "Check its out-of-band value in the device list; if it is "
				 "right, do not use the device." },
	[REASON_ALGORITHM_TOO_WEAK] = { "algorithm_too_weak",
					"The device offers only weaker security than asked for.",
					"Update its firmware, or start a job that allows the "
					"weaker algorithm." },
	[REASON_OOB_UNAVAILABLE] = { "oob_unavailable",
				     "The device does not offer the way of authentication asked "
				     "for, or its value is missing here.",
				     "Add the static value to the device list, or choose another "
				     "policy." },
	[REASON_DEVICE_REFUSED] = { "device_refused", "The device refused to be provisioned.",
				    "Power it off and on or reset it to factory state, then "
				    "retry." },
	[REASON_ADDRESSES_EXHAUSTED] = { "addresses_exhausted",
					 "No free address range is left for this device.",
					 "Remove nodes that are gone; their addresses come back "
					 "when the IV Index has advanced twice." },
	[REASON_CONFIGURATION_FAILED] = { "configuration_failed",
					  "The device has joined, but could not be configured.",
					  "Retry this task: it goes on with the configuration." },
	[REASON_REFRESH_NOT_SUPPORTED] = { "refresh_not_supported",
					   "The node cannot be provisioned anew: it hosts no "
					   "Remote "
					   "Provisioning Server.",
					   "Remove it and provision it again where its key, "
					   "address "
					   "or composition must change." },
	[REASON_REFRESH_UNRESOLVED] = { "refresh_unresolved",
					"The node may or may not have taken its new key: it went "
					"silent. Both keys are kept.",
					"Check its power. It is asked again every hour; retry to "
					"ask it now." },
	[REASON_ADDRESS_TAKEN] = { "address_taken",
				   "The address range that was asked for is not free.",
				   "Choose another one, or leave the choice to the server." },
	[REASON_ADDRESS_REFRESH_NEEDED] = { "address_refresh_needed",
					    "The node's new composition has more elements than its "
					    "addresses have room for.",
					    "Start a refresh of its address: that brings the new "
					    "composition, too." },
	[REASON_NODE_GONE] = { "node_gone", "The node is not in the inventory any more.",
			       "Nothing needs to be done for it." },
	[REASON_CANCELLED] = { "cancelled", "The task was stopped before it was done.",
			       "Retry the job when you want it done." },
};

const char *reason_code(enum reason r)
{
	return reasons[r].code;
}

const struct jobs_reason *jobs_reasons(size_t *n)
{
	*n = REASONS;
	return reasons;
}

const struct jobs_reason *jobs_reason(const char *code)
{
	for (size_t i = 0; i < REASONS; i++)
		if (strcmp(reasons[i].code, code) == 0)
			return &reasons[i];
	return NULL;
}

/* Nothing of this product existed before, and nothing of it will be in use after. */
static const int64_t built_after = 1735689600; /* 2025-01-01 */
static const int64_t used_before = 4102444800; /* 2100-01-01 */

bool reason_clock_is_wrong(int64_t now)
{
	return now < built_after || now > used_before;
}

enum reason reason_of_certificate(enum cert_verdict verdict, int64_t now)
{
	switch (verdict) {
	case CERT_OK:
	case CERT_MALFORMED:
		return REASON_CERTIFICATE_MALFORMED;
	case CERT_UNTRUSTED:
		return REASON_CERTIFICATE_UNTRUSTED;
	case CERT_CHAIN:
		return REASON_CERTIFICATE_CHAIN;
	case CERT_EXPIRED:
		return now > used_before ? REASON_CLOCK_WRONG : REASON_CERTIFICATE_EXPIRED;
	case CERT_NOT_YET_VALID:
		return now < built_after ? REASON_CLOCK_WRONG : REASON_CERTIFICATE_NOT_YET_VALID;
	case CERT_REVOKED:
		return REASON_CERTIFICATE_REVOKED;
	case CERT_UUID_MISMATCH:
		return REASON_CERTIFICATE_UUID_MISMATCH;
	case CERT_USAGE:
		return REASON_CERTIFICATE_USAGE;
	case CERT_KEY:
		return REASON_CERTIFICATE_KEY;
	}
	return REASON_CERTIFICATE_MALFORMED;
}

static enum reason reason_of_carrier(enum carrier_end end)
{
	switch (end) {
	case CARRIER_OPEN_FAILED:
	case CARRIER_BUSY:
		return REASON_LINK_OPEN_FAILED;
	case CARRIER_SERVER_LOST:
		return REASON_SERVER_LOST;
	case CARRIER_CLOSED:
	case CARRIER_LOST:
	case CARRIER_PROTOCOL:
		return REASON_LINK_LOST;
	}
	return REASON_LINK_LOST;
}

enum reason reason_of_session(enum prov_end end, enum carrier_end carrier_end)
{
	switch (end) {
	case PROV_END_CARRIER:
		return reason_of_carrier(carrier_end);
	case PROV_END_TIMEOUT:
	case PROV_END_ABORTED:
		return REASON_TIMEOUT;
	case PROV_OK:
	case PROV_END_DEVICE_FAILED:
	case PROV_END_PROTOCOL:
		return REASON_DEVICE_REFUSED;
	case PROV_END_RECORDS:
		return REASON_RECORDS_ERROR;
	case PROV_END_KEY_INVALID:
		return REASON_KEY_INVALID;
	case PROV_END_AUTH_FAILED:
		return REASON_AUTH_FAILED;
	case PROV_END_ALGORITHM_TOO_WEAK:
		return REASON_ALGORITHM_TOO_WEAK;
	case PROV_END_OOB_UNAVAILABLE:
		return REASON_OOB_UNAVAILABLE;
	}
	return REASON_DEVICE_REFUSED;
}

bool reason_worth_retry(enum reason r)
{
	return r == REASON_LINK_OPEN_FAILED || r == REASON_LINK_LOST || r == REASON_TIMEOUT ||
	       r == REASON_SERVER_LOST || r == REASON_RECORDS_ERROR || r == REASON_DEVICE_REFUSED ||
	       r == REASON_CERTIFICATE_FETCH_FAILED;
}

bool reason_is_link_failure(enum reason r)
{
	return r == REASON_LINK_OPEN_FAILED || r == REASON_LINK_LOST || r == REASON_TIMEOUT ||
	       r == REASON_SERVER_LOST;
}
