/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes in configurations, and configurations of copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/guest/clone.h"
#include "agent/guest/ct_schema.h"
#include "agent/guest/underway.h"
#include "agent/guest/volumes.h"
#include "tests/unit/guest/guest_test.h"

#define AUTOCONFIG struct guest_config __attribute__((cleanup(guest_config_fini)))

static void lists_of(const struct guest_kind_ops *ops, const char *text, const char *expected)
{
	autofree struct guest_volume *volumes = NULL;
	autobuf out = BUF_INIT;
	struct err err = ERR_INIT;
	size_t count = 0;
	AUTOCONFIG config;

	config_from(text, &config);
	if (guest_volumes(ops, &config.sections[0], &volumes, &count, &err) < 0)
		fail_msg("%s: %s", text, err.message);
	for (size_t i = 0; i < count; i++)
		buf_addf(&out, "%s=%s/%llu%s ", volumes[i].key, volumes[i].volid,
			 (unsigned long long)volumes[i].size, volumes[i].is_unused ? "u" : "");
	assert_string_equal(buf_str(&out), expected);
}

static void finds_volumes(void **state)
{
	(void)state;
	lists_of(&guest_kind_ct,
		 "rootfs: st:101/vm-101-disk-0.raw,size=1K\nmp0: "
		 "volume=st:101/vm-101-disk-1.raw,mp=/x\n"
		 "mp1: /srv/x,mp=/y\nmpx: st:101/vm-101-disk-8.raw\nunused2: "
		 "st:101/vm-101-disk-2.raw\n",
		 "rootfs=st:101/vm-101-disk-0.raw/1024 mp0=st:101/vm-101-disk-1.raw/0 "
		 "unused2=st:101/vm-101-disk-2.raw/0u ");
	lists_of(&guest_kind_vm,
		 "scsi0: file=st:101/vm-101-disk-0.raw,size=2K\nide2: none,media=cdrom\n"
		 "ide3: st:iso/x.iso,media=cdrom\nscsihw: lsi\nvirtio1: "
		 "st:101/base-101-disk-0.qcow2/102/vm-102-disk-0.qcow2\n",
		 "scsi0=st:101/vm-101-disk-0.raw/2048 "
		 "virtio1=st:101/base-101-disk-0.qcow2/102/vm-102-disk-0.qcow2/0 ");
}

static const struct {
	const char *value, *volid;
	uint64_t size;
	const char *expected;
} values[] = {
	{"st:101/vm-101-disk-9.raw,mp=/d,size=8G", "ot:102/vm-102-disk-8.raw", 0,
	 "ot:102/vm-102-disk-8.raw,mp=/d,size=8G"},
	{"st:101/vm-101-disk-9.raw,mp=/d,size=8G", NULL, 1 << 20,
	 "st:101/vm-101-disk-9.raw,mp=/d,size=1M"},
	{"st:101/vm-101-disk-9.raw", "ot:102/vm-102-disk-8.raw", 3,
	 "ot:102/vm-102-disk-8.raw,size=3"},
	{"volume=st:101/vm-101-disk-9.raw,ro=1", "ot:102/vm-102-disk-8.raw", 0,
	 "ot:102/vm-102-disk-8.raw,ro=1"},
	{"file=st:101/vm-101-disk-9.raw,format=raw", "ot:102/vm-102-disk-8.qcow2", 0,
	 "ot:102/vm-102-disk-8.qcow2"},
};

static void changes_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		autofree char *value =
			guest_volume_value(values[i].value, values[i].volid, values[i].size);

		assert_string_equal(value, values[i].expected);
	}
}

static void knows_who_names(void **state)
{
	AUTOCONFIG config;
	autofields all = FIELDS_INIT;

	(void)state;
	config_from("rootfs: st:101/vm-101-disk-0.raw\n\n[PENDING]\nmp0: "
		    "st:101/vm-101-disk-1.raw,mp=/x\n\n"
		    "[s]\nrootfs: st:101/vm-101-disk-0.raw\nmp0: st:101/vm-101-disk-2.raw,mp=/x\n",
		    &config);
	assert_true(guest_volume_is_named(&guest_kind_ct, &config, "", "st:101/vm-101-disk-0.raw"));
	assert_false(
		guest_volume_is_named(&guest_kind_ct, &config, "", "st:101/vm-101-disk-1.raw"));
	assert_true(
		guest_volume_is_named(&guest_kind_ct, &config, NULL, "st:101/vm-101-disk-1.raw"));
	assert_string_equal(
		guest_volume_snapshot(&guest_kind_ct, &config, "st:101/vm-101-disk-2.raw"), "s");
	assert_null(guest_volume_snapshot(&guest_kind_ct, &config, "st:101/vm-101-disk-1.raw"));
	guest_volume_names(&guest_kind_ct, &config, &all);
	assert_int_equal(all.count, 4);
}

#define CLONE "st:100/base-100-disk-0.raw/101/vm-101-disk-1.qcow2"
#define SHORT "st:101/vm-101-disk-1.qcow2" /* the same file */

static void knows_both_names_of_a_clone(void **state)
{
	AUTOCONFIG config;
	AUTOCONFIG twice;
	autofields noted = FIELDS_INIT;

	(void)state;
	config_from("hostname: a\nrootfs: st:101/vm-101-disk-0.raw\nmp0: " CLONE ",mp=/a\n\n"
		    "[special:config]\nvolume0: " CLONE ",job=x\n",
		    &config);
	assert_true(ct_volume_is_mounted(&config, SHORT));
	assert_null(ct_unused_add(&config, SHORT));
	assert_true(guest_underway_is_others(&config, UNDERWAY_CONFIG, SHORT, "y"));
	assert_false(guest_underway_is_others(&config, UNDERWAY_CONFIG, SHORT, "x"));
	guest_underway_note(&config, UNDERWAY_CONFIG, SHORT, "x");
	guest_underway_volumes(&config, UNDERWAY_CONFIG, NULL, &noted);
	assert_int_equal(noted.count, 1);
	guest_underway_drop(&config, UNDERWAY_CONFIG, SHORT, "x");
	assert_null(guest_config_section(&config, UNDERWAY_CONFIG));
	config_from("hostname: a\nrootfs: " SHORT "\nmp0: " CLONE ",mp=/a\n", &twice);
	assert_int_equal(guest_kind_ct.check(&twice, NULL), -ERR_INVALID);
	guest_config_fini(&twice);
	config_from("hostname: a\nrootfs: st:101/vm-101-disk-0.raw\nmp0: " SHORT
		    ",mp=/b\nmp1: " CLONE ",mp=/a\n",
		    &twice);
	assert_int_equal(guest_kind_ct.check(&twice, NULL), -ERR_INVALID);
}

static void bases_are_not_started_on(void **state)
{
	static const struct {
		const struct guest_kind_ops *ops;
		const char *text;
		int result;
	} cases[] = {
		{&guest_kind_vm, "scsi0: st:101/base-101-disk-0.raw,size=1G\n", -ERR_BUSY},
		{&guest_kind_vm, "scsi0: st:101/base-101-disk-0.raw,ro=1\n", 0},
		{&guest_kind_vm, "unused0: st:101/base-101-disk-0.raw\nscsi0: " CLONE "\n", 0},
		{&guest_kind_ct, "rootfs: st:101/basevol-101-disk-0.subvol\n", -ERR_BUSY},
		{&guest_kind_ct,
		 "rootfs: st:101/vm-101-disk-0.raw\nmp0: st:101/base-101-disk-1.raw,mp=/a\n",
		 -ERR_BUSY},
		{&guest_kind_ct, "rootfs: st:101/vm-101-disk-0.raw\nmp0: /srv,mp=/a\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTOCONFIG config;

		config_from(cases[i].text, &config);
		if (guest_volumes_check_start(cases[i].ops, &config, NULL) != cases[i].result)
			fail_msg("%s", cases[i].text);
	}
}

static void keeps_unused(void **state)
{
	AUTOCONFIG config;
	char key[16];
	int r = 0;

	(void)state;
	config_from("unused0: st:101/vm-101-disk-0.raw\n", &config);
	assert_int_equal(guest_unused_add(&config, "st:101/vm-101-disk-1.raw", key, NULL), 0);
	assert_string_equal(key, "unused1");
	for (int i = 0; r == 0 && i < 1000; i++)
		r = guest_unused_add(&config, "st:101/vm-101-disk-9.raw", NULL, NULL);
	assert_int_equal(r, -ERR_LIMIT);
	assert_null(guest_config_get(&config, "unused256"));
}

/* -- copies -- */

static void clone_of(const struct guest_kind_ops *ops, const char *text,
		     const struct guest_clone *clone, struct guest_config *ret)
{
	struct err err = ERR_INIT;
	AUTOCONFIG source;

	config_from(text, &source);
	if (guest_clone_config(ops, &source, clone, ret, &err) < 0)
		fail_msg("%s: %s", text, err.message);
}

static void copies_a_container(void **state)
{
	const struct guest_clone clone = {.vmid = 2};
	AUTOCONFIG copy;

	(void)state;
	clone_of(&guest_kind_ct,
		 "#notes\narch: amd64\nhostname: web\nlock: x\nmemory: 64\nswap: 0\n"
		 "net0: name=eth0,bridge=vmbr0,firewall=1,hwaddr=BC:24:11:00:00:01,ip=dhcp\n"
		 "rootfs: st:101/vm-101-disk-0.raw,size=1G\nmp0: st:101/vm-101-disk-1.raw,mp=/d\n"
		 "parent: s\ntemplate: 1\nunused0: st:101/vm-101-disk-2.raw\nlxc.mount.entry: "
		 "1\nlxc.mount.entry: 2\n\n"
		 "[PENDING]\nmemory: 1\n\n[s]\nmemory: 2\n",
		 &clone, &copy);
	assert_int_equal(copy.count, 1);
	assert_string_equal(guest_config_get(&copy, "hostname"), "Copy-of-web");
	assert_string_equal(guest_config_get(&copy, "description"), "notes\n");
	assert_string_equal(guest_config_get(&copy, "memory"), "64");
	const char *net = guest_config_get(&copy, "net0");

	assert_non_null(strstr(net, "bridge=vmbr0"));
	assert_non_null(strstr(net, "firewall=1"));
	assert_non_null(strstr(net, "hwaddr=BC:24:11:"));
	assert_null(strstr(net, "hwaddr=BC:24:11:00:00:01"));
	static const char *const gone[] = {"lock",   "parent", "template",
					   "rootfs", "mp0",    "unused0"};

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		if (guest_config_get(&copy, gone[i]))
			fail_msg("%s is there", gone[i]);
	size_t raw = 0;

	for (size_t i = 0; i < copy.sections[0].keys.count; i++)
		raw += str_eq(copy.sections[0].keys.items[i].name, "lxc.mount.entry");
	assert_int_equal(raw, 2);
}

static void copies_a_snapshot(void **state)
{
	static const char text[] = "arch: amd64\nhostname: web\nmemory: 64\n\n[s]\n#of then\narch: "
				   "amd64\nhostname: old\nmemory: 32\nsnaptime: 5\nparent: q\n";
	const struct guest_clone clone = {
		.vmid = 2, .snapshot = "s", .name = "new", .description = "mine"};
	const struct guest_clone none = {.vmid = 2, .snapshot = "none"};
	AUTOCONFIG copy;
	AUTOCONFIG source;

	(void)state;
	clone_of(&guest_kind_ct, text, &clone, &copy);
	assert_string_equal(guest_config_get(&copy, "hostname"), "new");
	assert_string_equal(guest_config_get(&copy, "memory"), "32");
	assert_string_equal(guest_config_get(&copy, "description"), "mine\n");
	assert_null(guest_config_get(&copy, "snaptime"));
	config_from(text, &source);
	assert_int_equal(
		guest_clone_config(&guest_kind_ct, &source, &none, &(struct guest_config){0}, NULL),
		-ERR_NOT_FOUND);
}

static void refuses_folders(void **state)
{
	const struct guest_clone clone = {.vmid = 2};
	struct err err = ERR_INIT;
	AUTOCONFIG source;

	(void)state;
	config_from("arch: amd64\nhostname: web\nmp0: /srv,mp=/s\n", &source);
	assert_int_equal(guest_clone_config(&guest_kind_ct, &source, &clone,
					    &(struct guest_config){0}, &err),
			 -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "'mp0'"));
}

static void copies_a_machine(void **state)
{
	static const char uuid[] = "11111111-2222-4333-8444-555555555555";
	const struct guest_clone clone = {.vmid = 2};
	AUTOCONFIG copy;

	(void)state;
	clone_of(&guest_kind_vm,
		 "boot: order=scsi0;ide2\nide2: st:iso/x.iso,media=cdrom\nmemory: 64\nname: db\n"
		 "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0\nscsi0: "
		 "st:101/vm-101-disk-0.raw,size=1G\n"
		 "smbios1: uuid=11111111-2222-4333-8444-555555555555\n",
		 &clone, &copy);
	assert_string_equal(guest_config_get(&copy, "name"), "Copy-of-db");
	assert_string_equal(guest_config_get(&copy, "boot"), "order=scsi0;ide2");
	assert_string_equal(guest_config_get(&copy, "ide2"), "st:iso/x.iso,media=cdrom");
	assert_null(guest_config_get(&copy, "scsi0"));
	assert_null(strstr(guest_config_get(&copy, "smbios1"), uuid));
	const char *net = guest_config_get(&copy, "net0");

	assert_true(str_starts(net, "virtio=BC:24:11:"));
	assert_null(strstr(net, "BC:24:11:00:00:01"));
	assert_non_null(strstr(net, "bridge=vmbr0"));
}

static void shortens_names(void **state)
{
	const struct guest_clone clone = {.vmid = 2};
	AUTOCONFIG copy;

	(void)state;
	clone_of(&guest_kind_ct,
		 "arch: amd64\nhostname: "
		 "a23456789-123456789-123456789-123456789-123456789-1234-x\n",
		 &clone, &copy);
	const char *name = guest_config_get(&copy, "hostname");

	assert_true(strlen(name) <= 63);
	assert_true(name[strlen(name) - 1] != '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_volumes),      cmocka_unit_test(changes_values),
		cmocka_unit_test(knows_who_names),    cmocka_unit_test(knows_both_names_of_a_clone),
		cmocka_unit_test(keeps_unused),	      cmocka_unit_test(bases_are_not_started_on),
		cmocka_unit_test(copies_a_container), cmocka_unit_test(copies_a_snapshot),
		cmocka_unit_test(refuses_folders),    cmocka_unit_test(copies_a_machine),
		cmocka_unit_test(shortens_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
