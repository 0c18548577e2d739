/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No disk of a machine is lost from its configuration: each change against what follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/pending.h"
#include "agent/guest/update.h"
#include "agent/guest/vm_schema.h"
#include "agent/guest/volumes.h"

#define D(n) "local:101/vm-101-disk-" #n ".raw"

static const struct change {
	const char *text, *before, *key, *value, *deleted;
	bool is_running;
	const char *after; /* NULL: refused, for key */
} cases[] = {
	{"a deleted disk is kept", "scsi0: " D(0) ",size=4G\n", NULL, NULL, "scsi0", false,
	 "unused0: " D(0) "\n"},
	{"the first free number", "unused0: " D(5) "\nunused2: " D(6) "\nscsi0: " D(0) "\n", NULL,
	 NULL, "scsi0", false, "unused0: " D(5) "\nunused2: " D(6) "\nunused1: " D(0) "\n"},
	{"a replaced disk is kept", "scsi0: " D(0) "\n", "scsi0", D(1), NULL, false,
	 "scsi0: " D(1) "\nunused0: " D(0) "\n"},
	{"a medium is not", "ide2: local:iso/x.iso,media=cdrom\n", NULL, NULL, "ide2", false, ""},
	{"an empty drive is not", "ide2: none,media=cdrom\n", NULL, NULL, "ide2", false, ""},
	{"one that moves is a drive", "scsi0: " D(0) "\n", "virtio0", D(0), "scsi0", false,
	 "virtio0: " D(0) "\n"},
	{"an unused one becomes a drive", "unused0: " D(0) "\n", "scsi3", D(0), NULL, false,
	 "scsi3: " D(0) "\n"},
	{"it may wait for that", "unused0: " D(0) "\n", "scsi3", D(0), NULL, true,
	 "\n[PENDING]\nscsi3: " D(0) "\n"},
	{"a deletion that waits keeps the drive", "scsi0: " D(0) "\n", NULL, NULL, "scsi0", true,
	 "scsi0: " D(0) "\n\n[PENDING]\ndelete: scsi0\n"},
	{"an unused one goes at once", "memory: 64\nunused0: " D(0) "\n", NULL, NULL, "unused0",
	 true, "memory: 64\n"},
	{"nobody sets one", "memory: 64\n", "unused0", D(0), NULL, false, NULL},
};

static void parse(const char *text, struct guest_config *ret)
{
	struct err err = ERR_INIT;

	if (guest_config_parse(text, strlen(text), ret, &err) < 0)
		fail_msg("%s", err.message);
}

static void expect(const struct guest_config *config, const char *text, const char *what)
{
	autobuf got = BUF_INIT;

	guest_config_format(config, &got);
	if (!str_eq(buf_str(&got), text))
		fail_msg("%s: got\n%swanted\n%s", what, buf_str(&got), text);
}

static void follows_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct change *c = &cases[i];
		struct guest_config config __attribute__((cleanup(guest_config_fini)));
		autofields set = FIELDS_INIT;
		struct err err = ERR_INIT;

		parse(c->before, &config);
		if (c->key)
			fields_add(&set, c->key, c->value);
		int r = guest_config_update(&guest_kind_vm, &config,
					    &(struct guest_update){.set = &set,
								   .delete_list = c->deleted,
								   .is_running = c->is_running},
					    &err);

		if (c->after && r < 0)
			fail_msg("%s: %s: %s", c->text, err.field, err.message);
		if (!c->after)
			assert_string_equal(err.field, c->key);
		expect(&config, c->after ?: c->before, c->text);
	}
}

/* What waited takes effect at the next start. */
static void follows_a_start(void **state)
{
	struct guest_config before __attribute__((cleanup(guest_config_fini)));
	struct guest_config after __attribute__((cleanup(guest_config_fini)));

	(void)state;
	parse("scsi0: " D(0) "\nscsi1: " D(1) "\n\n[PENDING]\ndelete: scsi1\nscsi0: " D(2) "\n",
	      &before);
	guest_config_copy(&after, &before);
	assert_true(config_pending_merge(&after));
	assert_int_equal(vm_unused_follow(&before, &after, NULL), 0);
	expect(&after, "scsi0: " D(2) "\nunused0: " D(0) "\nunused1: " D(1) "\n", "merge");
}

/* No name of a volume is lost: the change that would is refused. */
static void keys_run_out(void **state)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));
	autofields none = FIELDS_INIT;
	const struct guest_update update = {.set = &none, .delete_list = "scsi0"};
	autobuf text = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < VM_UNUSED_MAX; i++)
		buf_addf(&text, "unused%d: local:101/vm-101-disk-%d.raw\n", i, i + 10);
	buf_add_str(&text, "scsi0: " D(0) "\n");
	parse(buf_str(&text), &config);
	assert_int_equal(guest_config_update(&guest_kind_vm, &config, &update, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.message, "no unused key is left for volume '" D(0) "'"));
	expect(&config, buf_str(&text), "nothing has changed");
}

#define CLONE "local:100/base-100-disk-0.raw/101/vm-101-disk-0.qcow2"
#define SHORT "local:101/vm-101-disk-0.qcow2" /* the same file */

/* A linked clone has two names. A disk that is in use by one of them is never free by the other. */
static void two_names_are_one_volume(void **state)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));
	autofields none = FIELDS_INIT;
	struct err err = ERR_INIT;
	char key[] = "scsi0", *const keys[] = {key, NULL};

	(void)state;
	parse("scsi0: " CLONE "\nscsi1: " SHORT "\n\n[s]\nscsi0: " CLONE "\nsnaptime: 1\n",
	      &config);
	assert_true(guest_kind_vm.check(&config, &err) < 0);
	assert_string_equal(err.field, "scsi1");
	autofree char *drive = vm_volume_drive(&config, SHORT);

	assert_string_equal(drive, "scsi0");
	assert_true(vm_drives_hold(&config, keys, SHORT));
	assert_string_equal(guest_volume_snapshot(&guest_kind_vm, &config, SHORT), "s");
	assert_true(guest_volume_is_used(&guest_kind_vm, &config, SHORT));
	assert_int_equal(
		guest_config_update(&guest_kind_vm, &config,
				    &(struct guest_update){.set = &none, .delete_list = "scsi1"},
				    NULL),
		0);
	assert_null(guest_config_get(&config, "unused0"));
}

/* The name says what it stands on, and no client says anything else. */
static void a_clone_keeps_its_name(void **state)
{
	static const char *const names[] = {
		SHORT, "local:100/base-100-disk-9.raw/101/vm-101-disk-0.qcow2"};
	static const char *const texts[] = {"scsi0: " CLONE "\n", "unused3: " CLONE "\n",
					    "memory: 64\n\n[s]\nscsi0: " CLONE "\nsnaptime: 1\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts) * ARRAY_SIZE(names); i++) {
		const char *text = texts[i / 2];
		struct guest_config config __attribute__((cleanup(guest_config_fini)));
		autofields set = FIELDS_INIT;
		struct err err = ERR_INIT;

		parse(text, &config);
		fields_add(&set, "scsi0", names[i % 2]);
		assert_int_equal(guest_config_update(&guest_kind_vm, &config,
						     &(struct guest_update){.set = &set}, &err),
				 -ERR_INVALID);
		assert_string_equal(err.field, "scsi0");
		assert_non_null(strstr(err.message, "is a linked clone, called '" CLONE "'"));
		expect(&config, text, "nothing has changed");
	}
}

/* A waiting new disk that is taken back is not lost, either. */
static void follows_a_revert(void **state)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));
	autofields none = FIELDS_INIT;

	(void)state;
	parse("memory: 64\n\n[PENDING]\nscsi1: " D(1) "\n", &config);
	assert_int_equal(guest_config_update(&guest_kind_vm, &config,
					     &(struct guest_update){.set = &none,
								    .revert_list = "scsi1",
								    .is_running = true},
					     NULL),
			 0);
	expect(&config, "memory: 64\nunused0: " D(1) "\n", "revert");
}

/* What may be freed with a drive: not what replaced drives had, nor what waits. */
static void knows_the_volumes_of_drives(void **state)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));
	autostrv char **keys = str_split("scsi1,scsi2,net0,unused0,scsi9", ",");

	(void)state;
	parse("scsi0: " D(0) "\nscsi1: " D(1) ",size=4G\nunused0: " D(4) "\n\n[PENDING]\nscsi1: " D(
		      3) "\nscsi2: " D(2) "\n",
	      &config);
	assert_true(vm_drives_hold(&config, keys, D(1)));
	assert_false(vm_drives_hold(&config, keys, D(0)));
	assert_false(vm_drives_hold(&config, keys, D(2)));
	assert_false(vm_drives_hold(&config, keys, D(3)));
	assert_false(vm_drives_hold(&config, keys, D(4)));
}

static void knows_keys(void **state)
{
	static const char *const bad[] = {"unused",   "unused00", "unused256",
					  "unused-1", "unused1x", "scsi0"};
	unsigned index = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(vm_unused_key(bad[i], &index));
	assert_int_equal(index, 7);
	assert_true(vm_unused_key("unused255", &index));
	assert_int_equal(index, 255);
}

/* A volume that is or will be a drive must not be freed, under whichever name. */
static void finds_the_drive(void **state)
{
	static const struct {
		const char *text, *drive;
	} volumes[] = {
		{"scsi0: " D(0) ",size=4G\n", "scsi0"},
		{"memory: 64\n\n[PENDING]\nvirtio1: " D(0) "\n", "virtio1"},
		{"unused0: " D(0) "\n", NULL},
		{"scsi0: " D(1) "\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(volumes); i++) {
		struct guest_config config __attribute__((cleanup(guest_config_fini)));

		parse(volumes[i].text, &config);
		autofree char *drive = vm_volume_drive(&config, D(0));

		if (!str_eq(drive, volumes[i].drive))
			fail_msg("%s: %s", volumes[i].text, drive ?: "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_changes),
		cmocka_unit_test(finds_the_drive),
		cmocka_unit_test(keys_run_out),
		cmocka_unit_test(two_names_are_one_volume),
		cmocka_unit_test(a_clone_keeps_its_name),
		cmocka_unit_test(follows_a_start),
		cmocka_unit_test(follows_a_revert),
		cmocka_unit_test(knows_the_volumes_of_drives),
		cmocka_unit_test(knows_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
