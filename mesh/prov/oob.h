/* SPDX-License-Identifier: Apache-2.0 */
/* Which algorithm, public key and authentication method a session uses, and its AuthValue. */
#ifndef MESHMASON_OOB_H
#define MESHMASON_OOB_H

#include "pdu.h"
#include "provisioner.h"

/* What Start will say. True, or false with the reason in why. have_key: the device's public key is
 * known out of band. Output and input OOB are never chosen: nobody is there to be asked. */
bool oob_choose(const struct prov_policy *policy, const struct prov_capabilities *caps,
		bool have_key, struct prov_pdu_start *out, enum prov_end *why);

/* AuthValue, 5.4.2.4: n octets, 16 or 32. Binary and alphanumeric values are left-aligned, padded
 * with zeros and cut from the left end; numbers are right-aligned. */
void oob_auth_binary(struct bytes value, struct secret32 *out, size_t n);
void oob_auth_alphanumeric(const char *text, struct secret32 *out, size_t n);
void oob_auth_number(uint64_t value, struct secret32 *out, size_t n);

#endif
