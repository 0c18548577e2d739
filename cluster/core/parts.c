/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cutting messages and putting them together again. Pure. */
#include "cluster/core/parts.h"

#include "agent/base/cursor.h"
#include "agent/base/mem.h"

#define PARTS_VERSION 1

struct sender {
	uint32_t node, pid; /* node 0: free */
	uint32_t number;
	size_t total; /* 0: nothing is under way */
	struct buf data;
};

struct parts {
	struct sender senders[PARTS_SENDERS_MAX];
	size_t next; /* to give way when all are taken */
};

void parts_cut(uint32_t number, const void *data, size_t size, size_t max, parts_fn each, void *ctx)
{
	autobuf part = BUF_INIT;
	size_t offset = 0;

	do {
		size_t n = size - offset < max - PARTS_HEADER ? size - offset : max - PARTS_HEADER;

		buf_clear(&part);
		buf_add_u8(&part, PARTS_VERSION);
		buf_add_u32(&part, number);
		buf_add_u32(&part, (uint32_t)size);
		buf_add_u32(&part, (uint32_t)offset);
		buf_add(&part, (const char *)data + offset, n);
		each(part.data, part.size, ctx);
		offset += n;
	} while (offset < size);
}

struct parts *parts_new(void)
{
	return xcalloc(1, sizeof(struct parts));
}

void parts_free(struct parts *parts)
{
	if (!parts)
		return;
	for (size_t i = 0; i < PARTS_SENDERS_MAX; i++)
		buf_fini(&parts->senders[i].data);
	free(parts);
}

static struct sender *find(struct parts *parts, uint32_t node, uint32_t pid)
{
	for (size_t i = 0; i < PARTS_SENDERS_MAX; i++)
		if (parts->senders[i].node == node && parts->senders[i].pid == pid)
			return &parts->senders[i];
	return NULL;
}

static void drop(struct sender *s)
{
	buf_fini(&s->data);
	s->data = BUF_INIT;
	s->total = 0;
}

static struct sender *get(struct parts *parts, uint32_t node, uint32_t pid)
{
	struct sender *s = find(parts, node, pid);

	if (!s)
		s = find(parts, 0, 0);
	if (!s)
		s = &parts->senders[parts->next++ % PARTS_SENDERS_MAX];
	if (s->node != node || s->pid != pid) {
		drop(s);
		s->node = node;
		s->pid = pid;
	}
	return s;
}

void parts_forget(struct parts *parts, uint32_t node, uint32_t pid)
{
	struct sender *s = find(parts, node, pid);

	if (!s)
		return;
	drop(s);
	s->node = s->pid = 0;
}

int parts_take(struct parts *parts, uint32_t node, uint32_t pid, const void *data, size_t size,
	       const struct buf **ret, struct err *err)
{
	struct cursor c = cursor_on(data, size);
	uint8_t version = cursor_u8(&c);
	uint32_t number = cursor_u32(&c);
	size_t total = cursor_u32(&c), offset = cursor_u32(&c), n = cursor_left(&c);
	struct sender *s;

	if (c.failed || version != PARTS_VERSION || node == 0)
		return err_set(err, ERR_CORRUPT, "not a part of a message");
	if (total == 0 || total > PARTS_MESSAGE_MAX || n == 0 || offset > total ||
	    n > total - offset)
		return err_set(err, ERR_CORRUPT, "part of a message does not fit into it");
	s = get(parts, node, pid);
	if (offset == 0) {
		buf_clear(&s->data);
		s->number = number;
		s->total = total;
	}
	if (s->total != total || s->number != number || s->data.size != offset) {
		drop(s); /* one is missing */
		return 0;
	}
	buf_add(&s->data, cursor_bytes(&c, n), n);
	if (s->data.size < total)
		return 0;
	s->total = 0;
	*ret = &s->data;
	return 1;
}
