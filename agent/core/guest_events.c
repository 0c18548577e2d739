/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What jobs, hooks and the monitor tell of guests and node. Runs on the core's loop. */
#include "agent/base/log.h"
#include "agent/base/str.h"
#include "agent/core/restart.h"
#include "agent/core/server_ops.h"
#include "agent/core/setup.h"

void server_guest_state(struct core *core, struct conn *conn, uint64_t id, struct call *call)
{
	struct err err = ERR_INIT;

	if (facts_take_guest(core->facts, &call->head, &err) < 0) {
		server_reply(conn, id, 400, err.message);
		return;
	}
	restart_take(core, &call->head);
	server_reply(conn, id, 200, NULL);
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
	take(event, core->facts, facts_take_guest);
}

void server_event_node(struct core *core, struct call *event)
{
	take(event, core->facts, facts_take_node);
}

void server_event_listed(struct core *core, struct call *event)
{
	(void)event;
	facts_listed(core->facts);
}

void server_event_hello(struct core *core, struct call *event)
{
	(void)event;
	facts_hello(core->facts);
}

void server_event_net(struct core *core, struct call *event)
{
	(void)event;
	log_notice("the guests' network was changed from outside: applying it again");
	setup_network(core, NULL);
}
