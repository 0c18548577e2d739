/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what a helper reported. Pure. */
#include "agent/core/helper_answer.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

int helper_error_parse(const char *name, const char *text, size_t size, struct err *err)
{
	const char *end = size ? memchr(text, '\n', size) : NULL;
	autofree char *line = xstrndup(size ? text : "", end ? (size_t)(end - text) : size);
	char *field = strchr(line, ' ');
	char *message = field ? strchr(field + 1, ' ') : NULL;
	uint64_t code;

	if (!message)
		return err_set(err, ERR_INTERNAL, "helper %s failed without a reason", name);
	*field++ = '\0';
	*message++ = '\0';
	if (!str_to_u64(line, &code) || code == 0 || code > ERR_LAST)
		return err_set(err, ERR_INTERNAL, "helper %s failed: %s", name, message);
	if (!str_eq(field, "-") && code == ERR_INVALID)
		return err_field(err, field, "%s", message);
	return err_set(err, (enum err_code)code, "%s", message);
}
