/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intrusive doubly linked list. The list never owns its elements. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/mem.h"

struct list {
	struct list *prev, *next; /* a head points to itself when empty */
};

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}
static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}
static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}
/* Safe to call again: a removed node points to itself. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->prev = node->next = node;
}

/* The current element may be removed inside the loop. */
#define LIST_FOREACH(head, it, type, field)                                                        \
	for (type *it = CONTAINER_OF((head)->next, type, field),                                   \
		  *it##_next = CONTAINER_OF(it->field.next, type, field);                          \
	     &it->field != (head);                                                                 \
	     it = it##_next, it##_next = CONTAINER_OF(it->field.next, type, field))
