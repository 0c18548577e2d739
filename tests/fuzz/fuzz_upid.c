/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task names: what parses is a safe file name, and its own text parses again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/upid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	char back[UPID_MAX];
	struct upid u;

	if (upid_parse(text, &u, NULL) < 0)
		return 0;
	if (strchr(text, '/') || strlen(text) > 240)
		abort();
	if (upid_format(&u, back, NULL) < 0 || upid_parse(back, &u, NULL) < 0)
		abort();
	return 0;
}
