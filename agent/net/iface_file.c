/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the interfaces' configuration. Blocking; runs in helper and job processes as root. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

#define DIFF_DEADLINE (5 * USEC_PER_SEC)
#define DIFF_MAX      (3 * NET_CONFIG_MAX) /* every line of both, each with its sign */
#define LOCK_WAIT_S   10

static char *file_path(bool is_staged)
{
	return path_join(path_etc(), "network/interfaces%s", is_staged ? ".new" : "");
}

static int make_folder(struct err *err)
{
	autofree char *folder = path_join(path_etc(), "network");

	return dir_make(folder, 0755, err);
}

/* 0 with *ret_found; a file that is not there is none. */
static int read_text(bool is_staged, struct buf *ret, bool *ret_found, struct err *err)
{
	autofree char *path = file_path(is_staged);
	struct err why = ERR_INIT;
	int r = file_read(path, NET_CONFIG_MAX, ret, &why);

	*ret_found = r == 0;
	if (r == 0 || r == -ERR_NOT_FOUND)
		return 0;
	if (err)
		*err = why;
	return r;
}

static int read_config(bool is_staged, struct net_config *ret, struct buf *text, bool *ret_found,
		       struct err *err)
{
	autofree char *path = file_path(is_staged);
	int r = read_text(is_staged, text, ret_found, err);

	if (r == 0)
		r = net_config_parse(buf_str(text), text->size, ret, err);
	return r < 0 ? err_prefix(err, "%s", path) : 0;
}

static int read_found(bool is_staged, struct net_config *ret, struct buf *ret_text, bool *ret_found,
		      struct err *err)
{
	autobuf text = BUF_INIT;
	int r = read_config(is_staged, ret, &text, ret_found, err);

	if (r == 0 && ret_text)
		buf_add(ret_text, text.data, text.size);
	return r;
}

int net_config_read(bool is_staged, struct net_config *ret, struct buf *ret_text, struct err *err)
{
	bool is_found;

	return read_found(is_staged, ret, ret_text, &is_found, err);
}

int net_config_read_next(struct net_config *ret, struct buf *ret_text, struct err *err)
{
	bool is_found;
	int r = read_found(true, ret, ret_text, &is_found, err);

	return r < 0 || is_found ? r : net_config_read(false, ret, ret_text, err);
}

int net_config_write_staged(const struct net_config *config, struct err *err)
{
	autofree char *path = file_path(true);
	autobuf text = BUF_INIT, now = BUF_INIT;
	bool is_found;
	int r;

	net_config_format(config, &text);
	if (text.size > NET_CONFIG_MAX) /* it could not be read again */
		return err_set(err, ERR_LIMIT,
			       "the configuration of the network would be larger than %u KiB: "
			       "shorten the comments",
			       NET_CONFIG_MAX / 1024);
	if ((r = make_folder(err)) < 0 || (r = read_text(false, &now, &is_found, err)) < 0)
		return r;
	/* back to what is in effect; what a change under way makes of that differs from it */
	if (str_eq(buf_str(&text), buf_str(&now)) && !net_change_is_under_way())
		return file_remove(path, err);
	return file_write_atomic(path, text.data, text.size, 0644, err);
}

int net_config_revert(struct err *err)
{
	autofree char *path = file_path(true);

	return file_remove(path, err);
}

int net_config_commit(const char *text, size_t size, struct err *err)
{
	autofree char *path = file_path(false), *staged_path = file_path(true);
	autobuf staged = BUF_INIT;
	autofd int lock = -1;
	bool is_found;
	int r;

	if ((r = net_config_lock(&lock, err)) < 0 ||
	    (r = file_write_atomic(path, text, size, 0644, err)) < 0 ||
	    (r = read_text(true, &staged, &is_found, err)) < 0)
		return r;
	if (is_found && staged.size == size && memcmp(buf_str(&staged), text, size) == 0)
		return file_remove(staged_path, err);
	return 0;
}

int net_config_changes(struct buf *out, struct err *err)
{
	autofree char *old = file_path(false), *new = file_path(true);
	const char *argv[] = {"diff",	 "--unified", "--new-file", "--label", old,
			      "--label", new,	      old,	    new,       NULL};
	struct exec_run run = {.argv = argv,
			       .deadline = clock_monotonic() + DIFF_DEADLINE,
			       .output_max = DIFF_MAX};
	struct exec_result result = {0};
	struct err why = ERR_INIT;
	int r = 0;

	if (access(new, F_OK) != 0)
		return 0;
	if (exec_run(&run, &result, &why) < 0 &&
	    !(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 1)) {
		r = err_set(err, ERR_IO, "compare the network's configuration: %s", why.message);
	} else {
		buf_add(out, result.output.data, result.output.size);
	}
	exec_result_fini(&result);
	return r;
}

int net_config_lock(int *ret_fd, struct err *err)
{
	autofree char *path = path_join(path_etc(), "network/.lock");
	usec_t deadline = clock_monotonic() + LOCK_WAIT_S * USEC_PER_SEC;
	autofd int fd = -1;
	int r = make_folder(err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(err, errno, "lock %s", path);
		if (clock_left_ms(deadline) == 0)
			return err_set(err, ERR_BUSY,
				       "the network's configuration is being changed");
		usleep(20000);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}
