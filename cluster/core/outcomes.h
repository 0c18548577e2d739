/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outcomes of recent requests: found by id, and in the order of their indices; the oldest are forgotten first. Pure: the
 * order never depends on where the hash table holds them. */
#pragma once

#include <stdbool.h>

#include "agent/base/digest.h"
#include "cluster/store.h"

struct kv_request {
	struct store_request_id id;
	uint64_t index;
	uint8_t payload_hash[SHA256_SIZE];
	enum store_outcome outcome; /* DONE or REFUSED */
	uint32_t failed;	    /* REFUSED: failing precondition */
};

struct outcomes;

struct outcomes *outcomes_new(void);
void outcomes_free(struct outcomes *outcomes);
/* false: the index is not above the last one (nor above 0), or the id is known; nothing was added. */
bool outcomes_add(struct outcomes *outcomes, const struct kv_request *request);
/* NULL: unknown, or there is none. What is returned is borrowed until the next change. */
const struct kv_request *outcomes_find(const struct outcomes *outcomes,
				       const struct store_request_id *id);
const struct kv_request *outcomes_after(const struct outcomes *outcomes, uint64_t index);
void outcomes_drop_oldest(struct outcomes *outcomes); /* there is one */
