/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounting a container's volume out of the host's sight: in a private mount namespace, below a folder
 * that only root may enter, on a loop device that vanishes with its last user. */
#pragma once

#include <stdbool.h>

#include "agent/base/clock.h"
#include "agent/base/err.h"
#include "agent/guest/ct_schema.h"

/* A mount namespace of this process' own; unmounts of the host still arrive, ours stay inside. */
int ct_mount_isolate(struct err *err);
/* Locks an image (flock) as whatever mounts it does; waits a few seconds for who has it. ERR_BUSY: it is in use. */
int ct_image_lock(int fd, const char *image, struct err *err);
/* Until nobody has it mounted, so that all is in it that was written. ERR_BUSY: for so long. */
int ct_image_wait(int fd, const char *image, usec_t wait, struct err *err);
/* Attaches an image to a free loop device (autoclear). The image stays locked (flock) as long as the
 * device is in use, so that a volume is never mounted twice; waits a few seconds for the lock. */
int ct_loop_attach(const char *image, bool read_only, int *ret_fd, char ret_device[32],
		   struct err *err);
/* Mounts an image, block device or directory at target, a ct_mount_point(); flags of mount(2). */
int ct_mount_volume(const char *path, const char *target, unsigned long flags, struct err *err);
/* Mounts a folder of the node that root named, of which no component may be a link: the way to it can lie in what
 * another bind mount lets a container write. */
int ct_mount_folder(const char *path, const char *target, unsigned long flags, struct err *err);
/* What the mounted file system does beside its flags: blocks that files leave are freed on the storage; ACLs. A tree
 * (path: a folder) is part of its storage's file system, which stays as it is. */
struct ct_mount_tuning {
	bool discard;
	enum ct_acl acl;
};
int ct_mount_tune(const char *path, const char *target, unsigned long flags,
		  const struct ct_mount_tuning *tuning, struct err *err);
/* path_run()/ct/mnt/VMID, heap; ct/mnt is for root only */
char *ct_mount_point(unsigned vmid);
