/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fake disk: transactions are queued, written, synced, in order. A killed process leaves what it wrote visible
 * but not synced; a power cut takes any suffix of that away. */
#include "tests/sim/disk.h"

#include <string.h>

#include "agent/base/mem.h"

static void op_fini(struct disk_op *op)
{
	persist_free(op->persist);
	blob_unref(op->state);
}

static void image_clear(struct image *image)
{
	for (size_t i = 0; i < image->count; i++)
		log_entry_unref(image->entries[i]);
	image->count = 0;
}

void image_fini(struct image *image)
{
	image_clear(image);
	free(image->entries);
	blob_unref(image->state);
	*image = (struct image){0};
}

static void image_add(struct image *image, struct log_entry *e)
{
	if (image->count == image->capacity) {
		image->capacity = image->capacity ? 2 * image->capacity : 32;
		image->entries =
			xrealloc(image->entries, image->capacity, sizeof(image->entries[0]));
	}
	image->entries[image->count++] = e;
}

void image_copy(struct image *to, const struct image *from, bool deep)
{
	image_fini(to);
	to->meta = from->meta;
	to->state = blob_ref(from->state);
	to->base = from->base;
	memcpy(to->base_hash, from->base_hash, SHA256_SIZE);
	for (size_t i = 0; i < from->count; i++) {
		struct log_entry *e = from->entries[i];

		if (deep) {
			struct entry entry = log_entry_decode(e);

			image_add(to, log_entry_new(&entry, e->data, e->size));
		} else {
			image_add(to, log_entry_ref(e));
		}
	}
}

bool image_holds(const struct image *image, struct position at, const uint8_t hash[SHA256_SIZE])
{
	const struct log_entry *e;

	if (at.index <= image->base.index)
		return true; /* trimmed: it was applied */
	if (at.index > image->base.index + image->count)
		return false;
	e = image->entries[at.index - image->base.index - 1];
	return e->at.epoch == at.epoch && memcmp(e->hash, hash, SHA256_SIZE) == 0;
}

static void image_trim(struct image *image, uint64_t upto)
{
	size_t n = 0;

	while (n < image->count && image->entries[n]->at.index <= upto) {
		image->base = image->entries[n]->at;
		memcpy(image->base_hash, image->entries[n]->hash, SHA256_SIZE);
		log_entry_unref(image->entries[n++]);
	}
	image->count -= n;
	if (n > 0 && image->count > 0)
		memmove(image->entries, image->entries + n,
			image->count * sizeof(image->entries[0]));
}

static void image_snapshot(struct image *image, const struct buf *snapshot)
{
	struct cursor c = cursor_on(snapshot->data, snapshot->size);

	image_clear(image);
	blob_unref(image->state);
	image->state = blob_new(snapshot->data, snapshot->size);
	cursor_u8(&c);
	image->base.epoch = cursor_u64(&c);
	image->base.index = cursor_u64(&c);
	memcpy(image->base_hash, cursor_bytes(&c, SHA256_SIZE), SHA256_SIZE);
}

static void image_apply(struct image *image, const struct disk_op *op)
{
	const struct persist *p = op->persist;

	if (op->kind == OP_SETTLE) {
		blob_unref(image->state);
		image->state = blob_ref(op->state);
		image_trim(image, op->trim);
		return;
	}
	image->meta = p->meta;
	if (p->snapshot.size)
		image_snapshot(image, &p->snapshot);
	while (p->cut_from && image->count > 0 &&
	       image->entries[image->count - 1]->at.index >= p->cut_from)
		log_entry_unref(image->entries[--image->count]);
	for (size_t i = 0; i < p->entry_count; i++)
		image_add(image, log_entry_ref(p->entries[i]));
}

void disk_fini(struct disk *disk)
{
	for (size_t i = 0; i < disk->op_count; i++)
		op_fini(&disk->ops[i]);
	image_fini(&disk->synced);
	image_fini(&disk->old);
}

void disk_add(struct disk *disk, struct disk_op op)
{
	if (disk->op_count == ARRAY_SIZE(disk->ops)) {
		op_fini(&op);
		return; /* never acknowledged */
	}
	disk->ops[disk->op_count++] = op;
}

static void drop_ops(struct disk *disk, size_t from)
{
	for (size_t i = from; i < disk->op_count; i++)
		op_fini(&disk->ops[i]);
	disk->op_count = from;
}

static void shift_ops(struct disk *disk, size_t n)
{
	for (size_t i = 0; i < n; i++)
		op_fini(&disk->ops[i]);
	disk->op_count -= n;
	memmove(disk->ops, disk->ops + n, disk->op_count * sizeof(disk->ops[0]));
}

void disk_kill(struct disk *disk, size_t visible)
{
	drop_ops(disk, visible < disk->ghosts ? disk->ghosts : visible);
	disk->ghosts = disk->op_count;
	disk->busy = 0;
}

void disk_power_cut(struct disk *disk, size_t kept)
{
	if (disk->is_lying)
		kept = 0;
	for (size_t i = 0; i < kept && i < disk->op_count; i++)
		image_apply(&disk->synced, &disk->ops[i]);
	drop_ops(disk, 0);
	disk->ghosts = disk->busy = 0;
	disk->is_lying = false;
}

void disk_synced(struct disk *disk)
{
	if (!disk->is_lying) {
		for (size_t i = 0; i < disk->busy; i++)
			image_apply(&disk->synced, &disk->ops[i]);
		shift_ops(disk, disk->busy);
		disk->ghosts = 0;
	} else {
		disk->ghosts = disk->busy;
	}
	disk->busy = 0;
}

struct replica_disk *disk_load(const struct disk *disk, const struct replica_options *options)
{
	struct replica_disk *ret = xcalloc(1, sizeof(*ret));
	struct image now = {0};

	image_copy(&now, &disk->synced, false);
	for (size_t i = 0; i < disk->ghosts; i++)
		image_apply(&now, &disk->ops[i]);
	ret->meta = now.meta;
	if (now.state && state_decode(now.state->data, now.state->size, &ret->state, NULL) < 0)
		abort();
	(void)options;
	ret->base = now.base;
	memcpy(ret->base_hash, now.base_hash, SHA256_SIZE);
	ret->entries = now.entries;
	ret->entry_count = now.count;
	blob_unref(now.state);
	return ret;
}

void replica_disk_free(struct replica_disk *disk)
{
	for (size_t i = 0; i < disk->entry_count; i++)
		log_entry_unref(disk->entries[i]);
	state_free(disk->state);
	free(disk->entries);
	free(disk);
}
