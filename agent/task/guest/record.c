/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records of guests. Runs in jobs and hooks. */
#include "agent/task/guest/record.h"

#include <dirent.h>
#include <unistd.h>

#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define RECORD_MAX 65536

static char *path_of(unsigned vmid, const char *suffix)
{
	return path_join(path_run(), "guests/%u%s", vmid, suffix);
}

int task_record_write_beside(unsigned vmid, const char *suffix, const struct fields *f,
			     struct err *err)
{
	autofree char *folder = path_join(path_run(), "guests");
	autofree char *path = path_of(vmid, suffix);
	autobuf data = BUF_INIT;
	int r = dir_make(folder, 0755, err);

	if (r < 0)
		return r;
	fields_encode(f, &data);
	return file_write_atomic(path, data.data, data.size, 0600, err);
}

/* What a process that was killed while it wrote the file has left beside it. */
static void remove_unfinished(unsigned vmid, const char *suffix)
{
	autofree char *folder = path_join(path_run(), "guests");
	autofree char *prefix = xasprintf("%u%s.tmp", vmid, suffix);
	DIR *dir = opendir(folder);

	for (struct dirent *e; dir && (e = readdir(dir));)
		if (str_starts(e->d_name, prefix))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
}

void task_record_remove_beside(unsigned vmid, const char *suffix)
{
	autofree char *path = path_of(vmid, suffix);

	(void)file_remove(path, NULL);
	remove_unfinished(vmid, suffix);
}

int task_record_write(unsigned vmid, const char *kind, const struct task_record *record,
		      const struct fields *own, struct err *err)
{
	autofields f = FIELDS_INIT;

	fields_addf(&f, "pid", "%d", (int)record->pid);
	fields_addf(&f, "pid_start", "%llu", (unsigned long long)record->pid_start);
	fields_add(&f, "boot", exec_boot_id());
	fields_add(&f, "kind", kind);
	fields_addf(&f, "started", "%llu", (unsigned long long)record->started);
	if (own)
		fields_copy(&f, own);
	return task_record_write_beside(vmid, "", &f, err);
}

uint64_t task_record_number(const struct fields *f, const char *name)
{
	const char *text = fields_get(f, name);
	uint64_t value;

	return text && str_to_u64(text, &value) ? value : 0;
}

int task_record_read(unsigned vmid, struct task_record *ret, struct fields *ret_all,
		     struct err *err)
{
	autofree char *path = path_of(vmid, "");
	autobuf data = BUF_INIT;
	autofields f = FIELDS_INIT;
	struct cursor c;
	int r;

	if ((r = file_read(path, RECORD_MAX, &data, err)) < 0)
		return r;
	c = cursor_on(data.data, data.size);
	if ((r = fields_decode(&c, &f, err)) < 0)
		return err_prefix(err, "run record of guest %u", vmid);
	if (!str_eq(fields_get(&f, "boot"), exec_boot_id()))
		return err_set(err, ERR_NOT_FOUND, "run record of guest %u is of another boot",
			       vmid);
	*ret = (struct task_record){.pid = (pid_t)task_record_number(&f, "pid"),
				    .pid_start = task_record_number(&f, "pid_start"),
				    .started = task_record_number(&f, "started")};
	fields_copy(ret_all, &f);
	return 0;
}

/* 0 is also the start time of a process that is gone. */
bool task_record_is_alive(const struct task_record *record)
{
	return record->pid > 0 && record->pid_start != 0 &&
	       exec_pid_start(record->pid) == record->pid_start;
}

void task_record_remove(unsigned vmid)
{
	task_record_remove_beside(vmid, "");
}
