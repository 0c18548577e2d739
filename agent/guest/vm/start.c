/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a virtual machine: configuration, checks, then a paused domain, which runs only after a last look
 * at the store. Runs in jobs. */
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"
#include "agent/guest/pending.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/domain.h"
#include "agent/guest/vm/emulator.h"
#include "agent/guest/vm/volume.h"
#include "agent/guest/volumes.h"
#include "agent/task/internal.h"

#define MERGE_TRIES 5
#define LOOK_EVERY  50 /* ms */
#define LEAVE_WAIT  (5 * USEC_PER_SEC)

struct start {
	char name[VM_DOMAIN_NAME_SIZE];
	struct guest_config config;
	struct vm_hardware hw;
	char *paths[VM_DRIVES_MAX]; /* owned */
	char *bases[VM_DRIVES_MAX]; /* owned; of linked clones */
	struct buf xml;
	struct hv *hv;
	usec_t deadline;
	struct vm_record record;
};

static void start_fini(struct start *start)
{
	for (size_t i = 0; i < VM_DRIVES_MAX; i++) {
		free(start->paths[i]);
		free(start->bases[i]);
	}
	vm_hardware_fini(&start->hw);
	guest_config_fini(&start->config);
	buf_fini(&start->xml);
}

/* The configuration that this start uses is the stored one: [PENDING] is merged in the store first, and a
 * change in between makes us read again. */
static int read_config(struct task_ctx *task, struct guest_config *ret, struct err *err)
{
	for (int i = 0;; i++) {
		struct guest_config config, before;
		const char *lock;
		uint64_t version;
		int r = task_config_get(task, "qemu", &config, &version, err);

		if (r < 0)
			return r;
		guest_config_copy(&before, &config);
		if ((lock = guest_config_get(&config, "lock")) && !vm_bool_arg(task, "skiplock")) {
			r = err_set(err, ERR_BUSY, "VM is locked (%s)", lock);
		} else if (str_eq(guest_config_get(&config, "template"), "1")) {
			r = err_set(err, ERR_BUSY, "VM %u is a template", task->guest);
		} else if (config_pending_merge(&config)) {
			r = vm_unused_follow(&before, &config, err);
			if (r == 0)
				r = task_config_put(task, "qemu", &config, version, err);
		}
		guest_config_fini(&before);
		if (r == 0) {
			*ret = config;
			return 0;
		}
		guest_config_fini(&config);
		if (r != -ERR_CONFLICT || i >= MERGE_TRIES)
			return r;
	}
}

static int check_networks(const struct vm_hardware *hw, struct err *err)
{
	for (size_t i = 0; i < hw->net_count; i++) {
		if (if_nametoindex(hw->nets[i].bridge) == 0)
			return err_set(err, ERR_UNAVAILABLE, "net%u: bridge '%s' does not exist",
				       hw->nets[i].index, hw->nets[i].bridge);
	}
	return 0;
}

static int find_volumes(struct task_ctx *task, struct start *start, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < start->hw.drive_count; i++) {
		const struct vm_drive *drive = &start->hw.drives[i];

		if (drive->is_new)
			r = err_set(err, ERR_INVALID, "%s: its volume was never made", drive->key);
		else if (!drive->is_empty)
			r = vm_volume_path(task, drive, &start->paths[i], err);
		if (r == 0 && !drive->is_empty)
			r = vm_volume_base_path(task, drive, &start->bases[i], err);
	}
	return r;
}

/* Serial ports' sockets: a new one is bound at each start. Only once no machine of this name is there: it
 * would lose its own. */
static int prepare_run_dir(const struct task_ctx *task, struct err *err)
{
	autofree char *run_dir = path_join(path_run(), "vm");
	int r = dir_make(run_dir, 0711, err);

	for (unsigned i = 0; r == 0 && i < VM_SERIALS_MAX; i++) {
		autofree char *path = vm_serial_path(run_dir, task->guest, i);

		r = file_remove(path, err);
	}
	return r;
}

static int prepare(struct task_ctx *task, struct start *start, struct err *err)
{
	autofree char *run_dir = path_join(path_run(), "vm");
	int r;

	if ((r = read_config(task, &start->config, err)) < 0 ||
	    (r = guest_kind_vm.check(&start->config, err)) < 0 ||
	    (r = guest_volumes_check_start(&guest_kind_vm, &start->config, err)) < 0 ||
	    (r = vm_hardware_read(&start->config, &start->hw, err)) < 0 ||
	    (r = start->hw.kvm ? vm_kvm_check(task, err) : 0) < 0 ||
	    (r = check_networks(&start->hw, err)) < 0 || (r = find_volumes(task, start, err)) < 0)
		return r;
	task_guest_notices(&start->config);
	vm_domain_format(&(struct vm_domain){.vmid = task->guest,
					     .hw = &start->hw,
					     .paths = (const char *const *)start->paths,
					     .bases = (const char *const *)start->bases,
					     .run_dir = run_dir},
			 &start->xml);
	return 0;
}

/* Whoever the emulators run as may read what linked clones stand on. */
static int show_bases(const struct start *start, struct err *err)
{
	autofree char *capabilities = NULL;
	gid_t group;
	int r = 0;

	for (size_t i = 0; r == 0 && i < start->hw.drive_count; i++) {
		if (!start->bases[i])
			continue;
		if (!capabilities && (r = hv_capabilities(start->hv, &capabilities, err)) < 0)
			return r;
		if (!emulator_group(capabilities, &group))
			return 0;
		r = emulator_may_read(start->bases[i], group, err);
		if (r < 0)
			err_prefix(err, "%s", start->hw.drives[i].key);
	}
	return r;
}

static int adopt(struct task_ctx *task, const struct start *start, struct err *err)
{
	struct vm_record record;

	if (vm_record_of_domain(start->name, &record, NULL) == 0 &&
	    vm_record_write(task->guest, &record, NULL) == 0)
		vm_tell(task->guest, "running", &record);
	return err_set(err, ERR_BUSY, "VM %u already running", task->guest);
}

/* What an earlier start left behind that was given up: nobody saw it run, and nobody waits for it. One
 * that is ending is waited for. */
static int clear_place(struct task_ctx *task, struct start *start, struct err *err)
{
	for (;;) {
		enum hv_state state;
		struct vm_record record;
		int r = hv_look(start->hv, start->name, &state, err);

		if (r < 0 || state == HV_ABSENT)
			return r;
		bool is_alive = vm_record_of_domain(start->name, &record, NULL) == 0;

		if (state == HV_PAUSED) {
			task_log("removing what an unfinished start left");
			r = hv_destroy(start->hv, start->name, err);
			if (r < 0 && r != -ERR_NOT_FOUND)
				return r;
		} else if (state == HV_RUNNING && is_alive) {
			return adopt(task, start, err);
		}
		if (clock_left_ms(start->deadline) == 0)
			return err_set(err, ERR_TIMEOUT, "VM %u is still stopping", task->guest);
		poll(NULL, 0, LOOK_EVERY);
	}
}

/* Nothing of it has run yet: the last moment to find that it must not. */
static int check_again(struct task_ctx *task, struct err *err)
{
	struct guest_config config;
	const char *lock;
	int r = task_check_cancelled(err);

	if (r < 0 || (r = task_config_get(task, "qemu", &config, NULL, err)) < 0)
		return r;
	if ((lock = guest_config_get(&config, "lock")) && !vm_bool_arg(task, "skiplock"))
		r = err_set(err, ERR_BUSY, "VM is locked (%s)", lock);
	guest_config_fini(&config);
	return r;
}

/* A store that does not answer leaves nothing unknown about the machine: it has not run. */
static int without_doubt(int r, struct err *err)
{
	return r == -ERR_UNKNOWN ? err_set(err, ERR_UNAVAILABLE, "the core does not answer") : r;
}

static int let_run(struct task_ctx *task, struct start *start, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	if ((r = vm_record_of_domain(start->name, &start->record, err)) < 0 ||
	    (r = without_doubt(check_again(task, err), err)) < 0)
		return r;
	start->record.is_starting = true;
	if ((r = vm_record_write(task->guest, &start->record, err)) < 0 ||
	    (r = hv_resume(start->hv, start->name, err)) < 0)
		return r;
	start->record.is_starting = false;
	if (vm_record_write(task->guest, &start->record, &why) < 0)
		task_warn(task, "it runs, but its record cannot be kept: %s", why.message);
	return 0;
}

static int explain_refusal(const struct start *start, struct err *err)
{
	if (start->hw.kvm && strstr(err->message, "virt type 'kvm'"))
		return err_set(
			err, ERR_UNSUPPORTED,
			"libvirtd cannot use KVM on this node; set the machine's kvm to 0 for "
			"plain emulation");
	return -err->code;
}

/* libvirtd takes a domain out of its lists before it lets its name be used again. */
static int create(struct start *start, struct err *err)
{
	usec_t end = clock_monotonic() + LEAVE_WAIT;

	for (;;) {
		int r = hv_create_paused(start->hv, buf_str(&start->xml), err);

		if (r != -ERR_BUSY || clock_left_ms(end) == 0 ||
		    clock_left_ms(start->deadline) == 0)
			return r;
		poll(NULL, 0, LOOK_EVERY);
	}
}

/* A machine that runs without a finished record must be found before its pending changes are merged: they
 * would speak of drives that it still has. */
static int clear_process(struct task_ctx *task, struct start *start, struct err *err)
{
	struct vm_record record;
	int r;

	if (vm_record_of_domain(start->name, &record, NULL) < 0)
		return 0;
	if ((r = hv_open(start->deadline, &start->hv, err)) < 0)
		return r;
	return clear_place(task, start, err);
}

static int run_start(struct task_ctx *task, struct start *start, struct err *err)
{
	int r = start->hv ? 0 : hv_open(start->deadline, &start->hv, err);

	if (r < 0)
		return r;
	hv_set_deadline(start->hv, start->deadline);
	if ((r = clear_place(task, start, err)) < 0 || (r = task_check_cancelled(err)) < 0 ||
	    (r = prepare_run_dir(task, err)) < 0 || (r = show_bases(start, err)) < 0)
		return r;
	vm_record_remove(task->guest); /* of a process that is gone */
	if ((r = create(start, err)) < 0)
		return explain_refusal(start, err);
	if ((r = let_run(task, start, err)) == 0 || r == -ERR_UNKNOWN)
		return r;
	hv_set_deadline(start->hv, clock_monotonic() + VM_CALL_TIMEOUT * USEC_PER_SEC);
	if (hv_destroy(start->hv, start->name, NULL) == 0)
		vm_record_remove(task->guest);
	return r;
}

/* -ERR_UNKNOWN: libvirtd's word is missing. */
static int start_steps(struct task_ctx *task, struct start *start, unsigned timeout,
		       struct err *err)
{
	int r;

	start->deadline = clock_monotonic() + timeout * USEC_PER_SEC;
	if ((r = clear_process(task, start, err)) < 0)
		return r;
	if ((r = prepare(task, start, err)) < 0)
		return without_doubt(r, err);
	start->deadline = clock_monotonic() + timeout * USEC_PER_SEC;
	return run_start(task, start, err);
}

int vm_start(struct task_ctx *task, struct err *err)
{
	unsigned timeout = vm_timeout_arg(task, VM_CALL_TIMEOUT);
	struct start start = {0};
	struct vm_record record;
	int r;

	vm_domain_name(task->guest, start.name);
	if (vm_record_find(task->guest, &record) && !record.is_starting) {
		vm_tell(task->guest, "running", &record);
		return err_set(err, ERR_BUSY, "VM %u already running", task->guest);
	}
	r = start_steps(task, &start, timeout, err);
	if (r == 0) {
		vm_tell(task->guest, "running", &start.record);
	} else if (r == -ERR_UNKNOWN) {
		vm_tell(task->guest, "unknown", NULL);
		err_prefix(err, "outcome unknown after at most %u s", timeout);
	}
	start_fini(&start);
	return r < 0 ? err_prefix(err, "start of VM %u", task->guest) : 0;
}
