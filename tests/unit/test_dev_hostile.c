/* SPDX-License-Identifier: Apache-2.0 */
/* What no honest peer sends, at every layer of the device; under the sanitizers it must survive
 * and still work afterwards. And the price of a flood. */
#include "test_dev_world.h"

#include <time.h>

enum { ROUNDS = 20000 };

static struct world *with_all(uint64_t seed)
{
	struct world *w = world_new(seed);
	struct device_make server = plain_make(0xD0), device = plain_make(0xEE);

	server.server = device.certificates = true;
	device.n_records = 1;
	device.records[0].id = 1;
	device.records[0].data = bytes_of("certificate", 11);
	world_add_client(w, CLIENT);
	world_add_node(w, NODE, &server);
	world_add(w, &device);
	w->radios[1].device->flash.relay = true;
	return w;
}

static void still_works(struct world *w)
{
	char text[2 * DEV_UPPER_MAX + 1];

	w->n_heard = w->cursor = 0;
	w->ear = NODE;
	/* Hostile input cannot have moved the client's own numbers. */
	world_run(w, SEC(20));
	w->n_heard = w->cursor = 0;
	check_str(ask(w, &w->radios[0], "8009", text), "800b01");
}

TEST(random_reports_do_no_harm)
{
	struct world *w = with_all(1);
	uint8_t ad[40];

	for (int i = 0; i < ROUNDS; i++) {
		size_t n = rng_next(&w->rng) % sizeof(ad);

		rng_fill(&w->rng, ad, n);
		if (n > 2 && i % 2) { /* at least shaped like ours */
			ad[0] = (uint8_t)(n - 1);
			ad[1] = (uint8_t)(AD_PB_ADV + rng_next(&w->rng) % 3);
		}
		for (size_t k = 0; k < w->n; k++)
			device_heard(w->radios[k].device, bytes_of(ad, n), -40);
	}
	still_works(w);
	world_free(w);
}

TEST(random_transport_under_the_true_key_does_no_harm)
{
	struct world *w = with_all(2);
	struct dev_net_pdu pdu;
	uint8_t ad[31];

	for (int i = 0; i < ROUNDS; i++) {
		struct bytes raw;

		rng_fill(&w->rng, &pdu, sizeof(pdu));
		pdu.ctl = rng_next(&w->rng) & 1;
		pdu.ttl &= 0x7F;
		pdu.seq = (uint32_t)i * 7;
		pdu.src = (uint16_t)(0x0300 + rng_next(&w->rng) % 20);
		pdu.dst = rng_next(&w->rng) % 4 ? NODE : ADDR_ALL_NODES;
		pdu.iv_index = 0;
		pdu.len = (uint8_t)(1 + rng_next(&w->rng) % (pdu.ctl ? 12 : 16));
		if (!pdu.ctl && i % 2) /* a segment of a message that may become whole */
			pdu.transport[0] = 0x80;
		raw = dev_pdu_seal(&w->net, &pdu, ad + 2);
		ad[0] = (uint8_t)(raw.n + 1);
		ad[1] = AD_MESH_MESSAGE;
		device_heard(w->radios[1].device, bytes_of(ad, raw.n + 2), -40);
		if (i % 50 == 0)
			world_run(w, MSEC(100));
	}
	still_works(w);
	world_free(w);
}

TEST(random_access_messages_under_the_device_key_do_no_harm)
{
	static const uint8_t never[] = { 0x49 }; /* Node Reset is obeyed, as it should be */
	struct world *w = with_all(3);
	uint8_t access[ACCESS_MAX];

	for (int i = 0; i < ROUNDS; i++) {
		size_t n = 1 + rng_next(&w->rng) % (i % 20 ? 40 : 380);
		struct dev_message m = { .peer = { 0x0300, 0, DEV_KEY_DEVICE, 5 }, .dst = NODE };

		rng_fill(&w->rng, access, n);
		if (i % 4) { /* opcodes that exist */
			access[0] = 0x80;
			access[1 % n] = (uint8_t)(rng_next(&w->rng) % 0x60);
		}
		if (n == 2 && access[0] == 0x80 && access[1] == never[0])
			continue;
		m.access = bytes_of(access, n);
		dev_access_received(w->radios[1].device, &m);
		if (i % 20 == 0)
			world_run(w, MSEC(200));
	}
	w->radios[1].device->flash.beacon = true;
	w->radios[1].device->flash.default_ttl = 7;
	w->radios[1].device->flash.network_transmit = 2;
	world_run(w, SEC(100));
	still_works(w);
	world_free(w);
}

TEST(random_provisioning_pdus_do_no_harm)
{
	struct world *w = with_all(4);
	struct device *d = w->radios[2].device;

	for (int i = 0; i < 3000; i++) {
		uint8_t pdu[70];
		size_t n = 1 + rng_next(&w->rng) % sizeof(pdu);

		d->acceptor.state = DEV_PB_OPEN;
		d->acceptor.tx.busy = false;
		rng_fill(&w->rng, pdu, n);
		pdu[0] %= 0x10;
		if (i % 3 == 0)
			d->prov.state = (enum dev_prov_state)(rng_next(&w->rng) % 8);
		dev_prov_received(&d->prov, bytes_of(pdu, n));
		if (d->prov.state >= DEV_PROV_DONE)
			dev_prov_reset(&d->prov);
	}
	check(!d->node);
	world_free(w);
}

TEST(random_segments_on_an_open_link_do_no_harm)
{
	struct world *w = with_all(5);
	struct device *d = w->radios[2].device;

	for (int i = 0; i < ROUNDS; i++) {
		uint8_t ad[31] = { 0, AD_PB_ADV, 1, 2, 3, 4 };
		size_t n = 8 + rng_next(&w->rng) % 24;

		d->acceptor.state = DEV_PB_OPEN;
		d->acceptor.id = 0x01020304;
		rng_fill(&w->rng, ad + 6, n - 6);
		ad[0] = (uint8_t)(n - 1);
		ad[6] = 0;
		ad[7] &= rng_next(&w->rng) & 1 ? 0x0F : 0xFF;
		if (d->acceptor.rx.any)
			d->acceptor.rx.number = 0;
		device_heard(d, bytes_of(ad, n), -40);
		if (i % 100 == 0)
			world_run(w, MSEC(20));
	}
	world_free(w);
}

TEST(random_flash_with_a_true_check_sum_does_no_harm)
{
	struct world *w = with_all(6);
	struct radio *r = &w->radios[1];
	size_t started = 0;

	for (int i = 0; i < 2000; i++) {
		uint8_t digest[32];
		size_t at = 10 + rng_next(&w->rng) % (r->flash_len - 18);
		struct radio copy = *r;
		struct device *d;
		struct device_env env = radio_env(r);

		copy.flash[at] = (uint8_t)rng_next(&w->rng);
		sha256(bytes_of(copy.flash, copy.flash_len - 8), digest);
		memcpy(copy.flash + copy.flash_len - 8, digest, 8);
		d = device_new(&copy.make, &env, bytes_of(copy.flash, copy.flash_len));
		started += d->node;
		device_heard(d, bytes_of("\x02\x2a\x00", 3), -40);
		device_free(d);
	}
	check(started > 0 && started < 2000);
	world_free(w);
}

/* Prints what one reception costs; the limits are generous, sanitizers are slow. */
static double cost(struct world *w, bool fresh, unsigned n)
{
	struct device *d = w->radios[1].device;
	struct timespec from, to;
	uint8_t ad[64][31];
	size_t len = 0;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (unsigned i = 0; i < n; i++) {
		if (fresh || i < 64) {
			struct dev_net_pdu pdu = {
				.ttl = 5, .seq = i, .src = 0x0300, .dst = 0x0400, .len = 16
			};
			struct bytes raw = dev_pdu_seal(&w->net, &pdu, ad[i % 64] + 2);

			len = raw.n + 2;
			ad[i % 64][0] = (uint8_t)(raw.n + 1);
			ad[i % 64][1] = AD_MESH_MESSAGE;
		}
		device_heard(d, bytes_of(ad[i % 64], len), -40);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / n;
}

TEST(a_flood_of_copies_is_cheap)
{
	struct world *w = with_all(7);
	double first = cost(w, true, 20000), copy = cost(w, false, 500000);

	print_message("first reception (sealed, opened, relayed) %.0f ns, copy %.0f ns\n", first,
		      copy);
	check(copy < first / 4);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_reports_do_no_harm),
		cmocka_unit_test(random_transport_under_the_true_key_does_no_harm),
		cmocka_unit_test(random_access_messages_under_the_device_key_do_no_harm),
		cmocka_unit_test(random_provisioning_pdus_do_no_harm),
		cmocka_unit_test(random_segments_on_an_open_link_do_no_harm),
		cmocka_unit_test(random_flash_with_a_true_check_sum_does_no_harm),
		cmocka_unit_test(a_flood_of_copies_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
