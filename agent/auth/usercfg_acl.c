/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACL entries in the model of /user.cfg. Pure; runs in the core. */
#include <string.h>

#include "agent/auth/acl.h"
#include "agent/auth/usercfg_internal.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static const char *const kind_names[] = {
	[ACL_USER] = "user",
	[ACL_GROUP] = "group",
	[ACL_TOKEN] = "token",
};

const char *acl_kind_name(enum acl_kind kind)
{
	return kind_names[kind];
}

static void entry_fini(struct acl_entry *entry)
{
	free(entry->subject);
	free(entry->role);
}

void acl_node_free(void *p)
{
	struct acl_node *node = p;

	for (size_t i = 0; i < node->count; i++)
		entry_fini(&node->items[i]);
	free(node->items);
	free(node);
}

static int entry_compare(const struct acl_entry *a, const struct acl_entry *b)
{
	int order = (int)a->kind - (int)b->kind;

	if (order == 0)
		order = strcmp(a->subject, b->subject);
	if (order == 0)
		order = strcmp(a->role, b->role);
	return order;
}

static int check_subject(const struct usercfg *cfg, const struct acl_entry *entry, struct err *err)
{
	struct cfg_user *user;
	struct cfg_group *group;
	struct cfg_token *token;

	switch (entry->kind) {
	case ACL_USER:
		return usercfg_user(cfg, entry->subject, &user, err);
	case ACL_GROUP:
		return usercfg_group(cfg, entry->subject, &group, err);
	case ACL_TOKEN:
		return usercfg_token(cfg, entry->subject, &token, err);
	}
	return err_set(err, ERR_INTERNAL, "unknown kind of ACL entry");
}

static struct acl_node *node_get(struct usercfg *cfg, const char *path)
{
	struct acl_node *node = map_get(cfg->acl, path);

	if (!node) {
		node = xcalloc(1, sizeof(*node));
		map_put(cfg->acl, path, node);
	}
	return node;
}

/* The first that is not before entry. */
static size_t node_position(const struct acl_node *node, const struct acl_entry *entry)
{
	size_t low = 0, high = node->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entry_compare(&node->items[middle], entry) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Entries are kept in order, so that the same rights always give the same text. */
static void node_insert(struct acl_node *node, const struct acl_entry *entry)
{
	size_t at = node_position(node, entry);

	if (at < node->count && entry_compare(&node->items[at], entry) == 0) {
		node->items[at].propagate = entry->propagate;
		return;
	}
	node->items = xrealloc(node->items, node->count + 1, sizeof(*node->items));
	memmove(&node->items[at + 1], &node->items[at], (node->count - at) * sizeof(*node->items));
	node->count++;
	node->items[at] = (struct acl_entry){
		.kind = entry->kind,
		.subject = xstrdup(entry->subject),
		.role = xstrdup(entry->role),
		.propagate = entry->propagate,
	};
}

int usercfg_acl_set(struct usercfg *cfg, const char *path, const struct acl_entry *entry,
		    struct err *err)
{
	struct cfg_role *role;
	int r = check_subject(cfg, entry, err);

	if (r < 0)
		return r;
	r = usercfg_role(cfg, entry->role, &role, err);
	if (r < 0)
		return r;
	if (!acl_path_is_valid(path))
		return err_field(err, "path", "invalid ACL path '%s'", path);
	node_insert(node_get(cfg, path), entry);
	return 0;
}

/* NULL for subject or role: any. Returns whether the node is empty then. */
static bool node_drop(struct acl_node *node, enum acl_kind kind, const char *subject,
		      const char *role)
{
	size_t kept = 0;

	for (size_t i = 0; i < node->count; i++) {
		struct acl_entry *entry = &node->items[i];

		if ((!subject || (entry->kind == kind && str_eq(entry->subject, subject))) &&
		    (!role || str_eq(entry->role, role)))
			entry_fini(entry);
		else
			node->items[kept++] = *entry;
	}
	node->count = kept;
	return kept == 0;
}

static void drop_everywhere(struct usercfg *cfg, enum acl_kind kind, const char *subject,
			    const char *role)
{
	const char *key;

	for (struct acl_node *node = map_first(cfg->acl, NULL, &key); node;) {
		autofree char *path = xstrdup(key);

		if (node_drop(node, kind, subject, role))
			acl_node_free(map_remove(cfg->acl, path));
		node = map_next(cfg->acl, path, &key);
	}
}

void acl_forget(struct usercfg *cfg, enum acl_kind kind, const char *subject)
{
	drop_everywhere(cfg, kind, subject, NULL);
}

void acl_forget_role(struct usercfg *cfg, const char *role)
{
	drop_everywhere(cfg, ACL_USER, NULL, role);
}

void acl_forget_path(struct usercfg *cfg, const char *path)
{
	struct acl_node *node = map_remove(cfg->acl, path);

	if (node)
		acl_node_free(node);
}

void usercfg_acl_unset(struct usercfg *cfg, const char *path, const struct acl_entry *entry)
{
	struct acl_node *node = map_get(cfg->acl, path);

	if (node && node_drop(node, entry->kind, entry->subject, entry->role))
		acl_node_free(map_remove(cfg->acl, path));
}
