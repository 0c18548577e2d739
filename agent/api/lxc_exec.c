/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /nodes/{node}/lxc/{vmid}/exec, an addition to the contract: a program inside a container. The answer is the
 * stream of agent/base/exec_wire.h; it ends with the program, and the program ends with it. Runs on the core's
 * loop. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/api/guest_handlers.h"
#include "agent/api/guest_request.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/job_rights.h"

#define TYPE	     "application/vnd.lodge.exec"
#define TASK_TYPE    "vzexec"
#define PRIVS	     "VM.GuestAgent.Unrestricted" /* as for the same by a machine's guest agent */
#define OF_GUEST_MAX 32
#define ALL_MAX	     128
#define WORDS_MAX    512
#define INPUT_MAX    (256 * 1024)
#define TIMEOUT_MAX  86400 /* s */

static int check_room(const struct api_request *req, unsigned vmid, struct err *err)
{
	autofree char *id = xasprintf("%u", vmid);
	const struct jobs *jobs = req->core->jobs;
	size_t all = 0, here = 0;

	for (const struct task *t = jobs_next(jobs, NULL); t; t = jobs_next(jobs, t)) {
		if (t->state != TASK_RUNNING || !str_eq(t->id.type, TASK_TYPE))
			continue;
		all++;
		here += str_eq(t->id.id, id);
	}
	if (here >= OF_GUEST_MAX || all >= ALL_MAX)
		return err_set(err, ERR_LIMIT, "too many programs run in %s already",
			       here >= OF_GUEST_MAX ? "this container" : "containers");
	return 0;
}

static bool is_variable(const char *text)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && text[n] == '=';
}

/* Arrays, in their order. */
static int take_words(const struct api_request *req, struct fields *args, struct err *err)
{
	size_t words = 0;

	for (size_t i = 0; i < req->params.count; i++) {
		const struct field *f = &req->params.items[i];
		bool is_word = str_eq(f->name, "command"), is_env = str_eq(f->name, "env");

		if (!is_word && !is_env)
			continue;
		if (is_env && !is_variable(f->value))
			return err_field(err, "env", "'%.100s' is not NAME=VALUE", f->value);
		if (++words > WORDS_MAX)
			return err_field(err, f->name, "more than %d words", WORDS_MAX);
		fields_add_n(args, f->name, f->value, f->size);
	}
	return fields_get(args, "command") && fields_find(args, "command")->size > 0
		       ? 0
		       : err_field(err, "command", "is empty");
}

static int make_args(const struct api_request *req, unsigned vmid, struct fields *args,
		     struct err *err)
{
	const char *cwd = api_str(req, "cwd"), *input = api_str(req, "input-data");
	int r = take_words(req, args, err);

	if (r < 0)
		return r;
	if (cwd && cwd[0] != '/')
		return err_field(err, "cwd", "must be an absolute path");
	if (api_bool(req, "stream-input", false) && !req->takes_raw_stream)
		return err_field(err, "stream-input",
				 "only the node's own socket carries input; use input-data");
	fields_addf(args, "vmid", "%u", vmid);
	fields_add(args, "cwd", cwd);
	fields_add(args, "input-data", input);
	if (api_bool(req, "stream-input", false))
		fields_add(args, "stream-input", "1");
	fields_addf(args, "timeout", "%lld", (long long)api_int(req, "timeout", 0));
	job_rights_tie(&req->who, PRIVS, args);
	return 0;
}

static int start_job(struct api_request *req, unsigned vmid, const struct fields *args, int fd,
		     struct err *err)
{
	autofree char *id = xasprintf("%u", vmid);
	char upid[UPID_MAX];
	const struct job_spec spec = {.program = JOB_CT,
				      .command = TASK_TYPE,
				      .id = id,
				      .user = api_user(req),
				      .args = args,
				      .fd = fd};

	return jobs_start(req->core->jobs, &spec, upid, err);
}

static int handle_exec(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	struct guest_target target;
	int ends[2], r = guest_request_target(req, &target, err);

	if (r == 0)
		r = make_args(req, target.vmid, &args, err);
	if (r < 0)
		return r;
	if (target.fact->state == GUEST_STOPPED)
		return err_set(err, ERR_BUSY, "CT %u not running", target.vmid);
	if (target.fact->state == GUEST_PAUSED)
		return err_set(err, ERR_BUSY, "CT %u is suspended", target.vmid);
	if ((r = check_room(req, target.vmid, err)) < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, errno, "socket of the program");
	autofd int of_caller = ends[0], of_job = ends[1];

	if ((r = start_job(req, target.vmid, &args, of_job, err)) < 0)
		return r;
	api_stream(req, TAKE_FD(of_caller), TYPE);
	return 0;
}

static const struct param params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "command",
	 .type = PARAM_ARRAY,
	 .has_max = true,
	 .max = 65536,
	 .text = "The program and its arguments, each a word of its own; no shell is asked."},
	{.name = "cwd",
	 .optional = true,
	 .has_max = true,
	 .max = 4096,
	 .text = "Folder in which it starts.",
	 .default_text = "/"},
	{.name = "env",
	 .type = PARAM_ARRAY,
	 .optional = true,
	 .has_max = true,
	 .max = 65536,
	 .text = "Variables NAME=VALUE of its environment."},
	{.name = "input-data",
	 .optional = true,
	 .has_max = true,
	 .max = INPUT_MAX,
	 .is_secret = true,
	 .text = "Its standard input."},
	{.name = "stream-input",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Input follows on the stream, as frames; over the node's own socket only."},
	{.name = "timeout",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 0,
	 .has_max = true,
	 .max = TIMEOUT_MAX,
	 .default_text = "0",
	 .text = "Seconds after which it is killed; 0: none."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{
		.verb = API_POST,
		.path = "/nodes/{node}/lxc/{vmid}/exec",
		.text = "Run a program inside a container; the answer is a stream of its output, "
			"its "
			"errors and its end.",
		.params = params,
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = PRIVS},
		.returns = "{\"type\":\"string\"}",
		.handle = handle_exec,
	},
};

const struct api_table api_table_lxc_exec = {routes, ARRAY_SIZE(routes)};
