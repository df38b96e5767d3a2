/* SPDX-License-Identifier: Apache-2.0 */
/* The migrations of db/schema, embedded when the tree is configured (cmake/schema.cmake). */
#ifndef MESHMASON_DB_SCHEMA_H
#define MESHMASON_DB_SCHEMA_H

struct schema_step {
	const char *name, *sql;
};
extern const struct schema_step schema_steps[];
extern const int schema_count;

#endif
