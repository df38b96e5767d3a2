/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that make a joined node ready for use; shared by the jobs provision and configure. */
#ifndef MESHMASON_CONFIGURE_H
#define MESHMASON_CONFIGURE_H

#include "runner.h"

/* Each ends by task_next(), or fails the task with configuration_failed. */
void configure_relay(struct task *t);
void configure_ttl(struct task *t);
void configure_app_key(struct task *t);
void configure_bind(struct task *t);
void configure_capabilities(struct task *t);
/* The last: writes that it is configured, and succeeds. */
void configure_finish(struct task *t);
/* The following step of the table. */
void task_next(struct task *t);

/* What page 0 says goes into the row. False: malformed. */
bool configure_read_composition(struct db_node *n, struct bytes page);
/* The default profile binds its AppKey to that SIG model. */
bool configure_binds(uint32_t model);
/* The node of the task, and no other that has got its address since. The caller wipes n. */
bool configure_node_is_there(const struct task *t, struct db_node *n);
/* After a silence: the step may be begun again (options.attempts). */
bool configure_may_try_again(struct task *t);
/* To the task's node, farther with each try. */
struct access_target configure_target(const struct task *t);
/* The Default TTL with which the node's answers reach us. */
uint8_t configure_ttl_for(const struct task *t);

#endif
