/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os-release of a hostile container, and sections in files of it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/os_release.h"
#include "agent/guest/ct/section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
	for (; *name; name++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._- ", *name))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);
	autobuf once = BUF_INIT, twice = BUF_INIT;
	struct os_release release;

	os_release_parse((const char *)data, size, &release);
	check_name(release.id);
	check_name(release.like);
	check_name(release.version);
	if (ct_section_replace(text, "body\n", &once)) {
		if (!ct_section_replace(buf_str(&once), "body\n", &twice) ||
		    !str_eq(buf_str(&once), buf_str(&twice)))
			abort(); /* each start would write the file again */
	}
	return 0;
}
