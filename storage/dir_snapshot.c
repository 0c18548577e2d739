/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of the `dir` driver: those inside a qcow2 image. Job processes only. */
#include "storage/dir.h"

#include "agent/base/str.h"

/* Path of a volume that can do it. */
static int find(const struct storage_def *def, const struct volid *volume, const char *name,
		struct buf *ret, struct err *err)
{
	struct volume_info info;
	int r = volume_feature_check(def->type, volume, NULL, VOLUME_SNAPSHOT, err);
	if (r == 0)
		r = volume_snapshot_name_check(name, err);
	if (r == 0)
		r = dir_info(def, volume, &info, err);
	return r < 0 ? r : dir_path(def, volume, ret, err);
}

int dir_snapshot(const struct storage_def *def, const struct volid *volume, const char *name,
		 struct err *err)
{
	autobuf path = BUF_INIT;
	int r = find(def, volume, name, &path, err);
	return r < 0 ? r : qcow2_snapshot(buf_str(&path), volume, name, err);
}

int dir_snapshot_delete(const struct storage_def *def, const struct volid *volume, const char *name,
			struct err *err)
{
	autobuf path = BUF_INIT;
	int r = find(def, volume, name, &path, err);
	return r < 0 ? r : qcow2_snapshot_delete(buf_str(&path), volume, name, err);
}

int dir_rollback(const struct storage_def *def, const struct volid *volume, const char *name,
		 struct err *err)
{
	autobuf path = BUF_INIT;
	int r = find(def, volume, name, &path, err);
	return r < 0 ? r : qcow2_rollback(buf_str(&path), volume, name, err);
}

int dir_count_snapshot(const char *name, uint64_t ctime, void *ctx)
{
	size_t *count = ctx;
	(void)name;
	(void)ctime;
	++*count;
	return 0;
}

int dir_snapshots(const struct storage_def *def, const struct volid *volume, snapshot_each_fn each,
		  void *ctx, struct err *err)
{
	autobuf path = BUF_INIT;
	struct volume_info info;
	int r = dir_info(def, volume, &info, err);
	if (r < 0 || !dir_is_guest_volume(volume) || !str_eq(volume->format, "qcow2"))
		return r;
	r = dir_path(def, volume, &path, err);
	return r < 0 ? r : qcow2_snapshots(buf_str(&path), volume, each, ctx, err);
}

int dir_snapshot_path(const struct storage_def *def, const struct volid *volume, const char *name,
		      struct buf *ret, struct err *err)
{
	(void)name;
	(void)ret;
	return err_set(err, ERR_UNSUPPORTED,
		       "feature not available: a snapshot of volume '%s:%.200s' has no path of its "
		       "own on a storage of type '%s'",
		       volume->storage, volume->name, def->type);
}
