/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists, comparing and putting together. Pure. */
#include "cluster/core/difference.h"

#include <string.h>

#include "agent/base/mem.h"

#define HASH_SIZE 16u
#define ITEM_SIZE (2u + 8u + HASH_SIZE) /* and the path */

void list_encode(const struct kv *kv, struct buf *out)
{
	const struct kv_item *item;
	const char *path = NULL;

	while ((item = kv_next(kv, "", path, &path))) {
		buf_add_text(out, path);
		buf_add_u64(out, item->version);
		buf_add(out, item->hash, HASH_SIZE);
	}
}

size_t list_chunk(const struct buf *list, size_t offset, size_t max)
{
	size_t n = 0;

	while (offset + n < list->size) {
		struct cursor c = cursor_on(list->data + offset + n, list->size - offset - n);
		size_t item = ITEM_SIZE + cursor_u16(&c);

		if (n > 0 && n + item > max)
			break;
		n += item;
	}
	return n;
}

struct comparison *comparison_new(struct frozen *frozen)
{
	struct comparison *c = xcalloc(1, sizeof(*c));

	c->frozen = frozen_ref(frozen);
	buf_add_u32(&c->portion.front, 0);
	return c;
}

void comparison_free(struct comparison *c)
{
	if (!c)
		return;
	portion_fini(&c->portion);
	frozen_unref(c->frozen);
	free(c);
}

static void compare(struct comparison *c, const char *path, uint64_t version, const void *hash)
{
	const struct frozen *f = c->frozen;
	const struct kv_item *item;

	while (c->next < f->count && strcmp(f->values[c->next].path, path) < 0)
		portion_pick(&c->portion, (uint32_t)c->next++);
	if (c->next == f->count || strcmp(f->values[c->next].path, path) != 0) {
		buf_add_text(&c->portion.front, path);
		c->deleted++;
		return;
	}
	item = f->values[c->next].item;
	if (item->version != version || memcmp(item->hash, hash, HASH_SIZE) != 0)
		portion_pick(&c->portion, (uint32_t)c->next);
	c->next++;
}

bool comparison_take(struct comparison *c, const void *data, size_t size)
{
	struct cursor in = cursor_on(data, size);
	char path[STORE_PATH_MAX + 1];

	while (cursor_left(&in) > 0 && !in.failed) {
		uint64_t version;
		const void *hash;

		cursor_text(&in, path, sizeof(path));
		version = cursor_u64(&in);
		hash = cursor_bytes(&in, HASH_SIZE);
		if (!hash || !store_path_is_valid(path) || strcmp(path, c->last) <= 0)
			return false;
		compare(c, path, version, hash);
		memcpy(c->last, path, strlen(path) + 1);
	}
	return !in.failed;
}

void comparison_end(struct comparison *c)
{
	while (c->next < c->frozen->count)
		portion_pick(&c->portion, (uint32_t)c->next++);
	for (int i = 0; i < 4; i++)
		c->portion.front.data[i] = (char)(c->deleted >> (8 * i));
	portion_seal(c->frozen, &c->portion);
}

/* The deletions, one after the other. */
struct deletions {
	struct cursor in;
	uint32_t left;
	char path[STORE_PATH_MAX + 1]; /* "": there is no more */
};

static void deletions_next(struct deletions *d)
{
	char before[STORE_PATH_MAX + 1];

	memcpy(before, d->path, sizeof(before));
	d->path[0] = '\0';
	if (d->left == 0 || d->in.failed)
		return;
	d->left--;
	cursor_text(&d->in, d->path, sizeof(d->path));
	if (d->in.failed || !store_path_is_valid(d->path) || strcmp(d->path, before) <= 0) {
		d->in.failed = true;
		d->path[0] = '\0';
	}
}

static struct deletions deletions_on(const void *data, size_t size)
{
	struct deletions d = {.in = cursor_on(data, size)};

	d.left = cursor_u32(&d.in);
	deletions_next(&d);
	return d;
}

static void note(struct buf *changed, const char *path)
{
	if (changed)
		buf_add(changed, path, strlen(path) + 1);
}

/* What of the base is in neither list stays. */
static void keep_rest(struct state *s, const struct state *base, struct deletions *d)
{
	const struct kv_item *item;
	const char *path = NULL;

	while ((item = kv_next(base->kv, "", path, &path))) {
		while (d->path[0] && strcmp(d->path, path) < 0)
			deletions_next(d);
		if (strcmp(d->path, path) != 0 && !kv_get(s->kv, path))
			kv_share(s->kv, path, item);
	}
}

int difference_apply(const struct state *base, const void *data, size_t size, struct state **ret,
		     struct buf *ret_changed, struct err *err)
{
	struct deletions d = deletions_on(data, size), again = d;
	autobuf changed = BUF_INIT;
	const char *path = NULL;
	struct state *s;
	int r;

	for (; d.path[0]; deletions_next(&d))
		note(&changed, d.path);
	if (d.in.failed)
		return err_set(err, ERR_CORRUPT, "difference is cut short or damaged");
	r = state_decode(d.in.at, cursor_left(&d.in), &s, err);
	if (r < 0)
		return r;
	while (kv_next(s->kv, "", path, &path))
		note(&changed, path);
	keep_rest(s, base, &again);
	if (ret_changed)
		buf_add(ret_changed, changed.data, changed.size);
	*ret = s;
	return 0;
}
