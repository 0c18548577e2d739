/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A locale for this thread alone. */
#include "agent/base/utf8.h"

struct utf8_scope utf8_enter(void)
{
	struct utf8_scope scope = {.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};

	if (scope.utf8)
		scope.before = uselocale(scope.utf8);
	return scope;
}

void utf8_leave(struct utf8_scope *scope)
{
	if (!scope->utf8)
		return;
	uselocale(scope->before);
	freelocale(scope->utf8);
	scope->utf8 = (locale_t)0;
}
