/* SPDX-License-Identifier: Apache-2.0 */
#include "provisioner.h"

const char *prov_end_text(enum prov_end end)
{
	static const char *const text[] = {
		[PROV_OK] = "provisioned",
		[PROV_END_CARRIER] = "the link failed",
		[PROV_END_TIMEOUT] = "the device stopped answering",
		[PROV_END_DEVICE_FAILED] = "the device reported a failure",
		[PROV_END_PROTOCOL] = "the device broke the provisioning protocol",
		[PROV_END_RECORDS] = "the device broke the record protocol",
		[PROV_END_KEY_INVALID] = "the device's public key is not valid",
		[PROV_END_AUTH_FAILED] = "the device could not prove who it is",
		[PROV_END_ALGORITHM_TOO_WEAK] = "the device offers no algorithm strong enough",
		[PROV_END_OOB_UNAVAILABLE] = "the authentication asked for is not available",
		[PROV_END_ABORTED] = "aborted",
	};

	return (size_t)end < ARRAY_LEN(text) ? text[end] : "unknown";
}
