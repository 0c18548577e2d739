/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records and spool files of containers. Runs in jobs and hooks. */
#include "agent/guest/ct/record.h"

#include <sys/types.h>

#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define RECORD_MAX 65536

static char *record_path(unsigned vmid, const char *suffix)
{
	return path_join(path_run(), "guests/%u%s", vmid, suffix);
}

static int write_fields(unsigned vmid, const char *suffix, const struct fields *fields,
			struct err *err)
{
	autofree char *folder = path_join(path_run(), "guests");
	autofree char *path = record_path(vmid, suffix);
	autobuf data = BUF_INIT;
	int r;

	if ((r = dir_make(folder, 0755, err)) < 0)
		return r;
	fields_encode(fields, &data);
	return file_write_atomic(path, data.data, data.size, 0600, err);
}

int ct_record_write(unsigned vmid, const struct ct_record *record, struct err *err)
{
	autofields f = FIELDS_INIT;

	fields_addf(&f, "pid", "%d", (int)record->pid);
	fields_addf(&f, "pid_start", "%llu", (unsigned long long)record->pid_start);
	fields_add(&f, "boot", exec_boot_id());
	fields_add(&f, "kind", "lxc");
	fields_addf(&f, "started", "%llu", (unsigned long long)record->started);
	fields_add(&f, "veths", record->veths);
	fields_addf(&f, "monitor", "%d", (int)record->monitor);
	fields_addf(&f, "monitor_start", "%llu", (unsigned long long)record->monitor_start);
	fields_addf(&f, "halt", "%d", record->halt);
	return write_fields(vmid, "", &f, err);
}

static uint64_t number(const struct fields *f, const char *name)
{
	const char *text = fields_get(f, name);
	uint64_t value;

	return text && str_to_u64(text, &value) ? value : 0;
}

int ct_record_read(unsigned vmid, struct ct_record *ret, struct err *err)
{
	autofree char *path = record_path(vmid, "");
	autobuf data = BUF_INIT;
	autofields f = FIELDS_INIT;
	struct cursor c;
	int r;

	if ((r = file_read(path, RECORD_MAX, &data, err)) < 0)
		return r;
	c = cursor_on(data.data, data.size);
	if ((r = fields_decode(&c, &f, err)) < 0)
		return err_prefix(err, "run record of container %u", vmid);
	if (!str_eq(fields_get(&f, "boot"), exec_boot_id()))
		return err_set(err, ERR_NOT_FOUND, "run record of container %u is of another boot",
			       vmid);
	*ret = (struct ct_record){
		.pid = (pid_t)number(&f, "pid"),
		.monitor = (pid_t)number(&f, "monitor"),
		.pid_start = number(&f, "pid_start"),
		.monitor_start = number(&f, "monitor_start"),
		.started = number(&f, "started"),
		.halt = (int)number(&f, "halt"),
	};
	str_copy(ret->veths, sizeof(ret->veths), fields_get(&f, "veths") ?: "");
	return 0;
}

void ct_record_remove(unsigned vmid)
{
	autofree char *path = record_path(vmid, "");

	(void)file_remove(path, NULL);
}

int ct_spool_write(unsigned vmid, const struct fields *fields, struct err *err)
{
	return write_fields(vmid, ".stopped", fields, err);
}

void ct_spool_remove(unsigned vmid)
{
	autofree char *path = record_path(vmid, ".stopped");

	(void)file_remove(path, NULL);
}

int ct_find_running(unsigned vmid, struct ct_record *ret)
{
	struct ct_record record;

	/* 0 is also the start time of a process that is gone */
	if (ct_record_read(vmid, &record, NULL) < 0 || record.pid <= 0 || record.pid_start == 0 ||
	    exec_pid_start(record.pid) != record.pid_start)
		return 0;
	*ret = record;
	return 1;
}
