/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running an external program to its end, with a deadline, feeding stdin and reading both outputs.
 */
#include "agent/base/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define OUTPUT_DEFAULT (1024u * 1024)
#define ERRORS_MAX     4096u
#define KILL_AFTER     (1 * USEC_PER_SEC)
#define STOP_LOOK_MS   1000

struct running {
	pid_t pid;
	int pidfd;
	int in, out, errors; /* our ends; -1 once closed */
	size_t sent;
	bool is_cut; /* more output than may be kept */
};

void exec_result_fini(struct exec_result *r)
{
	buf_fini(&r->output);
	buf_fini(&r->errors);
}

static void running_fini(struct running *run)
{
	closep(&run->pidfd);
	closep(&run->in);
	closep(&run->out);
	closep(&run->errors);
}

static void shut(int *fd)
{
	closep(fd);
	*fd = -1;
}

static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int start(const struct exec_run *spec, struct running *run, struct err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1}, r;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0) {
		r = err_errno(err, errno, "pipe");
	} else {
		struct exec_spawn child = {.argv = spec->argv,
					   .dies_with_us = true,
					   .stdin_fd = in[0],
					   .stdout_fd = out[1],
					   .stderr_fd = spec->errors_fd > 0 ? spec->errors_fd
									    : errors[1]};

		r = exec_spawn(&child, &run->pid, err);
	}
	closep(&in[0]);
	closep(&out[1]);
	closep(&errors[1]);
	run->in = in[1];
	run->out = out[0];
	run->errors = errors[0];
	if (r < 0)
		return r;
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (run->pidfd < 0) {
		r = err_errno(err, errno, "watch %s", spec->argv[0]);
		kill(-run->pid, SIGKILL);
		reap(run->pid);
		return r;
	}
	fd_set_nonblock(run->in, true);
	if (spec->input_size == 0)
		shut(&run->in);
	return 0;
}

/* A program that closes its stdin must not end us by SIGPIPE, whatever the caller set for it: the
 * signal is blocked meanwhile, and taken off this thread if the write raised it. */
static ssize_t write_quietly(int fd, const void *data, size_t size)
{
	sigset_t pipe_only, before, pending;
	bool was_pending;
	ssize_t n;
	int errnum;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	n = write(fd, data, size);
	errnum = errno;
	if (n < 0 && errnum == EPIPE && !was_pending)
		sigtimedwait(&pipe_only, NULL, &(struct timespec){0});
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return n;
}

static void feed(const struct exec_run *spec, struct running *run)
{
	ssize_t n = write_quietly(run->in, (const char *)spec->input + run->sent,
				  spec->input_size - run->sent);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		shut(&run->in); /* it does not want more */
	if (n > 0)
		run->sent += (size_t)n;
	if (run->sent == spec->input_size)
		shut(&run->in);
}

/* Keeps at most max bytes, reads on so that the program is never blocked by us. */
static void drain(int *fd, struct buf *to, size_t max, bool *ret_cut)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		shut(fd);
		return;
	}
	*ret_cut |= (size_t)n > max - to->size;
	buf_add(to, chunk, (size_t)n < max - to->size ? (size_t)n : max - to->size);
}

/* Once the program ended only what is already in the pipes is read: a grandchild may hold them. */
static void serve(const struct exec_run *spec, struct running *run, struct exec_result *result,
		  int timeout_ms, bool *ret_ended)
{
	size_t max = spec->output_max ? spec->output_max : OUTPUT_DEFAULT;
	bool cut_errors = false; /* the first lines are enough */
	struct pollfd p[] = {{.fd = run->pidfd, .events = POLLIN},
			     {.fd = run->in, .events = POLLOUT},
			     {.fd = run->out, .events = POLLIN},
			     {.fd = run->errors, .events = POLLIN}};

	if (poll(p, 4, timeout_ms) <= 0)
		return;
	if (p[1].revents)
		feed(spec, run);
	if (p[2].revents)
		drain(&run->out, &result->output, max, &run->is_cut);
	if (p[3].revents)
		drain(&run->errors, &result->errors, ERRORS_MAX, &cut_errors);
	*ret_ended = p[0].revents && !p[2].revents && !p[3].revents;
}

/* Not while it is being ended. */
static bool is_stopped(const struct exec_run *spec, usec_t deadline)
{
	return spec->is_stopped && deadline == spec->deadline && spec->is_stopped();
}

static int wait_ms(const struct exec_run *spec, usec_t deadline)
{
	int left = clock_left_ms(deadline);

	return spec->is_stopped && left > STOP_LOOK_MS ? STOP_LOOK_MS : left;
}

static bool run_until(const struct exec_run *spec, struct running *run, struct exec_result *result,
		      usec_t deadline)
{
	bool ended = false;

	while (!ended && !is_stopped(spec, deadline) && clock_left_ms(deadline) > 0)
		serve(spec, run, result, wait_ms(spec, deadline), &ended);
	return ended;
}

static int first_line(const struct buf *errors)
{
	const char *end = errors->size ? memchr(errors->data, '\n', errors->size) : NULL;

	return (int)(end ? end - errors->data : (ptrdiff_t)errors->size);
}

static int judge(const struct exec_run *spec, const struct exec_result *result, bool is_cut,
		 struct err *err)
{
	const char *name = spec->argv[0];
	size_t max = spec->output_max ? spec->output_max : OUTPUT_DEFAULT;

	if (WIFSIGNALED(result->status))
		return err_set(err, ERR_IO, "%s was killed by signal %d", name,
			       WTERMSIG(result->status));
	if (WEXITSTATUS(result->status) != 0)
		return err_set(err, ERR_IO, "%s failed (%d)%s%.*s", name,
			       WEXITSTATUS(result->status), result->errors.size ? ": " : "",
			       first_line(&result->errors),
			       result->errors.size ? result->errors.data : "");
	if (is_cut)
		return err_set(err, ERR_LIMIT, "%s printed more than %zu bytes", name, max);
	return 0;
}

/* Past its deadline. false: it did not even die of SIGKILL (it hangs in the kernel, on a dead
 * disk); it is left behind, as waiting for it would hang us as well. */
static bool end_it(const struct exec_run *spec, struct running *run, struct exec_result *result)
{
	static const int signals[] = {SIGTERM, SIGKILL};
	bool ended = false;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		kill(-run->pid, signals[i]);
		if (!ended)
			ended = run_until(spec, run, result, clock_monotonic() + KILL_AFTER);
	}
	return ended;
}

int exec_run(const struct exec_run *spec, struct exec_result *ret, struct err *err)
{
	struct running run = {.pidfd = -1, .in = -1, .out = -1, .errors = -1};
	struct exec_result result = {0};
	bool in_time;
	int r = start(spec, &run, err);

	if (r < 0) {
		running_fini(&run);
		return r;
	}
	in_time = run_until(spec, &run, &result, spec->deadline);
	if (in_time || end_it(spec, &run, &result))
		result.status = reap(run.pid);
	running_fini(&run);
	if (in_time)
		r = judge(spec, &result, run.is_cut, err);
	else if (clock_left_ms(spec->deadline) > 0)
		r = err_set(err, ERR_CANCELLED, "%s was stopped", spec->argv[0]);
	else
		r = err_set(err, ERR_TIMEOUT, "%s did not end in time and was killed",
			    spec->argv[0]);
	if (ret)
		*ret = result;
	else
		exec_result_fini(&result);
	return r;
}
