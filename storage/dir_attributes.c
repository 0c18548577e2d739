/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notes and protection of backups, in files beside them: FILE.notes holds the text, and while
 * FILE.protected exists the backup is not removed. Job and helper processes only. */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define NOTES_MAX (64u * 1024)

static bool has_beside(int parent_fd, const char *file, const char *what)
{
	struct stat st;
	autofree char *name = xasprintf("%s.%s", file, what);
	return fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

void dir_attributes(int parent_fd, const struct volid *volume, struct volume_info *info)
{
	if (volume->content != VOLUME_BACKUP)
		return;
	info->is_protected = has_beside(parent_fd, volume->file, "protected");
	info->has_notes = has_beside(parent_fd, volume->file, "notes");
}

int dir_check_unprotected(int parent_fd, const struct volid *volume, struct err *err)
{
	if (volume->content == VOLUME_BACKUP && has_beside(parent_fd, volume->file, "protected"))
		return err_set(err, ERR_BUSY, "backup '%s:%.200s' is protected", volume->storage,
			       volume->name);
	return 0;
}

void dir_attributes_drop(int parent_fd, const struct volid *volume)
{
	static const char *const beside[] = {"notes", "log"};
	for (size_t i = 0; volume->content == VOLUME_BACKUP && i < ARRAY_SIZE(beside); i++) {
		autofree char *name = xasprintf("%s.%s", volume->file, beside[i]);
		unlinkat(parent_fd, name, 0);
	}
}

/* The folder of a backup that is there. */
static int find(const struct storage_def *def, const struct volid *volume, int *ret_fd,
		struct err *err)
{
	struct stat st;
	autofd int parent = -1;
	if (volume->content != VOLUME_BACKUP)
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: only backups have notes and protection");
	int r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_stat(parent, volume, &st, err);
	if (r == 0)
		*ret_fd = TAKE_FD(parent);
	return r;
}

int dir_notes(const struct storage_def *def, const struct volid *volume, struct buf *ret,
	      struct err *err)
{
	autofd int parent = -1;
	autofree char *name = xasprintf("%s.notes", volume->file);
	int r = find(def, volume, &parent, err);
	if (r < 0)
		return r;
	autofd int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "read the notes");
	return fd_read_all(fd, NOTES_MAX, ret, err);
}

static int write_beside(const struct storage_def *def, const struct volid *volume, const char *what,
			const char *text, struct err *err)
{
	autobuf path = BUF_INIT;
	int r = dir_path(def, volume, &path, err);
	if (r < 0)
		return r;
	buf_addf(&path, ".%s", what);
	if (text)
		return file_write_atomic(buf_str(&path), text, strlen(text), 0644, err);
	return file_remove(buf_str(&path), err);
}

int dir_set_attributes(const struct storage_def *def, const struct volid *volume, const char *notes,
		       const bool *is_protected, struct err *err)
{
	autofd int parent = -1;
	int r = find(def, volume, &parent, err);
	if (r < 0)
		return r;
	if (notes && strlen(notes) > NOTES_MAX)
		return err_field(err, "notes", "value may only be %u characters long", NOTES_MAX);
	if (notes)
		r = write_beside(def, volume, "notes", *notes ? notes : NULL, err);
	if (r == 0 && is_protected)
		r = write_beside(def, volume, "protected", *is_protected ? "" : NULL, err);
	return r;
}
