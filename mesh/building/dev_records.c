/* SPDX-License-Identifier: Apache-2.0 */
/* Provisioning records, Mesh 5.4.2.6: read in fragments, before Invite only. */
#include "dev_prov.h"

static bool has_records(const struct device_make *make)
{
	return make->n_records > 0 || make->certificates;
}

bool dev_records_list(const struct device_make *make, struct wr *w)
{
	if (!has_records(make))
		return false;
	wr_u8(w, PROV_RECORDS_LIST);
	wr_be16(w, 0); /* Provisioning Extensions: none exist */
	for (size_t i = 0; i < make->n_records; i++)
		wr_be16(w, make->records[i].id);
	return wr_ok(w);
}

static const struct bytes *find(const struct device_make *make, uint16_t id)
{
	for (size_t i = 0; i < make->n_records; i++)
		if (make->records[i].id == id)
			return &make->records[i].data;
	return NULL;
}

bool dev_records_read(const struct device_make *make, struct bytes params, struct wr *w)
{
	struct rd r = rd_from(params);
	uint16_t id = rd_be16(&r), offset = rd_be16(&r), most = rd_be16(&r);
	const struct bytes *record = find(make, id);
	enum prov_record_status status = PROV_RECORD_OK;
	size_t n = 0;

	if (!rd_finished(&r) || !has_records(make))
		return false;
	if (!record)
		status = PROV_RECORD_ABSENT;
	else if (offset >= record->n)
		status = PROV_RECORD_BAD_OFFSET;
	else
		n = record->n - offset;
	if (n > most)
		n = most;
	if (n > DEV_PROV_FRAGMENT)
		n = DEV_PROV_FRAGMENT;
	wr_u8(w, PROV_RECORD_RESPONSE);
	wr_u8(w, (uint8_t)status);
	wr_be16(w, id);
	wr_be16(w, offset);
	wr_be16(w, record ? (uint16_t)record->n : 0);
	if (n > 0)
		wr_copy(w, record->p + offset, n);
	return wr_ok(w);
}
