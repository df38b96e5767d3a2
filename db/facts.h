/* SPDX-License-Identifier: Apache-2.0 */
/* The seven columns that hold a certificate's facts, alike in three tables. */
#ifndef MESHMASON_DB_FACTS_H
#define MESHMASON_DB_FACTS_H

#include "db_nodes.h"
#include "sql.h"

#define FACTS_COLUMNS                                                                            \
	"cert_present, cert_subject, cert_issuer, cert_serial, cert_not_before, cert_not_after," \
	" cert_fingerprint"

void facts_bind(struct sql *q, const struct db_certificate *c);
void facts_read(struct sql *q, struct db_certificate *c);

#endif
