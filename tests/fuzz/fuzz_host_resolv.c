/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolv.conf: what is read of it and written back is read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/host_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	autoresolv once = HOST_RESOLV_INIT, twice = HOST_RESOLV_INIT;
	const char *servers[HOST_DNS_MAX + 1] = {NULL};
	autobuf out = BUF_INIT;

	host_resolv_parse(text, &once);
	for (size_t i = 0; i < once.count; i++)
		servers[i] = once.servers[i];
	host_resolv_text(text, once.search, servers, &out);
	host_resolv_parse(buf_str(&out), &twice);
	if (twice.count != once.count)
		abort();
	for (size_t i = 0; i < once.count; i++)
		if (!str_eq(once.servers[i], twice.servers[i]))
			abort();
	if (!str_eq(once.search, twice.search) && (twice.search || !str_eq(once.search, ".")))
		abort();
	return 0;
}
