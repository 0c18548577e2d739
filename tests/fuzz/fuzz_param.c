/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values against every named format and every type. What a format accepts is clean text: no control
 * characters, as it ends up in configuration lines. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/param_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const choices[] = {"a", "b", NULL};

static const struct param types[] = {
	{.name = "i",
	 .type = PARAM_INTEGER,
	 .has_min = true,
	 .min = -5,
	 .has_max = true,
	 .max = 5e9},
	{.name = "n", .type = PARAM_NUMBER, .has_max = true, .max = 1.5},
	{.name = "b", .type = PARAM_BOOLEAN},
	{.name = "c", .type = PARAM_STRING, .choices = choices},
	{.name = "s", .type = PARAM_STRING, .has_min = true, .min = 2, .has_max = true, .max = 4},
	{.name = "p", .type = PARAM_STRING, .pattern = "([a-z]+[0-9]?){1,3}"},
	{.name = "x[n]", .type = PARAM_STRING, .index_max = 8},
	PARAM_END,
};

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

static void try_formats(const struct param_format *table, const char *text)
{
	for (const struct param_format *f = table; f->name; f++) {
		autofree char *list = xasprintf("%s-list", f->name);

		if (param_format_is_valid(f->name, text) && !is_clean(text))
			abort();
		param_format_is_valid(list, text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	const struct param *found = param_find(types, text);

	if (found && (found - types >= (ptrdiff_t)ARRAY_SIZE(types) - 1))
		abort();
	for (const struct param *p = types; p->name; p++) {
		struct err err = ERR_INIT;

		if (param_check(p, p->name, text, &err) < 0 &&
		    (err.code != ERR_INVALID || !err.message[0]))
			abort();
	}
	try_formats(param_formats_name, text);
	try_formats(param_formats_net, text);
	try_formats(param_formats_value, text);
	return 0;
}
