/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the `dir` driver keeps what: folders per content, paths, descriptors of them. Job and
 * helper processes only. */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/volid/storage_rules.h"

const struct dir_folder dir_folders[] = {
	{VOLUME_IMAGES, "images", 0711},	 {VOLUME_ISO, "template/iso", 0755},
	{VOLUME_VZTMPL, "template/cache", 0755}, {VOLUME_SNIPPETS, "snippets", 0755},
	{VOLUME_IMPORT, "import", 0755},	 {VOLUME_BACKUP, "dump", 0700},
};
const size_t dir_folders_count = ARRAY_SIZE(dir_folders);

int dir_root(const struct storage_def *def, const char **ret, struct err *err)
{
	const char *path = storage_def_get(def, "path");
	if (str_is_empty(path))
		return err_field(err, "path", "storage '%s' has no path", def->id);
	if (path[0] != '/' || strlen(path) > 2048)
		return err_field(err, "path", "the path of storage '%s' is not absolute", def->id);
	*ret = path;
	return 0;
}

bool dir_folder_is_used(const struct storage_def *def, const struct dir_folder *folder)
{
	return storage_def_has_content(def, volume_content_name(folder->content)) ||
	       (folder->content == VOLUME_IMAGES && storage_def_has_content(def, "rootdir"));
}

/* Where the definition puts it, below the storage's path; never out of it. */
char *dir_folder_path(const struct storage_def *def, const struct dir_folder *folder)
{
	char *own = storage_rules_folder(def, volume_content_name(folder->content));
	if (own && own[0] != '/' && !strstr(own, ".."))
		return own;
	free(own);
	return xstrdup(folder->path);
}

static const struct dir_folder *folder_find(enum volume_content content)
{
	if (content == VOLUME_ROOTDIR)
		content = VOLUME_IMAGES;
	for (size_t i = 0; i < dir_folders_count; i++)
		if (dir_folders[i].content == content)
			return &dir_folders[i];
	return NULL;
}

/* Links are followed as long as they stay below top; -errno. */
static int open_beneath(int top, const char *below)
{
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int fd;
	do
		fd = (int)syscall(SYS_openat2, top, below, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd < 0 ? -errno : fd;
}

static int folder_error(const struct storage_def *def, const char *below, int errnum,
			struct err *err)
{
	const char *path = storage_def_get(def, "path");
	if (errnum == EXDEV)
		return err_set(err, ERR_INVALID,
			       "storage '%s': '%s' is a link that leads out of %s, which is not "
			       "followed; mount there what it leads to",
			       def->id, below, path);
	return err_errno(err, errnum, "storage '%s': folder %s/%s", def->id, path, below);
}

int dir_open_folder(const struct storage_def *def, enum volume_content content, int *ret_fd,
		    struct err *err)
{
	const char *root;
	const struct dir_folder *folder = folder_find(content);
	if (!folder)
		return err_set(err, ERR_INTERNAL, "no folder for content %d", (int)content);
	int r = dir_root(def, &root, err);
	if (r < 0)
		return r;
	autofd int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_errno(err, errno, "storage '%s': open %s", def->id, root);
	autofree char *below = dir_folder_path(def, folder);
	int fd = open_beneath(top, below);
	if (fd < 0)
		return folder_error(def, below, -fd, err);
	*ret_fd = fd;
	return 0;
}

int dir_check_folder(const struct storage_def *def, enum volume_content content, struct err *err)
{
	struct err why = ERR_INIT;
	autofd int fd = -1;
	int r = dir_open_folder(def, content, &fd, &why);
	if (r < 0 && r != -ERR_NOT_FOUND && err)
		*err = why;
	return r == -ERR_NOT_FOUND ? 0 : r;
}

/* One more component is there. */
static int make_beneath(int top, const char *below, mode_t mode)
{
	const char *slash = strrchr(below, '/');
	autofree char *parent = slash ? xstrndup(below, (size_t)(slash - below)) : xstrdup(".");
	autofd int fd = open_beneath(top, parent);
	if (fd < 0)
		return fd;
	return mkdirat(fd, slash ? slash + 1 : below, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* Parents get the usual mode, the folder itself its own. */
int dir_make_folder(const struct storage_def *def, const struct dir_folder *folder, struct err *err)
{
	const char *root;
	int r = dir_root(def, &root, err);
	if (r < 0)
		return r;
	autofd int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_errno(err, errno, "storage '%s': open %s", def->id, root);
	autofree char *below = dir_folder_path(def, folder);
	for (char *slash = strchr(below, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_beneath(top, below, 0755);
		*slash = '/';
	}
	if (r == 0)
		r = make_beneath(top, below, folder->mode);
	autofd int made =
		r < 0 ? r : open_beneath(top, below); /* it may be a link, which was there */
	return made < 0 ? folder_error(def, below, -made, err) : 0;
}

bool dir_is_guest_volume(const struct volid *volume)
{
	return volume->content == VOLUME_IMAGES || volume->content == VOLUME_ROOTDIR;
}

/* Names without a folder belong to block storages. */
static int check_volume(const struct volid *volume, struct err *err)
{
	if (dir_is_guest_volume(volume) && !strchr(volume->name, '/'))
		return err_field(err, "volume", "'%s' is not the name of a file volume",
				 volume->name);
	return 0;
}

int dir_open_parent(const struct storage_def *def, const struct volid *volume, int *ret_fd,
		    struct err *err)
{
	int folder, r = check_volume(volume, err);
	if (r == 0)
		r = dir_open_folder(def, volume->content, &folder, err);
	if (r < 0)
		return r;
	if (!dir_is_guest_volume(volume)) {
		*ret_fd = folder;
		return 0;
	}
	autofd int owned = folder;
	autofree char *owner = xasprintf("%u", volume->vmid);
	int fd = openat(owned, owner, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "volume '%s:%s'", volume->storage, volume->name);
	*ret_fd = fd;
	return 0;
}

int dir_relative(const struct storage_def *def, const struct volid *volume, struct buf *ret,
		 struct err *err)
{
	const struct dir_folder *folder = folder_find(volume->content);
	int r = check_volume(volume, err);
	if (r < 0)
		return r;
	autofree char *below = dir_folder_path(def, folder);
	if (dir_is_guest_volume(volume))
		buf_addf(ret, "%s/%u/%s", below, volume->vmid, volume->file);
	else
		buf_addf(ret, "%s/%s", below, volume->file);
	return 0;
}

char *dir_owner_path(const struct storage_def *def, unsigned vmid)
{
	autofree char *below = dir_folder_path(def, folder_find(VOLUME_IMAGES));
	return xasprintf("%s/%s/%u", storage_def_get(def, "path"), below, vmid);
}
