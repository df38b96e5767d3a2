/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's flash image. Input: the image without its check sum, which is put behind it here, as
 * a writer with a fault would. Accepted: it is read as a node's. It must be written again as it
 * was, and the device that starts from it must live for a while.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "dev_flash.h"
#include "device.h"
#include "fuzz.h"

static void on_random(void *ctx, void *out, size_t n)
{
	memset(out, 0x11, n);
}

static void on_send(void *ctx, const struct device_send *s)
{
	if (s->len < 3 || s->len > AD_MAX)
		abort();
}

static void on_cancel(void *ctx, uint32_t tag)
{
}

static void on_save(void *ctx, struct bytes image)
{
	struct device_state state;

	if (!device_state_read(image, &state))
		abort();
}

static void live(struct bytes flash)
{
	static const uint8_t pdu[] = "\x17\x2a\x68 some network PDU of";
	struct device_make make = { .elements = 2, .features = FEATURE_RELAY, .algorithms = 3 };
	struct timers timers;
	struct device_env env = { &timers, on_random, on_send, on_cancel, on_save, NULL };
	struct device *d;

	timers_init(&timers, SEC(1));
	d = device_new(&make, &env, flash);
	device_heard(d, bytes_of(pdu, sizeof(pdu) - 1), -50);
	timers_advance(&timers, SEC(25));
	device_free(d);
	timers_free(&timers);
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	uint8_t *flash, digest[32], again[DEV_IMAGE_MAX];
	struct device_state state;
	struct device_keys keys;
	struct dev_image image;
	bool accepted;

	if (n > DEV_IMAGE_MAX)
		return false;
	device_state_read(bytes_of(data, n), &state);
	flash = malloc(n + 8);
	if (!flash)
		abort();
	memcpy(flash, data, n);
	sha256(bytes_of(data, n), digest);
	memcpy(flash + n, digest, 8);
	/* What was written by an older version is written anew in today's. */
	if (dev_flash_read(bytes_of(flash, n + 8), &image)) {
		struct bytes anew = dev_flash_write(&image, again);

		if (flash[4] == again[4] && !bytes_equal(anew, bytes_of(flash, n + 8)))
			abort();
	}
	accepted = device_keys_read(bytes_of(flash, n + 8), &keys);
	if (accepted != (device_state_read(bytes_of(flash, n + 8), &state) && state.provisioned))
		abort();
	live(bytes_of(flash, n + 8));
	free(flash);
	return accepted;
}
