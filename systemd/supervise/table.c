/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of daemons. */
#include "systemd/supervise/table.h"

#include "agent/base/mem.h"
#include "systemd/supervise/virt.h"

const struct service_def service_defs[] = {
	{.name = "virtlogd",
	 .is_wanted = virt_is_wanted,
	 .is_served = virt_virtlogd_answers,
	 .is_foreign = true,
	 .is_lasting = true},
	{.name = "libvirtd",
	 .is_wanted = virt_is_wanted,
	 .is_served = virt_libvirtd_answers,
	 .is_foreign = true},
	/* it starts machines with the host, once, and at once */
	{.name = "lodged", .is_early = virt_is_coming},
	{.name = "lodge-monitor"},
	{.name = "lodge-gate"},
};

const size_t service_count = ARRAY_SIZE(service_defs);
_Static_assert(ARRAY_SIZE(service_defs) <= SERVICE_COUNT_MAX, "SERVICE_COUNT_MAX is too small");
