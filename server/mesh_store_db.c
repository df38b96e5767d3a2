/* SPDX-License-Identifier: Apache-2.0 */
#include "mesh_store_db.h"

#include <string.h>

#include "db_network.h"

static void note(struct mesh_store_db *s, enum db_rc rc)
{
	if (rc != DB_OK)
		s->failed = true;
}

static void save_seq(void *ctx, uint32_t reserved)
{
	struct mesh_store_db *s = ctx;

	note(s, db_network_save_seq(s->db, reserved));
}

static void save_iv(void *ctx, const struct mesh_iv *iv, uint32_t seq_reserved)
{
	struct mesh_store_db *s = ctx;

	note(s, db_network_save_iv(s->db, iv->index, iv->update, iv->hours_in_state,
				   iv->hours_since_recovery, seq_reserved));
}

void mesh_store_db_flush(struct mesh_store_db *s)
{
	timer_stop(s->timers, &s->behind);
	for (size_t i = 0; i < s->n; i++)
		note(s, db_replay_save(s->db, s->replay[i].src, s->replay[i].ivi_seq));
	s->n = 0;
}

static void behind_due(void *ctx)
{
	mesh_store_db_flush(ctx);
}

static void save_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	struct mesh_store_db *s = ctx;

	for (size_t i = 0; i < s->n; i++) {
		if (s->replay[i].src == src) {
			s->replay[i].ivi_seq = ivi_seq;
			return;
		}
	}
	if (s->n == MESH_STORE_REPLAY_ROWS)
		mesh_store_db_flush(s);
	s->replay[s->n].src = src;
	s->replay[s->n].ivi_seq = ivi_seq;
	s->n++;
	if (!timer_running(&s->behind))
		timer_start(s->timers, &s->behind, MESH_STORE_BEHIND, behind_due, s);
}

void mesh_store_db_init(struct mesh_store_db *s, struct db *db, struct timers *timers)
{
	memset(s, 0, sizeof(*s));
	s->store = (struct mesh_store){ save_seq, save_iv, save_replay, s };
	s->db = db;
	s->timers = timers;
}

void mesh_store_db_stop(struct mesh_store_db *s)
{
	timer_stop(s->timers, &s->behind);
	s->n = 0;
}
