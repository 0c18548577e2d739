/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What jobs, hooks and the monitor tell of guests and node. Runs on the core's loop. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/core/facts_decode.h"
#include "agent/core/guests.h"
#include "agent/core/restart.h"
#include "agent/core/server_ops.h"
#include "agent/core/setup.h"

/* The monitor finds out, and tells when it knows. */
static void ask_monitor(struct core *core, const struct fields *f)
{
	struct call event = CALL_INIT;

	if (!core->monitor || !str_eq(fields_get(f, "state"), "unknown"))
		return;
	event.op = EVENT_LOOK;
	fields_add(&event.head, "vmid", fields_get(f, "vmid"));
	conn_event(core->monitor, &event);
	call_fini(&event);
}

static void log_reason(const struct facts *facts, const struct fields *f)
{
	uint64_t vmid = 0;

	str_to_u64(fields_get(f, "vmid"), &vmid);
	if (fields_get(f, "oom_kills"))
		log_warning("guest %s: the kernel killed %s times in it for want of memory",
			    fields_get(f, "vmid"), fields_get(f, "oom_kills"));
	if (fields_get(f, "reason") && !facts_guest(facts, (unsigned)vmid)->reason[0])
		log_info("guest %s stopped: %s", fields_get(f, "vmid"), fields_get(f, "reason"));
}

void server_guest_state(struct core *core, struct conn *conn, uint64_t id, struct call *call)
{
	struct err err = ERR_INIT;

	log_reason(core->facts, &call->head);
	if (facts_take_guest(core->facts, &call->head, &err) < 0) {
		server_reply(conn, id, 400, err.message);
		return;
	}
	restart_take(core, &call->head);
	ask_monitor(core, &call->head);
	server_reply(conn, id, 200, NULL);
}

void server_guest_end(struct core *core, struct conn *conn, uint64_t id, struct call *call)
{
	struct reply reply = REPLY_INIT;
	struct err err = ERR_INIT;
	unsigned vmid;

	if (facts_decode_vmid(&call->head, &vmid, &err) < 0) {
		server_reply(conn, id, 400, err.message);
		return;
	}
	const struct guest_fact *fact = facts_guest(core->facts, vmid);

	reply.status = 200;
	fields_add(&reply.head, "state", guest_state_name(fact->state));
	fields_add(&reply.head, "reason", fact->reason[0] ? fact->reason : NULL);
	if (fact->exit_code)
		fields_addf(&reply.head, "exit_code", "%u", fact->exit_code);
	if (fact->exit_signal)
		fields_addf(&reply.head, "exit_signal", "%u", fact->exit_signal);
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}

static void take(const struct call *event, struct facts *facts,
		 int (*decode)(struct facts *, const struct fields *, struct err *))
{
	struct err err = ERR_INIT;

	if (decode(facts, &event->head, &err) < 0)
		log_warning("monitor: %s: %s", err.field, err.message);
}

void server_event_guest(struct core *core, struct call *event)
{
	log_reason(core->facts, &event->head);
	take(event, core->facts, facts_take_guest);
}

void server_event_node(struct core *core, struct call *event)
{
	take(event, core->facts, facts_take_node);
}

/* Does the event speak of this kind? One that names none speaks of all. */
static bool is_about(const struct call *event, enum guest_kind kind)
{
	const char *name = fields_get(&event->head, "kind");

	return !name || str_eq(name, guest_kind_name(kind));
}

static void take_list(struct core *core, const struct call *event,
		      void (*step)(struct facts *facts, bool machines))
{
	if (is_about(event, GUEST_LXC))
		step(core->facts, false);
	if (is_about(event, GUEST_QEMU))
		step(core->facts, true);
}

void server_event_listing(struct core *core, struct call *event)
{
	take_list(core, event, facts_kind_listing);
}

void server_event_listed(struct core *core, struct call *event)
{
	take_list(core, event, facts_kind_listed);
}

void server_event_unlisted(struct core *core, struct call *event)
{
	take_list(core, event, facts_kind_unlisted);
}

void server_event_hello(struct core *core, struct call *event)
{
	(void)event;
	facts_hello(core->facts);
}

void server_event_net(struct core *core, struct call *event)
{
	if (str_eq(fields_get(&event->head, "what"), "link"))
		log_notice("an interface of this node that was missing has come: configuring it");
	else
		log_notice("the guests' network was changed from outside: applying it again");
	setup_network(core, NULL);
}
