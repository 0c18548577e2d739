/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snapshot before a change: what ip(8) said, and both configurations. Pure. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

#define CONFIRMED "confirmed\n"

void net_snapshot_format(const struct net_change *change, struct buf *out)
{
	const struct {
		const char *name;
		const struct buf *value;
	} parts[] = {
		{"links", &change->facts.links},     {"routes4", &change->facts.routes4},
		{"routes6", &change->facts.routes6}, {"old", &change->old_text},
		{"new", &change->new_text},
	};

	/* lengths of their own: a host with many interfaces has more than fields can carry */
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		buf_addf(out, "%s %zu\n", parts[i].name, parts[i].value->size);
		buf_add(out, parts[i].value->data, parts[i].value->size);
		buf_add_char(out, '\n');
	}
	if (change->is_confirmed)
		buf_add_str(out, CONFIRMED);
}

static int take_part(struct buf *in, size_t *at, const char *name, struct buf *ret, struct err *err)
{
	const char *line = buf_str(in) + *at, *end = strchr(line, '\n');
	autofree char *head = end ? xstrndup(line, (size_t)(end - line)) : xstrdup("");
	const char *number = str_after(head, name);
	uint64_t size;

	*at += end ? (size_t)(end - line) + 1 : 0;
	if (!number || number[0] != ' ' || !str_to_u64(number + 1, &size) ||
	    size >= in->size - *at || in->data[*at + size] != '\n')
		return err_set(err, ERR_CORRUPT, "the snapshot of the network cannot be read");
	buf_add(ret, in->data + *at, size);
	*at += size + 1;
	return 0;
}

int net_snapshot_parse(struct buf *in, struct net_change *ret, struct err *err)
{
	size_t at = 0;
	int r;

	buf_str(in); /* terminated, for what looks at it as a text */
	if ((r = take_part(in, &at, "links", &ret->facts.links, err)) < 0 ||
	    (r = take_part(in, &at, "routes4", &ret->facts.routes4, err)) < 0 ||
	    (r = take_part(in, &at, "routes6", &ret->facts.routes6, err)) < 0 ||
	    (r = take_part(in, &at, "old", &ret->old_text, err)) < 0 ||
	    (r = take_part(in, &at, "new", &ret->new_text, err)) < 0 ||
	    (r = net_state_parse(&ret->facts, &ret->before, err)) < 0 ||
	    (r = net_config_parse(buf_str(&ret->old_text), ret->old_text.size, &ret->old, err)) <
		    0 ||
	    (r = net_config_parse(buf_str(&ret->new_text), ret->new_text.size, &ret->new, err)) < 0)
		return r;
	ret->is_confirmed = str_eq(buf_str(in) + at, CONFIRMED);
	if (at != in->size && !ret->is_confirmed)
		return err_set(err, ERR_CORRUPT, "the snapshot of the network cannot be read");
	ret->names = net_managed_names(&ret->old, &ret->new);
	return 0;
}
