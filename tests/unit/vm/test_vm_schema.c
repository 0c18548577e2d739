/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a virtual machine's configuration may hold, how it is stored and what it means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"
#include "agent/guest/update.h"
#include "agent/guest/vm_schema.h"

#define MAC "BC:24:11:00:00:01"

static const struct {
	const char *key, *value, *stored; /* NULL: refused */
} values[] = {
	{"acpi", "yes", "1"},
	{"agent", "1", "1"},
	{"agent", "enabled=on,type=virtio", "1,type=virtio"},
	{"agent", "1,type=isa", NULL},
	{"args", "-snapshot", NULL},
	{"bios", "ovmf", NULL},
	{"boot", "order=scsi0;ide2", "order=scsi0;ide2"},
	{"boot", "cdn", "cdn"},
	{"boot", "order=scsi0,ide2", NULL},
	{"cores", "08", "8"},
	{"cores", "0", NULL},
	{"cpu", "host", "host"},
	{"cpu", "cputype=EPYC,flags=+aes;-avx", "EPYC,flags=+aes;-avx"},
	{"cpu", "pentium", NULL},
	{"cpu", "host,flags=aes", NULL},
	{"ide2", "none", "none,media=cdrom"},
	{"ide2", "local:iso/x.iso,media=cdrom", "local:iso/x.iso,media=cdrom"},
	{"ide2", "local:iso/x.iso", NULL},
	{"ide2", "cdrom", NULL},
	{"ide4", "none", NULL},
	{"kvm", "off", "0"},
	{"machine", "pc-q35-7.2", "pc-q35-7.2"},
	{"machine", "virt", NULL},
	{"memory", "512", "512"},
	{"memory", "current=1024", "1024"},
	{"memory", "15", NULL},
	{"name", "web.example", "web.example"},
	{"name", "a b", NULL},
	{"net0", "virtio=" MAC ",bridge=vmbr0", "virtio=" MAC ",bridge=vmbr0"},
	{"net0", "model=e1000,macaddr=" MAC ",bridge=vmbr0", "e1000=" MAC ",bridge=vmbr0"},
	{"net0", "bridge=vmbr0,virtio=" MAC ",firewall=yes",
	 "virtio=" MAC ",bridge=vmbr0,firewall=1"},
	{"net0", "bridge=vmbr0", NULL},
	{"net0", "virtio=" MAC, NULL},
	{"net0", "virtio=" MAC ",e1000=" MAC ",bridge=vmbr0", NULL},
	{"net0", "e1000=" MAC ",bridge=vmbr0,queues=2", NULL},
	{"net0", "virtio=BD:24:11:00:00:01,bridge=vmbr0", NULL},
	{"net32", "virtio=" MAC ",bridge=vmbr0", NULL},
	{"sata0", "local:101/vm-101-disk-0.raw,ro=1", NULL},
	{"scsi0", "local:101/vm-101-disk-0.raw,size=4G", "local:101/vm-101-disk-0.raw,size=4G"},
	{"scsi0", "file=local:101/vm-101-disk-0.raw,ssd=on", "local:101/vm-101-disk-0.raw,ssd=1"},
	{"scsi0", "local:101/vm-101-disk-0.raw,format=qcow2", NULL},
	{"scsi0", "local:101/vm-101-disk-0.raw,iothread=1", NULL},
	{"scsi0", "local:101/vm-101-disk-0.raw,cache=writeback,aio=native", NULL},
	{"scsi0", "local:vztmpl/x.tar.gz", NULL},
	{"scsi0", "local:4", NULL},
	{"scsi0", "/dev/sda", NULL},
	{"scsi31", "none", NULL},
	{"scsi01", "none", NULL},
	{"scsihw", "virtio-scsi-single", "virtio-scsi-single"},
	{"serial0", "socket", "socket"},
	{"serial0", "/dev/ttyS0", NULL},
	{"serial4", "socket", NULL},
	{"smbios1", "uuid=6f2c1b0e-58d5-4a3c-9d62-0a6f4f3a1b7c",
	 "uuid=6f2c1b0e-58d5-4a3c-9d62-0a6f4f3a1b7c"},
	{"smbios1", "base64=1,product=AAAA", NULL},
	{"smbios1", "base64=1,product=x", NULL},
	{"smbios1", "uuid=1", NULL},
	{"tags", "a;b", "a;b"},
	{"vga", "std,memory=32", "std,memory=32"},
	{"vga", "serial0", NULL},
	{"virtio0", "none", NULL},
	{"virtio15", "local:101/vm-101-disk-0.qcow2", "local:101/vm-101-disk-0.qcow2"},
	{"virtio0", "local:101/vm-101-disk-0.raw,ssd=1", NULL},
};

static void stores_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct guest_config config __attribute__((cleanup(guest_config_fini)));
		autofields set = FIELDS_INIT;
		struct err err = ERR_INIT;

		guest_config_init(&config);
		fields_add(&set, values[i].key, values[i].value);
		int r = guest_config_update(&guest_kind_vm, &config,
					    &(struct guest_update){.set = &set, .is_new = true},
					    &err);
		const char *got = guest_config_get(&config, values[i].key);

		if (!str_eq(got, values[i].stored))
			fail_msg("%s=%s: stored as %s, expected %s (%s)", values[i].key,
				 values[i].value, got ? got : "-",
				 values[i].stored ? values[i].stored : "-", err.message);
		if ((r < 0) != (values[i].stored == NULL) || (r < 0 && !err.message[0]))
			fail_msg("%s=%s: %d %s", values[i].key, values[i].value, r, err.message);
	}
}

static struct guest_config parse(const char *text)
{
	struct guest_config config;
	struct err err = ERR_INIT;

	if (guest_config_parse(text, strlen(text), &config, &err) < 0)
		fail_msg("%s", err.message);
	return config;
}

static int update(struct guest_config *config, const char *key, const char *value, struct err *err)
{
	autofields set = FIELDS_INIT;

	fields_add(&set, key, value);
	return guest_config_update(&guest_kind_vm, config, &(struct guest_update){.set = &set},
				   err);
}

/* A card keeps its address, a volume its size, whatever else of them changes. */
static void keeps_what_it_had(void **state)
{
	struct guest_config config = parse("net0: virtio=" MAC ",bridge=vmbr0\n"
					   "scsi0: local:101/vm-101-disk-0.raw,size=4G\n");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(update(&config, "net0", "e1000,bridge=vmbr1", &err), 0);
	assert_string_equal(guest_config_get(&config, "net0"), "e1000=" MAC ",bridge=vmbr1");
	assert_int_equal(update(&config, "scsi0", "local:101/vm-101-disk-0.raw,ssd=1", &err), 0);
	assert_string_equal(guest_config_get(&config, "scsi0"),
			    "local:101/vm-101-disk-0.raw,size=4G,ssd=1");
	guest_config_fini(&config);
}

static void refuses_what_does_not_fit_together(void **state)
{
	static const struct {
		const char *key, *value, *field;
	} cases[] = {
		{"net1", "e1000=bc:24:11:00:00:01,bridge=vmbr0", "net1"},
		{"scsi1", "local:101/vm-101-disk-0.raw", "scsi1"},
		{"sockets", "16", NULL},
		{"cores", "512", "cores"},
	};
	struct guest_config config = parse("net0: virtio=" MAC ",bridge=vmbr0\nsockets: 4\n"
					   "scsi0: local:101/vm-101-disk-0.raw,size=4G\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		int r = update(&config, cases[i].key, cases[i].value, &err);

		assert_int_equal(r == 0, cases[i].field == NULL);
		if (cases[i].field)
			assert_string_equal(err.field, cases[i].field);
	}
	guest_config_fini(&config);
}

static void completes_a_new_machine(void **state)
{
	struct guest_config config = parse("ide2: none\nnet3: virtio,bridge=vmbr0\n");
	autofields disks = FIELDS_INIT;
	struct err err = ERR_INIT;
	struct vm_hardware hw;

	(void)state;
	fields_add(&disks, "virtio1", "local:4");
	fields_add(&disks, "scsi2", "local:4");
	if (vm_config_complete(&config, &disks, &err) < 0)
		fail_msg("%s: %s", err.field, err.message);
	assert_string_equal(guest_config_get(&config, "boot"), "order=scsi2;ide2;net3");
	assert_string_equal(guest_config_get(&config, "scsihw"), "virtio-scsi-pci");
	assert_string_equal(guest_config_get(&config, "ide2"), "none,media=cdrom");
	assert_true(str_starts(guest_config_get(&config, "net3"), "virtio=BC:24:11:"));
	assert_int_equal(vm_hardware_read(&config, &hw, &err), 0);
	assert_int_equal(strlen(hw.smbios.uuid), 36);
	assert_int_equal(hw.smbios.uuid[14], '4');
	vm_hardware_fini(&hw);
	guest_config_fini(&config);
}

static void knows_its_shape(void **state)
{
	struct guest_config config =
		parse("cores: 3\nmemory: 1024\nsockets: 2\nboot: order=ide2;virtio1;virtio0\n"
		      "ide2: none,media=cdrom\nvirtio0: local:101/vm-101-disk-0.raw,size=1G\n"
		      "virtio1: local:101/vm-101-disk-1.raw,size=2G\n");
	struct guest_shape shape;

	(void)state;
	guest_kind_vm.shape(&config, &shape);
	assert_int_equal(shape.cores, 6);
	assert_int_equal(shape.memory, (uint64_t)1 << 30);
	assert_int_equal(shape.disk, (uint64_t)2 << 30);
	guest_config_fini(&config);
}

static void reads_new_volumes(void **state)
{
	static const struct {
		const char *value;
		uint64_t mib; /* 0: refused */
	} cases[] = {{"local:4", 4096},
		     {"local:0.5", 512},
		     {"local:4,ssd=1", 4096},
		     {"local:0", 0},
		     {"local:-1", 0},
		     {"local:1e9", 0},
		     {"local:200000", 0},
		     {"local:4,media=cdrom", 0},
		     {":4", 0},
		     {"local:4,format=qcow2", 4096},
		     {"local:4,format=vmdk", 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vm_drive drive = {0};
		int r = vm_drive_parse("scsi0", cases[i].value, &drive, NULL);

		if ((r == 0) != (cases[i].mib > 0) || drive.size >> 20 != cases[i].mib)
			fail_msg("%s: %d %llu", cases[i].value, r, (unsigned long long)drive.size);
		if (r == 0)
			assert_true(drive.is_new && str_eq(drive.storage, "local"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_values),
		cmocka_unit_test(keeps_what_it_had),
		cmocka_unit_test(refuses_what_does_not_fit_together),
		cmocka_unit_test(completes_a_new_machine),
		cmocka_unit_test(knows_its_shape),
		cmocka_unit_test(reads_new_volumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
