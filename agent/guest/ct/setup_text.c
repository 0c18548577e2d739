/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the files that Lodge writes inside a container. Pure. */
#include "agent/guest/ct/setup.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/section.h"

static void own_line(const char *hostname, const char *domain, struct buf *out)
{
	buf_add_str(out, "127.0.1.1 ");
	if (!str_is_empty(domain) && !strchr(hostname, '.'))
		buf_addf(out, "%s.%s ", hostname, domain);
	buf_addf(out, "%s\n", hostname);
}

static bool is_own_line(const char *line)
{
	const char *rest = str_after(line, "127.0.1.1");

	return rest && strchr(" \t\n", *rest);
}

/* Lines of 127.0.1.1 are ours, marked or not: the first place of one becomes the section's. Marks without their
 * counterparts go, or each start would add some. */
static void hosts_with_section(const char *old, const char *body, struct buf *out)
{
	const char *end;
	bool is_written = false;

	for (const char *line = old; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (ct_section_is_mark(line))
			continue;
		if (!is_own_line(line)) {
			buf_add(out, line, (size_t)(end - line));
			buf_add_char(out, '\n');
		} else if (!is_written) {
			ct_section_add(out, body);
			is_written = true;
		}
	}
	if (!is_written)
		ct_section_add(out, body);
}

void ct_hosts_text(const char *old, const char *hostname, const char *domain, struct buf *out)
{
	autobuf body = BUF_INIT;

	own_line(hostname, domain, &body);
	if (!*old)
		old = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
	if (!ct_section_replace(old, buf_str(&body), out))
		hosts_with_section(old, buf_str(&body), out);
}

void ct_resolv_text(const char *nameserver, const char *searchdomain, struct buf *out)
{
	autostrv char **servers = str_split(nameserver, " ,;");
	autostrv char **domains = str_split(searchdomain ? searchdomain : "", " ,;");

	if (*domains)
		buf_add_str(out, "search");
	for (char **domain = domains; *domain; domain++)
		buf_addf(out, " %s", *domain);
	if (*domains)
		buf_add_char(out, '\n');
	for (char **server = servers; *server; server++)
		buf_addf(out, "nameserver %s\n", *server);
}

void ct_resolv_parse(const char *text, struct buf *servers, struct buf *domains)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		autostrv char **words = str_split(*line, " \t\r");

		if (strv_count(words) < 2)
			continue;
		if (str_eq(words[0], "nameserver") && !str_starts(words[1], "127.") &&
		    !str_eq(words[1], "::1"))
			buf_addf(servers, "%s ", words[1]);
		if (!str_eq(words[0], "search") && !str_eq(words[0], "domain"))
			continue;
		buf_clear(domains); /* the last such line counts */
		for (char **word = words + 1; *word; word++)
			buf_addf(domains, "%s ", *word);
	}
}

void ct_shadow_text(const char *old, const char *hash, unsigned long day, struct buf *out)
{
	autostrv char **lines = str_split(old, "\n");
	bool is_written = false;

	for (char **line = lines; *line; line++) {
		const char *rest = str_after(*line, "root:");

		if (!rest) {
			buf_addf(out, "%s\n", *line);
			continue;
		}
		/* hash and day of change are ours, the ageing fields stay */
		const char *second = strchr(rest, ':');
		const char *third = second ? strchr(second + 1, ':') : NULL;

		buf_addf(out, "root:%s:%lu%s\n", hash, day, third ? third : ":0:99999:7:::");
		is_written = true;
	}
	if (!is_written)
		buf_addf(out, "root:%s:%lu:0:99999:7:::\n", hash, day);
}
