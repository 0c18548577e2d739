/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as the interfaces and the root volume of a container. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/guest/ct_schema.h"
#include "agent/guest/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ct_rootfs_request request;
	struct guest_config config;
	struct ct_rootfs rootfs;
	struct err err = ERR_INIT;
	autofree struct ct_net *nets = NULL;
	size_t count = 0;

	if (size > 64 * 1024)
		return 0;
	autofree char *text = xstrndup((const char *)data, size);

	guest_config_init(&config);
	guest_config_set(&config, "net0", text);
	guest_config_set(&config, "net31", text);
	guest_config_set(&config, "rootfs", text);
	if (ct_config_nets(&config, &nets, &count, &err) == 0 && count != 2)
		abort();
	ct_config_rootfs(&config, &rootfs, &err);
	if (ct_rootfs_request_parse(text, "local", &request, &err) == 0 && request.size == 0)
		abort();
	if (ct_config_complete(&config, 100, &err) == 0)
		abort(); /* two interfaces of one name */
	guest_config_fini(&config);
	return 0;
}
