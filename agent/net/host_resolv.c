/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads resolv.conf as a resolver does. Pure. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/host_files.h"

static void take_search(char *const *words, struct host_resolv *resolv)
{
	autobuf list = BUF_INIT;

	for (size_t i = 0; words[i]; i++)
		buf_addf(&list, "%s%s", i > 0 ? " " : "", words[i]);
	xreplace(&resolv->search, buf_str(&list));
}

static void take_line(char *const *words, struct host_resolv *resolv)
{
	if (strv_count(words) < 2)
		return;
	if (str_eq(words[0], "nameserver")) {
		if (resolv->count < HOST_DNS_MAX)
			resolv->servers[resolv->count++] = xstrdup(words[1]);
	} else if (str_eq(words[0], "search")) {
		take_search(words + 1, resolv);
	} else if (str_eq(words[0], "domain")) {
		xreplace(&resolv->search, words[1]);
	}
}

void host_resolv_parse(const char *text, struct host_resolv *ret)
{
	struct host_resolv resolv = HOST_RESOLV_INIT;
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		autostrv char **words = str_split(*line, " \t");

		if (!strchr(" \t", **line)) /* a word further on is none of these */
			take_line(words, &resolv);
	}
	*ret = resolv;
}

void host_resolv_fini(struct host_resolv *resolv)
{
	for (size_t i = 0; i < resolv->count; i++)
		free(resolv->servers[i]);
	free(resolv->search);
	*resolv = HOST_RESOLV_INIT;
}
