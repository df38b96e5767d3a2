/* SPDX-License-Identifier: Apache-2.0 */
/* Which algorithm, public key and authentication method a session uses, and its AuthValue. */
#ifndef MESHMASON_OOB_H
#define MESHMASON_OOB_H

#include "pdu.h"
#include "provisioner.h"

/* What Start will say. True, or false with the reason in why. have_key: the device's public key is
 * known out of band. The strongest method comes first: static OOB, then a prompt by text, by
 * digits, by counting; none only where it is allowed. */
bool oob_choose(const struct prov_policy *policy, const struct prov_capabilities *caps,
		bool have_key, struct prov_pdu_start *out, enum prov_end *why);

/* AuthValue, 5.4.2.4: n octets, 16 or 32. Binary and alphanumeric values are left-aligned, padded
 * with zeros and cut from the left end; numbers are right-aligned. */
void oob_auth_binary(struct bytes value, struct secret32 *out, size_t n);
void oob_auth_alphanumeric(const char *text, struct secret32 *out, size_t n);
void oob_auth_number(uint64_t value, struct secret32 *out, size_t n);

/* How a value of output or input OOB is written, Table 5.39 and 5.41. */
enum oob_type { OOB_COUNT, OOB_NUMERIC, OOB_ALPHANUMERIC };
enum oob_type oob_type_of(enum prov_auth_method method, uint8_t action);
/* Could text be a value of this type with at most size digits or characters? Letters of either
 * case; numbers with or without their leading zeros. */
bool oob_text_fits(enum oob_type type, uint8_t size, const char *text);
/* Its AuthValue; false when it does not fit. */
bool oob_auth_text(const struct prov_pdu_start *start, const char *text, struct secret32 *out,
		   size_t n);
/* A fresh value for input OOB, without bias. False: random gives nothing usable. */
bool oob_draw(const struct prov_pdu_start *start, void (*random)(void *ctx, void *out, size_t n),
	      void *ctx, char text[PROV_OOB_TEXT]);

#endif
