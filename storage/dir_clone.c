/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base volumes and the linked clones that stand on them: qcow2 overlays, whose backing file is the base.
 * Job processes only. */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define LOCK_WAIT (3 * USEC_PER_SEC)
#define LOCK_LOOK 20 /* ms */

static int try_lock(int fd, const struct volid *base, int operation, struct err *err)
{
	usec_t end = clock_monotonic() + LOCK_WAIT;
	while (flock(fd, operation | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(err, errno, "lock volume '%s:%s'", base->storage,
					 base->name);
		if (clock_left_ms(end) == 0)
			return err_set(err, ERR_BUSY,
				       "volume '%s:%.200s' is being cloned or removed",
				       base->storage, base->name);
		poll(NULL, 0, LOCK_LOOK);
	}
	return 0;
}

/* Some file systems want the right to write for a lock of one's own. */
int dir_lock_base(int parent_fd, const struct volid *base, bool is_shared, int *ret_fd,
		  struct err *err)
{
	struct stat st;
	int mode = is_shared ? O_RDONLY : O_RDWR;
	autofd int fd = openat(parent_fd, base->file, mode | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "volume '%s:%s'", base->storage, base->name);
	int r = try_lock(fd, base, is_shared ? LOCK_SH : LOCK_EX, err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0 || st.st_nlink == 0) /* removed while we waited */
		return err_errno(err, ENOENT, "volume '%s:%s'", base->storage, base->name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

struct base_search {
	char text[VOLID_MAX];
	char clone[VOLID_MAX];
};

static int see_clone(const struct volume_info *info, void *ctx)
{
	struct base_search *search = ctx;
	if (str_eq(info->parent, search->text))
		memcpy(search->clone, info->volid, sizeof(search->clone));
	return 0;
}

int dir_check_no_clones(const struct storage_def *def, const struct volid *base, struct err *err)
{
	struct base_search search = {.clone = ""};
	snprintf(search.text, sizeof(search.text), "%.100s:%.400s", base->storage, base->name);
	int r = dir_list(def, see_clone, &search, err);
	if (r == 0 && search.clone[0])
		r = err_set(err, ERR_BUSY,
			    "base volume '%s' is still in use by the linked clone "
			    "'%.300s'",
			    search.text, search.clone);
	return r;
}

static int make_overlay(const struct storage_def *def, const struct volid *volume, unsigned vmid,
			const char *name, struct err *err)
{
	const char *root;
	int r = dir_root(def, &root, err);
	if (r < 0)
		return r;
	autofree char *owner = dir_owner_path(def, vmid);
	autofree char *path = xasprintf("%s/%s", owner, name);
	autofree char *base = xasprintf("%s/../%s", owner, volume->name);
	autofree char *backing = xasprintf("../%s", volume->name);
	r = qcow2_check(base, volume, err);
	return r < 0 ? r : qcow2_make_overlay(path, backing, volume->format, err);
}

int dir_clone(const struct storage_def *def, const struct volid *volume, const char *snapshot,
	      const struct volume_alloc *as, char ret_volid[VOLID_MAX], struct err *err)
{
	char name[256];
	autofd int parent = -1, owner = -1, fd = -1, lock = -1;
	struct volume_info info;
	struct volume_alloc what = *as;
	struct volid checked = *volume;
	checked.content = as->content;
	int r = volume_feature_check(def->type, &checked, snapshot, VOLUME_CLONE, err);
	if (r == 0)
		r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_lock_base(parent, volume, true, &lock, err);
	if (r == 0)
		r = dir_volume_info(parent, volume, &info, err);
	if (r < 0)
		return r;
	what.size = info.size;
	r = dir_check_alloc(def, &what, "qcow2", err);
	if (r == 0)
		r = dir_alloc_file(def, &what, "qcow2", &owner, name, &fd, err);
	if (r < 0)
		return r;
	r = make_overlay(def, volume, as->vmid, name, err);
	if (r == 0 && (fsync(fd) < 0 || fsync(owner) < 0))
		r = err_errno(err, errno, "sync %s", name);
	if (r < 0) {
		unlinkat(owner, name, 0);
		dir_remove_owner(def, as->vmid);
		return r;
	}
	snprintf(ret_volid, VOLID_MAX, "%.100s:%u/%.128s/%u/%.128s", def->id, volume->vmid,
		 volume->file, as->vmid, name);
	return 0;
}

void dir_base_name(const struct volid *volume, char ret[256])
{
	const char *rest = str_after(volume->file, "subvol-");
	if (rest)
		snprintf(ret, 256, "basevol-%.240s", rest);
	else
		snprintf(ret, 256, "base-%.240s", str_after(volume->file, "vm-") ?: volume->file);
}

/* A clone that becomes a base would have to take its own base with it. */
static int check_base(const struct storage_def *def, const struct volid *volume, struct err *err)
{
	struct volume_info info;
	size_t count = 0;
	int r = volume_feature_check(def->type, volume, NULL, VOLUME_TEMPLATE, err);
	if (r == 0)
		r = dir_info(def, volume, &info, err);
	if (r == 0 && info.parent[0])
		return err_set(err, ERR_UNSUPPORTED,
			       "feature not available: template of volume '%s:%.200s': it is a "
			       "linked clone, which has a base itself",
			       volume->storage, volume->name);
	if (r == 0)
		r = dir_snapshots(def, volume, dir_count_snapshot, &count, err);
	if (r == 0 && count > 0)
		r = err_set(err, ERR_BUSY, "volume '%s:%.200s' has snapshots", volume->storage,
			    volume->name);
	return r;
}

int dir_to_base(const struct storage_def *def, const struct volid *volume,
		char ret_volid[VOLID_MAX], struct err *err)
{
	char name[256];
	autofd int parent = -1, lock = -1;
	if (volume_is_base(volume)) {
		snprintf(ret_volid, VOLID_MAX, "%.100s:%.400s", volume->storage, volume->name);
		return 0;
	}
	int r = check_base(def, volume, err);
	if (r == 0)
		r = dir_open_parent(def, volume, &parent, err);
	if (r == 0)
		r = dir_lock_base(parent, volume, false, &lock, err);
	if (r < 0)
		return r;
	dir_base_name(volume, name);
	if ((r = dir_rename_absent(parent, volume->file, name)) < 0)
		return err_errno(err, -r, "rename '%s' to '%s'", volume->file, name);
	if (fchmodat(parent, name, 0400, 0) < 0 || fsync(parent) < 0)
		return err_errno(err, errno, "make '%s' read-only", name);
	snprintf(ret_volid, VOLID_MAX, "%.100s:%u/%s", volume->storage, volume->vmid, name);
	return 0;
}
