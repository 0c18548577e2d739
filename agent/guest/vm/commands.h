/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jobs of lodge-task-vm. Arguments (beside those of every job):
 *
 *   qmcreate    disk.KEY ("disk.scsi0": "STORAGE:GIB[,…]") for every volume to make, start (boolean). The
 *               stored config carries "lock: create".
 *   qmconfig    set.KEY, delete, revert, digest: a change of the stored config; a drive "STORAGE:GIB" is made
 *               first. force: volumes of deleted drives are freed instead of kept as unusedN
 *   qmstart     timeout (seconds that libvirtd has, 60)
 *   qmshutdown  timeout (seconds, 60), forceStop (boolean)
 *   qmreboot    timeout (seconds, 60)
 *   qmsnapshot, qmdelsnapshot, qmrollback, qmclone, qmtemplate, qmresize, qmmove: agent/task/guest/life.h
 *   qmdestroy   destroy-unreferenced-disks (boolean), force (a running machine is stopped first)
 *
 * qmcreate-undo, qmconfig-undo, qmstop, qmreset have none. */
#pragma once

#include "agent/task/task.h"

int qmcreate_run(struct task_ctx *task, struct err *err);
int qmcreate_undo_run(struct task_ctx *task, struct err *err);
int qmconfig_run(struct task_ctx *task, struct err *err);
int qmconfig_undo_run(struct task_ctx *task, struct err *err);
int qmstart_run(struct task_ctx *task, struct err *err);
int qmstop_run(struct task_ctx *task, struct err *err);
int qmshutdown_run(struct task_ctx *task, struct err *err);
int qmreboot_run(struct task_ctx *task, struct err *err);
int qmreset_run(struct task_ctx *task, struct err *err);
int qmdestroy_run(struct task_ctx *task, struct err *err);
int qmsnapshot_run(struct task_ctx *task, struct err *err);
int qmsnapshot_undo_run(struct task_ctx *task, struct err *err);
int qmdelsnapshot_run(struct task_ctx *task, struct err *err);
int qmrollback_run(struct task_ctx *task, struct err *err);
int qmclone_run(struct task_ctx *task, struct err *err);
int qmclone_undo_run(struct task_ctx *task, struct err *err);
int qmclone_release_run(struct task_ctx *task, struct err *err);
int qmtemplate_run(struct task_ctx *task, struct err *err);
int qmresize_run(struct task_ctx *task, struct err *err);
int qmmove_run(struct task_ctx *task, struct err *err);
int qmmove_undo_run(struct task_ctx *task, struct err *err);
/* argv after "screen": VMID. Hands over (agent/task/handover.h) a connection to its VNC server. The exit
 * code. */
int screen_main(int argc, char **argv);
