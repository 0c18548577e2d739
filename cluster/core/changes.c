/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A merge of two states in path order. Pure. */
#include "cluster/core/changes.h"

#include <string.h>

/* A walk over one state. */
struct walk {
	const struct kv *kv;
	const char *path;
	const struct kv_item *item; /* NULL: at the end */
};

static void walk_on(struct walk *w)
{
	w->item = kv_next(w->kv, "", w->path, &w->path);
}

/* Which of the two comes first; 0: both are at the same path. */
static int compare(const struct walk *a, const struct walk *b)
{
	if (!a->item || !b->item)
		return !a->item - !b->item;
	return strcmp(a->path, b->path);
}

static bool is_same(const struct kv_item *a, const struct kv_item *b)
{
	return a == b || (a && b && a->version == b->version && a->size == b->size &&
			  memcmp(a->data, b->data, a->size) == 0);
}

void changes_each(const struct kv *old, const struct kv *new, kv_change_fn each, void *ctx)
{
	struct walk before = {.kv = old}, now = {.kv = new};

	walk_on(&before);
	walk_on(&now);
	while (before.item || now.item) {
		int order = compare(&before, &now);
		struct kv_change change = {.path = order <= 0 ? before.path : now.path,
					   .before = order <= 0 ? before.item : NULL,
					   .now = order >= 0 ? now.item : NULL};

		if (!is_same(change.before, change.now))
			each(&change, ctx);
		if (change.before)
			walk_on(&before);
		if (change.now)
			walk_on(&now);
	}
}
