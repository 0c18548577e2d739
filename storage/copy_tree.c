/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two tars and a bound between them. Job processes only. */
#include "storage/copy_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "storage/pace.h"

#define BLOCK	 (256u * 1024)
#define STEP_MAX 100 /* ms, between two looks at is_stopped */

struct tar {
	pid_t pid;
	int fd; /* our end of its pipe */
};

static int start_tar(const char *const *argv, bool is_reader, struct tar *ret, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe");
	autofd int read_end = ends[0], write_end = ends[1];
	const struct exec_spawn spec = {.argv = argv,
					.stdin_fd = is_reader ? read_end : -1,
					.stdout_fd = is_reader ? -1 : write_end,
					.stderr_fd = STDERR_FILENO,
					.passed_fd = -1};
	int r = exec_spawn(&spec, &ret->pid, err);

	if (r == 0)
		ret->fd = is_reader ? TAKE_FD(write_end) : TAKE_FD(read_end);
	return r;
}

static int end_tar(struct tar *tar, int r, struct err *err)
{
	int status = 0;

	closep(&tar->fd);
	if (r < 0)
		kill(tar->pid, SIGKILL);
	while (waitpid(tar->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = err_set(err, ERR_IO, "tar failed; its own words stand above");
	return r;
}

/* Neither end may keep us for ever. */
static int await(const struct tree_copy *copy, int fd, short events, struct err *err)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};

		if (copy->is_stopped && copy->is_stopped())
			return err_set(err, ERR_CANCELLED, "interrupted by signal");
		if (clock_left_ms(copy->deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "the copy took too long");
		if (poll(&p, 1, STEP_MAX) > 0)
			return 0;
	}
}

static int pass_on(const struct tree_copy *copy, int to, const char *block, size_t size,
		   struct err *err)
{
	for (size_t at = 0; at < size;) {
		int r = await(copy, to, POLLOUT, err);
		ssize_t n = r < 0 ? 0 : write(to, block + at, size - at);

		if (r < 0)
			return r;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_errno(err, errno, "write to tar");
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int pump(const struct tree_copy *copy, int from, int to, struct err *err)
{
	autofree char *block = xmalloc(BLOCK);

	for (;;) {
		int r = await(copy, from, POLLIN, err);
		ssize_t n = r < 0 ? 0 : read(from, block, BLOCK);

		if (r < 0 || n == 0)
			return r;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_errno(err, errno, "read from tar");
		if (n < 0)
			continue;
		if ((r = pass_on(copy, to, block, (size_t)n, err)) < 0)
			return r;
		pace_take(copy->bucket, (uint64_t)n, copy->is_stopped);
	}
}

int tree_copy_run(const struct tree_copy *copy, struct err *err)
{
	const char *const pack[] = {"tar", "--numeric-owner", "--xattrs", "--acls", "--sparse",
				    "-C",  copy->from,	      "-c",	  ".",	    NULL};
	const char *const unpack[] = {"tar",	"--numeric-owner", "--xattrs-include=*",
				      "--acls", "--same-owner",	   "--same-permissions",
				      "-C",	copy->to,	   "-x",
				      NULL};
	struct tar writer, reader;
	int r;

	signal(SIGPIPE, SIG_IGN);
	if ((r = start_tar(pack, false, &writer, err)) < 0)
		return r;
	if ((r = start_tar(unpack, true, &reader, err)) < 0) {
		(void)end_tar(&writer, r, NULL);
		return r;
	}
	fd_set_nonblock(reader.fd, true);
	r = pump(copy, writer.fd, reader.fd, err);
	r = end_tar(&writer, r, err);
	return end_tar(&reader, r, err);
}
