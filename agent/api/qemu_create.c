/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /nodes/{node}/qemu: checks everything that can be known at once, so that a job starts only for what
 * may work. Volumes to make go to the job, everything else into the configuration. Runs on the core's
 * loop. */
#include "agent/api/guest_create.h"
#include "agent/api/guest_handlers.h"
#include "agent/api/guest_keys.h"
#include "agent/api/pools.h"
#include "agent/api/qemu_handlers.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"

#define DISK_PREFIX "disk."

static bool is_new_volume(const struct field *f)
{
	struct vm_drive drive;
	enum vm_bus bus;
	unsigned index;

	return vm_drive_key(f->name, &bus, &index) &&
	       vm_drive_parse(f->name, f->value, &drive, NULL) == 0 && drive.is_new;
}

/* Sorts the request's keys into what is stored now and volumes that the job makes. */
static void request_split(const struct api_request *req, struct fields *set, struct fields *disks)
{
	autofields all = FIELDS_INIT;

	guest_request_config_fields(req, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct field *f = &all.items[i];

		fields_add_n(is_new_volume(f) ? disks : set, f->name, f->value, f->size);
	}
}

static int check_rights(const struct api_request *req, const struct fields *all, struct err *err)
{
	const struct guest_target target = {.ops = guest_request_ops(req), .vmid = api_vmid(req)};
	autofree char *guest = xasprintf("/vms/%u", api_vmid(req));
	int r = api_check(req, guest, "VM.Allocate", false, err);

	if (r == 0)
		r = guest_keys_check(req, &target, &(struct guest_update){.set = all}, err);
	return r;
}

static int config_make(const struct api_request *req, const struct fields *set,
		       const struct fields *disks, struct guest_config *config, struct err *err)
{
	struct guest_update update = {.set = set, .is_new = true};
	int r;

	if (fields_find(set, "lock"))
		return err_field(err, "lock", "a new virtual machine cannot be locked");
	r = guest_config_update(guest_request_ops(req), config, &update, err);
	return r < 0 ? r : vm_config_complete(config, disks, err);
}

static int start_job(struct api_request *req, struct err *err)
{
	autofields set = FIELDS_INIT, disks = FIELDS_INIT, args = FIELDS_INIT;

	request_split(req, &set, &disks);
	for (size_t i = 0; i < disks.count; i++) {
		autofree char *name = xasprintf(DISK_PREFIX "%s", disks.items[i].name);

		fields_add(&args, name, disks.items[i].value);
	}
	if (api_bool(req, "start", false))
		fields_add(&args, "start", "1");
	int r = guest_request_job(req,
				  &(struct guest_job){.ops = guest_request_ops(req),
						      .vmid = api_vmid(req),
						      .verb = "create",
						      .undo = "qmcreate-undo",
						      .args = &args},
				  err);

	if (r < 0)
		guest_create_abandon(req, api_vmid(req));
	return r;
}

int vm_handle_create(struct api_request *req, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));
	autofields all = FIELDS_INIT, set = FIELDS_INIT, disks = FIELDS_INIT;

	guest_config_init(&config);
	guest_request_config_fields(req, &all);
	request_split(req, &set, &disks);
	int r = api_check_node(req, err);

	if (r == 0)
		r = api_pool_joins(req, api_vmid(req), err);
	if (r == 0)
		r = check_rights(req, &all, err);
	if (r == 0)
		r = vm_drives_check(req, &all, err);
	if (r == 0)
		r = guest_create_check_id(req, guest_request_ops(req), api_vmid(req), err);
	if (r == 0)
		r = config_make(req, &set, &disks, &config, err);
	return r < 0 ? r : guest_create_store(req, api_vmid(req), &config, start_job, err);
}
