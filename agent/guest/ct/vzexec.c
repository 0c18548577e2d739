/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job: a program inside a container for a caller at the other end of descriptor 3, as agent/base/exec_wire.h says.
 * It ends with the program, its time, or its caller: then what still runs of its session is killed. A caller that
 * does not read holds up the program and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec_wire.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/lxc_exec.h"
#include "agent/task/internal.h"

#define CALLER_FD 3
#define BLOCK	  (16u * 1024)
#define INPUT_MAX (1024u * 1024)
#define LINGER	  (5 * USEC_PER_SEC) /* for a slow caller to take the end */
#define FOREVER	  (365 * 24 * 3600 * USEC_PER_SEC)

enum { OUT, ERRORS, PIPES };

struct exec {
	pid_t pid;
	int pidfd, input, pipes[PIPES]; /* our ends; -1: closed */
	struct buf to_caller, to_input;
	struct exec_wire parser;
	bool takes_input; /* frames of input come from the caller */
	bool input_ends;  /* once to_input is written */
	bool has_exited, caller_left, is_late;
	int status;
	usec_t deadline;
};

static const enum exec_wire_kind pipe_kinds[PIPES] = {EXEC_WIRE_OUTPUT, EXEC_WIRE_ERRORS};

static void frame_add(struct buf *out, enum exec_wire_kind kind, const void *data, size_t size)
{
	uint8_t head[EXEC_WIRE_HEAD];

	exec_wire_head(kind, (uint32_t)size, head);
	buf_add(out, head, sizeof(head));
	buf_add(out, data, size);
}

static void drop(int *fd)
{
	closep(fd);
	*fd = -1;
}

/* -- start ---------------------------------------------------------------------------------------- */

static const char **words(const struct fields *f, const char *name)
{
	const char **list = xcalloc(f->count + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->items[i].name, name))
			list[n++] = f->items[i].value;
	return list;
}

static int make_pipes(int ret[3][2], struct err *err)
{
	for (int i = 0; i < 3; i++)
		if (pipe2(ret[i], O_CLOEXEC) != 0)
			return err_errno(err, errno, "pipe");
	return 0;
}

static int start_with(struct task_ctx *task, struct exec *x, int pipes[3][2], struct err *err)
{
	autofree const char **argv = words(&task->args, "command");
	autofree const char **env = words(&task->args, "env");
	autofree char *lxc_path = path_join(path_run(), "ct");
	const struct lxc_exec what = {.argv = argv,
				      .env = env,
				      .folder = fields_get(&task->args, "cwd"),
				      .stdin_fd = pipes[0][0],
				      .stdout_fd = pipes[1][1],
				      .stderr_fd = pipes[2][1]};
	int r;

	if (!argv[0] || !argv[0][0])
		return err_field(err, "command", "is empty");
	if ((r = lxc_exec_start(lxc_path, task->guest, &what, &x->pid, err)) < 0)
		return r;
	x->pidfd = (int)syscall(SYS_pidfd_open, x->pid, 0);
	return x->pidfd < 0 ? err_errno(err, errno, "pidfd_open") : 0;
}

static int start(struct task_ctx *task, struct exec *x, struct err *err)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int r = make_pipes(pipes, err);

	if (r == 0)
		r = start_with(task, x, pipes, err);
	drop(&pipes[0][0]);
	drop(&pipes[1][1]);
	drop(&pipes[2][1]);
	x->input = pipes[0][1];
	x->pipes[OUT] = pipes[1][0];
	x->pipes[ERRORS] = pipes[2][0];
	for (int i = 0; i < PIPES; i++)
		if (x->pipes[i] >= 0)
			fd_set_nonblock(x->pipes[i], true);
	if (x->input >= 0)
		fd_set_nonblock(x->input, true);
	return r;
}

/* -- turns ---------------------------------------------------------------------------------------- */

static bool is_transient(int errnum)
{
	return errnum == EAGAIN || errnum == EINTR;
}

static void read_pipe(struct exec *x, int which)
{
	char block[BLOCK];
	ssize_t n = read(x->pipes[which], block, sizeof(block));

	if (n > 0)
		frame_add(&x->to_caller, pipe_kinds[which], block, (size_t)n);
	else if (n == 0 || !is_transient(errno))
		drop(&x->pipes[which]);
}

static void write_input(struct exec *x)
{
	ssize_t n = x->to_input.size ? write(x->input, x->to_input.data, x->to_input.size) : 0;

	if (n > 0)
		buf_drop_front(&x->to_input, (size_t)n);
	if (n < 0 && !is_transient(errno)) {
		buf_clear(&x->to_input); /* it reads no more */
		drop(&x->input);
	} else if (x->to_input.size == 0 && x->input_ends) {
		drop(&x->input);
	}
}

static void take_frames(struct exec *x, const char *data, size_t size)
{
	while (size > 0) {
		struct exec_wire_event event;
		struct err err = ERR_INIT;
		size_t used = 0;
		int r = exec_wire_next(&x->parser, data, size, &used, &event, &err);

		data += used;
		size -= used;
		if (r < 0 || (r > 0 && event.kind != EXEC_WIRE_INPUT)) {
			task_log("the caller sent what is no input: %s", err.message);
			x->caller_left = true;
			return;
		}
		if (r == 0)
			continue;
		if (event.size == 0 && event.is_last)
			x->input_ends = true;
		else if (!x->input_ends && x->input >= 0)
			buf_add(&x->to_input, event.data, event.size);
	}
	if (x->input >= 0)
		write_input(x);
}

static void read_caller(struct exec *x)
{
	char block[BLOCK];
	ssize_t n = recv(CALLER_FD, block, sizeof(block), MSG_DONTWAIT);

	if (n > 0 && x->takes_input)
		take_frames(x, block, (size_t)n);
	else if (n == 0 || (n < 0 && !is_transient(errno)))
		x->caller_left = true;
}

static void write_caller(struct exec *x)
{
	ssize_t n =
		send(CALLER_FD, x->to_caller.data, x->to_caller.size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0)
		buf_drop_front(&x->to_caller, (size_t)n);
	else if (n < 0 && !is_transient(errno))
		x->caller_left = true;
}

/* 0, or the error that ends it */
static int turn(struct exec *x, struct err *err)
{
	bool has_room = x->to_caller.size < BLOCK;
	struct pollfd fds[] = {
		{.fd = CALLER_FD, .events = x->to_caller.size ? POLLOUT : 0},
		{.fd = has_room ? x->pipes[OUT] : -1, .events = POLLIN},
		{.fd = has_room ? x->pipes[ERRORS] : -1, .events = POLLIN},
		{.fd = x->to_input.size || x->input_ends ? x->input : -1, .events = POLLOUT},
		{.fd = x->has_exited ? -1 : x->pidfd, .events = POLLIN},
		{.fd = task_cancel_fd(), .events = POLLIN},
	};

	if (x->to_input.size < INPUT_MAX)
		fds[0].events |= POLLIN;
	if (poll(fds, ARRAY_SIZE(fds), clock_left_ms(x->deadline)) < 0)
		return errno == EINTR ? 0 : err_errno(err, errno, "poll");
	if (fds[5].revents)
		return task_check_cancelled(err);
	if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		read_caller(x);
	if (fds[0].revents & POLLOUT)
		write_caller(x);
	for (int i = 0; i < PIPES; i++)
		if (fds[1 + i].revents)
			read_pipe(x, i);
	if (fds[3].revents)
		write_input(x);
	if (fds[4].revents)
		x->has_exited = waitpid(x->pid, &x->status, 0) == x->pid;
	x->is_late = clock_left_ms(x->deadline) == 0;
	return 0;
}

/* What came before the end is taken along; what it left running and keeps its output open is not waited for. */
static bool is_over(struct exec *x)
{
	size_t before = x->to_caller.size;

	if (x->caller_left || x->is_late)
		return true;
	if (!x->has_exited)
		return false;
	for (int i = 0; i < PIPES; i++)
		if (x->pipes[i] >= 0 && x->to_caller.size < BLOCK)
			read_pipe(x, i);
	if (x->to_caller.size > before)
		return false;
	return x->to_caller.size < BLOCK;
}

static void kill_rest(struct exec *x)
{
	if (x->pid <= 0)
		return;
	kill(-x->pid, SIGKILL);
	if (!x->has_exited) {
		kill(x->pid, SIGKILL);
		x->has_exited = waitpid(x->pid, &x->status, 0) == x->pid;
	}
}

/* -- end ------------------------------------------------------------------------------------------- */

static void tell_end(struct exec *x, const char *why)
{
	struct json j;
	autobuf text = BUF_INIT;

	json_init(&j, &text);
	json_object_begin(&j);
	if (why)
		json_kv_string(&j, "error", why);
	else if (WIFSIGNALED(x->status))
		json_kv_int(&j, "signal", WTERMSIG(x->status));
	else
		json_kv_int(&j, "exitcode", WEXITSTATUS(x->status));
	json_object_end(&j);
	frame_add(&x->to_caller, EXEC_WIRE_END, text.data, text.size);
	x->deadline = clock_monotonic() + LINGER;
	while (x->to_caller.size && !x->caller_left && clock_left_ms(x->deadline) > 0) {
		struct pollfd fd = {.fd = CALLER_FD, .events = POLLOUT};

		if (poll(&fd, 1, clock_left_ms(x->deadline)) > 0)
			write_caller(x);
	}
	shutdown(CALLER_FD, SHUT_RDWR);
}

static int serve(struct task_ctx *task, struct exec *x, struct err *err)
{
	uint64_t timeout = 0;
	int r;

	str_to_u64(fields_get(&task->args, "timeout") ?: "0", &timeout);
	x->deadline = clock_monotonic() + (timeout ? timeout * USEC_PER_SEC : FOREVER);
	if ((r = start(task, x, err)) < 0)
		return r;
	while ((r = turn(x, err)) == 0 && !is_over(x))
		continue;
	kill_rest(x);
	if (r == 0 && x->is_late && !x->caller_left)
		r = err_set(err, ERR_TIMEOUT, "it did not end within %" PRIu64 " s and was killed",
			    timeout);
	return r;
}

static void log_end(const struct exec *x)
{
	if (x->caller_left)
		task_log("the caller left: killed");
	else if (WIFSIGNALED(x->status))
		task_log("ended by signal %d", WTERMSIG(x->status));
	else
		task_log("exit code %d", WEXITSTATUS(x->status));
}

static void read_input(const struct task_ctx *task, struct exec *x)
{
	const struct field *input = fields_find(&task->args, "input-data");

	x->takes_input = ct_bool_arg(task, "stream-input");
	x->input_ends = !x->takes_input;
	if (input)
		buf_add(&x->to_input, input->value, input->size);
}

int vzexec_run(struct task_ctx *task, struct err *err)
{
	struct exec x = {.pidfd = -1, .input = -1, .pipes = {-1, -1}};
	struct ct_record record;
	uint64_t vmid = 0;
	int r;

	/* not of the guest's queue: it may last */
	str_to_u64(fields_get(&task->args, "vmid") ?: "0", &vmid);
	task->guest = (unsigned)vmid;
	fcntl(CALLER_FD, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	read_input(task, &x);
	if ((r = ct_require_running(task->guest, &record, err)) == 0)
		r = serve(task, &x, err);
	if (r == 0)
		log_end(&x);
	tell_end(&x, r < 0 ? err->message : NULL);
	drop(&x.pidfd);
	drop(&x.input);
	drop(&x.pipes[OUT]);
	drop(&x.pipes[ERRORS]);
	buf_fini(&x.to_caller);
	buf_fini(&x.to_input);
	return r;
}
