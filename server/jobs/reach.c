/* SPDX-License-Identifier: Apache-2.0 */
#include "reach.h"

#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "log.h"
#include "refresh_node.h"
#include "scan.h"

enum {
	ADDRESSES = ADDR_UNICAST_LAST + 1,
	FARTHER_MOST = 16,
	COMPANY_BLUEZ = 0x05F1,
	BOOST_MOST = 4,
	PAUSE_MS = 5000
};

static const uint64_t silence_base = SEC(15), silence_most = SEC(240);

int node_hops(const struct jobs *j, uint16_t address)
{
	return j->presence[address].hops;
}

void node_set_distance(struct jobs *j, uint16_t address, int hops, uint8_t default_ttl)
{
	struct presence *p = &j->presence[address];

	p->hops = (int8_t)hops;
	p->default_ttl = default_ttl;
	p->farther = 0;
}

void node_forget(struct jobs *j, uint16_t address)
{
	struct server *s = j->presence[address].server;

	j->presence[address] = (struct presence){ .hops = -1, .server = s };
}

/* A flood brings the shortest way first, mostly: nearer is taken at once, farther when it stays. */
static void distance_heard(struct presence *p, int hops)
{
	if (hops < 0)
		return;
	if (p->hops < 0 || hops <= p->hops) {
		p->farther = 0;
		p->hops = (int8_t)hops;
	} else if (++p->farther >= FARTHER_MOST) {
		p->farther = 0;
		p->hops = (int8_t)hops;
	}
}

void jobs_node_heard(struct jobs *j, uint16_t address, uint8_t ttl)
{
	if (address >= ADDRESSES)
		return;
	struct presence *p = &j->presence[address];

	p->wall = jobs_wall(j);
	p->dirty = true;
	j->presence_dirty = true;
	if (p->default_ttl)
		distance_heard(p, assign_hops(p->default_ttl, ttl));
}

void presence_flush(struct jobs *j)
{
	int64_t now = jobs_wall(j);

	if (!j->presence_dirty ||
	    (now >= j->presence_flushed && now < j->presence_flushed + PAUSE_MS))
		return;
	j->presence_dirty = false;
	j->presence_flushed = now;
	for (uint32_t a = 1; a < ADDRESSES; a++) {
		struct presence *p = &j->presence[a];

		if (!p->dirty)
			continue;
		p->dirty = false;
		if (db_node_set_heard(j->env.db, (uint16_t)a, p->wall, p->hops) == DB_OK)
			jobs_tell_node(j, (uint16_t)a, false);
	}
}

struct access_target node_target(const struct jobs *j, uint16_t address, unsigned attempt)
{
	return (struct access_target){ .dst = address,
				       .app_index = ACCESS_DEVICE_KEY,
				       .ttl = assign_ttl(node_hops(j, address), attempt) };
}

struct server *server_find(const struct jobs *j, uint16_t address)
{
	return address < ADDRESSES ? j->presence[address].server : NULL;
}

int server_hops(const struct server *s)
{
	return s->local ? ASSIGN_LOCAL : node_hops(s->jobs, s->address);
}

struct access_target server_target(const struct server *s)
{
	return node_target(s->jobs, s->address, s->ttl_boost);
}

bool server_has_room(const struct server *s)
{
	if (s->links_open >= s->links_max + s->asking || s->unclean || s->locked)
		return false;
	if (s->silences && jobs_now(s->jobs) < s->silent_until)
		return false;
	return s->busy == SERVER_IDLE || s->busy == SERVER_SCANNING;
}

void server_silent(struct server *s)
{
	uint64_t pause = silence_base << (s->silences < 4 ? s->silences : 4);

	if (pause > silence_most)
		pause = silence_most;
	s->silences++;
	s->ttl_boost = s->ttl_boost < BOOST_MOST ? s->ttl_boost + 1 : BOOST_MOST;
	s->silent_until = jobs_now(s->jobs) + pause;
	log_warning("server=%04x is silent", s->address);
	jobs_tell_server(s->jobs, s->address);
}

void server_answered(struct server *s)
{
	if (!s->silences)
		return;
	s->silences = 0;
	jobs_tell_server(s->jobs, s->address);
}

static void server_link(struct jobs *j, struct server *s)
{
	struct server **at = &j->servers;

	while (*at && ((*at)->local || (*at)->address < s->address))
		at = &(*at)->next;
	s->next = *at;
	*at = s;
	j->presence[s->address].server = s;
}

static struct server *server_insert(struct jobs *j, uint16_t address)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->jobs = j;
	s->address = address;
	s->local = address == j->own;
	s->links_max = s->local ? LOCAL_LINKS : 1;
	server_link(j, s);
	j->n_servers++;
	return s;
}

struct server *server_add(struct jobs *j, const struct db_node *n)
{
	struct server *s = server_find(j, n->address);

	if (!s)
		s = server_insert(j, n->address);
	s->relays = n->relay;
	s->no_extended = n->company == COMPANY_BLUEZ;
	s->max_items = n->scan_max_items;
	return s;
}

void server_free(struct server *s)
{
	rpr_call_cancel(&s->call);
	timer_stop(s->jobs->env.mesh_timers, &s->timer);
	free(s);
}

void server_remove(struct jobs *j, uint16_t address)
{
	for (struct server **at = &j->servers; *at; at = &(*at)->next) {
		struct server *s = *at;

		if (s->address != address || s->local)
			continue;
		*at = s->next;
		j->presence[address].server = NULL;
		j->n_servers--;
		s->gone = true;
		if (s->scan_task)
			scan_task_done(s->scan_task, false);
		s->scan_task = NULL;
		if (!s->links_open)
			server_free(s);
		break;
	}
	devices_forget_server(j, address);
}

void server_move(struct jobs *j, uint16_t from, uint16_t to)
{
	struct presence *p = &j->presence[to];
	struct server *s = j->presence[from].server;

	*p = j->presence[from];
	p->dirty = false;
	j->presence[from] = (struct presence){ .hops = -1 };
	for (struct server **at = &j->servers; s && *at; at = &(*at)->next) {
		if (*at != s)
			continue;
		*at = s->next;
		s->address = to;
		server_link(j, s);
		break;
	}
	devices_forget_server(j, from);
}

static void load_node(void *ctx, const struct db_node *n)
{
	struct jobs *j = ctx;
	struct presence *p = &j->presence[n->address];

	p->wall = n->heard;
	p->hops = (int8_t)n->hops;
	p->default_ttl = n->default_ttl;
	if (n->server && n->state != DB_NODE_PENDING)
		server_add(j, n);
	if (node_refresh_is_open(n) && n->refresh.address)
		node_set_distance(j, n->refresh.address, n->hops, n->default_ttl);
}

static void load_link(void *ctx, uint16_t server, const uint8_t uuid[UUID_LEN])
{
	struct jobs *j = ctx;
	struct server *s = server_find(j, server);
	struct db_node n;

	if (!s || s->local)
		return;
	/* A link of a node to itself that may have to be closed with Success: see resolve. */
	s->unclean = db_node_get(j->env.db, server, &n) != DB_OK || !node_refresh_is_open(&n);
	secret_wipe(&n, sizeof n);
}

bool reach_load(struct jobs *j)
{
	struct db_node_filter all = { .server = -1, .state = -1, .with_pending = true };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	j->presence = calloc(ADDRESSES, sizeof *j->presence);
	if (!j->presence)
		return false;
	for (uint32_t a = 0; a < ADDRESSES; a++)
		j->presence[a].hops = -1;
	server_insert(j, j->own)->relays = true;
	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_nodes(j->env.db, &all, &page, load_node, j, next) != DB_OK)
			return false;
	} while (*next);
	return db_links(j->env.db, load_link, j) == DB_OK;
}

void reach_free(struct jobs *j)
{
	while (j->servers) {
		struct server *s = j->servers;

		j->servers = s->next;
		server_free(s);
	}
	free(j->presence);
}

static void describe(const struct server *s, struct jobs_server *out)
{
	*out = (struct jobs_server){
		.address = s->address,
		.local = s->local,
		.hops = s->local ? 0 : server_hops(s),
		.links_open = s->links_open,
		.links_max = s->links_max,
		.has_device = s->device,
		.scanning = s->busy == SERVER_SCANNING,
		.lost = s->silences > 0,
		.sightings = devices_heard_by(s->jobs, s->address),
		.succeeded = s->succeeded,
		.failed = s->failed,
		.latency_us = s->latency,
	};
	if (s->device)
		memcpy(out->device, s->device->uuid, UUID_LEN);
}

bool jobs_server_get(const struct jobs *j, uint16_t address, struct jobs_server *out)
{
	const struct server *s = server_find(j, address);

	if (s)
		describe(s, out);
	return s;
}

void jobs_servers(const struct jobs *j, void (*each)(void *ctx, const struct jobs_server *s),
		  void *ctx)
{
	struct jobs_server out;

	for (const struct server *s = j->servers; s; s = s->next) {
		describe(s, &out);
		each(ctx, &out);
	}
}
