/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/api/console_open.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/core/certificate.h"
#include "agent/core/consoles.h"
#include "agent/core/job_rights.h"

#define PASSWORD_SIZE 9 /* eight characters: what VNC's own challenge can carry */

void console_path(unsigned vmid, char ret[CONSOLE_PATH_SIZE])
{
	snprintf(ret, CONSOLE_PATH_SIZE, "/vms/%u", vmid);
}

/* What the viewer says first ("user:ticket") is a secret of the job: it is kept nowhere. */
static int start_job(struct api_request *req, struct console_opening *opening, int fd,
		     struct err *err)
{
	autofields args = FIELDS_INIT;
	char id[16];

	snprintf(id, sizeof(id), "%u", opening->vmid);
	fields_add(&args, "vmid", id);
	fields_add(&args, "kind", opening->kind);
	fields_add(&args, "mode", opening->mode);
	if (str_eq(opening->command, "termproxy"))
		fields_addf(&args, "secret", "%s:%s", api_user(req), opening->ticket);
	if (opening->width) {
		fields_addf(&args, "width", "%u", opening->width);
		fields_addf(&args, "height", "%u", opening->height);
	}
	job_rights_tie(&req->who, opening->privs, &args);
	const struct job_spec spec = {
		.program = JOB_CONSOLE,
		.command = opening->command,
		.type = CONSOLE_TASK_TYPE,
		.id = id,
		.user = api_user(req),
		.args = &args,
		.fd = fd,
	};

	return jobs_start(req->core->jobs, &spec, opening->upid, err);
}

/* Port, ticket and job; the rest of opening is filled in. */
static int open_console(struct api_request *req, struct console_opening *opening, struct err *err)
{
	struct core *core = req->core;
	int ends[2], r;

	if ((r = consoles_reserve(core->consoles, opening->vmid, api_user(req), &opening->port,
				  err)) < 0)
		return r;
	console_path(opening->vmid, opening->path);
	const struct console_subject subject = {api_user(req), opening->path, opening->port};

	r = access_console_ticket_make(core->access, &subject, clock_wall() / USEC_PER_SEC,
				       opening->ticket, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, errno, "socket of the console");
	autofd int of_viewer = ends[0], of_job = ends[1];

	if ((r = start_job(req, opening, of_job, err)) < 0)
		return r;
	consoles_add(core->consoles,
		     &(struct console){.port = opening->port,
				       .vmid = opening->vmid,
				       .user = api_user(req),
				       .ticket = opening->ticket,
				       .upid = opening->upid},
		     TAKE_FD(of_viewer), clock_monotonic());
	return 0;
}

static void write_opening(struct api_request *req, const struct console_opening *opening)
{
	struct json *j = &req->json;

	json_kv_uint(j, "port", opening->port);
	json_kv_string(j, "ticket", opening->ticket);
	json_kv_string(j, "upid", opening->upid);
	json_kv_string(j, "user", api_user(req));
}

int console_open_terminal(struct api_request *req, struct console_opening *opening, struct err *err)
{
	int r;

	opening->command = "termproxy";
	if ((r = open_console(req, opening, err)) < 0)
		return r;
	json_object_begin(&req->json);
	write_opening(req, opening);
	json_object_end(&req->json);
	return 0;
}

static void make_password(char ret[PASSWORD_SIZE])
{
	uint8_t bytes[(PASSWORD_SIZE - 1) / 2];
	autobuf hex = BUF_INIT;

	random_bytes(bytes, sizeof(bytes));
	digest_hex(bytes, sizeof(bytes), &hex);
	str_copy(ret, PASSWORD_SIZE, buf_str(&hex));
}

/* The screen's own security type is None, the ticket was the proof: the password is for clients that want to
 * have one to give. */
int console_open_screen(struct api_request *req, struct console_opening *opening, struct err *err)
{
	char password[PASSWORD_SIZE];
	int r;

	opening->command = "vncproxy";
	if ((r = open_console(req, opening, err)) < 0)
		return r;
	json_object_begin(&req->json);
	write_opening(req, opening);
	json_kv_string(&req->json, "cert", certificate_pem(req->core->certificate));
	if (api_bool(req, "generate-password", false)) {
		make_password(password);
		json_kv_string(&req->json, "password", password);
	}
	json_object_end(&req->json);
	return 0;
}
