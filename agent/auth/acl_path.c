/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths that rights can be given on. Pure; runs in the core. */
#include <string.h>

#include "agent/auth/acl.h"
#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

/* "*" stands for a name, "#" for a guest id, "+" for a small number. */
static const char *const templates[] = {
	"/",
	"/access",
	"/access/groups",
	"/access/groups/*",
	"/access/realm",
	"/access/realm/*",
	"/mapping",
	"/mapping/dir",
	"/mapping/dir/*",
	"/mapping/notifications",
	"/mapping/notifications/*",
	"/mapping/pci",
	"/mapping/pci/*",
	"/mapping/usb",
	"/mapping/usb/*",
	"/nodes",
	"/nodes/*",
	"/pool",
	"/pool/*",
	"/pool/*/*",
	"/pool/*/*/*",
	"/sdn",
	"/sdn/controllers",
	"/sdn/controllers/*",
	"/sdn/dns",
	"/sdn/dns/*",
	"/sdn/fabrics",
	"/sdn/fabrics/*",
	"/sdn/ipams",
	"/sdn/ipams/*",
	"/sdn/zones",
	"/sdn/zones/*",
	"/sdn/zones/*/*",
	"/sdn/zones/*/*/+",
	"/storage",
	"/storage/*",
	"/vms",
	"/vms/#",
};

static bool is_number(const char *s, size_t min_digits, size_t max_digits)
{
	size_t digits = strspn(s, "0123456789");

	return digits >= min_digits && digits <= max_digits && s[0] != '0' &&
	       (!s[digits] || s[digits] == '/');
}

static size_t component_size(const char *s)
{
	return strcspn(s, "/");
}

static bool component_matches(const char *template, const char *s)
{
	size_t size = component_size(s);
	size_t template_size = component_size(template);

	if (template_size == 1 && *template == '#')
		return is_number(s, 3, 9);
	if (template_size == 1 && *template == '+')
		return is_number(s, 1, 4);
	if (template_size == 1 && *template == '*')
		return size > 0 && size <= USERCFG_NAME_MAX && s[0] != '.' &&
		       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"
				 "-") == size;
	return size == template_size && memcmp(template, s, size) == 0;
}

static bool matches(const char *template, const char *path)
{
	while (*template && *path) {
		if (!component_matches(++template, ++path))
			return false;
		template += component_size(template);
		path += component_size(path);
	}
	return !*template && !*path;
}

bool acl_path_is_valid(const char *path)
{
	if (path[0] != '/' || strlen(path) > USERCFG_ACL_PATH_MAX)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
		if (matches(templates[i], path))
			return true;
	return false;
}

char *acl_path_normalize(const char *path)
{
	autobuf out = BUF_INIT;

	if (strlen(path) > USERCFG_ACL_PATH_MAX)
		return NULL;
	for (const char *at = path; *at;) {
		size_t size;

		at += strspn(at, "/");
		size = component_size(at);
		if (size > 0) {
			buf_add_char(&out, '/');
			buf_add(&out, at, size);
		}
		at += size;
	}
	if (path[0] != '/')
		return NULL;
	if (out.size == 0)
		buf_add_char(&out, '/');
	return acl_path_is_valid(buf_str(&out)) ? buf_steal(&out) : NULL;
}
