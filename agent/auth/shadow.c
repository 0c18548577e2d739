/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Password hashes with the time from which on tickets count. Pure; runs in the core. */
#include "agent/auth/shadow.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define DIGITS "0123456789"
#define DAY    (24 * 3600u)

/* The ':' behind SINCE, or NULL. No hash has one. */
static const char *since_end(const char *value)
{
	size_t digits = value ? strspn(value, DIGITS) : 0;

	return digits > 0 && value[digits] == ':' ? value + digits : NULL;
}

const char *shadow_hash(const struct secrets *shadow, const char *userid)
{
	const char *value = secrets_get(shadow, userid), *end = since_end(value);

	if (end)
		value = end + 1;
	return str_is_empty(value) ? NULL : value;
}

uint64_t shadow_since(const struct secrets *shadow, const char *userid)
{
	const char *value = secrets_get(shadow, userid), *end = since_end(value);
	autofree char *digits = end ? xstrndup(value, (size_t)(end - value)) : NULL;
	uint64_t since;

	return digits && str_to_u64(digits, &since) ? since : 0;
}

void shadow_put(struct secrets *shadow, const char *userid, const char *hash, uint64_t since)
{
	uint64_t before = shadow_since(shadow, userid);

	if (before >= since && before - since < DAY)
		since = before + 1;
	autosecret *value = xasprintf("%llu:%s", (unsigned long long)since, hash ? hash : "");

	secrets_put(shadow, userid, value);
}

void shadow_put_since(struct secrets *shadow, const char *userid, uint64_t since)
{
	const char *hash = shadow_hash(shadow, userid);
	autosecret *kept = hash ? xstrdup(hash) : NULL; /* it goes with the old value */

	shadow_put(shadow, userid, kept, since);
}
