/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a guest configuration as text. Pure. What config_parse.c reads back is equal. */
#include <string.h>

#include "agent/guest/config.h"

/* One "#" line; control characters, '%', ':' and all but ASCII are percent-encoded. */
static void description_line_format(const char *line, size_t size, struct buf *out)
{
	buf_add_char(out, '#');
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < 0x20 || c > 0x7e || c == '%' || c == ':')
			buf_addf(out, "%%%02X", c);
		else
			buf_add_char(out, (char)c);
	}
	buf_add_char(out, '\n');
}

static void description_format(const char *text, struct buf *out)
{
	while (text && *text) {
		size_t size = strcspn(text, "\n");

		description_line_format(text, size, out);
		text += size;
		text += *text == '\n';
	}
}

void guest_config_format(const struct guest_config *config, struct buf *out)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct guest_section *section = &config->sections[i];

		if (i > 0)
			buf_addf(out, "\n[%s]\n", section->name);
		description_format(section->description, out);
		for (size_t k = 0; k < section->keys.count; k++)
			buf_addf(out, "%s: %s\n", section->keys.items[k].name,
				 section->keys.items[k].value);
	}
}
