/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's tags, brought into one form: clients compare what they sent with what they get. Pure. */
#include "agent/guest/tags.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SEPARATORS ",; "

/* Independent of the locale: tolower() is not. */
static void lower(char *tag)
{
	for (; *tag; tag++)
		if (*tag >= 'A' && *tag <= 'Z')
			*tag = (char)(*tag - 'A' + 'a');
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *guest_tags_normalise(const char *value)
{
	autostrv char **tags = str_split(value, SEPARATORS);
	autobuf out = BUF_INIT;
	size_t count = 0;

	for (; tags[count]; count++)
		lower(tags[count]);
	if (count > 0)
		qsort(tags, count, sizeof(*tags), compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !str_eq(tags[i - 1], tags[i]))
			buf_addf(&out, "%s%s", out.size ? ";" : "", tags[i]);
	return xstrdup(buf_str(&out));
}
