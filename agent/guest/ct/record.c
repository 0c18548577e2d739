/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run records and spool files of containers. Runs in jobs and hooks. */
#include "agent/guest/ct/record.h"

#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/task/guest/record.h"

#define SPOOL_SUFFIX ".stopped"
#define GROUPS_MAX   (64 * 1024)
#define PLAN_MAX     (1024 * 1024)

static void add_monitor(const struct ct_record *record, struct fields *f)
{
	fields_addf(f, "monitor", "%d", (int)record->monitor);
	fields_addf(f, "monitor_start", "%llu", (unsigned long long)record->monitor_start);
}

int ct_record_write(unsigned vmid, const struct ct_record *record, struct err *err)
{
	const struct task_record basis = {record->pid, record->pid_start, record->started};
	autofields own = FIELDS_INIT;

	fields_add(&own, "veths", record->veths);
	add_monitor(record, &own);
	fields_addf(&own, "halt", "%d", record->halt);
	fields_add(&own, "memory", record->memory);
	fields_add(&own, "script", record->script);
	fields_add(&own, "rules", record->has_rules ? "1" : "0");
	return task_record_write(vmid, "lxc", &basis, &own, err);
}

int ct_record_read(unsigned vmid, struct ct_record *ret, struct err *err)
{
	struct task_record basis;
	autofields f = FIELDS_INIT;
	int r = task_record_read(vmid, &basis, &f, err);

	if (r < 0)
		return r;
	*ret = (struct ct_record){
		.pid = basis.pid,
		.monitor = (pid_t)task_record_number(&f, "monitor"),
		.pid_start = basis.pid_start,
		.monitor_start = task_record_number(&f, "monitor_start"),
		.started = basis.started,
		.halt = (int)task_record_number(&f, "halt"),
		.has_rules = !str_eq(fields_get(&f, "rules"), "0"),
	};
	str_copy(ret->veths, sizeof(ret->veths), fields_get(&f, "veths") ?: "");
	str_copy(ret->memory, sizeof(ret->memory), fields_get(&f, "memory") ?: "");
	str_copy(ret->script, sizeof(ret->script), fields_get(&f, "script") ?: "");
	return 0;
}

void ct_record_remove(unsigned vmid)
{
	task_record_remove(vmid);
}

int ct_spool_write(unsigned vmid, const struct fields *fields, struct err *err)
{
	return task_record_write_beside(vmid, SPOOL_SUFFIX, fields, err);
}

void ct_spool_remove(unsigned vmid)
{
	task_record_remove_beside(vmid, SPOOL_SUFFIX);
}

static int read_beside(unsigned vmid, const char *suffix, struct fields *ret, struct err *err)
{
	autofree char *path = path_join(path_run(), "guests/%u%s", vmid, suffix);
	autobuf text = BUF_INIT;
	struct cursor c;
	int r = file_read(path, PLAN_MAX, &text, err);

	if (r < 0)
		return r;
	c = cursor_on(text.data, text.size);
	return fields_decode(&c, ret, err);
}

int ct_plan_read(unsigned vmid, struct fields *ret, struct err *err)
{
	return read_beside(vmid, CT_PLAN_SUFFIX, ret, err);
}

int ct_ending_write(unsigned vmid, const struct ct_record *record, struct err *err)
{
	autofields f = FIELDS_INIT;

	add_monitor(record, &f);
	return task_record_write_beside(vmid, CT_ENDING_SUFFIX, &f, err);
}

int ct_monitor_read(unsigned vmid, struct ct_record *ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	int r = ct_record_read(vmid, ret, NULL);

	if (r == 0 || (r = read_beside(vmid, CT_ENDING_SUFFIX, &f, err)) < 0)
		return r;
	*ret = (struct ct_record){.monitor = (pid_t)task_record_number(&f, "monitor"),
				  .monitor_start = task_record_number(&f, "monitor_start")};
	return 0;
}

int ct_asked_write(unsigned vmid, struct err *err)
{
	autofields f = FIELDS_INIT;

	fields_addf(&f, "job", "%d", (int)getpid());
	fields_addf(&f, "job_start", "%llu", (unsigned long long)exec_pid_start(getpid()));
	return task_record_write_beside(vmid, CT_ASKED_SUFFIX, &f, err);
}

bool ct_is_asked(unsigned vmid)
{
	autofields f = FIELDS_INIT;

	if (read_beside(vmid, CT_ASKED_SUFFIX, &f, NULL) < 0)
		return false;
	const struct task_record job = {.pid = (pid_t)task_record_number(&f, "job"),
					.pid_start = task_record_number(&f, "job_start")};

	return task_record_is_alive(&job);
}

static bool is_alive(const struct ct_record *record)
{
	const struct task_record basis = {.pid = record->pid, .pid_start = record->pid_start};

	return task_record_is_alive(&basis);
}

int ct_groups_read(const struct ct_record *record, struct buf *ret, struct err *err)
{
	autofree char *path = xasprintf("/proc/%d/cgroup", (int)record->pid);

	autobuf text = BUF_INIT;
	int r = file_read(path, GROUPS_MAX, &text, err);

	if (r < 0)
		return r;
	if (!is_alive(record)) /* it may have been read of the next one with this number */
		return err_set(err, ERR_UNAVAILABLE, "the container has stopped");
	buf_add(ret, text.data, text.size);
	return 0;
}

int ct_find_running(unsigned vmid, struct ct_record *ret)
{
	struct ct_record record;

	if (ct_record_read(vmid, &record, NULL) < 0 || !is_alive(&record))
		return 0;
	*ret = record;
	return 1;
}
