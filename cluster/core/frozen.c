/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frozen states and portions of them. Pure. */
#include "cluster/core/frozen.h"

#include <string.h>

#include "agent/base/mem.h"

#define COUNT_SIZE	4u
#define VALUE_HEAD_SIZE 14u /* u16 length, u64 version, u32 size */

static void hold_values(struct frozen *f, const struct kv *kv)
{
	const struct kv_item *item;
	const char *path = NULL;

	f->values = xcalloc(kv_count(kv) + 1, sizeof(f->values[0]));
	while ((item = kv_next(kv, "", path, &path))) {
		buf_add(&f->paths, path, strlen(path) + 1);
		f->values[f->count++].item = kv_item_ref(item);
	}
	path = f->paths.data; /* it moves no more */
	for (size_t i = 0; i < f->count; i++) {
		f->values[i].path = path;
		path += strlen(path) + 1;
	}
}

struct frozen *frozen_new(const struct state *state)
{
	struct frozen *f = xcalloc(1, sizeof(*f));

	f->refs = 1;
	f->at = state->at;
	memcpy(f->hash, state->hash, SHA256_SIZE);
	state_digest(state, f->digest);
	state_encode_head(state, &f->head);
	hold_values(f, state->kv);
	portion_seal(f, &f->whole);
	return f;
}

struct frozen *frozen_ref(struct frozen *f)
{
	f->refs++;
	return f;
}

void frozen_unref(struct frozen *f)
{
	if (!f || --f->refs > 0)
		return;
	for (size_t i = 0; i < f->count; i++)
		kv_item_unref(f->values[i].item);
	free(f->values);
	buf_fini(&f->paths);
	buf_fini(&f->head);
	portion_fini(&f->whole);
	free(f);
}

void portion_pick(struct portion *s, uint32_t index)
{
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 64;
		s->picks = xrealloc(s->picks, s->capacity, sizeof(s->picks[0]));
	}
	s->picks[s->count++] = index;
}

static const struct frozen_value *value_at(const struct frozen *f, const struct portion *s,
					   size_t i)
{
	return &f->values[s->picks ? s->picks[i] : i];
}

void portion_seal(const struct frozen *f, struct portion *s)
{
	uint64_t end = 0;

	if (s == &f->whole)
		s->count = f->count;
	s->ends = xcalloc(s->count + 1, sizeof(s->ends[0]));
	for (size_t i = 0; i < s->count; i++) {
		const struct frozen_value *v = value_at(f, s, i);

		end += VALUE_HEAD_SIZE + strlen(v->path) + v->item->size;
		s->ends[i] = end;
	}
	s->total = s->front.size + f->head.size + COUNT_SIZE + end;
}

void portion_fini(struct portion *s)
{
	buf_fini(&s->front);
	free(s->picks);
	free(s->ends);
	*s = (struct portion){0};
}

/* One read: pieces of the portion go by, those in the range are taken. */
struct reading {
	struct buf *out;
	uint64_t skip; /* bytes from the next piece on */
	size_t left;
};

static void piece(struct reading *r, const void *data, size_t size)
{
	size_t n;

	if (r->skip >= size) {
		r->skip -= size;
		return;
	}
	n = size - (size_t)r->skip < r->left ? size - (size_t)r->skip : r->left;
	buf_add(r->out, (const char *)data + r->skip, n);
	r->skip = 0;
	r->left -= n;
}

/* The first value that ends behind that byte of all values. */
static size_t find_value(const struct portion *s, uint64_t at)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->ends[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void read_values(const struct frozen *f, const struct portion *s, struct reading *r)
{
	size_t i = find_value(s, r->skip);
	autobuf value = BUF_INIT;

	if (i > 0 && r->left > 0)
		r->skip -= s->ends[i - 1];
	for (; i < s->count && r->left > 0; i++) {
		const struct frozen_value *v = value_at(f, s, i);

		buf_clear(&value);
		state_encode_value(v->path, v->item, &value);
		piece(r, value.data, value.size);
	}
}

size_t portion_read(const struct frozen *f, const struct portion *s, uint64_t offset, size_t max,
		    struct buf *out)
{
	struct reading r = {.out = out, .skip = offset, .left = max};
	autobuf count = BUF_INIT;

	buf_add_u32(&count, (uint32_t)s->count);
	piece(&r, s->front.data, s->front.size);
	piece(&r, f->head.data, f->head.size);
	piece(&r, count.data, count.size);
	read_values(f, s, &r);
	return max - r.left;
}
