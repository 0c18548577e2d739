/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task names come from clients: what parses must be a safe file name and parse again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/upid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	struct upid id, again;
	char formatted[UPID_MAX];

	if (upid_parse(text, &id, NULL) < 0)
		return 0;
	if (strchr(text, '/') || strlen(text) > 248)
		abort();
	if (upid_format(&id, formatted, NULL) < 0 || upid_parse(formatted, &again, NULL) < 0)
		abort();
	if (id.pid != again.pid || id.pid_start != again.pid_start || strcmp(id.id, again.id) != 0)
		abort();
	return 0;
}
