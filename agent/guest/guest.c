/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about any kind of guest, answered from its table. Pure. */
#include "agent/guest/guest.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define ROUTE_ROOT "/nodes/{node}/"

static const struct guest_kind_ops *const kinds[] = {&guest_kind_ct, &guest_kind_vm};

const struct guest_kind_ops *guest_kind_by_route(const char *path)
{
	const char *rest = str_after(path, ROUTE_ROOT);

	for (size_t i = 0; rest && i < ARRAY_SIZE(kinds); i++) {
		const char *end = str_after(rest, kinds[i]->name);

		if (end && (*end == '\0' || *end == '/'))
			return kinds[i];
	}
	return NULL;
}

/* "net[n]" for "net12", "memory" for "memory". */
static bool key_matches(const char *pattern, const char *name)
{
	size_t stem = strcspn(pattern, "[");

	if (pattern[stem] == '\0')
		return str_eq(pattern, name);
	if (strncmp(pattern, name, stem) != 0 || name[stem] == '\0')
		return false;
	return name[stem + strspn(name + stem, "0123456789")] == '\0';
}

bool guest_key_is_in(const char *const *list, const char *name)
{
	for (size_t i = 0; list && list[i]; i++) {
		if (key_matches(list[i], name))
			return true;
	}
	return false;
}

const char *guest_key_privilege(const struct guest_kind_ops *ops, const char *key)
{
	const struct guest_key_privilege *p = ops->privileges;

	while (p->key && !key_matches(p->key, key))
		p++;
	return p->privilege;
}

const char *guest_value_privilege(const struct guest_kind_ops *ops, const char *key,
				  const char *value)
{
	const char *own = ops->value_privilege ? ops->value_privilege(key, value) : NULL;

	return own ?: guest_key_privilege(ops, key);
}

const char *guest_display_name(const struct guest_kind_ops *ops, const struct guest_config *config,
			       unsigned vmid, char *buffer, size_t size)
{
	const char *name = config ? guest_config_get(config, ops->name_key) : NULL;

	if (name)
		return name;
	snprintf(buffer, size, "%s%u", ops->label, vmid);
	return buffer;
}
