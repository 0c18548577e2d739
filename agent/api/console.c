/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes: consoles of guests. A proxy call starts the console's job and hands out port and ticket; within
 * 40 s vncwebsocket gives the byte stream to the same user or token, once. Runs on the core's loop. */
#include <stdio.h>
#include <string.h>

#include "agent/api/console_open.h"
#include "agent/api/guest_handlers.h"
#include "agent/api/guest_request.h"
#include "agent/auth/ticket.h"
#include "agent/base/str.h"
#include "agent/core/consoles.h"
#include "agent/guest/vm_schema.h"

#define SCREEN_WIDTH  800 /* pixels of a container's screen, if not said otherwise */
#define SCREEN_HEIGHT 480
#define PRIVS	      "VM.Console"
#define PRIV_SHELL    "VM.GuestAgent.Unrestricted" /* of a shell without a log-in, as well */

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

/* The log-in that cmode asks for. */
static int container_target(struct api_request *req, struct console_opening *opening,
			    struct err *err)
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
	struct console_opening opening = {.privs = PRIVS};
	char path[CONSOLE_PATH_SIZE];
	int r = container_target(req, &opening, err);

	if (r == 0 && api_bool(req, "shell", false)) {
		console_path(opening.vmid, path);
		r = api_check(req, path, PRIV_SHELL, false, err);
		opening.privs = PRIVS " " PRIV_SHELL;
		str_copy(opening.mode, sizeof(opening.mode), "shell");
	}
	return r < 0 ? r : console_open_terminal(req, &opening, err);
}

static int choose_serial(const struct api_request *req, const struct vm_hardware *hw,
			 struct console_opening *opening, struct err *err)
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

static int choose_screen(const struct vm_hardware *hw, struct console_opening *opening,
			 struct err *err)
{
	if (!vm_has_screen(hw))
		return err_set(err, ERR_UNSUPPORTED,
			       "VM %u has no screen (vga: %s); use its serial console",
			       opening->vmid, hw->vga);
	str_copy(opening->mode, sizeof(opening->mode), "screen");
	return 0;
}

static int machine_target(struct api_request *req, struct console_opening *opening,
			  bool wants_screen, struct err *err)
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
	struct console_opening opening = {.privs = PRIVS};
	int r = machine_target(req, &opening, false, err);

	return r < 0 ? r : console_open_terminal(req, &opening, err);
}

static int post_qemu_vncproxy(struct api_request *req, struct err *err)
{
	struct console_opening opening = {.privs = PRIVS};
	int r = machine_target(req, &opening, true, err);

	return r < 0 ? r : console_open_screen(req, &opening, err);
}

static int post_lxc_vncproxy(struct api_request *req, struct err *err)
{
	struct console_opening opening = {.privs = PRIVS,
					  .width = (unsigned)api_int(req, "width", SCREEN_WIDTH),
					  .height =
						  (unsigned)api_int(req, "height", SCREEN_HEIGHT)};
	int r = container_target(req, &opening, err);

	return r < 0 ? r : console_open_screen(req, &opening, err);
}

static int get_vncwebsocket(struct api_request *req, struct err *err)
{
	struct guest_target target;
	char path[CONSOLE_PATH_SIZE];
	int fd, r = guest_request_target(req, &target, err);

	if (r < 0)
		return r;
	if (!req->wants_websocket && !req->takes_raw_stream)
		return err_set(err, ERR_INVALID,
			       "a console is a WebSocket: ask with 'Upgrade: websocket'");
	console_path(target.vmid, path);
	const struct console console = {.port = (unsigned)api_int(req, "port", 0),
					.vmid = target.vmid,
					.user = api_user(req),
					.ticket = api_str(req, "vncticket")};
	const struct console_subject subject = {console.user, path, console.port};

	if ((r = access_console_ticket_check(req->core->access, console.ticket, &subject,
					     clock_wall() / USEC_PER_SEC, err)) < 0 ||
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
