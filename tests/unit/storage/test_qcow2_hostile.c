/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 images whose headers were written by an emulator that was taken over: nothing opens what they name. */
#include "tests/unit/storage/dir_test.h"

#include "storage/copy.h"
#include "storage/qcow2.h"

static int setup(void **state)
{
	room_open(state, "images");
	const struct room *room = *state;
	autofree char *secret = xasprintf("%s/secret", room->path);
	assert_int_equal(file_write_atomic(secret, "secret", 6, 0600, NULL), 0);
	return 0;
}

static int ignore(const char *name, uint64_t ctime, void *ctx)
{
	(void)name;
	(void)ctime;
	(void)ctx;
	return 0;
}

static int copy(const struct room *room, const struct volid *volume, const char *snapshot,
		const char *format)
{
	char text[VOLID_MAX];
	return volume_copy(
		&(struct volume_copy){
			.from = &room->def,
			.volume = volume,
			.snapshot = snapshot,
			.to = &room->def,
			.as = {.vmid = 103, .content = VOLUME_IMAGES, .format = format}},
		text, NULL);
}

/* Everything that has qemu-img open an image, or an emulator. */
static void refuse_all(const struct room *room, const struct volid *volume)
{
	const struct storage_driver *driver = room->driver;
	const struct storage_def *def = &room->def;
	char text[VOLID_MAX];
	autofree char *path = path_of(room, volume);
	autofree char *left = xasprintf("%s/images/103", room->path);
	assert_int_equal(qcow2_check(path, volume, NULL), -ERR_CORRUPT);
	assert_int_equal(copy(room, volume, NULL, "raw"), -ERR_CORRUPT);
	assert_int_equal(copy(room, volume, NULL, "qcow2"), -ERR_CORRUPT);
	assert_int_equal(copy(room, volume, "first", "raw"), -ERR_CORRUPT);
	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(driver->resize(def, volume, 4 * MIB, NULL), -ERR_CORRUPT);
	assert_int_equal(driver->snapshot(def, volume, "second", NULL), -ERR_CORRUPT);
	assert_int_equal(driver->snapshot_delete(def, volume, "first", NULL), -ERR_CORRUPT);
	assert_int_equal(driver->rollback(def, volume, "first", NULL), -ERR_CORRUPT);
	assert_int_equal(driver->snapshots(def, volume, ignore, NULL, NULL), -ERR_CORRUPT);
	assert_true(driver->to_base(def, volume, text, NULL) < 0);
}

static void other_files_are_not_opened(void **state)
{
	struct room *room = *state;
	struct volid volume;
	if (!has_qemu_img())
		skip();
	autofree char *secret = xasprintf("%s/secret", room->path);
	autofree char *data = xasprintf("data_file=%s,data_file_raw=on", secret);
	make(room, 101, "qcow2", MIB, &volume);
	autofree char *path = path_of(room, &volume);
	run((const char *const[]){"qemu-img", "create", "-q", "-f", "qcow2", "-b", secret, "-F",
				  "raw", path, "1M", NULL});
	refuse_all(room, &volume);
	run((const char *const[]){"qemu-img", "create", "-q", "-f", "qcow2", "-o", data, path, "1M",
				  NULL});
	refuse_all(room, &volume);
}

/* A base of this format, and a clone on it. */
static void make_clone(const struct room *room, const char *format, struct volid *ret_base,
		       struct volid *ret_clone)
{
	struct volid volume;
	char text[VOLID_MAX];
	struct err err = ERR_INIT;
	const struct volume_alloc as = {.vmid = 102, .content = VOLUME_IMAGES};
	make(room, 101, format, MIB, &volume);
	must(room->driver->to_base(&room->def, &volume, text, &err), &err);
	assert_int_equal(volid_parse(text, ret_base, NULL), 0);
	must(room->driver->clone(&room->def, ret_base, NULL, &as, text, &err), &err);
	assert_int_equal(volid_parse(text, ret_clone, NULL), 0);
	autofree char *path = path_of(room, ret_clone);
	must(qcow2_check(path, ret_clone, &err), &err);
}

static void rebase(const char *path, const char *backing, const char *format)
{
	run((const char *const[]){"qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-b", backing,
				  "-F", format, path, NULL});
}

static void a_clone_stands_on_its_base_alone(void **state)
{
	static const char *const formats[] = {"raw", "qcow2"};
	struct room *room = *state;
	struct volid base, clone, alone;
	if (!has_qemu_img())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		make_clone(room, formats[i], &base, &clone);
		autofree char *path = path_of(room, &clone);
		autofree char *secret = xasprintf("%s/secret", room->path);
		autofree char *name = xasprintf("../%s", base.name);
		rebase(path, secret, "raw");
		refuse_all(room, &clone);
		rebase(path, name,
		       formats[1 - i]); /* what a raw base holds may look like an image */
		refuse_all(room, &clone);
		rebase(path, "", formats[i]);
		refuse_all(room, &clone);
		rebase(path, name, formats[i]);
		assert_int_equal(qcow2_check(path, &clone, NULL), 0);
		assert_int_equal(volid_parse("local:102/vm-102-disk-0.qcow2", &alone, NULL), 0);
		refuse_all(room, &alone);
		assert_int_equal(room->driver->free(&room->def, &clone, NULL), 0);
		assert_int_equal(room->driver->free(&room->def, &base, NULL), 0);
	}
}

/* It was an image in an emulator's hands, once. */
static void a_base_stands_on_nothing(void **state)
{
	struct room *room = *state;
	struct volid base, clone;
	char text[VOLID_MAX];
	const struct volume_alloc as = {.vmid = 104, .content = VOLUME_IMAGES};
	if (!has_qemu_img())
		skip();
	make_clone(room, "qcow2", &base, &clone);
	autofree char *path = path_of(room, &base);
	autofree char *secret = xasprintf("%s/secret", room->path);
	assert_int_equal(chmod(path, 0600), 0);
	rebase(path, secret, "raw");
	refuse_all(room, &clone);
	assert_int_equal(room->driver->clone(&room->def, &base, NULL, &as, text, NULL),
			 -ERR_CORRUPT);
	assert_int_equal(copy(room, &base, NULL, "raw"), -ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(other_files_are_not_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clone_stands_on_its_base_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_base_stands_on_nothing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
