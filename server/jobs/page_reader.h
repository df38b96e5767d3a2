/* SPDX-License-Identifier: Apache-2.0 */
/* All Composition Data pages of a node into the store. */
#ifndef MESHMASON_PAGE_READER_H
#define MESHMASON_PAGE_READER_H

#include "core_jobs.h"
#include "db_refresh.h"
#include "large_composition.h"

enum { READER_PAGES = 6 };

/* Embedded; stays until done or page_reader_cancel. What was read is in the store when done comes:
 * the pages, what the node's row says of page 0, and whether page 128 differs. */
struct page_reader {
	void (*done)(void *ctx, bool ok); /* false: the node has gone silent, nothing is stored */
	void *ctx;
	/* own */
	struct jobs *jobs;
	uint8_t uuid[UUID_LEN];
	bool running, is_large, asking_large, doubted;
	unsigned tries, at;
	struct timer pause;
	struct config_call config;
	struct large_composition large;
	struct reader_page {
		bool known, there;
		size_t n;
		uint8_t data[DB_PAGE_MAX];
	} page[READER_PAGES];
};
void page_reader_start(struct page_reader *r, struct jobs *j, const uint8_t uuid[UUID_LEN]);
/* Fine when nothing runs. */
void page_reader_cancel(struct page_reader *r);
/* After it is done; empty when the node does not have it. */
struct bytes page_reader_page(const struct page_reader *r, uint8_t page);

#endif
