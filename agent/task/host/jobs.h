/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jobs of lodge-task. Arguments of those on volumes: a storage's definition (storage_def_encode()) and what stands
 * with each. */
#pragma once

#include "agent/task/task.h"

/* args: volid. Removes a volume or file. */
int job_imgdel(struct task_ctx *task, struct err *err);
/* Descriptor 3: the source. args: content, filename; optional checksum and checksum-algorithm (md5,
 * sha1, sha224, sha256, sha384, sha512). Nothing is left behind on failure. */
int job_imgcopy(struct task_ctx *task, struct err *err);
/* args: volid; "to." before each field of the definition of the target's storage; target (volume id), content (of both: a
 * raw image does not tell). */
int job_volcopy(struct task_ctx *task, struct err *err);
int job_volcopy_undo(struct task_ctx *task, struct err *err);
/* Removes what helper_prune() marks so; the same args. */
int job_prunebackups(struct task_ctx *task, struct err *err);
/* No args. Tests KVM and keeps the result (agent/guest/kvm_record.h). Fails, keeping what was known, when
 * the test itself cannot be made. */
int job_kvmcheck(struct task_ctx *task, struct err *err);
/* args: peer (address of the caller, may be absent), confirm-timeout (seconds, 0: none; 60). Applies the staged
 * configuration of the node's interfaces; goes back when the node lost its way out, or the caller its way in. */
int job_netapply(struct task_ctx *task, struct err *err);
int job_netapply_undo(struct task_ctx *task, struct err *err);
/* args: guests (lines "VMID ORDER SECONDS MARK", in the order of their turn; ORDER in words: those with the same take
 * theirs together; SECONDS after a start before the next ORDER, or for a shutdown; MARK: agent/core/guest_mark.h), workers (jobs at once);
 * force-stop (boolean: who does not shut down in time is stopped). What goes wrong with one is a warning; that of
 * stopall fails when one of them still runs at its end. */
int job_startall(struct task_ctx *task, struct err *err);
int job_stopall(struct task_ctx *task, struct err *err);
/* No args. Has systemd reboot the node or switch it off, and does not wait for that. */
int job_nodereboot(struct task_ctx *task, struct err *err);
int job_nodeshutdown(struct task_ctx *task, struct err *err);
