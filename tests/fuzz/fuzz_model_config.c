/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and publications of models, as a node may tell them. The first octet says what was asked.
 * What was accepted does not change when it is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "model_config.h"

bool fuzz_one(const uint8_t *data, size_t n);

static bool same_again(const struct model_publication *p)
{
	struct model_publication again = { 0 };
	uint8_t buf[PUBLICATION_LEN];
	struct wr w = wr_to(buf, sizeof(buf));

	model_publication_encode(&w, p);
	return model_publication_decode(&again, wr_done(&w)) && again.address == p->address &&
	       again.app_index == p->app_index && again.ttl == p->ttl;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct model_config c = { .model = { .element = 0x0011, .model = 0x1000 },
				  .address = 0xC001 };

	if (n == 0)
		return false;
	c.answer = (enum model_config_answer)(data[0] & 3);
	if (data[0] & 4)
		c.model = (struct model_ref){ 0x0011, 0x005F0001, true };
	if (!model_config_decode(&c, bytes_of(data + 1, n - 1)))
		return false;
	if (c.n > MODEL_LIST_MAX)
		abort();
	if (c.answer == MODEL_ANSWER_PUBLICATION && !same_again(&c.publication))
		abort();
	return true;
}
