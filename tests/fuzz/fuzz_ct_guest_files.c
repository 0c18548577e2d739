/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts from inside a hostile container, and from liblxc's log about it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/idmap.h"
#include "agent/guest/ct/lxc_start.h"
#include "agent/guest/ct/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	autobuf hosts = BUF_INIT, again = BUF_INIT, shadow = BUF_INIT, reason = BUF_INIT;
	autobuf servers = BUF_INIT, domains = BUF_INIT;
	struct cgroup_layout layout;

	ct_hosts_text(text, "name", "example.org", &hosts);
	ct_hosts_text(buf_str(&hosts), "name", "example.org", &again);
	if (!str_eq(buf_str(&hosts), buf_str(&again)))
		abort(); /* each start would write the file again */
	ct_shadow_text(text, "$y$x", 20000, &shadow);
	ct_resolv_parse(text, &servers, &domains);
	lxc_log_reason(text, &reason);
	cgroup_layout_parse(text, text, &layout);
	(void)ct_subid_find(text);
	return 0;
}
