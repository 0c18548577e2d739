/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of a program inside a guest. Pure. */
#include "agent/base/exec_wire.h"

#include <string.h>

void exec_wire_head(enum exec_wire_kind kind, uint32_t size, uint8_t ret[EXEC_WIRE_HEAD])
{
	ret[0] = (uint8_t)kind;
	for (unsigned i = 0; i < 4; i++)
		ret[1 + i] = (uint8_t)(size >> (24 - 8 * i));
}

static uint32_t head_size(const uint8_t head[EXEC_WIRE_HEAD])
{
	uint32_t size = 0;

	for (unsigned i = 0; i < 4; i++)
		size = size << 8 | head[1 + i];
	return size;
}

/* 1: the head is complete */
static int take_head(struct exec_wire *w, const char *input, size_t size, size_t *used,
		     struct err *err)
{
	while (w->have < EXEC_WIRE_HEAD && *used < size)
		w->head[w->have++] = (uint8_t)input[(*used)++];
	if (w->have > 0 && (w->head[0] == '\0' || !strchr("012e", w->head[0])))
		return err_set(err, ERR_INVALID, "no frame of a program begins with byte %u",
			       w->head[0]);
	if (w->have < EXEC_WIRE_HEAD)
		return 0;
	w->left = head_size(w->head);
	if (w->left > EXEC_WIRE_DATA_MAX)
		return err_set(err, ERR_INVALID, "a frame of %u bytes is too long", w->left);
	return 1;
}

int exec_wire_next(struct exec_wire *w, const char *input, size_t size, size_t *ret_used,
		   struct exec_wire_event *ret, struct err *err)
{
	size_t used = 0, part;
	int r = w->have < EXEC_WIRE_HEAD ? take_head(w, input, size, &used, err) : 1;

	*ret_used = used;
	if (r <= 0)
		return r;
	part = size - used < w->left ? size - used : w->left;
	if (part == 0 && w->left > 0)
		return 0; /* its data has not come yet */
	w->left -= (uint32_t)part;
	*ret = (struct exec_wire_event){.kind = (enum exec_wire_kind)w->head[0],
					.data = input + used,
					.size = part,
					.is_last = w->left == 0};
	*ret_used = used + part;
	if (w->left == 0)
		w->have = 0;
	return 1;
}
