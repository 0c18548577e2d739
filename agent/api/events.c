/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /cluster/events: the stream of what changes, and how its events look: the elements of
 * /cluster/resources and /cluster/tasks, by the code that writes those lists. Core's loop. */
#include "agent/core/events.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/api/node_entry.h"
#include "agent/api/resources.h"
#include "agent/api/task_entry.h"
#include "agent/base/str.h"
#include "agent/core/guests.h"

static void begin(struct buf *out, const char *type)
{
	buf_addf(out, "event: %s\ndata: ", type);
}

/* -- guests: "lxc/100" --
 */

static unsigned guest_variant(struct core *core, const struct event *event,
			      const struct identity *who)
{
	const char *slash = strchr(event->name, '/');
	char path[32];
	snprintf(path, sizeof(path), "/vms%s", slash);
	return access_is_unlimited(who) || access_may(core->access, who, path, "VM.Audit");
}

static void guest_encode(struct core *core, const struct event *event, unsigned variant,
			 struct buf *out)
{
	const char *slash = strchr(event->name, '/');
	uint64_t vmid = 0;
	size_t size = 0;
	(void)variant;
	if (!str_to_u64(slash + 1, &vmid))
		return;
	const struct guest *guest = guests_find(core->guests, (unsigned)vmid);
	if (guest && str_starts(event->name, guest_kind_name(guest->kind))) {
		const char *text = api_resources_guest(core, guest, &size);
		begin(out, "guest");
		buf_add(out, text, size);
	} else {
		struct json j;
		begin(out, "guest-gone");
		json_init(&j, out);
		json_object_begin(&j);
		json_kv_string(&j, "id", event->name);
		json_object_end(&j);
	}
	buf_add_char(out, '\n');
}

/* -- the node: with its load, or without --
 */

enum { NODE_PLAIN = 1, NODE_WITH_LOAD };

static unsigned node_variant(struct core *core, const struct event *event,
			     const struct identity *who)
{
	(void)event;
	return api_node_load_is_visible(core, who) ? NODE_WITH_LOAD : NODE_PLAIN;
}

static void node_encode(struct core *core, const struct event *event, unsigned variant,
			struct buf *out)
{
	struct json j;
	(void)event;
	begin(out, "node");
	json_init(&j, out);
	api_resources_write_node(core, variant == NODE_WITH_LOAD, &j);
	buf_add_char(out, '\n');
}

/* -- tasks: the UPID --
 */

static unsigned task_variant(struct core *core, const struct event *event,
			     const struct identity *who)
{
	const struct task *task = jobs_find(core->jobs, event->name);
	return task && (task_is_own(who, task) || access_may(core->access, who, "/", "Sys.Audit"));
}

static void task_encode(struct core *core, const struct event *event, unsigned variant,
			struct buf *out)
{
	struct json j;
	(void)variant;
	begin(out, "task");
	json_init(&j, out);
	task_write_entry(&j, jobs_find(core->jobs, event->name));
	buf_add_char(out, '\n');
}

/* -- configurations: the path --
 */

static unsigned config_variant(struct core *core, const struct event *event,
			       const struct identity *who)
{
	return event_config_is_visible(core, event->name, who);
}

/* Version 0: it was removed. */
static void config_encode(struct core *core, const struct event *event, unsigned variant,
			  struct buf *out)
{
	struct store_value value;
	struct json j;
	(void)variant;
	begin(out, "config");
	json_init(&j, out);
	json_object_begin(&j);
	json_kv_string(&j, "path", event->name);
	json_kv_uint(&j, "version",
		     store_get(core->store, event->name, &value) ? value.version : 0);
	json_object_end(&j);
	buf_add_char(out, '\n');
}

static const struct {
	const char *name; /* in the parameter types */
	unsigned (*variant)(struct core *core, const struct event *event,
			    const struct identity *who);
	void (*encode)(struct core *core, const struct event *event, unsigned variant,
		       struct buf *out);
} kinds[EVENT_TYPES] = {
	[EVENT_TYPE_GUEST] = {"guest", guest_variant, guest_encode},
	[EVENT_TYPE_NODE] = {"node", node_variant, node_encode},
	[EVENT_TYPE_TASK] = {"task", task_variant, task_encode},
	[EVENT_TYPE_CONFIG] = {"config", config_variant, config_encode},
};

static unsigned variant_of(struct core *core, const struct event *event, const struct identity *who)
{
	return kinds[event->type].variant(core, event, who);
}

static void encode(struct core *core, const struct event *event, unsigned variant, struct buf *out)
{
	kinds[event->type].encode(core, event, variant, out);
}

static const struct event_ops ops = {.variant = variant_of, .encode = encode};

static int parse_types(const char *text, unsigned *ret, struct err *err)
{
	autostrv char **names = str_split(text, ",; ");
	unsigned types = 0;
	for (size_t i = 0; names[i]; i++) {
		size_t type = 0;
		while (type < EVENT_TYPES && !str_eq(names[i], kinds[type].name))
			type++;
		if (type == EVENT_TYPES)
			return err_field(err, "types",
					 "'%.40s' is none of guest, node, task, config", names[i]);
		types |= 1u << type;
	}
	if (types == 0)
		return err_field(err, "types", "no type is named");
	*ret = types;
	return 0;
}

static int check_carrier(const struct api_request *req, struct err *err)
{
	if (req->wants_websocket)
		return err_set(err, ERR_INVALID,
			       "events are read by a plain GET (server-sent events), not through a "
			       "WebSocket");
	if (req->who.is_local_root && !req->takes_raw_stream)
		return err_set(err, ERR_INVALID, "events are a stream: 'lodge events' shows them");
	return 0;
}

static int get_events(struct api_request *req, struct err *err)
{
	const char *types = api_str(req, "types");
	struct events_reader_spec spec = {.ops = &ops,
					  .who = req->who,
					  .types = (1u << EVENT_TYPES) - 1,
					  .wants_figures = api_bool(req, "figures", false),
					  .last_id = req->last_event_id};
	int fd, r = check_carrier(req, err);
	if (r < 0 || (types && (r = parse_types(types, &spec.types, err)) < 0) ||
	    (r = events_reader_add(req->core->events, &spec, &fd, err)) < 0)
		return r;
	api_stream(req, fd, "text/event-stream");
	return 0;
}

static const struct param params[] = {
	{.name = "figures",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Also tell the load of guests and node each time it was sampled."},
	{.name = "types",
	 .optional = true,
	 .text = "Only events of these types: a list of guest, node, task, config."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/cluster/events",
	 .text = "What changes, as a stream of server-sent events.",
	 .params = params,
	 .permission = {.kind = API_USER,
			.text = "Guests need VM.Audit, tasks of others Sys.Audit on /, a node's "
				"load Sys.Audit, configurations what reading them needs."},
	 .returns = "{\"type\":\"string\"}",
	 .handle = get_events},
};

const struct api_table api_table_events = {routes, ARRAY_SIZE(routes)};
