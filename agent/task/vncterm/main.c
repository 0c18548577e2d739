/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-task-vncterm NAME WIDTH HEIGHT hangup|once PARENT: a terminal (descriptor 0) as a VNC screen for one viewer
 * (descriptor 3), started by the console's job and without privileges from its first byte on. `hangup`: the
 * terminal stays when nobody inside has it open. PARENT is the job's pid: it does not outlive it. SIGTERM says that the guest has ended, or that the console shall.
 * A line on standard error says why it failed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/task/vncterm/sandbox.h"
#include "agent/task/vncterm/server.h"

#define VIEWER_FD    3
#define LAST_SECONDS 5 /* for the viewer's thread to end by itself */

struct options {
	const char *name;
	uint64_t width, height;
	bool may_hang_up;
	uint64_t parent;
};

static int read_options(int argc, char **argv, struct options *ret, struct err *err)
{
	if (argc != 6 || !str_to_u64(argv[2], &ret->width) || !str_to_u64(argv[3], &ret->height) ||
	    !str_to_u64(argv[5], &ret->parent))
		return err_set(err, ERR_INVALID, "usage: %s NAME WIDTH HEIGHT hangup|once PARENT",
			       argv[0]);
	ret->name = argv[1];
	ret->may_hang_up = str_eq(argv[4], "hangup");
	if (ret->width < SERVER_WIDTH_MIN || ret->width > SERVER_WIDTH_MAX)
		return err_field(err, "width", "from %u to %u", SERVER_WIDTH_MIN, SERVER_WIDTH_MAX);
	if (ret->height < SERVER_HEIGHT_MIN || ret->height > SERVER_HEIGHT_MAX)
		return err_field(err, "height", "from %u to %u", SERVER_HEIGHT_MIN,
				 SERVER_HEIGHT_MAX);
	return 0;
}

static int take_signals(int *ret_fd, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*ret_fd < 0)
		return err_errno(err, errno, "signals");
	return 0;
}

static void *viewer_main(void *ctx)
{
	server_run(ctx);
	return NULL;
}

/* A thread that waits for its viewer wakes up when the stream is shut down. */
static void end_viewer(pthread_t thread, int viewer)
{
	struct timespec by;

	clock_gettime(CLOCK_REALTIME, &by);
	by.tv_sec += LAST_SECONDS;
	if (pthread_timedjoin_np(thread, NULL, &by) == 0)
		return;
	shutdown(viewer, SHUT_RDWR);
	pthread_join(thread, NULL);
}

/* A copy of the stream, since the server closes its own. */
static int serve(struct server *server, struct err *err)
{
	autofd int viewer = fcntl(server->viewer, F_DUPFD_CLOEXEC, 4);
	pthread_t thread;
	int r;

	if (viewer < 0)
		return err_errno(err, errno, "the viewer's stream");
	if ((r = pthread_create(&thread, NULL, viewer_main, server)) != 0)
		return err_errno(err, r, "thread");
	r = session_pump(server->session, err);
	end_viewer(thread, viewer);
	if (r == 0 && server->err.code) {
		*err = server->err;
		r = -err->code;
	}
	return r;
}

static int run(const struct options *options, struct err *err)
{
	struct session session = {.terminal = STDIN_FILENO,
				  .may_hang_up = options->may_hang_up,
				  .for_viewer = -1,
				  .for_guest = -1,
				  .has_left = -1};
	struct font font;
	struct server server = {.session = &session,
				.font = &font,
				.viewer = VIEWER_FD,
				.width = (unsigned)options->width,
				.height = (unsigned)options->height,
				.name = options->name};
	autofd int ends = -1;
	int r;

	(void)setpriority(PRIO_PROCESS, 0,
			  5); /* a guest that prints without end is no reason to hurry */
	if ((r = take_signals(&ends, err)) < 0 || (r = font_open(FONT_PATH, &font, err)) < 0)
		return r;
	session.ends = ends;
	r = session_init(&session, server.width / FONT_WIDTH, server.height / FONT_HEIGHT, err);
	if (r == 0)
		r = sandbox_enter((pid_t)options->parent, err);
	if (r == 0)
		r = serve(&server, err);
	session_fini(&session);
	return r;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct err err = ERR_INIT;

	if (read_options(argc, argv, &options, &err) == 0 && run(&options, &err) == 0)
		return 0;
	dprintf(STDERR_FILENO, "%s\n", err.message);
	return 1;
}
