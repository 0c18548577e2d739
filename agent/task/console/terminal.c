/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens guests' terminals: a container's by a helper program that knows liblxc, a machine's serial port by its
 * socket. Runs in console jobs. */
#include "agent/task/console/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"
#include "agent/task/handover.h"

#define OPEN_WAIT (20 * USEC_PER_SEC)

void terminal_fini(struct terminal *t)
{
	closep(&t->fd);
	closep(&t->keep);
	closep(&t->guest);
	*t = TERMINAL_NONE;
}

static int open_container(const char *vmid, const char *mode, struct terminal *ret, struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-task-ct");
	const char *argv[] = {program, "console", vmid, mode, NULL};
	int fds[3], r = handover_run(argv, OPEN_WAIT, fds, 3, err);

	if (r < 0)
		return err_prefix(err, "console of CT %s", vmid);
	*ret = (struct terminal){.fd = fds[0],
				 .keep = fds[1],
				 .guest = fds[2],
				 .is_pty = true,
				 .may_hang_up = !str_eq(mode, "shell")};
	return 0;
}

static int connect_to(const char *path, int *ret_fd, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (!str_copy(address.sun_path, sizeof(address.sun_path), path))
		return err_set(err, ERR_INVALID, "path %s is too long", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(err, errno, "%s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* QEMU serves one connection at a time, and lets others wait in silence: so there is a lock beside it. */
static int lock_port(const char *path, int *ret_fd, struct err *err)
{
	autofree char *name = xasprintf("%s.lock", path);
	autofd int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, errno, "%s", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_BUSY, "another viewer has it open");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_serial(const char *vmid_text, const char *mode, struct terminal *ret,
		       struct err *err)
{
	autofree char *folder = path_join(path_run(), "vm");
	autofd int lock = -1, fd = -1;
	const char *number = str_after(mode, "serial");
	uint64_t vmid, index;
	int r;

	if (!str_to_u64(vmid_text, &vmid) || vmid > 999999999 || !str_to_u64(number, &index) ||
	    index >= VM_SERIALS_MAX)
		return err_set(err, ERR_INVALID, "no such terminal");
	autofree char *path = vm_serial_path(folder, (unsigned)vmid, (unsigned)index);

	if ((r = lock_port(path, &lock, err)) < 0 || (r = connect_to(path, &fd, err)) < 0)
		return err_prefix(err, "%s of VM %s", mode, vmid_text);
	*ret = (struct terminal){.fd = TAKE_FD(fd), .keep = TAKE_FD(lock), .guest = -1};
	return 0;
}

int terminal_open(const struct task_ctx *task, struct terminal *ret, struct err *err)
{
	const char *kind = fields_get(&task->args, "kind"), *mode = fields_get(&task->args, "mode");
	const char *vmid = fields_get(&task->args, "vmid");

	if (!kind || !mode || !vmid)
		return err_set(err, ERR_INVALID, "console job without a guest");
	return str_eq(kind, "lxc") ? open_container(vmid, mode, ret, err)
				   : open_serial(vmid, mode, ret, err);
}
