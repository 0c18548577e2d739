/* SPDX-License-Identifier: GPL-2.0-or-later */
/* liblxc 6 knows quotes in lxc.init.cmd, 5.0.2 splits at each blank: so the words are ours, and the same with both. */
#include "agent/guest/ct/command_words.h"

#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define BLANKS " \t"

/* The word at `c`; returns what is behind it. */
static const char *take_word(const char *c, struct buf *ret)
{
	while (*c && !strchr(BLANKS, *c)) {
		char quote = *c == '"' || *c == '\'' ? *c++ : '\0';
		const char end[] = {quote, '\0'};
		size_t size = strcspn(c, quote ? end : BLANKS "\"'");

		buf_add(ret, c, size);
		c += size;
		c += quote && *c == quote;
	}
	return c;
}

char **ct_command_words(const char *line)
{
	char **words = xcalloc(strlen(line) / 2 + 2, sizeof(*words));
	size_t count = 0;

	for (const char *c = line + strspn(line, BLANKS); *c; c += strspn(c, BLANKS)) {
		autobuf word = BUF_INIT;

		c = take_word(c, &word);
		words[count++] = xstrdup(buf_str(&word));
	}
	if (count > 0)
		return words;
	strv_free(words);
	return NULL;
}
