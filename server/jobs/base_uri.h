/* SPDX-License-Identifier: Apache-2.0 */
/* Where a device says its certificate is, Mesh 5.6: hostile text until proven harmless. */
#ifndef MESHMASON_BASE_URI_H
#define MESHMASON_BASE_URI_H

#include "bytes.h"
#include "db_certificates.h"

enum { BASE_URI_REQUEST = DB_BASE_URI + 128, BASE_URI_WHY = 160 };

/* The octets of record 0x0000, or of a URI AD structure: a scheme in one character and the rest, or
 * the whole in plain text. False with a sentence in why: not HTTPS, or nothing to build on. */
bool base_uri_read(struct bytes data, const uint8_t uuid[UUID_LEN], char out[DB_BASE_URI],
		   char why[BASE_URI_WHY]);
/* The request of 5.6.1.2.3 for these items; none: for everything that is known of the device.
 * False: it does not fit. */
bool base_uri_request(const char *base, const uint8_t uuid[UUID_LEN], const char *const *content,
		      size_t n, char out[BASE_URI_REQUEST]);

#endif
