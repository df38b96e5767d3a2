/* SPDX-License-Identifier: Apache-2.0 */
#include "building_make.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "building_online.h"
#include "building_plan.h"
#include "building_store.h"
#include "pki.h"
#include "rng.h"

enum {
	STREAM_KEYS = 4,
	STREAM_AUTHORITIES = 5,
	DAY = 24 * 60 * 60,
	VALID_SINCE = 365 * DAY,
	VALID_FOR = 20, /* years */
	ANCHOR_MODE = 0644,
	LIST_MODE = 0600, /* it holds the static OOB values */
};

/* No secret: whoever knows the seed knows the building's keys. */
static void authority_random(void *ctx, void *out, size_t n)
{
	rng_fill(ctx, out, n);
}

static void key_pair(struct rng *rng, struct device_make *m, uint8_t public_key[P256_PUBLIC])
{
	struct secret32 random;

	do {
		rng_fill(rng, random.octet, sizeof(random.octet));
	} while (!p256_key_pair(&random, &m->secret_key, public_key));
	secret_wipe(&random, sizeof(random));
}

static bool certify(const struct building_keys *k, const char *file, struct pki *pki,
		    struct building_device *d, const uint8_t public_key[P256_PUBLIC],
		    char error[BUILDING_ERROR])
{
	static const enum pki_fault faults[] = {
		[CERTIFICATE_GOOD] = PKI_GOOD,
		[CERTIFICATE_UNTRUSTED] = PKI_UNTRUSTED,
		[CERTIFICATE_EXPIRED] = PKI_EXPIRED,
		[CERTIFICATE_MISNAMED] = PKI_MISNAMED,
	};
	struct pki_device subject = { .company = d->make.company,
				      .product = d->make.product,
				      .fault = faults[d->certificate] };
	struct bytes chain[2];
	uint8_t *der;
	bool ok = true;
	size_t n;

	memcpy(subject.uuid, d->make.uuid, UUID_LEN);
	memcpy(subject.public_key, public_key, P256_PUBLIC);
	der = pki_device_certificate(pki, &subject, &n);
	if (!der)
		abort(); /* a key of our own making is a point of the curve */
	chain[0] = bytes_of(der, n);
	chain[1] = pki_intermediate(pki, subject.fault);
	if (d->online) {
		ok = building_online_publish(k, file, d, chain, ARRAY_LEN(chain), error);
	} else {
		building_device_add_record(d, PROV_RECORD_DEVICE_CERTIFICATE, chain[0]);
		building_device_add_record(d, PROV_RECORD_INTERMEDIATE_FIRST, chain[1]);
	}
	building_device_add_record(d, PROV_RECORD_LOCAL_NAME,
				   bytes_of(d->make.name, strlen(d->make.name)));
	free(der);
	return ok;
}

/* Each device draws from a stream of its own: its keys do not depend on the others' shares. */
static bool give_keys(const struct building_keys *k, const char *file, struct building_file *f,
		      struct pki *pki, char error[BUILDING_ERROR])
{
	for (size_t i = 0; i < f->n; i++) {
		struct building_device *d = &f->devices[i];
		struct rng rng = rng_seeded(f->seed, (uint64_t)STREAM_KEYS << 32 | i);
		uint8_t public_key[P256_PUBLIC];

		if (!d->make.oob_public_key)
			continue;
		key_pair(&rng, &d->make, public_key);
		if (d->make.certificates && !certify(k, file, pki, d, public_key, error))
			return false;
	}
	return true;
}

static bool refuse(const char *path, char error[BUILDING_ERROR])
{
	snprintf(error, BUILDING_ERROR, "%.200s: %.80s", path, strerror(errno));
	return false;
}

/* What an installer gets from the maker: one row for each device, absent and bad ones too. */
static bool write_list(const char *path, const struct building_file *f, char error[BUILDING_ERROR])
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	bool ok;

	if (!out)
		abort();
	fputs("uuid,name,area,profile,static_oob,certificate\n", out);
	for (size_t i = 0; i < f->n; i++) {
		const struct building_device *d = &f->devices[i];
		char uuid[UUID_TEXT], oob[2 * sizeof(d->make.static_oob) + 1];

		fprintf(out, "%s,%s,%s,,%s,\n", uuid_format(uuid, d->make.uuid), d->make.name,
			d->area,
			hex_format(oob, bytes_of(d->make.static_oob, d->make.static_oob_len)));
	}
	if (fclose(out) != 0)
		abort();
	ok = building_store_replace(path, bytes_of(text, n), LIST_MODE, true) ||
	     refuse(path, error);
	free(text);
	return ok;
}

static bool write_anchor(const char *path, const struct pki *pki, char error[BUILDING_ERROR])
{
	char *pem = pki_root_pem(pki);
	bool ok = building_store_replace(path, bytes_of(pem, strlen(pem)), ANCHOR_MODE, true) ||
		  refuse(path, error);

	free(pem);
	return ok;
}

bool building_make(const struct building_keys *k, const char *file, const char *ca,
		   const char *list, int64_t now, struct building_made *made,
		   char error[BUILDING_ERROR])
{
	struct rng rng = rng_seeded(k->seed, STREAM_AUTHORITIES);
	struct pki_env env = { .random = authority_random,
			       .ctx = &rng,
			       .organization = "Meshmason simulated building",
			       .not_before = now - VALID_SINCE,
			       .not_after = now + (int64_t)VALID_FOR * 365 * DAY };
	struct building_file f;
	struct pki *pki;
	bool ok;

	if (!building_plan(k, &f, error))
		return false;
	pki = pki_new(&env);
	building_online_choose(k, &f);
	/* The building last: it is what says that all of it is there. */
	ok = give_keys(k, file, &f, pki, error) && write_anchor(ca, pki, error) &&
	     write_list(list, &f, error) && building_file_save(file, &f, error);
	*made = (struct building_made){ .devices = f.n, .unreached = building_reach(&f, NULL) };
	for (size_t i = 0; i < f.n; i++)
		made->servers += f.devices[i].make.server;
	pki_free(pki);
	building_file_free(&f);
	return ok;
}
