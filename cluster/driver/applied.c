/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the replica has applied: subscribers are told, and the rows are collected that are to be settled. */
#include "cluster/driver/driver.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static void tell(struct store *store, const struct applied_row *row, uint64_t index,
		 const char *who)
{
	struct store_change c = {.kind = row->value ? STORE_CHANGE_PUT : STORE_CHANGE_DELETE,
				 .value = {.path = row->path,
					   .data = row->value,
					   .size = row->size,
					   .version = row->value ? row->version : index},
				 .who = who};

	store->telling++;
	LIST_FOREACH (&store->subscriptions, s, struct store_subscription, node)
		if (s->fn && str_starts(row->path, s->prefix))
			s->fn(&c, s->ctx);
	if (--store->telling == 0)
		store_forget_ended(store);
}

/* Takes path and values out of the row. */
static void collect(struct store *store, struct applied_row *from, uint64_t index, uint64_t when,
		    const char *who)
{
	struct settle_row *row = settle_add(&store->settle);

	*row = (struct settle_row){.path = TAKE(from->path),
				   .value = TAKE(from->value),
				   .size = from->size,
				   .version = from->version,
				   .old = TAKE(from->old),
				   .old_size = from->old_size,
				   .old_version = from->old_version,
				   .index = index,
				   .when = when};
	store->settle.bytes += from->size + from->old_size;
	str_copy(row->who, sizeof(row->who), who);
}

/* Of a snapshot only the difference is known: who made it is in the history of others. */
void store_applied_now(struct store *store, struct applied *a)
{
	struct entry entry = {.when = clock_wall(), .who = "snapshot"};

	if (a->entry)
		entry = log_entry_decode(a->entry);
	for (size_t i = 0; i < a->row_count; i++) {
		struct applied_row *row = &a->rows[i];
		uint64_t index = a->entry || !row->value ? a->index : row->version;

		tell(store, row, a->index, entry.who);
		collect(store, row, index, entry.when, entry.who);
	}
	if (a->has_request)
		settle_add(&store->settle)->request = a->request;
}
