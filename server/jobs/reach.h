/* SPDX-License-Identifier: Apache-2.0 */
/* How far our word goes: servers, the nodes' distance, their last word. */
#ifndef MESHMASON_REACH_H
#define MESHMASON_REACH_H

#include "core_jobs.h"

enum { LOCAL_LINKS = 3 };

/* The local radio and every server of the store. False: the store failed. */
bool reach_load(struct jobs *j);
void reach_free(struct jobs *j);

struct server *server_find(const struct jobs *j, uint16_t address);
/* A node that can serve, from now on. */
struct server *server_add(struct jobs *j, const struct db_node *n);
void server_remove(struct jobs *j, uint16_t address);
/* A node has a new address; fine for one that is no server. */
void server_move(struct jobs *j, uint16_t from, uint16_t to);
/* For the last link of one that is gone. */
void server_free(struct server *s);
/* May be given a link now. */
bool server_has_room(const struct server *s);
/* It did not answer: left alone for a while, longer each time. */
void server_silent(struct server *s);
void server_answered(struct server *s);
int server_hops(const struct server *s);
struct access_target server_target(const struct server *s);

/* Messages to a node under its device key; later attempts reach farther. */
struct access_target node_target(const struct jobs *j, uint16_t address, unsigned attempt);
/* -1 not known. */
int node_hops(const struct jobs *j, uint16_t address);
void node_set_distance(struct jobs *j, uint16_t address, int hops, uint8_t default_ttl);
void node_forget(struct jobs *j, uint16_t address);
/* Last-heard times and distances into the store. */
void presence_flush(struct jobs *j);

#endif
