/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/guest/ct/lxc_open.h"

#include <stdio.h>

int lxc_open(const char *lxc_path, unsigned vmid, struct lxc_container **ret, struct err *err)
{
	char name[16];
	struct lxc_log log = {
		.name = name, .lxcpath = lxc_path, .file = "none", .level = "CRIT", .quiet = true};

	snprintf(name, sizeof(name), "%u", vmid);
	(void)lxc_log_init(&log);
	*ret = lxc_container_new(name, lxc_path);
	return *ret ? 0 : err_set(err, ERR_INTERNAL, "liblxc: no container object");
}
