/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request's drives need: storages that can hold them, rights, volumes of this guest. Whether a
 * volume exists is seen by jobs. Runs on the core's loop. */
#include "agent/api/guest_create.h"
#include "agent/api/qemu_handlers.h"
#include "agent/api/storage_use.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"

static int check_new(const struct api_request *req, const struct vm_drive *drive, struct err *err)
{
	autofree char *path = xasprintf("/storage/%s", drive->storage);
	int r = api_check(req, path, "Datastore.AllocateSpace", false, err);

	return r < 0 ? r : guest_create_check_storage(req, drive->storage, "images", err);
}

static int check_medium(const struct api_request *req, const struct vm_drive *drive,
			struct err *err)
{
	int r = storage_check_volume(req, drive->storage, "iso", 0, err);

	return r < 0 ? r : guest_create_check_storage(req, drive->storage, "iso", err);
}

/* Only the guest's own: another guest's disk would be in two hands. */
static int check_disk(const struct api_request *req, const struct vm_drive *drive, struct err *err)
{
	if (drive->volume.vmid != api_vmid(req))
		return err_field(err, drive->key, "volume '%s' does not belong to guest %u",
				 drive->volid, api_vmid(req));
	return guest_create_check_storage(req, drive->storage, "images", err);
}

static int check_drive(const struct api_request *req, const struct field *f, struct err *err)
{
	struct vm_drive drive;
	int r = vm_drive_parse(f->name, f->value, &drive, err);

	if (r < 0 || drive.is_empty)
		return r;
	if (drive.is_new)
		return check_new(req, &drive, err);
	return drive.is_cdrom ? check_medium(req, &drive, err) : check_disk(req, &drive, err);
}

int vm_drives_check(const struct api_request *req, const struct fields *set, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->count; i++) {
		enum vm_bus bus;
		unsigned index;

		if (set->items[i].size && vm_drive_key(set->items[i].name, &bus, &index))
			r = check_drive(req, &set->items[i], err);
	}
	return r;
}
