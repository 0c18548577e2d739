/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power jobs of guests, for the core itself and for other jobs. Runs on the core's loop. */
#include "agent/core/guest_power.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/facts_decode.h"
#include "agent/core/guest_mark.h"
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

/* What a job on many guests was allowed to do may be hours ago. */
static int check_right(struct core *core, const struct guest_power *power, struct err *err)
{
	autofree char *path = xasprintf("/vms/%u", power->vmid);
	struct identity who;
	int r;

	if (str_eq(power->user, "root@pam"))
		return 0;
	r = access_identity(core->access, power->user, clock_wall() / USEC_PER_SEC, &who, err);
	if (r == 0 && access_may(core->access, &who, path, "VM.PowerMgmt"))
		return 0;
	return err_set(err, ERR_DENIED, "%s may not switch guest %u", power->user, power->vmid);
}

/* ERR_UNKNOWN: an earlier request may have begun it, ask again. */
static int start_once(struct core *core, struct guest_power *power, const char *request,
		      char ret_upid[UPID_MAX], struct err *err)
{
	autofields args = FIELDS_INIT;

	if (jobs_find_request(core->jobs, request, ret_upid))
		return 0;
	if (!jobs_are_known(core->jobs))
		return err_set(err, ERR_UNKNOWN, "it is not known yet which jobs there are");
	fields_copy(&args, power->args);
	fields_set(&args, JOB_ARG_REQUEST, request);
	power->args = &args;
	return guest_power_start(core, power, ret_upid, err);
}

static int guest_job(struct core *core, const struct call *call, char ret_upid[UPID_MAX],
		     struct err *err)
{
	const char *request = fields_get(&call->head, "request");
	const char *mark = fields_get(&call->head, "mark");
	struct guest_power power = {.verb = fields_get(&call->head, "verb"),
				    .user = fields_get(&call->head, "user"),
				    .args = &call->params};
	int r = facts_decode_vmid(&call->head, &power.vmid, err);
	const struct guest *guest = r < 0 ? NULL : guests_find(core->guests, power.vmid);

	if (r < 0)
		return r;
	if (str_is_empty(power.user))
		return err_set(err, ERR_INVALID, "nobody asks");
	if (str_is_empty(request) || strlen(request) >= JOB_REQUEST_SIZE)
		return err_set(err, ERR_INVALID, "bad request");
	if (mark && guest && !guest_mark_is_of(guest, mark))
		return err_set(err, ERR_CONFLICT,
			       "guest %u may be another one than when this was asked for",
			       power.vmid);
	if ((r = check_right(core, &power, err)) < 0)
		return r;
	return start_once(core, &power, request, ret_upid, err);
}

static const struct {
	enum err_code code;
	unsigned status;
} statuses[] = {{ERR_INVALID, 400},
		{ERR_DENIED, 403},
		{ERR_NOT_FOUND, 404},
		{ERR_CONFLICT, 409},
		{ERR_UNKNOWN, 202}};

void server_guest_job(struct core *core, struct conn *conn, uint64_t id, struct call *call)
{
	struct reply reply = REPLY_INIT;
	struct err err = ERR_INIT;
	unsigned status = 503;
	char upid[UPID_MAX];

	if (guest_job(core, call, upid, &err) < 0) {
		for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
			if ((int)statuses[i].code == err.code)
				status = statuses[i].status;
		server_reply(conn, id, status, err.message);
		return;
	}
	reply.status = 200;
	fields_add(&reply.head, "upid", upid);
	conn_reply(conn, id, &reply);
	reply_fini(&reply);
}
