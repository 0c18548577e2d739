/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jobs and hooks of lodge-task-ct, one file each. Arguments (beside those of every job):
 *
 *   vzcreate    ostemplate (volume id), rootfs ("STORAGE:GIB[,…]") or storage, password,
 *               ssh-public-keys, start (boolean). The stored config carries "lock: create".
 *               set.mpN: mount points on new volumes; ignore-unpack-errors (boolean); bwlimit (KiB/s)
 *   vzconfig    set.KEY, delete, revert, lxc, digest: as PUT …/config has them
 *   vzexec      vmid; command, env (each word, each variable); cwd, timeout (seconds), input-data, stream-input
 *               (boolean); descriptor 3 is the caller's
 *   vzstart     debug, skiplock (booleans)
 *   vzshutdown  timeout (seconds, 60), forceStop (boolean)
 *   vzreboot    timeout (seconds, 60)
 *   vzsnapshot, vzdelsnapshot, vzrollback, vzclone, vztemplate, vzresize, vzmove: agent/task/guest/life.h
 *   vzdestroy   force (boolean: a running container is stopped first),
 *               destroy-unreferenced-disks (boolean)
 *
 * vzcreate-undo, vzconfig-undo, vzstop, vzsuspend, vzresume have none. */
#pragma once

#include "agent/task/task.h"

int vzcreate_run(struct task_ctx *task, struct err *err);
int vzcreate_undo_run(struct task_ctx *task, struct err *err);
int vzstart_run(struct task_ctx *task, struct err *err);
int vzexec_run(struct task_ctx *task, struct err *err);
int vzconfig_run(struct task_ctx *task, struct err *err);
int vzconfig_undo_run(struct task_ctx *task, struct err *err);
int vzsuspend_run(struct task_ctx *task, struct err *err);
int vzresume_run(struct task_ctx *task, struct err *err);
int vzstop_run(struct task_ctx *task, struct err *err);
int vzshutdown_run(struct task_ctx *task, struct err *err);
int vzreboot_run(struct task_ctx *task, struct err *err);
int vzdestroy_run(struct task_ctx *task, struct err *err);
int vzsnapshot_run(struct task_ctx *task, struct err *err);
int vzsnapshot_undo_run(struct task_ctx *task, struct err *err);
int vzdelsnapshot_run(struct task_ctx *task, struct err *err);
int vzrollback_run(struct task_ctx *task, struct err *err);
int vzclone_run(struct task_ctx *task, struct err *err);
int vzclone_undo_run(struct task_ctx *task, struct err *err);
int vzclone_release_run(struct task_ctx *task, struct err *err);
int vztemplate_run(struct task_ctx *task, struct err *err);
int vzresize_run(struct task_ctx *task, struct err *err);
int vzmove_run(struct task_ctx *task, struct err *err);
int vzmove_undo_run(struct task_ctx *task, struct err *err);
/* argv after "hook"; the exit code. */
int hook_main(int argc, char **argv);
/* argv after "console": VMID tty|console|shell. Hands over (agent/task/handover.h) the main end of the
 * terminal, what keeps it ours while it is open, and a pidfd of the container's init. The exit code. */
int console_main(int argc, char **argv);
