/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Space that is spoken for: what runs on this node and will still write to a storage. A record a process in
 * the run folder, which counts for as long as that process lives; what the named file has taken already is
 * not counted twice. Of other nodes that share a storage nothing is known. Job and helper processes only. */
#pragma once

#include "storage/storage.h"

struct reservation {
	char *path; /* of the record; NULL: none */
};

/* Fails with ERR_NO_SPACE if the storage has less than that beside what others were promised. file: absolute path of what
 * is being written, or NULL: it need not exist yet, and may have its room already. size 0: nothing is reserved. */
int reserve_begin(const struct storage_def *def, uint64_t size, const char *file,
		  struct reservation *ret, struct err *err);
void reserve_end(struct reservation *reservation);
/* Bytes promised and not yet taken. */
uint64_t reserve_total(const struct storage_def *def);
/* Capacity as it may be told: less what is reserved. */
int reserve_status(const struct storage_def *def, struct storage_space *ret, struct err *err);

static inline void reserve_endp(struct reservation *reservation)
{
	reserve_end(reservation);
}
#define autoreserve __attribute__((cleanup(reserve_endp))) struct reservation
