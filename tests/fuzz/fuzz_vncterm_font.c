/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PFF2 fonts: whatever the file says, nothing beyond its end is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/task/vncterm/font.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a block of its own, whose end is watched */
	autofree uint8_t *file = size ? xmemdup(data, size) : NULL;
	struct font font;
	struct glyph glyph;

	if (!file || font_parse(file, size, &font, NULL) < 0)
		return 0;
	for (size_t i = 0; i < font.count && i < 1000; i++) {
		const uint8_t *entry = font.index + i * 9;

		font_glyph(&font,
			   (uint32_t)entry[0] << 24 | (uint32_t)entry[1] << 16 |
				   (uint32_t)entry[2] << 8 | entry[3],
			   &glyph);
	}
	font_glyph(&font, 'A', &glyph);
	return 0;
}
