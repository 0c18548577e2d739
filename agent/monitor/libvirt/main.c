/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's only symbol. */
#include "agent/monitor/libvirt/session.h"

__attribute__((visibility("default"))) const struct domains_ops *lodge_domains(void);

const struct domains_ops *lodge_domains(void)
{
	return &domains_libvirt_ops;
}
