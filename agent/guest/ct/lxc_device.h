/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices a running container may use where no cgroup v1 hierarchy has them: a BPF program at its group decides,
 * which only its monitor can replace, and which liblxc makes of a list of rules that it keeps. As of liblxc 5.0.2
 * (bpf_list_add_device(), and the program made of that list): the first rule that covers all of what is asked decides; a
 * rule of the same device and the same letters is turned in its place; none is ever removed; any other goes to the end. */
#pragma once

#include "agent/base/err.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/task/task.h"

/* device: "c 10:229". The container was started with rules (cgroup_devices()). Counts at once; what is open stays open. */
int lxc_device_set(struct task_ctx *task, const char *device, enum cgroup_access access,
		   struct err *err);
