/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that come into a `dir` storage: written under a hidden name, then renamed when complete.
 * The hidden name tells its owner (node, boot, process), so that what a dead process left can be
 * swept without touching what another node of a shared storage is writing. Job processes only. */
#include "storage/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define TEMP_PREFIX ".lodge-import+"

/* "NODE+BOOT+" of this process' boot, or "NODE+" */
static void owner_text(char *ret, size_t size, bool with_boot)
{
	char node[65] = "localhost";
	if (gethostname(node, sizeof(node) - 1) < 0 || node[0] == '\0')
		str_copy(node, sizeof(node), "localhost");
	if (with_boot)
		snprintf(ret, size, "%s+%.36s+", node, exec_boot_id());
	else
		snprintf(ret, size, "%s+", node);
}

static void add_owner(const char *prefix, char ret[256])
{
	char owner[160];
	uint64_t random;
	random_bytes(&random, sizeof(random));
	owner_text(owner, sizeof(owner), true);
	snprintf(ret, 256, "%.32s%.140s%d+%" PRIu64 "+%016" PRIx64, prefix, owner, (int)getpid(),
		 exec_pid_start(getpid()), random);
}

void dir_temp_name(char ret[256])
{
	add_owner(TEMP_PREFIX, ret);
}

void storage_copy_name(unsigned vmid, const char *format, char ret[256])
{
	char prefix[32], name[256];
	bool is_subvol = str_eq(format, "subvol");
	snprintf(prefix, sizeof(prefix), "%s-%u" VOLUME_COPY_MARK, is_subvol ? "subvol" : "vm",
		 vmid);
	add_owner(prefix, name);
	snprintf(ret, 256, "%.240s.%.12s", name, format);
}

static bool temp_is_ours(const char *temp)
{
	return str_starts(temp, TEMP_PREFIX) && !strchr(temp, '/');
}

/* Was made on this node by a process that is gone. */
bool dir_temp_is_stale(const char *temp)
{
	char node[160], boot[160];
	const char *made = str_after(temp, TEMP_PREFIX) ?: volume_copy_owner(temp);
	owner_text(node, sizeof(node), false);
	owner_text(boot, sizeof(boot), true);
	if (!made || !str_starts(made, node))
		return false;
	const char *owner = str_after(made, boot);
	if (!owner)
		return true;
	int pid;
	uint64_t start;
	if (sscanf(owner, "%d+%" SCNu64 "+", &pid, &start) != 2)
		return false;
	return exec_pid_start(pid) != start;
}

/* Takes fd. */
static void sweep_folder(int fd)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (dir_temp_is_stale(entry->d_name))
			(void)dir_remove_at(dirfd(dir), entry->d_name, NULL);
	closedir(dir);
}

void dir_import_sweep(const struct storage_def *def)
{
	for (size_t i = 0; i < dir_folders_count; i++) {
		int fd;
		if (dir_folders[i].content != VOLUME_IMAGES &&
		    dir_folder_is_used(def, &dir_folders[i]) &&
		    dir_open_folder(def, dir_folders[i].content, &fd, NULL) == 0)
			sweep_folder(fd);
	}
}

void dir_sweep(const struct storage_def *def, unsigned vmid)
{
	autofd int images = -1;
	autofree char *owner = xasprintf("%u", vmid);
	if (dir_open_folder(def, VOLUME_IMAGES, &images, NULL) < 0)
		return;
	int fd = openat(images, owner, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		sweep_folder(fd);
	unlinkat(images, owner, AT_REMOVEDIR); /* while something is left in it this fails */
}

static int check_import(const struct storage_def *def, enum volume_content content,
			const char *file, struct err *err)
{
	const char *name = volume_content_name(content);
	if (content == VOLUME_IMAGES || content == VOLUME_ROOTDIR)
		return err_field(err, "content", "guest images are allocated, not imported");
	if (!storage_def_has_content(def, name))
		return err_field(err, "content", "storage '%s' does not support content type '%s'",
				 def->id, name);
	return volume_file_check(content, file, err);
}

static int check_absent(int folder, const char *file, struct err *err)
{
	struct stat st;
	if (fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_EXISTS, "file '%s' already exists", file);
	return 0;
}

int dir_import_begin(const struct storage_def *def, enum volume_content content, const char *file,
		     int *ret_fd, char ret_temp[256], struct err *err)
{
	char temp[256];
	autofd int folder = -1;
	int r = check_import(def, content, file, err);
	if (r == 0)
		r = dir_open_folder(def, content, &folder, err);
	if (r == 0)
		r = check_absent(folder, file, err);
	if (r < 0)
		return r;
	dir_temp_name(temp);
	int fd = openat(folder, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, errno, "storage '%s': make a file", def->id);
	str_copy(ret_temp, 256, temp);
	*ret_fd = fd;
	return 0;
}

/* A folder takes the place of an empty one, and of no other. */
static int rename_folder(int folder, const char *temp, const char *file)
{
	if (mkdirat(folder, file, 0700) < 0)
		return -errno;
	if (renameat(folder, temp, folder, file) == 0)
		return 0;
	int saved = errno;
	unlinkat(folder, file, AT_REMOVEDIR);
	return -saved;
}

/* A name in use stays as it is. Some file systems (NFS, older FUSE) know no RENAME_NOREPLACE; a
 * hard link refuses an existing name as well, and so does making a folder. */
int dir_rename_absent(int folder, const char *temp, const char *file)
{
	struct stat st;
	if (renameat2(folder, temp, folder, file, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (fstatat(folder, temp, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return rename_folder(folder, temp, file);
	if (linkat(folder, temp, folder, file, 0) < 0)
		return -errno;
	unlinkat(folder, temp, 0);
	return 0;
}

int dir_import_commit(const struct storage_def *def, enum volume_content content, const char *temp,
		      const char *file, struct err *err)
{
	autofd int folder = -1, fd = -1;
	if (!temp_is_ours(temp))
		return err_set(err, ERR_INTERNAL, "'%s' is no temporary name", temp);
	int r = check_import(def, content, file, err);
	if (r == 0)
		r = dir_open_folder(def, content, &folder, err);
	if (r < 0)
		return r;
	fd = openat(folder, temp, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_errno(err, errno, "sync '%s'", file);
	r = dir_rename_absent(folder, temp, file);
	if (r == -EEXIST)
		return err_set(err, ERR_EXISTS, "file '%s' already exists", file);
	if (r < 0)
		return err_errno(err, -r, "rename to '%s'", file);
	if (fsync(folder) < 0)
		return err_errno(err, errno, "sync the folder of '%s'", file);
	return 0;
}

void dir_import_abort(const struct storage_def *def, enum volume_content content, const char *temp)
{
	autofd int folder = -1;
	if (temp_is_ours(temp) && dir_open_folder(def, content, &folder, NULL) == 0)
		unlinkat(folder, temp, 0);
}
