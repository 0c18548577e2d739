/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The volumes that a guest's configuration names, of any kind of guest. Pure. */
#pragma once

#include "agent/guest/guest.h"

struct guest_volume {
	char key[16]; /* "rootfs", "mp3", "scsi0", "unused1" */
	char volid[VOLID_MAX];
	struct volid volume; /* content is the kind's */
	uint64_t size;	     /* bytes, 0: unknown */
	bool is_unused;
	bool is_read_only;
};

#define GUEST_UNUSED_MAX 256

bool guest_key_is_volume(const struct guest_kind_ops *ops, const char *key); /* unusedN is none */
bool guest_key_is_unused(const char *key);
/* In the order of the keys. Folders of the node, CD media and drives without a medium are none. Heap array. */
int guest_volumes(const struct guest_kind_ops *ops, const struct guest_section *section,
		  struct guest_volume **ret, size_t *ret_count, struct err *err);
/* One value. 0: it names no volume; 1: filled. */
int guest_volume_read(const struct guest_kind_ops *ops, const char *key, const char *value,
		      struct guest_volume *ret, struct err *err);
/* The value with another volume and size in it (size 0: as it was); volid NULL: only the size. Heap. */
char *guest_volume_value(const char *value, const char *volid, uint64_t size);
/* Does any key of the section with this name ("" the main one; NULL: all of them) name the volume? */
bool guest_volume_is_named(const struct guest_kind_ops *ops, const struct guest_config *config,
			   const char *section, const char *volid);
/* Does any key but unusedN, of any section, name the volume? */
bool guest_volume_is_used(const struct guest_kind_ops *ops, const struct guest_config *config,
			  const char *volid);
/* The name that the configuration has for the volume, heap, where volid is the other one of a linked clone; NULL: it has
 * this one, or none. */
char *guest_volume_other_name(const struct guest_kind_ops *ops, const struct guest_config *config,
			      const char *volid);
/* The first snapshot whose section names it, or NULL. */
const char *guest_volume_snapshot(const struct guest_kind_ops *ops,
				  const struct guest_config *config, const char *volid);
/* Before a start: what a template's clones stand on is not written to. ERR_BUSY. */
int guest_volumes_check_start(const struct guest_kind_ops *ops, const struct guest_config *config,
			      struct err *err);
/* Puts it under the first free unusedN; ERR_LIMIT when none is free. ret_key may be NULL. */
int guest_unused_add(struct guest_config *config, const char *volid, char ret_key[16],
		     struct err *err);
/* Volume ids of all sections as names, for choosing a free one. Appends. */
void guest_volume_names(const struct guest_kind_ops *ops, const struct guest_config *config,
			struct fields *ret);
