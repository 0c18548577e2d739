/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies in a `dir` storage. Names that are no volume's are passed over, links too. Job and
 * helper processes only; changes nothing. */
#include "storage/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"

#define LIST_MAX 200000 /* directory entries looked at in one listing */

struct listing {
	const struct storage_def *def;
	volume_each_fn each;
	void *ctx;
	size_t seen;
};

int dir_stat(int parent_fd, const struct volid *volume, struct stat *ret, struct err *err)
{
	struct stat st;
	mode_t kind = str_eq(volume->format, "subvol") ? S_IFDIR : S_IFREG;
	if (fstatat(parent_fd, volume->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, errno, "volume '%s:%s'", volume->storage, volume->name);
	if ((st.st_mode & S_IFMT) != kind)
		return err_set(err, ERR_NOT_FOUND, "volume '%s:%s' is no regular file",
			       volume->storage, volume->name);
	*ret = st;
	return 0;
}

int dir_qcow2_header(int parent_fd, const char *file, struct qcow2_header *ret)
{
	autofd int fd = openat(parent_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -ERR_NOT_FOUND : qcow2_header_read(fd, ret, NULL);
}

/* A linked clone's name begins with that of its base, "../100/base-100-disk-0.raw" in the image. */
static void name_clone(const struct volid *volume, const char *backing, struct volume_info *info)
{
	char text[VOLID_MAX];
	struct volid base;
	const char *name = str_after(backing, "../");
	if (!name)
		return;
	int size = snprintf(text, sizeof(text), "%s:%s/%u/%s", volume->storage, name, volume->vmid,
			    volume->file);
	if (size >= (int)sizeof(text) || volid_parse(text, &base, NULL) < 0)
		return;
	memcpy(info->volid, text, sizeof(text));
	snprintf(info->parent, sizeof(info->parent), "%.100s:%.280s", volume->storage, base.base);
}

static void look_inside(int parent_fd, const struct volid *volume, struct volume_info *info)
{
	struct qcow2_header header;
	if (!dir_is_guest_volume(volume) || !str_eq(volume->format, "qcow2") ||
	    dir_qcow2_header(parent_fd, volume->file, &header) < 0)
		return;
	info->size = header.size;
	name_clone(volume, header.backing, info);
}

int dir_volume_info(int parent_fd, const struct volid *volume, struct volume_info *ret,
		    struct err *err)
{
	struct stat st;
	struct volume_info info = {0};
	int r = dir_stat(parent_fd, volume, &st, err);
	if (r < 0)
		return r;
	snprintf(info.volid, sizeof(info.volid), "%.100s:%.400s", volume->storage, volume->name);
	str_copy(info.format, sizeof(info.format), volume->format);
	str_copy(info.content, sizeof(info.content), volume_content_name(volume->content));
	info.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	info.used = (uint64_t)st.st_blocks * 512;
	info.ctime = st.st_ctim.tv_sec > 0 ? (uint64_t)st.st_ctim.tv_sec : 0;
	info.vmid = volume->vmid;
	look_inside(parent_fd, volume, &info);
	dir_attributes(parent_fd, volume, &info);
	*ret = info;
	return 0;
}

/* One directory entry; name is the volume's part after the colon. */
static int list_entry(struct listing *l, int parent_fd, const char *name)
{
	char text[VOLID_MAX];
	struct volid volume;
	struct volume_info info;
	int size = snprintf(text, sizeof(text), "%s:%s", l->def->id, name);
	if (size >= (int)sizeof(text) || volid_parse(text, &volume, NULL) < 0 ||
	    volume_copy_owner(volume.file) || dir_volume_info(parent_fd, &volume, &info, NULL) < 0)
		return 0;
	return l->each(&info, l->ctx);
}

static int list_count(struct listing *l, struct err *err)
{
	if (++l->seen > LIST_MAX)
		return err_set(err, ERR_LIMIT, "storage '%s' holds more than %d files", l->def->id,
			       LIST_MAX);
	return 0;
}

/* Calls fn for every name that is not hidden. Takes fd over. */
static int each_name(struct listing *l, int fd,
		     int (*fn)(struct listing *l, int fd, const char *name, const char *prefix,
			       struct err *err),
		     const char *prefix, struct err *err)
{
	int r = 0;
	DIR *dir = fdopendir(fd);
	if (!dir) {
		r = err_errno(err, errno, "list storage '%s'", l->def->id);
		close(fd);
		return r;
	}
	while (r == 0) {
		errno = 0;
		struct dirent *entry = readdir(dir);
		if (!entry) {
			r = errno ? err_errno(err, errno, "list storage '%s'", l->def->id) : 0;
			break;
		}
		if (entry->d_name[0] == '.')
			continue;
		r = list_count(l, err);
		if (r == 0)
			r = fn(l, dirfd(dir), entry->d_name, prefix, err);
	}
	closedir(dir);
	return r;
}

static int list_file(struct listing *l, int fd, const char *name, const char *prefix,
		     struct err *err)
{
	char text[VOLID_MAX];
	(void)err;
	if (snprintf(text, sizeof(text), "%s/%s", prefix, name) >= (int)sizeof(text))
		return 0;
	return list_entry(l, fd, text);
}

/* images/VMID: names that are no number cannot pass volid_parse() later. */
static int list_guest(struct listing *l, int fd, const char *name, const char *prefix,
		      struct err *err)
{
	uint64_t vmid;
	(void)prefix;
	if (!str_to_u64(name, &vmid))
		return 0;
	int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return sub < 0 ? 0 : each_name(l, sub, list_file, name, err);
}

static int list_folder(struct listing *l, const struct dir_folder *folder, struct err *err)
{
	int fd;
	struct err why = ERR_INIT;
	int r = dir_open_folder(l->def, folder->content, &fd, &why);
	if (r == -ERR_NOT_FOUND)
		return 0;
	if (r < 0) {
		if (err)
			*err = why;
		return r;
	}
	if (folder->content == VOLUME_IMAGES)
		return each_name(l, fd, list_guest, NULL, err);
	return each_name(l, fd, list_file, volume_content_name(folder->content), err);
}

int dir_list(const struct storage_def *def, volume_each_fn each, void *ctx, struct err *err)
{
	struct listing l = {.def = def, .each = each, .ctx = ctx};
	struct storage_space space; /* also tells when nothing is mounted */
	int r = dir_status(def, &space, err);
	for (size_t i = 0; r == 0 && i < dir_folders_count; i++)
		if (dir_folder_is_used(def, &dir_folders[i]))
			r = list_folder(&l, &dir_folders[i], err);
	return r;
}
