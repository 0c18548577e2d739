/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making the Unix sockets that connections run over. */
#include "agent/base/conn.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"

#define BACKLOG 128

static int address_of(const char *path, struct sockaddr_un *ret, struct err *err)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!str_copy(ret->sun_path, sizeof(ret->sun_path), path))
		return err_set(err, ERR_INVALID, "socket path is too long: %s", path);
	return 0;
}

/* Somebody who listens there keeps it; what is no socket is not ours to remove. */
static int remove_stale(const char *path, struct err *err)
{
	struct err why = ERR_INIT;
	autofd int fd = -1;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_EXISTS, "%s exists and is not a socket", path);
	if (conn_connect(path, &fd, &why) == 0 || why.errnum == EAGAIN)
		return err_set(err, ERR_BUSY, "another process listens on %s", path);
	return file_remove(path, err);
}

int conn_listen(const char *path, mode_t mode, uid_t uid, gid_t gid, int *ret_fd, struct err *err)
{
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	mode_t before;
	int r;

	if (fd < 0)
		return err_errno(err, errno, "socket");
	if ((r = address_of(path, &address, err)) < 0 || (r = remove_stale(path, err)) < 0)
		return r;
	before = umask(0177); /* never more open than it will be */
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (r < 0 || chown(path, uid, gid) < 0 || chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0)
		return err_errno(err, errno, "listen on %s", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int conn_connect(const char *path, int *ret_fd, struct err *err)
{
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int r;

	if (fd < 0)
		return err_errno(err, errno, "socket");
	if ((r = address_of(path, &address, err)) < 0)
		return r;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(err, errno, "connect to %s", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}
