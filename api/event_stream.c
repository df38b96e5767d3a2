/* SPDX-License-Identifier: Apache-2.0 */
/* GET /events: what changed, as the lists would show it now. */
#include <stdlib.h>
#include <string.h>

#include "api_private.h"
#include "log.h"

/* Kinds of struct event_mark. */
enum { MARK_DEVICE, MARK_NODE, MARK_SERVER, MARK_JOB, MARK_TASK, MARK_RADIO };

static void mark(struct api *api, int kind, const void *key, size_t n, bool gone)
{
	struct event_mark m = { .kind = kind, .gone = gone };

	memcpy(m.key, key, n);
	events_mark(api->events, &m);
}

void api_changed(struct api *api, const struct jobs_change *c)
{
	int64_t ids[2] = { c->job, c->task };

	switch (c->what) {
	case JOBS_CHANGE_DEVICE:
		mark(api, MARK_DEVICE, c->uuid, UUID_LEN, c->gone);
		break;
	case JOBS_CHANGE_NODE:
		mark(api, MARK_NODE, &c->address, sizeof(c->address), c->gone);
		break;
	case JOBS_CHANGE_SERVER:
		mark(api, MARK_SERVER, &c->address, sizeof(c->address), c->gone);
		break;
	case JOBS_CHANGE_JOB:
		mark(api, MARK_JOB, &ids[0], sizeof(ids[0]), c->gone);
		break;
	case JOBS_CHANGE_TASK:
		mark(api, MARK_TASK, ids, sizeof(ids), c->gone);
		break;
	}
}

void api_radio_changed(struct api *api)
{
	mark(api, MARK_RADIO, "", 0, false);
}

static void publish(struct api *api, const char *type, json_t *data)
{
	char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;

	json_decref(data);
	if (text)
		events_publish(api->events, type, text);
	free(text);
}

/* One that cannot be read any more has gone. */
static void publish_or_gone(struct api *api, const char *changed, const char *removed, json_t *now,
			    const char *key, json_t *id)
{
	json_t *o;

	if (now) {
		json_decref(id);
		publish(api, changed, now);
		return;
	}
	o = json_object();
	json_object_set_new(o, key, id);
	publish(api, removed, o);
}

void events_render_mark(void *ctx, const struct event_mark *m)
{
	struct api *api = ctx;
	int64_t ids[2];
	uint16_t address;

	memcpy(ids, m->key, sizeof(ids));
	memcpy(&address, m->key, sizeof(address));
	switch (m->kind) {
	case MARK_DEVICE:
		publish_or_gone(api, "device.changed", "device.removed",
				m->gone ? NULL : device_json(api, m->key), "uuid",
				json_uuid(m->key));
		break;
	case MARK_NODE:
		publish_or_gone(api, "node.changed", "node.removed",
				m->gone ? NULL : node_json(api, address), "address",
				json_address(address));
		break;
	case MARK_SERVER:
		publish_or_gone(api, "server.changed", "server.removed",
				m->gone ? NULL : server_json(api, address), "address",
				json_address(address));
		break;
	case MARK_JOB:
		publish(api, "job.changed", job_json(api, ids[0]));
		break;
	case MARK_TASK:
		publish(api, "task.changed", task_json(api, ids[1]));
		break;
	case MARK_RADIO:
		publish(api, "radio.changed", radio_json(api));
		break;
	}
}

static struct reply get_events(struct api *api, const struct request *rq)
{
	return (struct reply){ .kind = REPLY_STREAM, .status = 200 };
}

static const struct route routes[] = {
	{ .method = HTTP_GET, .pattern = "/events", .role = DB_ROLE_VIEWER, .handle = get_events },
};
const struct route_table event_routes = { routes, ARRAY_LEN(routes) };
