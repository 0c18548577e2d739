/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections of snapshots: made, ended, gone back to, deleted; their names; the list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/guest/snapshots.h"
#include "tests/unit/guest/guest_test.h"

#define AUTOCONFIG struct guest_config __attribute__((cleanup(guest_config_fini)))

static void makes_one(void **state)
{
	AUTOCONFIG config;

	(void)state;
	config_from("#notes\nlock: snapshot\nmemory: 64\nrootfs: "
		    "btr:101/vm-101-disk-0.raw,size=1G\nunused0: "
		    "btr:101/vm-101-disk-0.raw\nparent: older\nlxc.a: 1\nlxc.a: "
		    "2\n\n[PENDING]\nmemory: 128\n\n"
		    "[older]\nmemory: 32\nsnaptime: 5\n",
		    &config);
	assert_int_equal(guest_snapshot_begin(&config, "new", "why", 7, NULL), 0);
	assert_config("begun", &config,
		      "#notes\nlock: snapshot\nmemory: 64\nrootfs: "
		      "btr:101/vm-101-disk-0.raw,size=1G\nunused0: "
		      "btr:101/vm-101-disk-0.raw\nparent: older\nlxc.a: 1\nlxc.a: "
		      "2\n\n[PENDING]\nmemory: 128\n\n"
		      "[older]\nmemory: 32\nsnaptime: 5\n\n"
		      "[new]\n#why\nmemory: 64\nrootfs: btr:101/vm-101-disk-0.raw,size=1G\nparent: "
		      "older\n"
		      "lxc.a: 1\nlxc.a: 2\nsnaptime: 7\nsnapstate: prepare\n");
	assert_int_equal(
		guest_snapshot_require(&config, "new", &(const struct guest_section *){0}, NULL),
		-ERR_NOT_FOUND);
	guest_snapshot_commit(&config, "new");
	assert_string_equal(guest_config_get(&config, "parent"), "new");
	assert_int_equal(
		guest_snapshot_require(&config, "new", &(const struct guest_section *){0}, NULL),
		0);
	assert_int_equal(guest_snapshot_begin(&config, "new", NULL, 8, NULL), -ERR_EXISTS);
}

static const struct {
	const char *name;
	bool is_good;
} names[] = {
	{"first", true},
	{"a1", true},
	{"A-b_c", true},
	{"a", false},
	{"1st", false},
	{"current", false},
	{"PENDING", false},
	{"pending", false},
	{"a b", false},
	{"a/b", false},
	{"special:x", false},
	{"", false},
	{"ä", false},
	{NULL, false},
	{"a234567890123456789012345678901234567890", true},
	{"a2345678901234567890123456789012345678901", false},
};

static void knows_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct err err = ERR_INIT;
		int r = guest_snapshot_name_check(names[i].name, &err);

		if ((r == 0) != names[i].is_good)
			fail_msg("%s: %d %s", names[i].name, r, err.message);
		if (r < 0)
			assert_string_equal(err.field, "snapname");
	}
}

static void is_bounded(void **state)
{
	AUTOCONFIG config;

	(void)state;
	config_from("memory: 1\n", &config);
	for (int i = 0; i < SNAPSHOTS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "snap%d", i);
		assert_int_equal(guest_snapshot_begin(&config, name, NULL, 1, NULL), 0);
	}
	assert_int_equal(guest_snapshot_begin(&config, "one-more", NULL, 1, NULL), -ERR_LIMIT);
}

struct restore_case {
	const char *name;
	const struct guest_kind_ops *ops;
	const char *before, *after;
};

static const struct restore_case restore_cases[] = {
	{"keys of then, lock and notes of now", &guest_kind_ct,
	 "#now\nlock: rollback\nmemory: 128\ntags: x\nparent: other\n\n[s]\n#then\nmemory: 64\n"
	 "parent: old\nsnaptime: 9\n",
	 "#now\nmemory: 64\nlock: rollback\nparent: s\n\n[s]\n#then\nmemory: 64\nparent: old\n"
	 "snaptime: 9\n"},
	{"what waits is dropped", &guest_kind_ct,
	 "memory: 128\n\n[PENDING]\nmemory: 1\n\n[s]\nmemory: 64\n",
	 "memory: 64\nparent: s\n\n[s]\nmemory: 64\n"},
	{"a volume that was not there becomes unused", &guest_kind_ct,
	 "rootfs: st:101/vm-101-disk-0.raw\nmp0: st:101/vm-101-disk-1.raw,mp=/d\nmp1: "
	 "/srv,mp=/s\n\n"
	 "[s]\nrootfs: st:101/vm-101-disk-0.raw\n",
	 "rootfs: st:101/vm-101-disk-0.raw\nparent: s\nunused0: st:101/vm-101-disk-1.raw\n\n"
	 "[s]\nrootfs: st:101/vm-101-disk-0.raw\n"},
	{"an unused one that is used again is not", &guest_kind_ct,
	 "rootfs: st:101/vm-101-disk-0.raw\nunused0: st:101/vm-101-disk-1.raw\nunused3: "
	 "st:101/vm-101-disk-2.raw\n\n"
	 "[s]\nrootfs: st:101/vm-101-disk-0.raw\nmp0: st:101/vm-101-disk-1.raw,mp=/d\n",
	 "rootfs: st:101/vm-101-disk-0.raw\nmp0: st:101/vm-101-disk-1.raw,mp=/d\nparent: s\n"
	 "unused3: st:101/vm-101-disk-2.raw\n\n"
	 "[s]\nrootfs: st:101/vm-101-disk-0.raw\nmp0: st:101/vm-101-disk-1.raw,mp=/d\n"},
	{"one that waits for the next start was unused before", &guest_kind_ct,
	 "rootfs: st:101/vm-101-disk-0.raw\nunused0: st:101/vm-101-disk-2.raw\n\n"
	 "[PENDING]\nmp0: st:101/vm-101-disk-1.raw,mp=/d\nmp1: st:101/vm-101-disk-0.raw,mp=/e\n\n"
	 "[s]\nrootfs: st:101/vm-101-disk-0.raw\n",
	 "rootfs: st:101/vm-101-disk-0.raw\nparent: s\nunused0: st:101/vm-101-disk-2.raw\n"
	 "unused1: st:101/vm-101-disk-1.raw\n\n"
	 "[s]\nrootfs: st:101/vm-101-disk-0.raw\n"},
	{"what waits at a machine", &guest_kind_vm,
	 "scsi0: st:101/vm-101-disk-0.qcow2\n\n[PENDING]\nide0: st:101/vm-101-disk-1.qcow2\n\n"
	 "[s]\nscsi0: st:101/vm-101-disk-0.qcow2\n",
	 "scsi0: st:101/vm-101-disk-0.qcow2\nparent: s\nunused0: st:101/vm-101-disk-1.qcow2\n\n"
	 "[s]\nscsi0: st:101/vm-101-disk-0.qcow2\n"},
	{"a machine's disks", &guest_kind_vm,
	 "scsi0: st:101/vm-101-disk-0.qcow2,size=1G\nide2: st:iso/x.iso,media=cdrom\nscsi1: "
	 "st:101/vm-101-disk-1.raw\n\n"
	 "[s]\nscsi0: st:101/vm-101-disk-0.qcow2,size=1G\n",
	 "scsi0: st:101/vm-101-disk-0.qcow2,size=1G\nparent: s\nunused0: "
	 "st:101/vm-101-disk-1.raw\n\n"
	 "[s]\nscsi0: st:101/vm-101-disk-0.qcow2,size=1G\n"},
};

static void goes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(restore_cases); i++) {
		const struct restore_case *c = &restore_cases[i];
		struct err err = ERR_INIT;
		AUTOCONFIG config;

		config_from(c->before, &config);
		if (guest_snapshot_restore(c->ops, &config, "s", &err) < 0)
			fail_msg("%s: %s", c->name, err.message);
		assert_config(c->name, &config, c->after);
		assert_int_equal(guest_snapshot_restore(c->ops, &config, "none", &err),
				 -ERR_NOT_FOUND);
	}
}

static void mends_parents(void **state)
{
	static const char text[] = "parent: c\n\n[a]\nx: 1\n\n[b]\nparent: a\n\n[c]\nparent: b\n";
	AUTOCONFIG config;

	(void)state;
	config_from(text, &config);
	guest_snapshot_mark_deleted(&config, "b");
	assert_int_equal(
		guest_snapshot_require(&config, "b", &(const struct guest_section *){0}, NULL),
		-ERR_BUSY);
	guest_snapshot_remove(&config, "b");
	assert_config("the middle one", &config, "parent: c\n\n[a]\nx: 1\n\n[c]\nparent: a\n");
	guest_snapshot_remove(&config, "c");
	assert_config("the last one", &config, "parent: a\n\n[a]\nx: 1\n");
	guest_snapshot_remove(&config, "a");
	assert_config("the first one", &config, "");
	guest_snapshot_remove(&config, "a");
	guest_snapshot_remove(&config, "PENDING");
}

static const struct restore_case forget_cases[] = {
	{"a volume that it alone names", &guest_kind_ct,
	 "rootfs: st:101/vm-101-disk-0.raw\nparent: s\n\n"
	 "[s]\nrootfs: st:101/vm-101-disk-0.raw\nmp0: st:101/vm-101-disk-1.raw,mp=/d\n"
	 "mp1: /srv,mp=/s\n",
	 "rootfs: st:101/vm-101-disk-0.raw\nunused0: st:101/vm-101-disk-1.raw\n"},
	{"one that is unused already", &guest_kind_ct,
	 "unused4: st:101/vm-101-disk-1.raw\n\n[s]\nmp0: st:101/vm-101-disk-1.raw,mp=/d\n",
	 "unused4: st:101/vm-101-disk-1.raw\n"},
	{"one that waits, and one of another snapshot", &guest_kind_ct,
	 "memory: 1\n\n[PENDING]\nmp3: st:101/vm-101-disk-1.raw,mp=/d\n\n"
	 "[a]\nmp0: st:101/vm-101-disk-2.raw,mp=/e\n\n"
	 "[s]\nmp0: st:101/vm-101-disk-1.raw,mp=/d\nmp1: st:101/vm-101-disk-2.raw,mp=/e\n",
	 "memory: 1\n\n[PENDING]\nmp3: st:101/vm-101-disk-1.raw,mp=/d\n\n"
	 "[a]\nmp0: st:101/vm-101-disk-2.raw,mp=/e\n"},
	{"a machine's", &guest_kind_vm,
	 "scsi0: st:101/vm-101-disk-0.qcow2\n\n"
	 "[s]\nscsi0: st:101/vm-101-disk-0.qcow2\nscsi1: st:101/vm-101-disk-1.qcow2\n"
	 "ide2: st:iso/x.iso,media=cdrom\n",
	 "scsi0: st:101/vm-101-disk-0.qcow2\nunused0: st:101/vm-101-disk-1.qcow2\n"},
};

static void forgets_no_volume(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forget_cases); i++) {
		const struct restore_case *c = &forget_cases[i];
		struct err err = ERR_INIT;
		AUTOCONFIG config;

		config_from(c->before, &config);
		if (guest_snapshot_forget(c->ops, &config, "s", &err) < 0)
			fail_msg("%s: %s", c->name, err.message);
		assert_config(c->name, &config, c->after);
	}
}

static void lists(void **state)
{
	AUTOCONFIG config;
	autobuf out = BUF_INIT;
	struct json j;

	(void)state;
	config_from(
		"parent: late\n\n[PENDING]\nx: 1\n\n[late]\nsnaptime: 9\nparent: early\n\n"
		"[special:move]\nkey: rootfs\n\n[early]\n#a%3A\nsnaptime: 3\nsnapstate: delete\n",
		&config);
	memset(config.digest, 'd', 3);
	config.digest[3] = '\0';
	json_init(&j, &out);
	guest_snapshots_write(&config, true, &j);
	assert_string_equal(
		buf_str(&out),
		"[{\"name\":\"early\",\"description\":\"a:\\n\",\"snaptime\":3,\"snapstate\":"
		"\"delete\"},{\"name\":\"late\",\"description\":\"\",\"snaptime\":9,\"parent\":"
		"\"early\"},{\"name\":\"current\",\"description\":\"You are "
		"here!\",\"digest\":\"ddd\",\"running\":1,\"parent\":\"late\"}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_one),	 cmocka_unit_test(knows_names),
		cmocka_unit_test(is_bounded),	 cmocka_unit_test(goes_back),
		cmocka_unit_test(mends_parents), cmocka_unit_test(forgets_no_volume),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
