/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of privileges: what parses formats to the same set. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/auth/privs.h"
#include "agent/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	struct err err = ERR_INIT;
	privset set, again;
	autobuf names = BUF_INIT;

	if (privset_from_names(text, &set, &err) < 0)
		return 0;
	privset_format(set, ",", &names);
	if (set & ~PRIVSET_ALL || privset_from_names(buf_str(&names), &again, NULL) < 0 ||
	    again != set)
		abort();
	return 0;
}
