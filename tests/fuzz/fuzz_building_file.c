/* SPDX-License-Identifier: Apache-2.0 */
/* A building as a file says it is. Accepted: it is read. Then its promises are those that the
 * building relies on. */
#include <string.h>

#include "building_file.h"
#include "fuzz.h"
#include "fuzz_file.h"

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static void look(const struct building_file *f)
{
	promise(f->n > 0 && f->n <= BUILDING_DEVICES_MAX && f->loss >= 0 && f->loss <= 1);
	for (size_t i = 0; i < f->n; i++) {
		const struct device_make *m = &f->devices[i].make;

		promise(m->elements >= 1 && m->elements <= 8 && m->algorithms != 0);
		promise(m->n_records <= DEVICE_RECORDS_MAX);
		promise(memchr(m->name, 0, sizeof(m->name)) &&
			memchr(f->devices[i].area, 0, sizeof(f->devices[i].area)));
		promise(building_certificate_name(f->devices[i].certificate) &&
			building_fault_name(m->fault));
		for (size_t k = 0; k < m->n_records; k++)
			promise(m->records[k].data.n <= BUILDING_RECORD_MAX);
	}
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	char path[FUZZ_PATH], error[BUILDING_ERROR] = "";
	struct building_file file;
	int fd = fuzz_file(data, n, path);
	bool accepted = building_file_load(path, &file, error);

	close(fd);
	promise(accepted == (error[0] == '\0') && memchr(error, 0, sizeof(error)));
	if (!accepted)
		return false;
	look(&file);
	building_file_free(&file);
	return true;
}
