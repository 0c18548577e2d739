/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts and devices that a container gets from outside, by the same way before its init runs (from the hook
 * start-host) and while it runs.
 *
 * The mount is made on the host with everything that it is not to lose: read-only, nodev, …, the shift of ids.
 * Then it is copied into a mount namespace of the container's user namespace, which locks these flags, and from
 * there moved into the container's own: its root cannot take them off. On the way to a folder of the node no link is
 * followed, on that to a place inside none of another mount, in which somebody else may write (place.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/fields.h"
#include "agent/guest/ct/record.h"
#include "agent/guest/ct_schema.h"
#include "agent/task/task.h"

struct ct_mount {
	char source[512];	  /* on the host: a folder, or with is_file a file */
	char target[512];	  /* inside */
	uint64_t attributes;	  /* MOUNT_ATTR_* to set */
	bool is_file, is_shifted; /* by the container's user namespace */
	bool keeps_attributes;	  /* of what it is mounted on, a new volume: owner and mode */
};

/* record: of its first process, whose namespaces are joined; ERR_UNAVAILABLE once that has ended. task may be NULL. */
int ct_mount_attach(struct task_ctx *task, const struct ct_record *record,
		    const struct ct_mount *mount, struct err *err);
/* ERR_BUSY while it is in use; not mounted is fine. is_device: the file that its node was mounted on goes with it. */
int ct_mount_detach(struct task_ctx *task, const struct ct_record *record, const char *target,
		    bool is_device, struct err *err);

/* A list of mounts as fields, for the hook. */
void ct_mounts_encode(const struct ct_mount *mount, struct fields *out);
/* false at the end, or when the i-th is malformed. */
bool ct_mounts_decode(const struct fields *f, size_t i, struct ct_mount *ret);

/* Mounts a volume out of the host's sight (agent/guest/ct/mount.h), in this process' own namespace, and says how it
 * is to be attached. path: of the volume, or of the folder. */
int ct_mount_prepare(const struct ct_mp *mp, const char *path, unsigned vmid, bool is_unprivileged,
		     struct ct_mount *ret, struct err *err);
