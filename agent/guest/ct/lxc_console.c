/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls liblxc for terminals. Runs in a process of its own, single-threaded, that ends right after. */
#include "agent/guest/ct/lxc_console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lxc/attach_options.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/guard.h"
#include "agent/guest/ct/lxc_open.h"

#define ANY_TTY	     (-1)
#define CONSOLE_TTY  0
#define PTMX_DEVICE  makedev(5, 2)
#define MESSAGE_SIZE 128
#define BUSY_WAIT    1500 /* ms */
#define BUSY_LOOK    100

static int get_tty(const char *lxc_path, unsigned vmid, int wanted, struct lxc_console *ret,
		   struct err *err)
{
	struct lxc_container *c;
	int fd = -1, keep = -1;
	int r = lxc_open(lxc_path, vmid, &c, err);

	if (r < 0)
		return r;
	/* a viewer that left a moment ago (a page that is loaded again) may still be giving its terminal back */
	for (int left = BUSY_WAIT; keep < 0 && left >= 0; left -= BUSY_LOOK) {
		int number = wanted;

		keep = c->console_getfd(c, &number, &fd);
		if (keep < 0 && left > 0)
			poll(NULL, 0, BUSY_LOOK);
	}
	lxc_container_put(c);
	if (keep < 0)
		return err_set(err, ERR_BUSY,
			       wanted == ANY_TTY
				       ? "all of its terminals are in use (see its option tty)"
				       : "its console is in use, or switched off (option console)");
	*ret = (struct lxc_console){.fd = fd, .keep = keep};
	return 0;
}

int lxc_console_tty(const char *lxc_path, unsigned vmid, struct lxc_console *ret, struct err *err)
{
	return get_tty(lxc_path, vmid, ANY_TTY, ret, err);
}

int lxc_console_main(const char *lxc_path, unsigned vmid, struct lxc_console *ret, struct err *err)
{
	return get_tty(lxc_path, vmid, CONSOLE_TTY, ret, err);
}

/* -- a shell; until its exec this runs inside the container, with its rights ------------------------ */

static void send_fd(int to, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	(void)!sendmsg(to, &m, MSG_NOSIGNAL);
}

/* The container's own devpts, so that the terminal has a name inside. Returns the other end. */
static int make_terminal(int *ret_fd)
{
	int unlocked = 0;
	int fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	*ret_fd = fd;
	return ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static void exec_shell(void)
{
	static const char *const shells[] = {"/bin/bash", "/bin/sh", "/usr/bin/sh"};
	static const char *const env[] = {
		"HOME=/root",
		"USER=root",
		"LOGNAME=root",
		"container=lxc",
		"TERM=xterm-256color",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		NULL};

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		const char *argv[] = {strrchr(shells[i], '/') + 1, "-l", NULL};

		execve(shells[i], (char *const *)argv, (char *const *)env);
	}
}

static int shell_main(void *ctx)
{
	int to = *(int *)ctx, fd = -1, end = make_terminal(&fd);

	if (end < 0)
		return 1;
	send_fd(to, fd);
	close(fd);
	close(to);
	(void)!chdir("/root");
	if (setsid() < 0 || ioctl(end, TIOCSCTTY, 0) < 0)
		return 1;
	for (int i = 0; i < 3; i++)
		dup2(end, i);
	exec_shell();
	return 127;
}

/* What came out of the container must be what was asked for before it is trusted to be polled and read. */
static int receive_terminal(int from, int *ret_fd, struct err *err)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct stat st;
	ssize_t n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&m) : NULL;
	autofd int fd = -1;

	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return err_set(err, ERR_UNAVAILABLE, "it has no terminal to give (/dev/pts)");
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != PTMX_DEVICE)
		return err_set(err, ERR_UNAVAILABLE, "its /dev/pts/ptmx is no terminal");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int attach(struct lxc_container *c, int to, pid_t *ret_pid, struct err *err)
{
	lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;

	options.env_policy = LXC_ATTACH_CLEAR_ENV;
	if (c->attach(c, shell_main, &to, &options, ret_pid) != 0)
		return err_set(err, ERR_INTERNAL, "liblxc could not start a shell inside");
	return 0;
}

int lxc_console_shell(const char *lxc_path, unsigned vmid, struct lxc_console *ret, struct err *err)
{
	struct lxc_container *c;
	int ends[2], fd, r;
	pid_t pid;

	if ((r = ct_guard_require(err)) < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, errno, "socket");
	autofd int ours = ends[0], theirs = ends[1];

	if ((r = lxc_open(lxc_path, vmid, &c, err)) < 0)
		return r;
	r = attach(c, theirs, &pid, err);
	lxc_container_put(c);
	closep(&theirs);
	theirs = -1;
	if (r < 0 || (r = receive_terminal(ours, &fd, err)) < 0)
		return r;
	*ret = (struct lxc_console){.fd = fd, .keep = TAKE_FD(ours)};
	return 0;
}
