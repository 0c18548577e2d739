/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Property strings: what parses has a canonical text, and that parses to itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/propstr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {"veth", "phys", NULL};

static const struct param keys[] = {
	{.name = "volume", .type = PARAM_STRING, .format = "pve-lxc-mp-string"},
	{.name = "hwaddr", .type = PARAM_STRING, .optional = true, .format = "mac-addr"},
	{.name = "ip", .type = PARAM_STRING, .optional = true, .format = "pve-ipv4-config"},
	{.name = "ip6", .type = PARAM_STRING, .optional = true, .format = "pve-ipv6-config"},
	{.name = "size", .type = PARAM_STRING, .optional = true, .format = "disk-size"},
	{.name = "type", .type = PARAM_STRING, .optional = true, .choices = types},
	{.name = "rate", .type = PARAM_NUMBER, .optional = true, .has_min = true},
	{.name = "tag", .type = PARAM_INTEGER, .optional = true, .has_min = true, .min = 1},
	{.name = "ro", .type = PARAM_BOOLEAN, .optional = true},
	{.name = "mode", .type = PARAM_STRING, .optional = true, .pattern = "(0[0-7]{3}|x*y)+"},
	PARAM_END,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	autofree char *canonical = NULL, *again = NULL;
	autofields f = FIELDS_INIT, g = FIELDS_INIT;

	if (propstr_parse(keys, "volume", "mp0", text, &f, NULL) < 0)
		return 0;
	canonical = propstr_format(keys, "volume", &f);
	if (propstr_parse(keys, "volume", "mp0", canonical, &g, NULL) < 0)
		abort();
	again = propstr_format(keys, "volume", &g);
	if (strcmp(canonical, again) != 0 || f.count != g.count)
		abort();
	return 0;
}
