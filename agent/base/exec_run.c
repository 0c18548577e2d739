/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running an external program to its end, with a deadline, feeding stdin and reading both outputs. */
#include "agent/base/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "agent/base/fd.h"

#define OUTPUT_DEFAULT (1024u * 1024)
#define ERRORS_MAX     4096u
#define KILL_AFTER     (1 * USEC_PER_SEC)

struct running {
	pid_t pid;
	int pidfd;
	int in, out, errors; /* our ends; -1 once closed */
	size_t sent;
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

static int start(const struct exec_run *spec, struct running *run, struct err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1}, r;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0) {
		r = err_errno(err, errno, "pipe");
	} else {
		struct exec_spawn child = {.argv = spec->argv,
					   .stdin_fd = in[0],
					   .stdout_fd = out[1],
					   .stderr_fd = errors[1]};

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
	run->pidfd = (int) syscall(SYS_pidfd_open, run->pid, 0);
	fd_set_nonblock(run->in, true);
	if (spec->input_size == 0)
		shut(&run->in);
	return 0;
}

static void feed(const struct exec_run *spec, struct running *run)
{
	ssize_t n = write(run->in, (const char *) spec->input + run->sent, spec->input_size - run->sent);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		shut(&run->in); /* it does not want more */
	if (n > 0)
		run->sent += (size_t) n;
	if (run->sent == spec->input_size)
		shut(&run->in);
}

/* Keeps at most max bytes, reads on so that the program is never blocked by us. */
static void drain(int *fd, struct buf *to, size_t max)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		shut(fd);
		return;
	}
	if (to->size < max)
		buf_add(to, chunk, (size_t) n < max - to->size ? (size_t) n : max - to->size);
}

/* Once the program ended only what is already in the pipes is read: a grandchild may hold them. */
static void serve(const struct exec_run *spec, struct running *run, struct exec_result *result,
		  int timeout_ms, bool *ret_ended)
{
	size_t max = spec->output_max ? spec->output_max : OUTPUT_DEFAULT;
	struct pollfd p[] = {{.fd = run->pidfd, .events = POLLIN},
			     {.fd = run->in, .events = POLLOUT},
			     {.fd = run->out, .events = POLLIN},
			     {.fd = run->errors, .events = POLLIN}};

	if (poll(p, 4, timeout_ms) <= 0)
		return;
	if (p[1].revents)
		feed(spec, run);
	if (p[2].revents)
		drain(&run->out, &result->output, max + 1);
	if (p[3].revents)
		drain(&run->errors, &result->errors, ERRORS_MAX);
	*ret_ended = p[0].revents && !p[2].revents && !p[3].revents;
}

static bool run_until(const struct exec_run *spec, struct running *run, struct exec_result *result,
		      usec_t deadline)
{
	bool ended = false;

	while (!ended && clock_left_ms(deadline) > 0)
		serve(spec, run, result, clock_left_ms(deadline), &ended);
	return ended;
}

static int first_line(const struct buf *errors)
{
	const char *end = errors->size ? memchr(errors->data, '\n', errors->size) : NULL;

	return (int) (end ? end - errors->data : (ptrdiff_t) errors->size);
}

static int judge(const struct exec_run *spec, const struct exec_result *result, struct err *err)
{
	const char *name = spec->argv[0];
	size_t max = spec->output_max ? spec->output_max : OUTPUT_DEFAULT;

	if (WIFSIGNALED(result->status))
		return err_set(err, ERR_IO, "%s was killed by signal %d", name, WTERMSIG(result->status));
	if (WEXITSTATUS(result->status) != 0)
		return err_set(err, ERR_IO, "%s failed (%d)%s%.*s", name, WEXITSTATUS(result->status),
			       result->errors.size ? ": " : "", first_line(&result->errors),
			       result->errors.size ? result->errors.data : "");
	if (result->output.size > max)
		return err_set(err, ERR_LIMIT, "%s printed more than %zu bytes", name, max);
	return 0;
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
	if (!in_time) {
		kill(-run.pid, SIGTERM);
		if (!run_until(spec, &run, &result, clock_monotonic() + KILL_AFTER))
			kill(-run.pid, SIGKILL);
	}
	while (waitpid(run.pid, &result.status, 0) < 0 && errno == EINTR)
		;
	running_fini(&run);
	r = in_time ? judge(spec, &result, err)
		    : err_set(err, ERR_TIMEOUT, "%s did not end in time and was killed", spec->argv[0]);
	if (ret)
		*ret = result;
	else
		exec_result_fini(&result);
	return r;
}
