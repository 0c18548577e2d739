/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owner, mode, attributes and times of unpacked entries. Job processes only. */
#include "storage/template/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define ID_MAX		65535 /* a container's id range */
#define XATTR_VALUE_MAX (64 * 1024)
#define DIRS_BYTES_MAX                                                                             \
	(64u * 1024 * 1024) /* memory for names of folders; later ones lose their time */

struct unpack_dir {
	char *path;
	struct timespec time;
};

int meta_check_owner(struct archive_entry *entry, struct err *err)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return err_set(err, ERR_INVALID, "owner %lld:%lld is not within 0 to %d",
			       (long long)uid, (long long)gid, ID_MAX);
	return 0;
}

static struct timespec entry_time(struct archive_entry *entry)
{
	struct timespec t = {.tv_nsec = UTIME_NOW};
	if (archive_entry_mtime_is_set(entry)) {
		long nsec = archive_entry_mtime_nsec(entry);
		t.tv_sec = archive_entry_mtime(entry);
		t.tv_nsec = nsec >= 0 && nsec < 1000000000L ? nsec : 0;
	}
	return t;
}

/* Version 2 of a file capability: without a user namespace's root id, which could name a foreign
 * one. */
static bool is_plain_capability(const void *value, size_t size)
{
	const unsigned char *b = value;
	return size == XATTR_CAPS_SZ_2 && b[3] == VFS_CAP_REVISION_2 >> VFS_CAP_REVISION_SHIFT;
}

/* user.* is dropped where the file system has no room or no such thing; a lost capability is an
 * error, since ping and the like would fail without a hint. */
static int set_xattr(int fd, const char *name, const void *value, size_t size, struct err *err)
{
	bool is_capability = str_eq(name, "security.capability");
	if (is_capability ? !is_plain_capability(value, size) : !str_starts(name, "user."))
		return 0;
	if (size > XATTR_VALUE_MAX || (!value && size > 0))
		return 0;
	if (fsetxattr(fd, name, value, size, 0) == 0 || !is_capability)
		return 0;
	return err_errno(err, errno, "set %s", name);
}

static int set_xattrs(int fd, struct archive_entry *entry, struct err *err)
{
	const char *name;
	const void *value;
	size_t size;
	int r = 0;
	archive_entry_xattr_reset(entry);
	while (r == 0 && archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (name)
			r = set_xattr(fd, name, value, size, err);
	return r;
}

/* In this order: a change of owner clears setuid bits and capabilities. */
int meta_apply(int fd, struct archive_entry *entry, struct err *err)
{
	struct timespec times[2] = {entry_time(entry), entry_time(entry)};
	if (fchown(fd, (uid_t)archive_entry_uid(entry), (gid_t)archive_entry_gid(entry)) < 0)
		return err_errno(err, errno, "set its owner");
	if (fchmod(fd, archive_entry_perm(entry) & 07777) < 0)
		return err_errno(err, errno, "set its mode");
	int r = set_xattrs(fd, entry, err);
	if (r < 0)
		return r;
	if (futimens(fd, times) < 0)
		return err_errno(err, errno, "set its time");
	return 0;
}

int meta_apply_at(const struct place *place, struct archive_entry *entry, struct err *err)
{
	struct timespec times[2] = {entry_time(entry), entry_time(entry)};
	if (fchownat(place->parent_fd, place->name, (uid_t)archive_entry_uid(entry),
		     (gid_t)archive_entry_gid(entry), AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, errno, "set its owner");
	/* fchmodat() follows links, and they have no mode; a pipe was made here just now */
	if (archive_entry_filetype(entry) == AE_IFIFO &&
	    fchmodat(place->parent_fd, place->name, archive_entry_perm(entry) & 07777, 0) < 0)
		return err_errno(err, errno, "set its mode");
	if (utimensat(place->parent_fd, place->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, errno, "set its time");
	return 0;
}

void meta_defer(struct unpack *u, const char *path, struct archive_entry *entry)
{
	size_t size = strlen(path) + 1 + sizeof(struct unpack_dir);
	if (!archive_entry_mtime_is_set(entry) || u->dirs_bytes + size > DIRS_BYTES_MAX)
		return;
	if (u->dirs_count == u->dirs_capacity) {
		u->dirs_capacity = u->dirs_capacity ? u->dirs_capacity * 2 : 256;
		u->dirs = xrealloc(u->dirs, u->dirs_capacity, sizeof(*u->dirs));
	}
	u->dirs[u->dirs_count++] =
		(struct unpack_dir){.path = xstrdup(path), .time = entry_time(entry)};
	u->dirs_bytes += size;
}

/* A folder that a later entry replaced is passed over. */
void meta_finish(struct unpack *u)
{
	for (size_t i = 0; i < u->dirs_count; i++) {
		struct timespec times[2] = {u->dirs[i].time, u->dirs[i].time};
		autofd int fd = place_open(u->root_fd, u->dirs[i].path,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (fd >= 0)
			futimens(fd, times);
	}
}

void meta_fini(struct unpack *u)
{
	for (size_t i = 0; i < u->dirs_count; i++)
		free(u->dirs[i].path);
	free(u->dirs);
	u->dirs = NULL;
	u->dirs_count = 0;
}
