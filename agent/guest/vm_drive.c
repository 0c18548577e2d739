/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual machine's drives, read from its configuration. Pure. */
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"

#define GIB	((uint64_t)1 << 30)
#define MIB	((uint64_t)1 << 20)
#define GIB_MIN 0.0009765625 /* 1 MiB */
#define GIB_MAX 131072.0

static const struct {
	const char *name;
	enum vm_bus bus;
	unsigned count;
} buses[] = {
	{"ide", VM_IDE, 4}, {"sata", VM_SATA, 6}, {"scsi", VM_SCSI, 31}, {"virtio", VM_VIRTIO, 16}};

bool vm_drive_key(const char *key, enum vm_bus *ret_bus, unsigned *ret_index)
{
	for (size_t i = 0; i < ARRAY_SIZE(buses); i++) {
		const char *digits = str_after(key, buses[i].name);
		uint64_t index;

		if (!digits || !str_to_u64(digits, &index) || index >= buses[i].count)
			continue;
		if (strlen(digits) != (index < 10 ? 1u : 2u))
			continue;
		*ret_bus = buses[i].bus;
		*ret_index = (unsigned)index;
		return true;
	}
	return false;
}

/* "local:8": a new volume; false when it is none. */
static bool request_parse(const char *file, struct vm_drive *drive, double *ret_gib)
{
	const char *colon = strchr(file, ':');
	size_t size = colon ? (size_t)(colon - file) : 0;

	if (!colon || size == 0 || size >= sizeof(drive->storage) ||
	    !str_to_double(colon + 1, ret_gib))
		return false;
	memcpy(drive->storage, file, size);
	drive->storage[size] = '\0';
	return true;
}

static int request_take(const char *key, double gib, struct vm_drive *drive, struct err *err)
{
	if (drive->is_cdrom)
		return err_field(err, key, "a CD drive takes a volume of content 'iso', or none");
	if (!(gib >= GIB_MIN && gib <= GIB_MAX))
		return err_field(err, key, "size must be between %g and %g GiB", GIB_MIN, GIB_MAX);
	drive->is_new = true;
	drive->size = (uint64_t)(gib * (double)GIB) / MIB * MIB;
	return 0;
}

static int volume_take(const char *key, const char *file, struct vm_drive *drive, struct err *err)
{
	struct err why = ERR_INIT;

	if (volid_parse(file, &drive->volume, &why) < 0)
		return err_field(err, key, "%s", why.message);
	if (drive->volume.content == VOLUME_ISO && !drive->is_cdrom)
		return err_field(err, key, "'%s' needs media=cdrom", file);
	if (drive->volume.content != VOLUME_ISO &&
	    (drive->is_cdrom || drive->volume.content != VOLUME_IMAGES))
		return err_field(err, key, "volume '%s' is not of content '%s'", file,
				 drive->is_cdrom ? "iso" : "images");
	str_copy(drive->storage, sizeof(drive->storage), drive->volume.storage);
	str_copy(drive->volid, sizeof(drive->volid), file);
	return 0;
}

static int file_take(const char *key, const char *file, struct vm_drive *drive, struct err *err)
{
	double gib;

	if (str_eq(file, "none")) {
		drive->is_cdrom = true;
		drive->is_empty = true;
		return 0;
	}
	if (str_eq(file, "cdrom"))
		return err_field(err, key, "the node's own CD drive is not supported");
	if (request_parse(file, drive, &gib))
		return request_take(key, gib, drive, err);
	return volume_take(key, file, drive, err);
}

static int options_take(const char *key, const struct fields *f, struct vm_drive *drive,
			struct err *err)
{
	const char *format = fields_get(f, "format"), *size = fields_get(f, "size");

	str_to_bool(fields_get(f, "ro"), &drive->read_only);
	str_to_bool(fields_get(f, "ssd"), &drive->ssd);
	str_to_bool(fields_get(f, "iothread"), &drive->iothread);
	drive->discard = str_eq(fields_get(f, "discard"), "on");
	str_copy(drive->cache, sizeof(drive->cache), fields_get(f, "cache") ?: "");
	str_copy(drive->aio, sizeof(drive->aio), fields_get(f, "aio") ?: "");
	str_copy(drive->serial, sizeof(drive->serial), fields_get(f, "serial") ?: "");
	if (size && !drive->is_new && !str_to_bytes(size, 1, &drive->size))
		return err_field(err, key, "bad size '%s'", size);
	str_copy(drive->format, sizeof(drive->format), format ?: "raw");
	if (format && !drive->is_new && !drive->is_cdrom && !str_eq(format, drive->volume.format))
		return err_field(err, key, "the volume is of format '%s', not '%s'",
				 drive->volume.format, format);
	return 0;
}

/* What the buses and the emulator cannot do. */
static int drive_check(const struct vm_drive *drive, struct err *err)
{
	bool is_ata = drive->bus == VM_IDE || drive->bus == VM_SATA;

	if (drive->bus == VM_VIRTIO && drive->is_cdrom)
		return err_field(err, drive->key, "virtio has no CD drives");
	if (drive->bus == VM_VIRTIO && drive->ssd)
		return err_field(err, drive->key, "ssd: virtio disks have no such property");
	if (is_ata && drive->read_only && !drive->is_cdrom)
		return err_field(err, drive->key, "ro: disks on this bus cannot be read-only");
	if (is_ata && drive->iothread)
		return err_field(err, drive->key, "iothread: only for scsi and virtio");
	if (str_eq(drive->aio, "native") && drive->cache[0] && !str_eq(drive->cache, "none") &&
	    !str_eq(drive->cache, "directsync"))
		return err_field(err, drive->key, "aio: native needs cache none or directsync");
	return 0;
}

int vm_drive_parse(const char *key, const char *value, struct vm_drive *ret, struct err *err)
{
	struct vm_drive drive = {0};
	autofields f = FIELDS_INIT;
	int r;

	if (!vm_drive_key(key, &drive.bus, &drive.index))
		return err_field(err, key, "not the name of a drive");
	str_copy(drive.key, sizeof(drive.key), key);
	if ((r = propstr_parse(vm_drive_keys, "file", key, value, &f, err)) < 0)
		return r;
	drive.is_cdrom = str_eq(fields_get(&f, "media"), "cdrom");
	if ((r = file_take(key, fields_get(&f, "file"), &drive, err)) < 0 ||
	    (r = options_take(key, &f, &drive, err)) < 0 || (r = drive_check(&drive, err)) < 0)
		return r;
	*ret = drive;
	return 0;
}

static char *size_text(uint64_t size)
{
	static const struct {
		char suffix;
		unsigned shift;
	} units[] = {{'T', 40}, {'G', 30}, {'M', 20}, {'K', 10}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t unit = (uint64_t)1 << units[i].shift;

		if (size % unit == 0)
			return xasprintf("%llu%c", (unsigned long long)(size / unit),
					 units[i].suffix);
	}
	return xasprintf("%llu", (unsigned long long)size);
}

char *vm_drive_value(const char *value, const char *volid, uint64_t size)
{
	autofields f = FIELDS_INIT;
	autofree char *text = size ? size_text(size) : NULL;

	if (propstr_parse(vm_drive_keys, "file", "drive", value, &f, NULL) < 0)
		return xstrdup(value);
	if (volid) {
		fields_set(&f, "file", volid);
		fields_remove(&f, "format"); /* the name says it */
	}
	if (str_eq(fields_get(&f, "file"), "none"))
		fields_set(&f, "media", "cdrom");
	if (text)
		fields_set(&f, "size", text);
	return propstr_format(vm_drive_keys, "file", &f);
}

static void drives_sort(struct vm_drive *drives, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0; k--) {
			struct vm_drive *a = &drives[k - 1], *b = &drives[k];

			if (a->bus < b->bus || (a->bus == b->bus && a->index < b->index))
				break;
			struct vm_drive other = *b;

			*b = *a;
			*a = other;
		}
	}
}

int vm_config_drives(const struct guest_config *config, struct vm_drive **ret, size_t *ret_count,
		     struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	autofree struct vm_drive *drives = xcalloc(VM_DRIVES_MAX, sizeof(*drives));
	size_t count = 0;

	for (size_t i = 0; i < keys->count && count < VM_DRIVES_MAX; i++) {
		enum vm_bus bus;
		unsigned index;

		if (!vm_drive_key(keys->items[i].name, &bus, &index))
			continue;
		int r = vm_drive_parse(keys->items[i].name, keys->items[i].value, &drives[count],
				       err);

		if (r < 0)
			return r;
		count++;
	}
	drives_sort(drives, count);
	*ret = TAKE(drives);
	*ret_count = count;
	return 0;
}
