/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds and replaces marked sections. Pure. */
#include "agent/guest/ct/section.h"

#include <string.h>

#include "agent/base/str.h"

/* A file's last line may lack its end. */
static bool is_line(const char *line, const char *mark)
{
	size_t length = strlen(mark) - 1;

	return strncmp(line, mark, length) == 0 && (line[length] == '\n' || line[length] == '\0');
}

bool ct_section_is_mark(const char *line)
{
	return is_line(line, CT_SECTION_BEGIN) || is_line(line, CT_SECTION_END);
}

/* The line `mark` in text, or NULL. */
static const char *find_line(const char *text, const char *mark)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (is_line(line, mark))
			return line;
	}
	return NULL;
}

static const char *line_end(const char *line)
{
	const char *end = strchrnul(line, '\n');

	return *end ? end + 1 : end;
}

void ct_section_add(struct buf *out, const char *body)
{
	buf_add_str(out, CT_SECTION_BEGIN);
	buf_add_str(out, body);
	buf_add_str(out, CT_SECTION_END);
}

bool ct_section_replace(const char *old, const char *body, struct buf *out)
{
	const char *begin = find_line(old, CT_SECTION_BEGIN);
	const char *end = begin ? find_line(line_end(begin), CT_SECTION_END) : NULL;

	if (!end || find_line(line_end(begin), CT_SECTION_BEGIN) ||
	    find_line(line_end(end), CT_SECTION_END))
		return false;
	buf_add(out, old, (size_t)(begin - old));
	ct_section_add(out, body);
	buf_add_str(out, line_end(end));
	return true;
}
