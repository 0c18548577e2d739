/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual machines as a kind of guest: what the generic code needs to know of them. Pure but for
 * random addresses and ids. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"
#include "agent/guest/vm_schema.h"

#define DEFAULT_SCSIHW "virtio-scsi-pci"

static bool is_net(const char *key)
{
	static const char *const nets[] = {"net[n]", NULL};

	return guest_key_is_in(nets, key);
}

static bool is_drive(const char *key)
{
	enum vm_bus bus;
	unsigned index;

	return vm_drive_key(key, &bus, &index);
}

/* The size that is known of this volume, under whichever key it was until now. */
static uint64_t size_before(const struct guest_config *config, const char *volid)
{
	for (size_t i = 0; i < config->sections[0].keys.count; i++) {
		const struct field *f = &config->sections[0].keys.items[i];
		struct vm_drive drive;

		if (is_drive(f->name) && vm_drive_parse(f->name, f->value, &drive, NULL) == 0 &&
		    volid_text_same(drive.volid, volid))
			return drive.size;
	}
	return 0;
}

static int drive_complete(const struct guest_config *config, const char *key, const char *value,
			  char **ret, struct err *err)
{
	struct vm_drive drive;
	int r = vm_drive_parse(key, value, &drive, err);

	if (r < 0)
		return r;
	if (drive.is_new)
		return err_set(err, ERR_INTERNAL, "%s: its volume was not made", key);
	uint64_t known = drive.is_cdrom ? 0 : size_before(config, drive.volid);

	*ret = vm_drive_value(value, NULL, known);
	return 0;
}

static int vm_change_complete(const struct guest_config *config, struct fields *set,
			      struct err *err)
{
	for (size_t i = 0; i < set->count; i++) {
		struct field *f = &set->items[i];
		autofree char *value = NULL;
		int r = 0;

		if (is_net(f->name))
			r = vm_net_complete(config, f->name, f->value, &value, err);
		else if (is_drive(f->name))
			r = drive_complete(config, f->name, f->value, &value, err);
		else if (vm_unused_key(f->name, &(unsigned){0}))
			r = err_field(err, f->name, "is set by the node alone");
		else if (str_eq(f->name, "numa") && str_eq(f->value, "1"))
			r = err_field(err, f->name, "NUMA of the guest is not built");
		if (r < 0)
			return r;
		if (value) {
			free(f->value);
			f->size = strlen(value);
			f->value = TAKE(value);
		}
	}
	return 0;
}

static int nets_check(const struct vm_hardware *hw, struct err *err)
{
	for (size_t i = 0; i < hw->net_count; i++) {
		const struct vm_net *net = &hw->nets[i];
		char key[16];

		snprintf(key, sizeof(key), "net%u", net->index);
		if (net->bridge[0] == '\0')
			return err_field(err, key,
					 "bridge: property is missing and it is not optional");
		if (strcspn(net->macaddr, "13579bdfBDF") == 1)
			return err_field(err, key, "'%s' is a multicast address", net->macaddr);
		for (size_t k = 0; k < i; k++) {
			if (net->macaddr[0] && strcasecmp(hw->nets[k].macaddr, net->macaddr) == 0)
				return err_field(err, key, "net%u has address '%s' already",
						 hw->nets[k].index, net->macaddr);
		}
	}
	return 0;
}

/* Two drives on one writable volume would destroy it. */
static int drives_check(const struct vm_hardware *hw, struct err *err)
{
	for (size_t i = 0; i < hw->drive_count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (!hw->drives[i].is_cdrom && hw->drives[i].volid[0] &&
			    volid_same(&hw->drives[i].volume, &hw->drives[k].volume))
				return err_field(err, hw->drives[i].key,
						 "%s has volume '%s' already", hw->drives[k].key,
						 hw->drives[i].volid);
		}
	}
	return 0;
}

static int vm_check(const struct guest_config *config, struct err *err)
{
	struct vm_hardware hw;
	int r = vm_hardware_read(config, &hw, err);

	if (r < 0)
		return r;
	r = nets_check(&hw, err);
	if (r == 0)
		r = drives_check(&hw, err);
	vm_hardware_fini(&hw);
	return r;
}

static char *uuid_random(void)
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	return xasprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
			 b[12], b[13], b[14], b[15]);
}

static int uuid_complete(struct guest_config *config, struct err *err)
{
	const char *value = guest_config_get(config, "smbios1");
	autofree char *uuid = uuid_random();
	autofields f = FIELDS_INIT;
	int r = value ? propstr_parse(vm_smbios_keys, NULL, "smbios1", value, &f, err) : 0;

	if (r < 0 || fields_get(&f, "uuid"))
		return r;
	fields_add(&f, "uuid", uuid);
	autofree char *completed = propstr_format(vm_smbios_keys, NULL, &f);

	guest_config_set(config, "smbios1", completed);
	return 0;
}

/* As it will be once the asked-for volumes are there. */
static int boot_complete(struct guest_config *config, const struct fields *drives, struct err *err)
{
	struct guest_config later __attribute__((cleanup(guest_config_fini)));
	struct vm_hardware hw;
	autobuf order = BUF_INIT;

	guest_config_copy(&later, config);
	for (size_t i = 0; drives && i < drives->count; i++)
		guest_config_set(&later, drives->items[i].name, drives->items[i].value);
	int r = vm_hardware_read(&later, &hw, err);

	if (r < 0)
		return r;
	bool has_scsi = false;

	for (size_t i = 0; i < hw.drive_count; i++)
		has_scsi |= hw.drives[i].bus == VM_SCSI;
	if (has_scsi && !guest_config_get(config, "scsihw"))
		guest_config_set(config, "scsihw", DEFAULT_SCSIHW);
	for (size_t i = 0; hw.boot[i][0]; i++)
		buf_addf(&order, "%s%s", i ? ";" : "order=", hw.boot[i]);
	if (order.size && !guest_config_get(config, "boot"))
		guest_config_set(config, "boot", buf_str(&order));
	vm_hardware_fini(&hw);
	return 0;
}

int vm_config_complete(struct guest_config *config, const struct fields *drives, struct err *err)
{
	autofields changed = FIELDS_INIT;
	int r;

	for (size_t i = 0; i < config->sections[0].keys.count; i++) {
		const struct field *f = &config->sections[0].keys.items[i];

		if (is_net(f->name) || is_drive(f->name))
			fields_add(&changed, f->name, f->value);
	}
	if ((r = vm_change_complete(config, &changed, err)) < 0)
		return r;
	for (size_t i = 0; i < changed.count; i++)
		guest_config_set(config, changed.items[i].name, changed.items[i].value);
	if ((r = uuid_complete(config, err)) < 0 || (r = boot_complete(config, drives, err)) < 0)
		return r;
	return vm_check(config, err);
}

static int complete(struct guest_config *config, unsigned vmid, struct err *err)
{
	(void)vmid;
	return vm_config_complete(config, NULL, err);
}

/* The disk that the machine boots from stands for all, as in the contract. */
static uint64_t shown_disk(const struct vm_hardware *hw)
{
	for (size_t b = 0; hw->boot[b][0]; b++) {
		for (size_t i = 0; i < hw->drive_count; i++) {
			if (str_eq(hw->drives[i].key, hw->boot[b]) && !hw->drives[i].is_cdrom)
				return hw->drives[i].size;
		}
	}
	return 0;
}

static void vm_shape(const struct guest_config *config, struct guest_shape *ret)
{
	struct vm_hardware hw;

	*ret = (struct guest_shape){.cores = 1};
	if (vm_hardware_read(config, &hw, NULL) < 0)
		return;
	*ret = (struct guest_shape){
		.cores = hw.sockets * hw.cores,
		.memory = hw.memory,
		.disk = shown_disk(&hw),
	};
	vm_hardware_fini(&hw);
}

/* What lies in a drive for media is no disk of the machine. */
static const char *vm_value_privilege(const char *key, const char *value)
{
	struct vm_drive drive;

	if (!is_drive(key) || vm_drive_parse(key, value, &drive, NULL) < 0 || !drive.is_cdrom)
		return NULL;
	return "VM.Config.CDROM";
}

static bool vm_net_read(const char *key, const char *value, struct guest_net *ret)
{
	struct vm_net net;

	if (!is_net(key) || vm_net_parse(key, value, &net, NULL) < 0)
		return false;
	*ret = (struct guest_net){0};
	return str_copy(ret->bridge, sizeof(ret->bridge), net.bridge);
}

static const char *const fixed_keys[] = {"template", NULL};
static const char *const required_keys[] = {NULL};
static const char *const volume_keys[] = {"ide[n]", "sata[n]", "scsi[n]", "virtio[n]", NULL};
static const struct guest_key_privilege privileges[] = {
	{"balloon", "VM.Config.Memory"}, {"numa", "VM.Config.CPU"},
	{"cores", "VM.Config.CPU"},	 {"cpu", "VM.Config.CPU"},
	{"sockets", "VM.Config.CPU"},	 {"memory", "VM.Config.Memory"},
	{"ide[n]", "VM.Config.Disk"},	 {"sata[n]", "VM.Config.Disk"},
	{"unused[n]", "VM.Config.Disk"}, {"scsi[n]", "VM.Config.Disk"},
	{"virtio[n]", "VM.Config.Disk"}, {"net[n]", "VM.Config.Network"},
	{"kvm", "VM.Config.HWType"},	 {"acpi", "VM.Config.HWType"},
	{"bios", "VM.Config.HWType"},	 {"machine", "VM.Config.HWType"},
	{"scsihw", "VM.Config.HWType"},	 {"serial[n]", "VM.Config.HWType"},
	{"smbios1", "VM.Config.HWType"}, {"tablet", "VM.Config.HWType"},
	{"vga", "VM.Config.HWType"},	 {NULL, "VM.Config.Options"},
};

const struct guest_kind_ops guest_kind_vm = {
	.name = "qemu",
	.label = "VM",
	.noun = "virtual machine",
	.task_prefix = "qm",
	.name_key = "name",
	.is_machine = true,
	.params = vm_config_params,
	.live_keys = vm_live_keys,
	.fixed_keys = fixed_keys,
	.required_keys = required_keys,
	.privileges = privileges,
	.value_privilege = vm_value_privilege,
	.net_read = vm_net_read,
	.volume_keys = volume_keys,
	.content = VOLUME_IMAGES,
	.change_complete = vm_change_complete,
	.change_follow = vm_unused_follow,
	.complete = complete,
	.check = vm_check,
	.shape = vm_shape,
};
