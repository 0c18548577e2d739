/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs: a console, from its viewer's arrival to its end. */
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/relay.h"
#include "agent/base/str.h"
#include "agent/task/console/commands.h"
#include "agent/task/console/terminal.h"
#include "agent/task/console/vncterm.h"
#include "agent/task/handover.h"
#include "agent/task/internal.h"

/* libvirtd's own deadline is shorter: what it says then is of more use. */
#define SCREEN_WAIT (30 * USEC_PER_SEC)

static int serve_terminal(struct task_ctx *task, struct viewer *v, struct err *err)
{
	struct terminal terminal = TERMINAL_NONE;
	int r;

	if ((r = viewer_await(v, err)) < 0)
		return r;
	r = viewer_login(v, fields_get(&task->args, "secret"), err);
	if (r == -ERR_UNAVAILABLE) {
		task_log("the viewer left before it logged in");
		return 0;
	}
	if (r < 0)
		return r;
	if ((r = terminal_open(task, &terminal, err)) < 0) {
		viewer_tell(v, err->message);
		return r;
	}
	task_log("viewer connected: %s", fields_get(&task->args, "mode"));
	r = terminal_relay(v, &terminal, err);
	terminal_fini(&terminal);
	return r;
}

static int open_screen(const struct task_ctx *task, int *ret_fd, struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-task-vm");
	const char *vmid = fields_get(&task->args, "vmid");
	const char *argv[] = {program, "screen", vmid, NULL};

	if (!vmid)
		return err_set(err, ERR_INVALID, "console job without a guest");
	if (handover_run(argv, SCREEN_WAIT, ret_fd, 1, err) < 0)
		return err_prefix(err, "screen of VM %s", vmid);
	return 0;
}

static int serve_screen(struct task_ctx *task, struct viewer *v, struct err *err)
{
	autofd int screen = -1;
	int r;

	if ((r = viewer_await(v, err)) < 0 || (r = open_screen(task, &screen, err)) < 0)
		return r;
	task_log("viewer connected: screen");
	r = relay_run(v->fd, screen, task_cancel_fd(), err);
	if (r == 0)
		task_log("the viewer or the machine left");
	return r;
}

/* A container has no screen: its terminal is drawn as one. */
static int serve_drawn_terminal(struct task_ctx *task, struct viewer *v, struct err *err)
{
	struct terminal terminal = TERMINAL_NONE;
	int r;

	if ((r = viewer_await(v, err)) < 0)
		return r;
	if ((r = terminal_open(task, &terminal, err)) < 0) {
		viewer_refuse(v, err->message);
		return r;
	}
	task_log("viewer connected: %s as a screen", fields_get(&task->args, "mode"));
	r = vncterm_run(task, v, &terminal, err);
	terminal_fini(&terminal);
	return r;
}

static int with_viewer(struct task_ctx *task,
		       int (*serve)(struct task_ctx *task, struct viewer *v, struct err *err),
		       struct err *err)
{
	struct viewer viewer;
	int r;

	viewer_init(&viewer);
	r = serve(task, &viewer, err);
	viewer_fini(&viewer);
	return r;
}

int termproxy_run(struct task_ctx *task, struct err *err)
{
	return with_viewer(task, serve_terminal, err);
}

int vncproxy_run(struct task_ctx *task, struct err *err)
{
	const char *kind = fields_get(&task->args, "kind");
	bool is_drawn = kind && str_eq(kind, "lxc");

	return with_viewer(task, is_drawn ? serve_drawn_terminal : serve_screen, err);
}
