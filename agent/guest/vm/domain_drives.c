/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drives and their controllers. Places on the buses follow from the key's number, so that another
 * drive that comes or goes never moves them; only PCI slots of further SCSI controllers may change.
 * Pure. */
#include <stdio.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/domain.h"

#define SLOT_SCSI    0x05
#define SLOT_AHCI    0x07
#define SLOT_VIRTIO  0x0a /* virtio0 */
#define VIRTIO_SLOTS 6	  /* virtio0 to virtio5 have a slot of their own */

static const struct scsi_model {
	const char *scsihw, *model;
	unsigned per_controller; /* 0: all on the first one */
	bool by_target;		 /* a drive's number is its target, not its unit */
} scsi_models[] = {
	{"lsi", "lsilogic", 7, false},
	{"megasas", "lsisas1078", 16, true},
	{"pvscsi", "vmpvscsi", 16, true},
	{"virtio-scsi-pci", "virtio-scsi", 0, false},
	{"virtio-scsi-single", "virtio-scsi", 1, false},
};

static const struct scsi_model *scsi_model(const struct vm_hardware *hw)
{
	for (size_t i = 0; i < ARRAY_SIZE(scsi_models); i++) {
		if (str_eq(scsi_models[i].scsihw, hw->scsihw))
			return &scsi_models[i];
	}
	return &scsi_models[0];
}

/* libvirt makes every controller below the highest number, so they are numbered without gaps. */
static unsigned scsi_controller(const struct vm_hardware *hw, const struct scsi_model *model,
				const struct vm_drive *drive)
{
	unsigned number = 0, last = ~0u;

	if (model->per_controller == 0)
		return 0;
	for (size_t i = 0; i < hw->drive_count; i++) {
		const struct vm_drive *other = &hw->drives[i];
		unsigned group = other->index / model->per_controller;

		if (other->bus != VM_SCSI || other->index > drive->index)
			continue;
		if (last != ~0u && group != last)
			number++;
		last = group;
	}
	return number;
}

static bool has_iothread(const struct vm_hardware *hw, const struct vm_drive *drive)
{
	return drive->iothread &&
	       (drive->bus == VM_VIRTIO || str_eq(hw->scsihw, "virtio-scsi-single"));
}

/* Number of this drive's thread, from 1. */
static unsigned iothread_of(const struct vm_hardware *hw, const struct vm_drive *drive)
{
	unsigned number = 0;

	for (size_t i = 0; i < hw->drive_count && &hw->drives[i] <= drive; i++)
		number += has_iothread(hw, &hw->drives[i]);
	return number;
}

unsigned domain_iothreads(const struct vm_hardware *hw)
{
	return hw->drive_count ? iothread_of(hw, &hw->drives[hw->drive_count - 1]) : 0;
}

static void add_scsi_controller(xmlNodePtr devices, const struct vm_hardware *hw,
				const struct scsi_model *model, const struct vm_drive *drive,
				unsigned number)
{
	xmlNodePtr controller = xml_add(devices, "controller", "type", "scsi", NULL);

	xml_setf(controller, "index", "%u", number);
	xml_set(controller, "model", model->model);
	if (has_iothread(hw, drive))
		xml_setf(xml_add(controller, "driver", NULL), "iothread", "%u",
			 iothread_of(hw, drive));
	if (number == 0 && !vm_is_q35(hw))
		xml_slot(controller, SLOT_SCSI);
}

static void add_scsi_controllers(xmlNodePtr devices, const struct vm_hardware *hw)
{
	const struct scsi_model *model = scsi_model(hw);
	unsigned made = 0;

	for (size_t i = 0; i < hw->drive_count; i++) {
		const struct vm_drive *drive = &hw->drives[i];

		if (drive->bus == VM_SCSI && scsi_controller(hw, model, drive) == made)
			add_scsi_controller(devices, hw, model, drive, made++);
	}
}

static void add_ahci(xmlNodePtr devices, const struct vm_hardware *hw)
{
	for (size_t i = 0; i < hw->drive_count; i++) {
		if (hw->drives[i].bus != VM_SATA || vm_is_q35(hw))
			continue;
		xml_slot(xml_add(devices, "controller", "type", "sata", "index", "0", NULL),
			 SLOT_AHCI);
		return;
	}
}

static void add_place(xmlNodePtr disk, unsigned controller, unsigned bus, unsigned target,
		      unsigned unit)
{
	xmlNodePtr address = xml_add(disk, "address", "type", "drive", NULL);

	xml_setf(address, "controller", "%u", controller);
	xml_setf(address, "bus", "%u", bus);
	xml_setf(address, "target", "%u", target);
	xml_setf(address, "unit", "%u", unit);
}

static void place_scsi(xmlNodePtr disk, const struct vm_hardware *hw, const struct vm_drive *drive)
{
	const struct scsi_model *model = scsi_model(hw);
	unsigned n =
		model->per_controller > 1 ? drive->index % model->per_controller : drive->index;

	add_place(disk, scsi_controller(hw, model, drive), 0, model->by_target ? n : 0,
		  model->by_target ? 0 : n);
}

/* q35 has no IDE: such drives are on a second AHCI controller there. */
static void place_ide(xmlNodePtr disk, const struct vm_hardware *hw, const struct vm_drive *drive)
{
	if (vm_is_q35(hw))
		add_place(disk, 1, 0, 0, drive->index);
	else
		add_place(disk, 0, drive->index / 2, 0, drive->index % 2);
}

static void add_address(xmlNodePtr disk, const struct vm_hardware *hw, const struct vm_drive *drive)
{
	if (drive->bus == VM_SCSI)
		place_scsi(disk, hw, drive);
	else if (drive->bus == VM_IDE)
		place_ide(disk, hw, drive);
	else if (drive->bus == VM_SATA)
		add_place(disk, 0, 0, 0, drive->index);
	else if (drive->index < VIRTIO_SLOTS && !vm_is_q35(hw))
		xml_slot(disk, SLOT_VIRTIO + drive->index);
}

static void add_driver(xmlNodePtr disk, const struct vm_hardware *hw, const struct vm_drive *drive)
{
	bool is_disk = !drive->is_cdrom;
	xmlNodePtr driver = xml_add(disk, "driver", "name", "qemu", "type",
				    is_disk ? drive->volume.format : "raw", NULL);

	if (is_disk)
		xml_set(driver, "cache", drive->cache[0] ? drive->cache : "none");
	if (drive->aio[0])
		xml_set(driver, "io", drive->aio);
	if (is_disk && drive->discard) {
		xml_set(driver, "discard", "unmap");
		xml_set(driver, "detect_zeroes", "unmap");
	}
	if (drive->bus == VM_VIRTIO && has_iothread(hw, drive))
		xml_setf(driver, "iothread", "%u", iothread_of(hw, drive));
}

/* Names are only labels, but must differ: sd… is shared by SCSI and SATA. */
static void add_target(xmlNodePtr disk, const struct vm_hardware *hw, const struct vm_drive *drive,
		       unsigned number)
{
	static const struct {
		const char *prefix, *bus;
	} buses[] = {[VM_IDE] = {"hd", "ide"},
		     [VM_SATA] = {"sd", "sata"},
		     [VM_SCSI] = {"sd", "scsi"},
		     [VM_VIRTIO] = {"vd", "virtio"}};
	enum vm_bus bus = drive->bus == VM_IDE && vm_is_q35(hw) ? VM_SATA : drive->bus;
	xmlNodePtr target = xml_add(disk, "target", NULL);
	char name[4] = {(char)('a' + number % 26), '\0'};

	if (number >= 26)
		snprintf(name, sizeof(name), "%c%c", 'a' + (int)(number / 26) - 1,
			 'a' + (int)(number % 26));
	xml_setf(target, "dev", "%s%s", buses[bus].prefix, name);
	xml_set(target, "bus", buses[bus].bus);
	if (drive->ssd)
		xml_set(target, "rotation_rate", "1");
}

/* What an image stands on is what its volume id says, whatever the image itself says: an emulator that was taken
 * over can write that, and libvirtd would give it the file. A base never stands on another one. Emulators only read
 * it, several at once, so that none may come to own it (emulator.h). */
static void add_backing(xmlNodePtr disk, const struct vm_drive *drive, const char *path)
{
	xmlNodePtr end, source;
	struct volid base;

	if (drive->is_cdrom || !str_eq(drive->volume.format, "qcow2"))
		return;
	end = xml_add(disk, "backingStore", NULL);
	if (!path || volid_base(&drive->volume, &base, NULL) < 0)
		return;
	xml_set(end, "type", "file");
	xml_add(end, "format", "type", base.format, NULL);
	source = xml_add(end, "source", "file", path, NULL);
	xml_add(source, "seclabel", "model", "dac", "relabel", "no", NULL);
	xml_add(end, "backingStore", NULL);
}

static void add_drive(xmlNodePtr devices, const struct vm_domain *domain, unsigned number)
{
	const struct vm_drive *drive = &domain->hw->drives[number];
	xmlNodePtr disk = xml_add(devices, "disk", "type", "file", "device",
				  drive->is_cdrom ? "cdrom" : "disk", NULL);

	add_driver(disk, domain->hw, drive);
	if (domain->paths[number])
		xml_add(disk, "source", "file", domain->paths[number], NULL);
	add_backing(disk, drive, domain->bases[number]);
	add_target(disk, domain->hw, drive, number);
	if (drive->is_cdrom || drive->read_only)
		xml_add(disk, "readonly", NULL);
	if (drive->serial[0])
		xml_text(disk, "serial", "%s", drive->serial);
	xml_boot(disk, domain->hw, drive->key);
	add_address(disk, domain->hw, drive);
}

void domain_add_drives(xmlNodePtr devices, const struct vm_domain *domain)
{
	add_scsi_controllers(devices, domain->hw);
	add_ahci(devices, domain->hw);
	for (size_t i = 0; i < domain->hw->drive_count; i++)
		add_drive(devices, domain, (unsigned)i);
}
