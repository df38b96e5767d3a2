/* SPDX-License-Identifier: Apache-2.0 */
/* The stack's store over db/: sequence blocks and IV state are written in the turn that needs
 * them; replay rows are written behind, at most MESH_STORE_BEHIND later. */
#ifndef MESHMASON_MESH_STORE_DB_H
#define MESHMASON_MESH_STORE_DB_H

#include "db.h"
#include "mesh.h"
#include "timers.h"

#define MESH_STORE_BEHIND SEC(5)

enum { MESH_STORE_REPLAY_ROWS = 1024 };

struct mesh_store_db {
	struct mesh_store store;
	struct db *db;
	struct timers *timers;
	struct timer behind;
	bool failed; /* a write was refused: the turn must not be released */
	size_t n;
	struct {
		uint16_t src;
		uint64_t ivi_seq;
	} replay[MESH_STORE_REPLAY_ROWS]; /* not yet written */
};

void mesh_store_db_init(struct mesh_store_db *s, struct db *db, struct timers *timers);
/* Writes the waiting replay rows into the turn's transaction. */
void mesh_store_db_flush(struct mesh_store_db *s);
/* Stops its timer; what waits is lost, as in a crash. */
void mesh_store_db_stop(struct mesh_store_db *s);

#endif
