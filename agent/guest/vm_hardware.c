/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual machine's configuration as typed values, with the contract's defaults. Pure. */
#include <stdio.h>
#include <string.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm_schema.h"

#define MIB		 ((uint64_t)1 << 20)
#define DEFAULT_MEMORY	 512 /* MiB */
#define VCPUS_MAX	 1024
#define BOOT_DEVICES_MAX 63

static const char *get(const struct guest_config *config, const char *key, const char *fallback)
{
	return guest_config_get(config, key) ?: fallback;
}

static bool flag(const struct guest_config *config, const char *key, bool fallback)
{
	bool value = fallback;

	str_to_bool(get(config, key, NULL), &value);
	return value;
}

static unsigned number(const char *text, unsigned fallback)
{
	uint64_t value = fallback;

	str_to_u64(text, &value);
	return (unsigned)value;
}

/* The parts of a property string; none when the key is not set. */
static int parts(const struct guest_config *config, const char *key, struct fields *ret,
		 struct err *err)
{
	const struct param *p = param_find(vm_config_params, key);
	const char *value = guest_config_get(config, key);

	return value ? propstr_parse(p->keys, p->default_key, key, value, ret, err) : 0;
}

static int processor_read(const struct guest_config *config, struct vm_hardware *hw,
			  struct err *err)
{
	autofields f = FIELDS_INIT;
	int r = parts(config, "cpu", &f, err);

	hw->sockets = number(get(config, "sockets", NULL), 1);
	hw->cores = number(get(config, "cores", NULL), 1);
	hw->kvm = flag(config, "kvm", true);
	str_copy(hw->cpu, sizeof(hw->cpu),
		 fields_get(&f, "cputype")
			 ?: hw->kvm ? "kvm64"
				    : "qemu64");
	str_copy(hw->cpu_flags, sizeof(hw->cpu_flags), fields_get(&f, "flags") ?: "");
	if (r == 0 && hw->sockets * hw->cores > VCPUS_MAX)
		return err_field(err, "cores", "at most %d cores in all sockets", VCPUS_MAX);
	return r;
}

static int memory_read(const struct guest_config *config, struct vm_hardware *hw, struct err *err)
{
	autofields f = FIELDS_INIT;
	int r = parts(config, "memory", &f, err);

	hw->memory = number(fields_get(&f, "current"), DEFAULT_MEMORY) * MIB;
	return r;
}

static int board_read(const struct guest_config *config, struct vm_hardware *hw, struct err *err)
{
	autofields agent = FIELDS_INIT, vga = FIELDS_INIT;
	int r = parts(config, "agent", &agent, err);

	if (r == 0)
		r = parts(config, "vga", &vga, err);
	str_to_bool(fields_get(&agent, "enabled"), &hw->has_agent);
	hw->acpi = flag(config, "acpi", true);
	hw->tablet = flag(config, "tablet", true);
	hw->has_balloon = !str_eq(get(config, "balloon", NULL), "0");
	hw->vga_memory = number(fields_get(&vga, "memory"), 0);
	str_copy(hw->vga, sizeof(hw->vga), fields_get(&vga, "type") ?: "std");
	if (!str_copy(hw->machine, sizeof(hw->machine), get(config, "machine", "pc")) ||
	    !str_copy(hw->scsihw, sizeof(hw->scsihw), get(config, "scsihw", "lsi")) ||
	    !str_copy(hw->ostype, sizeof(hw->ostype), get(config, "ostype", "other")))
		return err_set(err, ERR_INVALID, "machine, scsihw or ostype is too long");
	return r;
}

static int serials_read(const struct guest_config *config, struct vm_hardware *hw, struct err *err)
{
	for (unsigned i = 0; i < VM_SERIALS_MAX; i++) {
		char key[16];

		snprintf(key, sizeof(key), "serial%u", i);
		hw->serial[i] = guest_config_get(config, key) != NULL;
		if (str_eq(hw->vga, key) && !hw->serial[i])
			return err_field(err, "vga", "there is no %s", key);
	}
	return 0;
}

/* One printable line of at most size - 1 bytes. */
static bool base64_text(const char *text, char *dst, size_t size)
{
	autobuf out = BUF_INIT;

	if (!base64_decode(text, strlen(text), &out) || !str_is_utf8(buf_str(&out), out.size))
		return false;
	for (size_t i = 0; i < out.size; i++) {
		unsigned char c = (unsigned char)out.data[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	/* U+FFFE and U+FFFF are no characters of XML */
	if (strstr(buf_str(&out), "\xEF\xBF\xBE") || strstr(buf_str(&out), "\xEF\xBF\xBF"))
		return false;
	return str_copy(dst, size, buf_str(&out));
}

static int smbios_read(const struct guest_config *config, struct vm_smbios *smbios, struct err *err)
{
	autofields f = FIELDS_INIT;
	bool is_base64 = false;
	int r = parts(config, "smbios1", &f, err);
	const struct {
		const char *name;
		char *dst;
	} texts[] = {{"manufacturer", smbios->manufacturer},
		     {"product", smbios->product},
		     {"version", smbios->version},
		     {"serial", smbios->serial},
		     {"sku", smbios->sku},
		     {"family", smbios->family}};

	if (r < 0)
		return r;
	str_to_bool(fields_get(&f, "base64"), &is_base64);
	str_copy(smbios->uuid, sizeof(smbios->uuid), fields_get(&f, "uuid") ?: "");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *value = fields_get(&f, texts[i].name) ?: "";

		if (is_base64 ? !base64_text(value, texts[i].dst, sizeof(smbios->family))
			      : !str_copy(texts[i].dst, sizeof(smbios->family), value))
			return err_field(err, "smbios1", "%s: bad base64, or too long",
					 texts[i].name);
	}
	return 0;
}

struct boot {
	struct vm_hardware *hw;
	size_t count;
};

static void boot_add(struct boot *boot, const char *key)
{
	for (size_t i = 0; i < boot->count; i++) {
		if (str_eq(boot->hw->boot[i], key))
			return;
	}
	if (boot->count < BOOT_DEVICES_MAX &&
	    str_copy(boot->hw->boot[boot->count], sizeof(boot->hw->boot[0]), key))
		boot->count++;
}

/* 'c' the first disk, 'd' the first CD drive, 'n' the first network card. */
static void boot_add_kind(struct boot *boot, char kind)
{
	const struct vm_hardware *hw = boot->hw;
	/* as machines are usually set up: disks on the better buses first */
	static const enum vm_bus order[] = {VM_SCSI, VM_VIRTIO, VM_SATA, VM_IDE};

	if (kind == 'n' && hw->net_count) {
		char key[12];

		snprintf(key, sizeof(key), "net%u", hw->nets[0].index);
		boot_add(boot, key);
		return;
	}
	for (size_t b = 0; b < ARRAY_SIZE(order); b++) {
		for (size_t i = 0; i < hw->drive_count; i++) {
			const struct vm_drive *drive = &hw->drives[i];

			if (drive->bus == order[b] && drive->is_cdrom == (kind == 'd')) {
				boot_add(boot, drive->key);
				return;
			}
		}
	}
}

static int boot_read(const struct guest_config *config, struct vm_hardware *hw, struct err *err)
{
	autofields f = FIELDS_INIT;
	struct boot boot = {.hw = hw};
	int r = parts(config, "boot", &f, err);

	if (r < 0)
		return r;
	autostrv char **order = str_split(fields_get(&f, "order") ?: "", ";");

	if (fields_get(&f, "order") && fields_get(&f, "legacy"))
		return err_field(err, "boot", "order and legacy are given at the same time");
	for (size_t i = 0; order[i]; i++)
		boot_add(&boot, order[i]);
	if (order[0])
		return 0;
	for (const char *kind = fields_get(&f, "legacy") ?: "cdn"; *kind; kind++)
		boot_add_kind(&boot, *kind);
	return 0;
}

static int devices_read(const struct guest_config *config, struct vm_hardware *hw, struct err *err)
{
	int r = vm_config_drives(config, &hw->drives, &hw->drive_count, err);

	if (r == 0)
		r = vm_config_nets(config, &hw->nets, &hw->net_count, err);
	for (size_t i = 0; r == 0 && i < hw->drive_count; i++) {
		const struct vm_drive *drive = &hw->drives[i];

		if (drive->iothread && drive->bus == VM_SCSI &&
		    !str_eq(hw->scsihw, "virtio-scsi-single"))
			r = err_field(err, drive->key,
				      "iothread: on scsi it needs scsihw virtio-scsi-single");
	}
	return r;
}

int vm_hardware_read(const struct guest_config *config, struct vm_hardware *ret, struct err *err)
{
	struct vm_hardware hw = {0};
	int r;

	if ((r = processor_read(config, &hw, err)) < 0 || (r = memory_read(config, &hw, err)) < 0 ||
	    (r = board_read(config, &hw, err)) < 0 || (r = serials_read(config, &hw, err)) < 0 ||
	    (r = smbios_read(config, &hw.smbios, err)) < 0 ||
	    (r = devices_read(config, &hw, err)) < 0 || (r = boot_read(config, &hw, err)) < 0) {
		vm_hardware_fini(&hw);
		return r;
	}
	*ret = hw;
	return 0;
}

void vm_hardware_fini(struct vm_hardware *hw)
{
	free(hw->drives);
	free(hw->nets);
	*hw = (struct vm_hardware){0};
}

bool vm_has_screen(const struct vm_hardware *hw)
{
	return !str_eq(hw->vga, "none") && !str_starts(hw->vga, "serial");
}

char *vm_serial_path(const char *run_dir, unsigned vmid, unsigned index)
{
	return xasprintf("%s/%u.serial%u", run_dir, vmid, index);
}
