/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of jobs. Nothing here is synced: the core's loop must not wait for a disk, and whatever a
 * power cut can take away is found again from what is left (see jobs.c). */
#include "agent/core/job_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define STATUS_MAX (64 * 1024)

int job_files_make_folders(struct err *err)
{
	static const char digits[] = "0123456789ABCDEF";
	autofree char *jobs = path_join(path_run(), "jobs");
	int r = dir_make(jobs, 0700, err);

	for (size_t i = 0; r >= 0 && digits[i]; i++) {
		autofree char *folder = path_join(path_state(), "tasks/%c", digits[i]);

		r = dir_make(folder, 0755, err);
	}
	return r;
}

char *job_file_log(const struct upid *id, const char *upid, const char *suffix)
{
	return path_join(path_state(), "tasks/%X/%s%s", (unsigned)(id->start_time & 0xf), upid,
			 suffix);
}

char *job_file_record(const char *upid)
{
	return path_join(path_run(), "jobs/%s", upid);
}

char *job_file_new_log(const char *serial)
{
	return path_join(path_state(), "tasks/new-%s", serial);
}

char *job_file_undo(const char *serial)
{
	return path_join(path_state(), "tasks/undo-%s", serial);
}

int job_log_create(const char *serial, int *ret_fd, struct err *err)
{
	autofree char *path = job_file_new_log(serial);
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);

	if (fd < 0)
		return err_errno(err, errno, "create the task log");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return err_errno(err, errno, "lock the task log");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

bool job_log_is_held(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

int job_log_open_held(const char *serial)
{
	autofree char *path = job_file_new_log(serial);
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd >= 0 && job_log_is_held(fd) ? TAKE_FD(fd) : -1;
}

int job_log_rename(const char *serial, const struct upid *id, const char *upid, struct err *err)
{
	autofree char *from = job_file_new_log(serial);
	autofree char *to = job_file_log(id, upid, "");

	if (rename(from, to) != 0 && errno != ENOENT)
		return err_errno(err, errno, "name the task log");
	return 0;
}

void job_log_append_error(const struct upid *id, const char *upid, const char *text)
{
	autofree char *path = job_file_log(id, upid, "");
	autofree char *line = xasprintf("TASK ERROR: %s\n", text);
	autofd int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0 || fd_write_all(fd, line, strlen(line), NULL) < 0)
		log_warning("log of %s: cannot write its end", upid);
}

/* A whole file or none under its name; flags as of renameat2(). */
static int write_whole(const char *path, const void *data, size_t size, unsigned flags,
		       struct err *err)
{
	const char *slash = strrchr(path, '/');
	autofree char *temp = xasprintf("%.*s" JOB_FILES_TEMP, (int)(slash + 1 - path), path);
	autofd int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return err_errno(err, errno, "create %s", temp);
	if ((r = fd_write_all(fd, data, size, err)) < 0) {
		unlink(temp);
		return err_prefix(err, "write %s", path);
	}
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, flags) != 0) {
		int saved = errno;

		unlink(temp);
		if (saved != EEXIST)
			return err_errno(err, saved, "rename to %s", path);
	}
	return 0;
}

int job_record_leave(const char *upid, const struct job_record *record, struct err *err)
{
	autofree char *path = job_file_record(upid);
	autobuf text = BUF_INIT;

	job_record_encode(record, &text);
	return write_whole(path, text.data, text.size, RENAME_NOREPLACE, err);
}

int job_record_read(const char *path, struct job_record *ret, struct err *err)
{
	autobuf text = BUF_INIT;
	int r = file_read(path, JOB_RECORD_MAX, &text, err);

	return r < 0 ? r : job_record_decode(text.data, text.size, ret, err);
}

int job_undo_keep(const struct job_record *record, struct err *err)
{
	autofree char *path = job_file_undo(record->serial);
	autobuf text = BUF_INIT;

	job_record_encode(record, &text);
	return write_whole(path, text.data, text.size, 0, err);
}

int job_undo_read(const char *serial, struct job_record *ret, struct err *err)
{
	autofree char *path = job_file_undo(serial);

	return job_record_read(path, ret, err);
}

void job_undo_drop(const char *serial)
{
	autofree char *path = job_file_undo(serial);
	struct err err = ERR_INIT;

	if (file_remove(path, &err) < 0)
		log_warning("%s", err.message);
}

int job_status_read(const struct upid *id, const char *upid, struct job_status *ret,
		    struct err *err)
{
	autofree char *path = job_file_log(id, upid, ".status");
	autobuf text = BUF_INIT;
	int r = file_read(path, STATUS_MAX, &text, err);

	return r < 0 ? r : job_status_parse(buf_str(&text), text.size, ret, err);
}

/* What a job that was killed while it wrote its status has left beside it. */
static void remove_unfinished(const char *path)
{
	autofree char *prefix = file_temp_prefix(path);
	const char *name = strrchr(prefix, '/') + 1;
	autofree char *folder = xstrndup(prefix, (size_t)(name - prefix - 1));
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (str_starts(entry->d_name, name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

void job_status_leave(const struct upid *id, const char *upid, uint64_t end, const char *text)
{
	autofree char *path = job_file_log(id, upid, ".status");
	autofree char *line = xasprintf("%llu %s\n", (unsigned long long)end, text);
	struct err err = ERR_INIT;

	if (write_whole(path, line, strlen(line), 0, &err) < 0)
		log_warning("status of %s: %s", upid, err.message);
	remove_unfinished(path);
}
