/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

void facts_bind(struct sql *q, const struct db_certificate *c)
{
	sql_int(q, c->present);
	sql_text(q, c->subject);
	sql_text(q, c->issuer);
	sql_text(q, c->serial);
	sql_int(q, c->not_before);
	sql_int(q, c->not_after);
	sql_blob(q, c->fingerprint, sizeof c->fingerprint);
}

void facts_read(struct sql *q, struct db_certificate *c)
{
	c->present = sql_get_int(q);
	sql_get_text(q, c->subject, sizeof c->subject);
	sql_get_text(q, c->issuer, sizeof c->issuer);
	sql_get_text(q, c->serial, sizeof c->serial);
	c->not_before = sql_get_int(q);
	c->not_after = sql_get_int(q);
	sql_get_blob(q, c->fingerprint, sizeof c->fingerprint);
}
