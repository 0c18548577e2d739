/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: consoles of guests. A proxy call starts the console's job and hands out port and ticket; within
 * 40 s vncwebsocket gives the byte stream to the same user or token, once. Runs on the core's loop. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/api/guest_handlers.h"
#include "agent/api/guest_request.h"
#include "agent/auth/ticket.h"
#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/core/certificate.h"
#include "agent/core/consoles.h"
#include "agent/core/job_rights.h"
#include "agent/guest/vm_schema.h"

#define PATH_SIZE     32
#define SCREEN_WIDTH  800 /* pixels of a container's screen, if not said otherwise */
#define SCREEN_HEIGHT 480
#define PRIVS	      "VM.Console"
#define PRIV_SHELL    "VM.GuestAgent.Unrestricted" /* of a shell without a log-in, as well */
#define PASSWORD_SIZE 9 /* eight characters: what VNC's own challenge can carry */

/* One console on its way. */
struct opening {
	unsigned vmid, port;
	const char *kind;	/* "lxc" */
	const char *command;	/* "termproxy", "vncproxy" */
	char mode[16];		/* tty, console, shell; serial0; screen */
	const char *privs;	/* that it needs, from its beginning to its end */
	unsigned width, height; /* of the screen that a container's terminal is drawn on; 0: none */
	char path[PATH_SIZE], ticket[TICKET_MAX], upid[UPID_MAX];
};

static void guest_path(unsigned vmid, char ret[PATH_SIZE])
{
	snprintf(ret, PATH_SIZE, "/vms/%u", vmid);
}

static uint64_t now_seconds(void)
{
	return clock_wall() / USEC_PER_SEC;
}

/* A state that is not known yet passes: the job will see. */
static int running_target(struct api_request *req, struct guest_target *ret, struct err *err)
{
	int r = guest_request_target(req, ret, err);

	if (r < 0)
		return r;
	if (ret->fact->state == GUEST_STOPPED)
		return err_set(err, ERR_BUSY, "%s %u not running", ret->ops->label, ret->vmid);
	return 0;
}

/* What the viewer says first ("user:ticket") is a secret of the job: it is kept nowhere. */
static int start_job(struct api_request *req, struct opening *opening, int fd, struct err *err)
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
static int open_console(struct api_request *req, struct opening *opening, struct err *err)
{
	struct core *core = req->core;
	int ends[2], r;

	if ((r = consoles_reserve(core->consoles, opening->vmid, api_user(req), &opening->port,
				  err)) < 0)
		return r;
	guest_path(opening->vmid, opening->path);
	const struct console_subject subject = {api_user(req), opening->path, opening->port};

	r = access_console_ticket_make(core->access, &subject, now_seconds(), opening->ticket, err);
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

static void write_opening(struct api_request *req, const struct opening *opening)
{
	struct json *j = &req->json;

	json_kv_uint(j, "port", opening->port);
	json_kv_string(j, "ticket", opening->ticket);
	json_kv_string(j, "upid", opening->upid);
	json_kv_string(j, "user", api_user(req));
}

static int open_terminal(struct api_request *req, struct opening *opening, struct err *err)
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

/* The log-in that cmode asks for. */
static int container_target(struct api_request *req, struct opening *opening, struct err *err)
{
	struct guest_target target;
	int r = running_target(req, &target, err);

	if (r < 0)
		return r;
	const char *mode = guest_config_get(target.guest->config, "cmode");

	opening->kind = "lxc";
	opening->vmid = target.vmid;
	str_copy(opening->mode, sizeof(opening->mode), mode ? mode : "tty");
	return 0;
}

static int post_lxc_termproxy(struct api_request *req, struct err *err)
{
	struct opening opening = {.privs = PRIVS};
	char path[PATH_SIZE];
	int r = container_target(req, &opening, err);

	if (r == 0 && api_bool(req, "shell", false)) {
		guest_path(opening.vmid, path);
		r = api_check(req, path, PRIV_SHELL, false, err);
		opening.privs = PRIVS " " PRIV_SHELL;
		str_copy(opening.mode, sizeof(opening.mode), "shell");
	}
	return r < 0 ? r : open_terminal(req, &opening, err);
}

static int choose_serial(const struct api_request *req, const struct vm_hardware *hw,
			 struct opening *opening, struct err *err)
{
	const char *asked = api_str(req, "serial");
	unsigned first = 0, index;

	while (first < VM_SERIALS_MAX && !hw->serial[first])
		first++;
	if (first == VM_SERIALS_MAX)
		return err_set(err, ERR_UNSUPPORTED,
			       "VM %u has no serial port; set serial0 to socket", opening->vmid);
	index = asked ? (unsigned)(asked[strlen("serial")] - '0') : first;
	if (!hw->serial[index])
		return err_field(err, "serial", "VM %u has no %s", opening->vmid, asked);
	snprintf(opening->mode, sizeof(opening->mode), "serial%u", index);
	return 0;
}

static int choose_screen(const struct vm_hardware *hw, struct opening *opening, struct err *err)
{
	if (!vm_has_screen(hw))
		return err_set(err, ERR_UNSUPPORTED,
			       "VM %u has no screen (vga: %s); use its serial console",
			       opening->vmid, hw->vga);
	str_copy(opening->mode, sizeof(opening->mode), "screen");
	return 0;
}

static int machine_target(struct api_request *req, struct opening *opening, bool wants_screen,
			  struct err *err)
{
	struct guest_target target;
	struct vm_hardware hw = {0};
	int r = running_target(req, &target, err);

	if (r < 0 || (r = vm_hardware_read(target.guest->config, &hw, err)) < 0)
		return r;
	opening->kind = "qemu";
	opening->vmid = target.vmid;
	r = wants_screen ? choose_screen(&hw, opening, err) : choose_serial(req, &hw, opening, err);
	vm_hardware_fini(&hw);
	return r;
}

static int post_qemu_termproxy(struct api_request *req, struct err *err)
{
	struct opening opening = {.privs = PRIVS};
	int r = machine_target(req, &opening, false, err);

	return r < 0 ? r : open_terminal(req, &opening, err);
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
static int open_screen(struct api_request *req, struct opening *opening, struct err *err)
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

static int post_qemu_vncproxy(struct api_request *req, struct err *err)
{
	struct opening opening = {.privs = PRIVS};
	int r = machine_target(req, &opening, true, err);

	return r < 0 ? r : open_screen(req, &opening, err);
}

static int post_lxc_vncproxy(struct api_request *req, struct err *err)
{
	struct opening opening = {.privs = PRIVS,
				  .width = (unsigned)api_int(req, "width", SCREEN_WIDTH),
				  .height = (unsigned)api_int(req, "height", SCREEN_HEIGHT)};
	int r = container_target(req, &opening, err);

	return r < 0 ? r : open_screen(req, &opening, err);
}

static int get_vncwebsocket(struct api_request *req, struct err *err)
{
	struct guest_target target;
	char path[PATH_SIZE];
	int fd, r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	if (!req->wants_websocket && !req->takes_raw_stream)
		return err_set(err, ERR_INVALID,
			       "a console is a WebSocket: ask with 'Upgrade: websocket'");
	guest_path(target.vmid, path);
	const struct console console = {.port = (unsigned)api_int(req, "port", 0),
					.vmid = target.vmid,
					.user = api_user(req),
					.ticket = api_str(req, "vncticket")};
	const struct console_subject subject = {console.user, path, console.port};

	if ((r = access_console_ticket_check(req->core->access, console.ticket, &subject,
					     now_seconds(), err)) < 0 ||
	    (r = consoles_take(req->core->consoles, &console, clock_monotonic(), &fd, err)) < 0)
		return r;
	api_stream(req, fd, API_STREAM_WEBSOCKET);
	return 0;
}

/* -- routes ---------------------------------------------------------------------------------------- */

static const struct param lxc_termproxy_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "shell",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "A shell of root without a log-in, whatever cmode says; needs " PRIV_SHELL
		 ", too."},
	PARAM_END,
};

static const char *const serials[] = {"serial0", "serial1", "serial2", "serial3", NULL};
static const struct param qemu_termproxy_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "serial",
	 .optional = true,
	 .choices = serials,
	 .text = "The serial port; the first that there is by default."},
	PARAM_END,
};

static const struct param qemu_vncproxy_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "generate-password",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .default_text = "0",
	 .text = "Return a password as well. The stream never asks for it."},
	{.name = "websocket",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Has no effect: the stream is always one of vncwebsocket."},
	PARAM_END,
};

static const struct param lxc_vncproxy_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "width",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 16,
	 .has_max = true,
	 .max = 4096,
	 .text = "Width of the screen in pixels, eight a column; 800 by default. A viewer that can "
		 "may "
		 "change it."},
	{.name = "height",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .has_min = true,
	 .min = 16,
	 .has_max = true,
	 .max = 2160,
	 .text = "Height of the screen in pixels, sixteen a line; 480 by default."},
	{.name = "websocket",
	 .type = PARAM_BOOLEAN,
	 .optional = true,
	 .text = "Has no effect: the stream is always one of vncwebsocket."},
	PARAM_END,
};

static const struct param vncwebsocket_params[] = {
	GUEST_NODE_PARAM,
	GUEST_VMID_PARAM,
	{.name = "port",
	 .type = PARAM_INTEGER,
	 .has_min = true,
	 .min = CONSOLE_PORT_MIN,
	 .has_max = true,
	 .max = CONSOLE_PORT_MIN + CONSOLES_MAX - 1,
	 .text = "Port that the proxy call gave."},
	{.name = "vncticket",
	 .has_max = true,
	 .max = TICKET_MAX,
	 .is_secret = true,
	 .text = "Ticket that the proxy call gave; good for 40 s, once."},
	PARAM_END,
};

#define RETURNS_TERMPROXY                                                                          \
	"{\"type\":\"object\",\"properties\":{\"port\":{\"type\":\"integer\"},\"ticket\":{"        \
	"\"type\":\"string\"},\"upid\":{\"type\":\"string\"},\"user\":{\"type\":\"string\"}}}"
#define RETURNS_VNCPROXY                                                                           \
	"{\"type\":\"object\",\"properties\":{\"cert\":{\"type\":\"string\"},\"password\":{"       \
	"\"type\":\"string\",\"optional\":1},\"port\":{\"type\":\"integer\"},\"ticket\":{"         \
	"\"type\":\"string\"},\"upid\":{\"type\":\"string\"},\"user\":{\"type\":\"string\"}}}"
#define RETURNS_VNCWEBSOCKET "{\"type\":\"object\",\"properties\":{\"port\":{\"type\":\"string\"}}}"

#define CONSOLE_ROUTE(verb_, path_, text_, params_, returns_, handle_)                             \
	{                                                                                          \
		.verb = verb_, .path = "/nodes/{node}/" path_, .text = text_, .params = params_,   \
		.permission = {.kind = API_CHECK, .path = "/vms/{vmid}", .privs = PRIVS},          \
		.returns = returns_, .handle = handle_,                                            \
	}

static const struct api_route routes[] = {
	CONSOLE_ROUTE(API_POST, "lxc/{vmid}/termproxy", "Open a terminal of a container.",
		      lxc_termproxy_params, RETURNS_TERMPROXY, post_lxc_termproxy),
	CONSOLE_ROUTE(API_POST, "lxc/{vmid}/vncproxy",
		      "Open a terminal of a container as a screen.", lxc_vncproxy_params,
		      RETURNS_VNCPROXY, post_lxc_vncproxy),
	CONSOLE_ROUTE(API_GET, "lxc/{vmid}/vncwebsocket", "The stream of an open console.",
		      vncwebsocket_params, RETURNS_VNCWEBSOCKET, get_vncwebsocket),
	CONSOLE_ROUTE(API_POST, "qemu/{vmid}/termproxy",
		      "Open a serial port of a virtual machine as a terminal.",
		      qemu_termproxy_params, RETURNS_TERMPROXY, post_qemu_termproxy),
	CONSOLE_ROUTE(API_POST, "qemu/{vmid}/vncproxy", "Open the screen of a virtual machine.",
		      qemu_vncproxy_params, RETURNS_VNCPROXY, post_qemu_vncproxy),
	CONSOLE_ROUTE(API_GET, "qemu/{vmid}/vncwebsocket", "The stream of an open console.",
		      vncwebsocket_params, RETURNS_VNCWEBSOCKET, get_vncwebsocket),
};

const struct api_table api_table_console = {routes, ARRAY_SIZE(routes)};
