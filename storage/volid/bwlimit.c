/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads bandwidth limits. Pure. */
#include "storage/volid/bwlimit.h"

#include "agent/base/mem.h"
#include "agent/base/str.h"

uint64_t bwlimit_kib(const char *text)
{
	double kib;

	if (!text || !str_to_double(text, &kib) || !(kib >= 0))
		return BWLIMIT_UNSAID;
	if (kib == 0 || kib > BWLIMIT_KIB_MAX)
		return 0;
	return kib < 1 ? 1024 : (uint64_t)(kib * 1024);
}

uint64_t bwlimit_of(const char *option, const char *operation)
{
	autostrv char **parts = str_split(option ? option : "", ",");
	uint64_t said = BWLIMIT_UNSAID, fallback = BWLIMIT_UNSAID;

	for (char **part = parts; *part; part++) {
		const char *own = str_after(*part, operation), *all = str_after(*part, "default=");

		if (own && *own == '=')
			said = bwlimit_kib(own + 1);
		else if (all)
			fallback = bwlimit_kib(all);
	}
	return said != BWLIMIT_UNSAID ? said : fallback;
}

uint64_t bwlimit_smaller(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}
