/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's socket to one adapter, and its owner's host behind it. When the adapter is missing,
 * busy, unplugged or stops answering it is opened again, after 1, 2, 4 ... 30 s; what others wait
 * on stays the same all the time.
 */
#ifndef MESHMASON_ADAPTER_H
#define MESHMASON_ADAPTER_H

#include "hci_socket.h"
#include "timers.h"

enum { ADAPTER_ERROR = 384, ADAPTER_PACKET_MAX = 1024 };

struct adapter_config {
	struct timers *timers;
	const char *name; /* hciN or an address; copied */
	enum hci_socket_result (*open)(void *host, const char *name, int *fd, uint16_t *index,
				       char why[HCI_SOCKET_WHY]);
	void (*opened)(void *host, uint16_t index); /* the socket is there: begin to set up */
	void (*feed)(void *host, struct bytes packet);
	void (*closed)(void *host); /* by the other side; it failed for the owner, too */
	void *host;
	/* As bearer_hci.h has it. */
	void (*state)(void *ctx, bool up, const char *line);
	void *ctx;
};

/* Embedded in its owner; all fields are adapter.c's. */
struct adapter {
	struct adapter_config config;
	struct timer again_timer;
	unsigned again_s;
	char *name;
	char line[ADAPTER_ERROR];
	bool up;
	int epoll; /* holds the socket */
	int fd;	   /* -1: closed */
};

/* False with one line in error when trying again is of no use; there is nothing to close then. */
bool adapter_open(struct adapter *a, const struct adapter_config *config,
		  char error[ADAPTER_ERROR]);
void adapter_close(struct adapter *a);
/* False when the socket is of no use any more. */
bool adapter_write(struct adapter *a, struct bytes packet);
void adapter_readable(struct adapter *a);
/* The owner's host says that it is up, or that it gave up: then it is opened again later. */
void adapter_is_up(struct adapter *a, const char *line);
void adapter_failed(struct adapter *a, const char *line);

#endif
