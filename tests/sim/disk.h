/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fake disk: what survives which crash. */
#pragma once

#include "cluster/core/replica.h"
#include "tests/sim/chance.h"

struct image {
	struct replica_meta meta;
	struct blob *state; /* encoded, or NULL */
	struct position base;
	uint8_t base_hash[SHA256_SIZE];
	struct log_entry **entries;
	size_t count, capacity;
};

enum disk_op_kind { OP_PERSIST = 1, OP_SETTLE };
struct disk_op {
	enum disk_op_kind kind;
	struct persist *persist; /* owned */
	struct blob *state;	 /* SETTLE */
	uint64_t trim;
};

struct disk {
	struct image synced;	  /* what no crash takes away */
	struct disk_op ops[1024]; /* written or about to be, not synced */
	size_t op_count;
	size_t ghosts; /* of these: left by a killed process, visible */
	size_t busy;   /* of these: in the sync that runs, ghosts included; 0: idle */
	bool is_lying; /* a sync failed: later ones "succeed" and keep nothing */
	bool fails_next, is_full;
	usec_t slow_until;
	struct image old; /* an earlier state, to go back to */
	bool has_old;
};

void image_fini(struct image *image);
void image_copy(struct image *to, const struct image *from, bool deep);
bool image_holds(const struct image *image, struct position at, const uint8_t hash[SHA256_SIZE]);
void disk_fini(struct disk *disk);
void disk_add(struct disk *disk, struct disk_op op);
/* The process is gone: of what it had not synced, the first `visible` operations stay visible. */
void disk_kill(struct disk *disk, size_t visible);
/* The machine is gone: of what was not synced, the first `kept` operations are there afterwards. */
void disk_power_cut(struct disk *disk, size_t kept);
void disk_synced(struct disk *disk); /* the running sync ends well; busy = 0 */
struct replica_disk *disk_load(const struct disk *disk, const struct replica_options *options);
void replica_disk_free(struct replica_disk *disk);
