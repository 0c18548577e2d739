/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling the system inside a running container what changed around it. */
#pragma once

#include "agent/guest/ct/record.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/task.h"

/* Writes its network settings (setup.h) as its own root, then asks the system inside for what only it can do with
 * this interface: an address by DHCP or router. net NULL: one is gone. What goes wrong is a warning: the interface
 * itself is there. */
void ct_inside_network(struct task_ctx *task, const struct ct_record *record,
		       const struct guest_config *config, const struct ct_net *net);
/* The same for host name, DNS and time zone; dns: servers or domains of it changed. The kernel's name is not set. */
void ct_inside_settings(struct task_ctx *task, const struct ct_record *record,
			const struct guest_config *config, bool dns);
