/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of promised space: run/reserve/STORAGE/PID-START-RANDOM, "BYTES FILE". A lock on the folder makes
 * look and promise one step. Job and helper processes only. */
#include "storage/reserve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define RECORD_MAX 8192

static char *folder_of(const struct storage_def *def)
{
	return path_join(path_run(), "reserve/%s", def->id);
}

static bool is_alive(const char *name)
{
	int pid;
	uint64_t start;
	return sscanf(name, "%d-%" SCNu64 "-", &pid, &start) == 2 && pid > 0 && start > 0 &&
	       exec_pid_start(pid) == start;
}

/* What is still to come of a file that is to have that size. */
static uint64_t rest_of(uint64_t size, const char *file)
{
	struct stat st;
	uint64_t taken = file && *file && stat(file, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
	return size > taken ? size - taken : 0;
}

/* The same of one record; bad ones are nothing. */
static uint64_t left_of(const char *path)
{
	autobuf text = BUF_INIT;
	uint64_t size;
	if (file_read(path, RECORD_MAX, &text, NULL) < 0)
		return 0;
	char *line = (char *)buf_str(&text), *file = strchr(line, ' ');
	if (!file)
		return 0;
	*file++ = '\0';
	if (!str_to_u64(line, &size))
		return 0;
	return rest_of(size, file);
}

/* Records of processes that are gone are removed on the way. */
static uint64_t sum(const char *folder)
{
	uint64_t total = 0;
	DIR *dir = opendir(folder);
	if (!dir)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		autofree char *path = xasprintf("%s/%s", folder, entry->d_name);
		if (is_alive(entry->d_name))
			total += left_of(path);
		else
			unlink(path);
	}
	closedir(dir);
	return total;
}

uint64_t reserve_total(const struct storage_def *def)
{
	autofree char *folder = folder_of(def);
	return sum(folder);
}

int reserve_status(const struct storage_def *def, struct storage_space *ret, struct err *err)
{
	const struct storage_driver *driver = storage_driver_find(def->type);
	if (!driver)
		return err_set(err, ERR_UNSUPPORTED, "feature not available: storage type '%s'",
			       def->type);
	int r = driver->status(def, ret, err);
	if (r < 0)
		return r;
	uint64_t promised = reserve_total(def);
	ret->available -= promised < ret->available ? promised : ret->available;
	return 0;
}

static int check(const struct storage_def *def, uint64_t size, struct err *err)
{
	struct storage_space space;
	int r = reserve_status(def, &space, err);
	if (r == 0 && space.total > 0 && size > space.available)
		r = err_set(err, ERR_NO_SPACE,
			    "storage '%s' has %" PRIu64 " bytes free that nothing else was "
			    "promised, %" PRIu64 " are needed",
			    def->id, space.available, size);
	return r;
}

static int write_record(const char *folder, uint64_t size, const char *file,
			struct reservation *ret, struct err *err)
{
	uint64_t random;
	random_bytes(&random, sizeof(random));
	autofree char *path = xasprintf("%s/%d-%" PRIu64 "-%016" PRIx64, folder, (int)getpid(),
					exec_pid_start(getpid()), random);
	autofree char *text = xasprintf("%" PRIu64 " %s", size, file ? file : "");
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, errno, "reserve space");
	int r = fd_write_all(fd, text, strlen(text), err);
	if (r < 0)
		unlink(path);
	else
		ret->path = TAKE(path);
	return r;
}

int reserve_begin(const struct storage_def *def, uint64_t size, const char *file,
		  struct reservation *ret, struct err *err)
{
	*ret = (struct reservation){0};
	if (size == 0)
		return 0;
	autofree char *folder = folder_of(def);
	int r = dir_make(folder, 0700, err);
	if (r < 0)
		return r;
	autofd int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_errno(err, errno, "lock %s", folder);
	r = check(def, rest_of(size, file), err);
	return r < 0 ? r : write_record(folder, size, file, ret, err);
}

void reserve_end(struct reservation *reservation)
{
	if (reservation->path)
		unlink(reservation->path);
	free(reservation->path);
	*reservation = (struct reservation){0};
}
