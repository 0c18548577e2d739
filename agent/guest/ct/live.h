/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings what waits in [PENDING] to a running container, as far as the kernel can: limits, host name, DNS and time
 * zone, network interfaces, mount points, devices. What was done becomes what counts; what could not be done goes on
 * waiting for the next start, and the log says why. */
#pragma once

#include "agent/guest/ct/record.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/task.h"

void ct_live_apply(struct task_ctx *task, const struct ct_record *record);

/* One step of it: now and then may be NULL (there was none, there shall be none). */
int ct_live_net(struct task_ctx *task, const struct ct_record *record,
		const struct guest_config *config, const struct ct_net *now,
		const struct ct_net *then, struct err *err);
int ct_live_mp(struct task_ctx *task, const struct ct_record *record,
	       const struct guest_config *config, const struct ct_mp *now, const struct ct_mp *then,
	       struct err *err);
/* keys: the pending ones that this is about; config: with them merged. */
int ct_live_limits(struct task_ctx *task, const struct ct_record *record,
		   const struct guest_config *config, const char *const *keys, struct err *err);
/* hostname, nameserver, searchdomain, timezone: the kernel's name of it, and the files inside. */
int ct_live_settings(struct task_ctx *task, const struct ct_record *record,
		     const struct guest_config *config, const char *const *keys, struct err *err);
/* config: with the change merged; other devices in it keep what they need. */
int ct_live_dev(struct task_ctx *task, const struct ct_record *record,
		const struct guest_config *config, const struct ct_dev *now,
		const struct ct_dev *then, struct err *err);
