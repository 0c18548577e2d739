/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Full copies of an image that somebody may still have mounted. */
#include "tests/unit/storage/dir_test.h"

#include <sys/file.h>

#include "storage/copy.h"

#define LATE "what was written last"

/* An image, and who has it mounted: a lock of its own, as that of a loop device. */
static struct {
	int fd;
	bool is_written; /* out, and unmounted */
	bool is_stopped;
} holder;

static int setup(void **state)
{
	memset(&holder, 0, sizeof(holder));
	holder.fd = -1;
	return room_open(state, "rootdir,images");
}

static void make_image(struct room *room, struct volid *ret, struct buf *ret_path)
{
	const struct volume_alloc as = {.vmid = 101,
					.content = VOLUME_ROOTDIR,
					.format = "raw",
					.name = "vm-101-disk-0.raw",
					.size = MIB};
	struct err err = ERR_INIT;
	char volid[VOLID_MAX];

	must(room->driver->alloc(&room->def, &as, volid, &err), &err);
	must(volid_parse(volid, ret, &err), &err);
	ret->content = VOLUME_ROOTDIR;
	must(room->driver->path(&room->def, ret, ret_path, &err), &err);
	holder.fd = open(buf_str(ret_path), O_RDWR | O_CLOEXEC);
	assert_true(holder.fd >= 0);
	assert_int_equal(pwrite(holder.fd, "first", 5, 0), 5);
	assert_int_equal(flock(holder.fd, LOCK_EX), 0);
}

/* Asked while the copy waits. */
static bool unmount_meanwhile(void)
{
	if (!holder.is_written) {
		holder.is_written = true;
		if (pwrite(holder.fd, LATE, strlen(LATE), 0) < 0)
			abort();
		close(holder.fd);
	}
	return holder.is_stopped;
}

static int copy(const struct room *room, const struct volid *from, bool (*is_stopped)(void),
		char ret_volid[VOLID_MAX], struct err *err)
{
	const struct volume_copy what = {.from = &room->def,
					 .volume = from,
					 .to = &room->def,
					 .as = {.vmid = 102, .content = VOLUME_ROOTDIR},
					 .is_stopped = is_stopped};

	return volume_copy(&what, ret_volid, err);
}

static void has_what_is_written_out_at_the_unmount(void **state)
{
	struct room *room = *state;
	struct volid from, made;
	struct err err = ERR_INIT;
	autobuf path = BUF_INIT, made_path = BUF_INIT, text = BUF_INIT;
	char volid[VOLID_MAX];

	make_image(room, &from, &path);
	must(copy(room, &from, unmount_meanwhile, volid, &err), &err);
	must(volid_parse(volid, &made, &err), &err);
	made.content = VOLUME_ROOTDIR;
	must(room->driver->path(&room->def, &made, &made_path, &err), &err);
	must(file_read(buf_str(&made_path), 2 * MIB, &text, &err), &err);
	assert_int_equal(text.size, MIB);
	assert_memory_equal(text.data, LATE, strlen(LATE));
}

static bool is_stopped(void)
{
	return true;
}

static void is_not_made_of_one_that_stays_mounted(void **state)
{
	struct room *room = *state;
	struct volid from;
	struct err err = ERR_INIT;
	autobuf path = BUF_INIT;
	char volid[VOLID_MAX];

	make_image(room, &from, &path);
	assert_int_equal(copy(room, &from, is_stopped, volid, &err), -ERR_CANCELLED);
	autofree char *folder = xasprintf("%s/images/102", room->path);

	assert_int_not_equal(access(folder, F_OK), 0);
	close(holder.fd);
}

/* Another copy of the same one, a reader. */
static void shares_it_with_others_that_read(void **state)
{
	struct room *room = *state;
	struct volid from;
	struct err err = ERR_INIT;
	autobuf path = BUF_INIT;
	char volid[VOLID_MAX];

	make_image(room, &from, &path);
	assert_int_equal(flock(holder.fd, LOCK_SH), 0);
	must(copy(room, &from, NULL, volid, &err), &err);
	close(holder.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(has_what_is_written_out_at_the_unmount, setup,
						teardown),
		cmocka_unit_test_setup_teardown(is_not_made_of_one_that_stays_mounted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(shares_it_with_others_that_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
