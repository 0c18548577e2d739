/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error lines of helpers: always an error, always one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/helper_answer.h"
#include "agent/core/onboot.h"
#include "agent/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct onboot_startup startup;
	autofree char *text = xstrndup((const char *)data, size);

	if (helper_error_parse("name", (const char *)data, size, &err) >= 0 || err.code == 0)
		abort();
	if (strchr(err.message, '\n'))
		abort();
	onboot_startup_parse(text, &startup);
	return 0;
}
