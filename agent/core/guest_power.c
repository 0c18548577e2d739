/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power jobs of guests, for the core itself and for other jobs. Runs on the core's loop. */
#include "agent/core/guest_power.h"

#include <stdio.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/facts_decode.h"
#include "agent/core/guests.h"
#include "agent/core/server_ops.h"

static const struct {
	enum guest_kind kind;
	const char *verb;
	enum job_program program;
	const char *command;
} commands[] = {
	{GUEST_LXC, "start", JOB_CT, "vzstart"},
	{GUEST_LXC, "shutdown", JOB_CT, "vzshutdown"},
	{GUEST_QEMU, "start", JOB_VM, "qmstart"},
	{GUEST_QEMU, "shutdown", JOB_VM, "qmshutdown"},
};

int guest_power_start(struct core *core, const struct guest_power *power, char ret_upid[UPID_MAX],
		      struct err *err)
{
	const struct guest *guest = guests_find(core->guests, power->vmid);
	char id[16];

	if (!guest || !str_eq(guest->node, core->node))
		return err_set(err, ERR_NOT_FOUND, "guest %u is not on this node", power->vmid);
	snprintf(id, sizeof(id), "%u", power->vmid);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct job_spec spec = {.program = commands[i].program,
					      .command = commands[i].command,
					      .id = id,
					      .user = power->user,
					      .guest = power->vmid,
					      .args = power->args,
					      .fd = -1};

		if (commands[i].kind == guest->kind && str_eq(commands[i].verb, power->verb))
			return jobs_start(core->jobs, &spec, ret_upid, err);
	}
	return err_set(err, ERR_INVALID, "no guest can '%s'", power->verb ? power->verb : "");
}

void server_guest_job(struct core *core, struct conn *conn, uint64_t id, struct call *call)
{
	struct guest_power power = {.verb = fields_get(&call->head, "verb"),
				    .user = fields_get(&call->head, "user"),
				    .args = &call->params};
	struct reply reply = REPLY_INIT;
	struct err err = ERR_INIT;
	char upid[UPID_MAX];
	int r = facts_decode_vmid(&call->head, &power.vmid, &err);

	if (r == 0 && str_is_empty(power.user))
		r = err_set(&err, ERR_INVALID, "nobody asks");
	if (r == 0)
		r = guest_power_start(core, &power, upid, &err);
	if (r < 0) {
		server_reply(conn, id,
			     err.code == ERR_NOT_FOUND ? 404
			     : err.code == ERR_INVALID ? 400
						       : 503,
			     err.message);
		return;
	}
	reply.status = 200;
	fields_add(&reply.head, "upid", upid);
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}
