/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives a container's terminal to the job that started this process, and ends. */
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/ct/commands.h"
#include "agent/guest/ct/control.h"
#include "agent/guest/ct/lxc_console.h"
#include "agent/task/handover.h"
#include "agent/task/internal.h"

static const struct {
	const char *name;
	int (*open)(const char *lxc_path, unsigned vmid, struct lxc_console *ret, struct err *err);
} modes[] = {
	{"tty", lxc_console_tty},
	{"console", lxc_console_main},
	{"shell", lxc_console_shell},
};

static int open_mode(unsigned vmid, const char *mode, struct lxc_console *ret, struct err *err)
{
	autofree char *lxc_path = path_join(path_run(), "ct");

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (str_eq(modes[i].name, mode))
			return modes[i].open(lxc_path, vmid, ret, err);
	}
	return err_set(err, ERR_INVALID, "no such terminal");
}

static int open_console(unsigned vmid, const char *mode, int ret_fds[HANDOVER_FDS_MAX],
			struct err *err)
{
	struct ct_record record;
	struct lxc_console console;
	int guest, r = ct_require_running(vmid, &record, err);

	if (r < 0)
		return r;
	if ((guest = task_open_pid(record.pid, record.pid_start)) < 0)
		return err_set(err, ERR_BUSY, "CT %u not running", vmid);
	if ((r = open_mode(vmid, mode, &console, err)) < 0)
		return r;
	ret_fds[0] = console.fd;
	ret_fds[1] = console.keep;
	ret_fds[2] = guest;
	return 0;
}

int console_main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int fds[HANDOVER_FDS_MAX];
	uint64_t vmid;

	if (argc != 2 || !str_to_u64(argv[0], &vmid) || vmid == 0 || vmid > 999999999)
		return 2;
	(void)open_console((unsigned)vmid, argv[1], fds, &err);
	return handover_send(fds, 3, &err);
}
