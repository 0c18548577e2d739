/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volume ids: what parses must be safe to put into a path, and parse to the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "storage/volid/volid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct volid v;
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	for (int i = VOLUME_IMAGES; i <= VOLUME_BACKUP; i++)
		if (volume_file_check((enum volume_content)i, text, NULL) == 0 && strchr(text, '/'))
			abort();
	if (volid_parse(text, &v, NULL) < 0)
		return 0;
	if (strstr(v.name, "..") || strchr(v.file, '/') || v.file[0] == '.' || v.file[0] == '\0')
		abort();
	struct volid again;
	autofree char *whole = xasprintf("%s:%s", v.storage, v.name);
	if (volid_parse(whole, &again, NULL) < 0 || strcmp(again.file, v.file) != 0)
		abort();
	return 0;
}
