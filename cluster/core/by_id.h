/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding what has an id among the many that wait, without walking through all: a fixed table of lists, each in the order
 * in which its elements came. It owns nothing. Ids are random; where they are not, it is as slow as one list. Pure. */
#pragma once

#include "agent/base/list.h"
#include "cluster/core/voters.h"

#define BY_ID_LISTS 256

struct by_id {
	struct list lists[BY_ID_LISTS];
};

static inline void by_id_init(struct by_id *table)
{
	for (size_t i = 0; i < BY_ID_LISTS; i++)
		list_init(&table->lists[i]);
}

/* The list that holds all with this id, and others. */
static inline struct list *by_id_list(struct by_id *table, const struct uuid *id)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < sizeof(id->bytes); i++)
		sum = (uint8_t)(sum * 31 + id->bytes[i]);
	return &table->lists[sum];
}
