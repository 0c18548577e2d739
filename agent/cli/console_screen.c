/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's screen on a Unix socket that only its owner reaches. Viewers are served one after the other, each
 * with a console of its own. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/relay.h"
#include "agent/base/str.h"
#include "agent/cli/console.h"

#define LOOK_EVERY 2000 /* ms: does the guest still run? */

struct screen {
	const struct cli_guest *guest;
	const struct fields *params;
	char folder[128], path[160];
	int listener, signals;
};

static const char *label(const struct screen *s)
{
	return str_eq(s->guest->kind, "lxc") ? "CT" : "VM";
}

static const char *runtime_folder(void)
{
	const char *folder = getenv("XDG_RUNTIME_DIR");

	return folder && folder[0] == '/' && strlen(folder) < 64 && access(folder, W_OK) == 0
		       ? folder
		       : "/tmp";
}

static int make_socket(struct screen *s, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(s->folder, sizeof(s->folder), "%s/lodge-vnc-%u.XXXXXX", runtime_folder(),
		 s->guest->vmid);
	if (!mkdtemp(s->folder)) /* mode 0700 */
		return err_errno(err, errno, "make folder %s", s->folder);
	snprintf(s->path, sizeof(s->path), "%s/vnc", s->folder);
	str_copy(address.sun_path, sizeof(address.sun_path), s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listener < 0 ||
	    bind(s->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(s->listener, 8) < 0)
		return err_errno(err, errno, "listen on %s", s->path);
	return 0;
}

static void remove_socket(struct screen *s)
{
	closep(&s->listener);
	unlink(s->path);
	rmdir(s->folder);
}

static void print_usage(const struct screen *s)
{
	printf("%s\n", s->path);
	fflush(stdout);
	fprintf(stderr,
		"[lodge] screen of %s %u; one of these shows it:\n"
		"    vncviewer %s\n"
		"    remote-viewer vnc+unix://%s\n"
		"[lodge] Ctrl-C ends\n",
		label(s), s->guest->vmid, s->path, s->path);
}

/* Not knowing is no reason to end. */
static bool has_stopped(const struct screen *s)
{
	autojson *status = NULL;

	if (cli_get(&status, NULL, "/nodes/%s/%s/%u/status/current", s->guest->node, s->guest->kind,
		    s->guest->vmid) < 0)
		return false;
	return str_eq(cli_member(status, "status"), "stopped");
}

/* 1: go on. A viewer that could not be served is told nothing, the user is. */
static int serve(struct screen *s, int viewer)
{
	struct console console = CONSOLE_NONE;
	struct err err = ERR_INIT;
	int r = console_open(s->guest, "vncproxy", s->params, &console, &err);

	if (r == 0)
		r = relay_run(viewer, console.fd, s->signals, &err);
	if (r == 0) {
		shutdown(console.fd, SHUT_RDWR); /* the task ends with its stream */
		r = console_result(s->guest, &console, &err);
	}
	console_fini(&console);
	if (r == -ERR_CANCELLED)
		return 0;
	if (r < 0)
		fprintf(stderr, "lodge: %s\n", err.message);
	return 1;
}

static int turn(struct screen *s, struct err *err)
{
	struct pollfd fds[2] = {{.fd = s->listener, .events = POLLIN},
				{.fd = s->signals, .events = POLLIN}};
	int r = poll(fds, 2, LOOK_EVERY);

	if (r < 0 && errno != EINTR)
		return err_errno(err, errno, "poll");
	if (r > 0 && fds[1].revents)
		return 0;
	if (r > 0 && fds[0].revents) {
		autofd int viewer = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

		if (viewer >= 0 && serve(s, viewer) == 0)
			return 0;
	}
	if (has_stopped(s)) {
		fprintf(stderr, "[lodge] %s %u has stopped\n", label(s), s->guest->vmid);
		return 0;
	}
	return 1;
}

int console_screen(const struct cli_guest *guest, const struct fields *params, int signals,
		   struct err *err)
{
	struct screen s = {.guest = guest, .params = params, .listener = -1, .signals = signals};
	int r;

	if (has_stopped(&s))
		return err_set(err, ERR_BUSY, "%s %u not running", label(&s), guest->vmid);
	if ((r = make_socket(&s, err)) == 0) {
		print_usage(&s);
		while ((r = turn(&s, err)) > 0)
			continue;
	}
	remove_socket(&s);
	return r;
}
