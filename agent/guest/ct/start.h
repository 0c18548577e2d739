/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A start under way. Private to start*.c. */
#pragma once

#include "agent/base/buf.h"
#include "agent/guest/ct/devices.h"
#include "agent/guest/ct/items.h"
#include "agent/task/task.h"

struct start {
	struct guest_config config;
	struct ct_rootfs rootfs;
	struct ct_host host;
	struct ct_features features;
	struct ct_net *nets; /* owned */
	size_t net_count;
	struct ct_mp *mps; /* owned */
	size_t mp_count;
	char **mp_paths; /* owned, of their volumes; NULL-terminated */
	struct ct_devices devices;
	struct buf volume, script; /* paths */
	bool is_debug;
};

/* ctx: the start, prepared. In a process of its own: mounts everything, then has liblxc start it. */
int ct_start_child(struct task_ctx *task, void *ctx, struct err *err);
