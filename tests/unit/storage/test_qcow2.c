/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 images of the dir driver by the real qemu-img: snapshots, bases, clones, copies, streams. */
#include "tests/unit/storage/dir_test.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "storage/copy.h"
#include "storage/filesystem.h"

static int setup(void **state)
{
	return room_open(state, "images,rootdir");
}

/* The first 64 KiB of the disk become this letter. */
static void put(const struct room *room, const struct volid *volume, char letter)
{
	autofree char *path = path_of(room, volume);
	autofree char *command = xasprintf("write -P 0x%02x 0 64k", letter);
	const char *const argv[] = {"qemu-io", "-f", volume->format, "-c", command, path, NULL};
	struct err err = ERR_INIT;
	must(exec_run(&(struct exec_run){.argv = argv,
					 .deadline = clock_monotonic() + 20 * USEC_PER_SEC},
		      NULL, &err),
	     &err);
}

static void expect(const struct room *room, const struct volid *volume, char letter)
{
	autofree char *path = path_of(room, volume);
	autofree char *command = xasprintf("read -P 0x%02x 0 64k", letter);
	const char *const argv[] = {"qemu-io", "-f", volume->format, "-c", command, path, NULL};
	struct err err = ERR_INIT;
	must(exec_run(&(struct exec_run){.argv = argv,
					 .deadline = clock_monotonic() + 20 * USEC_PER_SEC},
		      NULL, &err),
	     &err);
}

static int join(const char *name, uint64_t ctime, void *ctx)
{
	assert_true(ctime > 1000000000);
	buf_addf(ctx, "%s ", name);
	return 0;
}

static void expect_snapshots(const struct room *room, const struct volid *volume, const char *names)
{
	autobuf text = BUF_INIT;
	assert_int_equal(room->driver->snapshots(&room->def, volume, join, &text, NULL), 0);
	assert_string_equal(buf_str(&text), names);
}

static void test_snapshots(void **state)
{
	struct room *room = *state;
	struct volid volume;
	struct err err = ERR_INIT;
	if (!has_qemu_img())
		skip();
	make(room, 101, "qcow2", 8 * MIB, &volume);
	put(room, &volume, 'a');
	must(room->driver->snapshot(&room->def, &volume, "one", &err), &err);
	put(room, &volume, 'b');
	must(room->driver->snapshot(&room->def, &volume, "two", &err), &err);
	put(room, &volume, 'c');
	assert_int_equal(room->driver->snapshot(&room->def, &volume, "one", &err), -ERR_EXISTS);
	expect_snapshots(room, &volume, "one two ");
	must(room->driver->rollback(&room->def, &volume, "one", &err), &err);
	expect(room, &volume, 'a');
	must(room->driver->rollback(&room->def, &volume, "two", &err), &err);
	expect(room, &volume, 'b');
	assert_int_equal(room->driver->rollback(&room->def, &volume, "none", &err), -ERR_NOT_FOUND);
	must(room->driver->snapshot_delete(&room->def, &volume, "one", &err), &err);
	must(room->driver->snapshot_delete(&room->def, &volume, "one", &err), &err);
	expect_snapshots(room, &volume, "two ");
	must(room->driver->resize(&room->def, &volume, 16 * MIB, &err), &err);
	struct volume_info info;
	must(room->driver->info(&room->def, &volume, &info, &err), &err);
	assert_int_equal(info.size, 16 * MIB);
	assert_int_equal(room->driver->resize(&room->def, &volume, 8 * MIB, &err), -ERR_INVALID);
	expect(room, &volume, 'b');
}

static int collect(const struct volume_info *info, void *ctx)
{
	buf_addf(ctx, "%s<%s ", info->volid, info->parent);
	return 0;
}

static void clone_from(struct room *room, const char *format)
{
	struct volid volume, base, clone;
	struct err err = ERR_INIT;
	char text[VOLID_MAX];
	autobuf list = BUF_INIT;
	const struct volume_alloc as = {.vmid = 102, .content = VOLUME_IMAGES};
	make(room, 101, format, 8 * MIB, &volume);
	put(room, &volume, 'a');
	assert_int_equal(room->driver->clone(&room->def, &volume, NULL, &as, text, &err),
			 -ERR_UNSUPPORTED);
	must(room->driver->to_base(&room->def, &volume, text, &err), &err);
	autofree char *name = xasprintf("local:101/base-101-disk-0.%s", format);
	assert_string_equal(text, name);
	assert_int_equal(volid_parse(text, &base, NULL), 0);
	must(room->driver->clone(&room->def, &base, NULL, &as, text, &err), &err);
	autofree char *clone_name = xasprintf("%s/102/vm-102-disk-0.qcow2", name);
	assert_string_equal(text, clone_name);
	assert_int_equal(volid_parse(text, &clone, NULL), 0);
	expect(room, &clone, 'a');
	put(room, &clone, 'b');
	expect(room, &base, 'a');
	must(room->driver->list(&room->def, collect, &list, &err), &err);
	autofree char *line = xasprintf("%s<%s ", clone_name, name);
	assert_non_null(strstr(buf_str(&list), line));
	assert_int_equal(room->driver->free(&room->def, &base, &err), -ERR_BUSY);
	must(room->driver->free(&room->def, &clone, &err), &err);
	must(room->driver->free(&room->def, &base, &err), &err);
}

static void test_clones(void **state)
{
	if (!has_qemu_img())
		skip();
	clone_from(*state, "qcow2");
	clone_from(*state, "raw");
}

/* In a mount namespace of its own there is another qemu-img, which says that it was called, and goes on once it may:
 * the clone's file is there then, and empty. */
static void put_slow_qemu_img(const struct room *room, const char *began, const char *may)
{
	autofree char *program = xasprintf("%s/slow-qemu-img", room->path);
	autofree char *real = xasprintf("%s/qemu-img", room->path);
	autofree char *text =
		xasprintf("#!/bin/sh\necho >%s\nread x <%s\nexec %s \"$@\"\n", began, may, real);
	if (file_write_atomic(program, text, strlen(text), 0755, NULL) < 0 ||
	    file_write_atomic(real, "", 0, 0755, NULL) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("/usr/bin/qemu-img", real, NULL, MS_BIND, NULL) < 0 ||
	    mount(program, "/usr/bin/qemu-img", NULL, MS_BIND, NULL) < 0)
		_exit(2);
}

static pid_t clone_slowly(const struct room *room, const struct volid *base, const char *began,
			  const char *may)
{
	const struct volume_alloc as = {.vmid = 102, .content = VOLUME_IMAGES};
	char clone[VOLID_MAX];
	pid_t pid = fork();
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
	put_slow_qemu_img(room, began, may);
	_exit(room->driver->clone(&room->def, base, NULL, &as, clone, NULL) < 0);
}

static void test_a_base_stays_while_it_is_cloned(void **state)
{
	struct room *room = *state;
	struct volid volume, base, clone;
	char text[VOLID_MAX];
	int status;
	autofree char *began = xasprintf("%s/began", room->path);
	autofree char *may = xasprintf("%s/may", room->path);
	if (!has_qemu_img() || geteuid() != 0)
		skip();
	make(room, 101, "raw", 8 * MIB, &volume);
	put(room, &volume, 'a');
	assert_int_equal(room->driver->to_base(&room->def, &volume, text, NULL), 0);
	assert_int_equal(volid_parse(text, &base, NULL), 0);
	assert_int_equal(mkfifo(began, 0600), 0);
	assert_int_equal(mkfifo(may, 0600), 0);
	autofd int waits = open(began, O_RDWR | O_CLOEXEC);
	autofd int lets = open(may, O_RDWR | O_CLOEXEC);
	pid_t pid = clone_slowly(room, &base, began, may);
	assert_int_equal(poll(&(struct pollfd){.fd = waits, .events = POLLIN}, 1, 20000), 1);
	assert_int_equal(room->driver->free(&room->def, &base, NULL), -ERR_BUSY);
	assert_int_equal(write(lets, "\n", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(
		volid_parse("local:101/base-101-disk-0.raw/102/vm-102-disk-0.qcow2", &clone, NULL),
		0);
	expect(room, &clone, 'a');
	assert_int_equal(room->driver->free(&room->def, &base, NULL), -ERR_BUSY);
	assert_int_equal(room->driver->free(&room->def, &clone, NULL), 0);
	assert_int_equal(room->driver->free(&room->def, &base, NULL), 0);
}

/* What is being removed is not cloned any more. */
static void test_a_base_that_goes_has_no_clones(void **state)
{
	struct room *room = *state;
	struct volid volume, base;
	char text[VOLID_MAX];
	const struct volume_alloc as = {.vmid = 102, .content = VOLUME_IMAGES};
	if (!has_qemu_img())
		skip();
	make(room, 101, "raw", 8 * MIB, &volume);
	assert_int_equal(room->driver->to_base(&room->def, &volume, text, NULL), 0);
	assert_int_equal(volid_parse(text, &base, NULL), 0);
	autofree char *path = path_of(room, &base);
	autofree char *owner = xasprintf("%s/images/102", room->path);
	autofd int lock = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_int_equal(room->driver->clone(&room->def, &base, NULL, &as, text, NULL), -ERR_BUSY);
	assert_int_equal(access(owner, F_OK), -1);
	assert_int_equal(flock(lock, LOCK_UN), 0);
	assert_int_equal(room->driver->clone(&room->def, &base, NULL, &as, text, NULL), 0);
}

static bool stop_at_once(void)
{
	return true;
}

static void test_copies(void **state)
{
	static const char *const formats[] = {"raw", "qcow2"};
	struct room *room = *state;
	struct err err = ERR_INIT;
	struct volid volume, made;
	char text[VOLID_MAX];
	if (!has_qemu_img())
		skip();
	for (size_t i = 0; i < 4; i++) {
		make(room, 101, formats[i / 2], 8 * MIB, &volume);
		put(room, &volume, 'a');
		struct volume_copy copy = {
			.from = &room->def,
			.volume = &volume,
			.to = &room->def,
			.as = {.vmid = 103, .content = VOLUME_IMAGES, .format = formats[i % 2]}};
		must(volume_copy(&copy, text, &err), &err);
		assert_int_equal(volid_parse(text, &made, NULL), 0);
		assert_string_equal(made.format, formats[i % 2]);
		expect(room, &made, 'a');
		must(room->driver->free(&room->def, &made, &err), &err);
		copy.is_stopped = stop_at_once;
		int r = volume_copy(&copy, text, &err);
		assert_true(r == 0 || r == -ERR_CANCELLED);
		autofree char *left = xasprintf("%s/images/103", room->path);
		assert_int_equal(access(left, F_OK), r == 0 ? 0 : -1);
		must(r == 0 ? room->driver->free(&room->def, &made, &err) : 0, &err);
		must(room->driver->free(&room->def, &volume, &err), &err);
	}
}

static void test_copy_of_a_snapshot(void **state)
{
	struct room *room = *state;
	struct err err = ERR_INIT;
	struct volid volume, made;
	char text[VOLID_MAX];
	if (!has_qemu_img())
		skip();
	make(room, 101, "qcow2", 8 * MIB, &volume);
	put(room, &volume, 'a');
	must(room->driver->snapshot(&room->def, &volume, "snap", &err), &err);
	put(room, &volume, 'b');
	const struct volume_copy copy = {
		.from = &room->def,
		.volume = &volume,
		.snapshot = "snap",
		.to = &room->def,
		.as = {.vmid = 103, .content = VOLUME_IMAGES, .format = "raw", .size = 12 * MIB}};
	must(volume_copy(&copy, text, &err), &err);
	assert_int_equal(volid_parse(text, &made, NULL), 0);
	expect(room, &made, 'a');
}

static void test_stream(void **state)
{
	struct room *room = *state;
	struct err err = ERR_INIT;
	struct volid volume, made;
	char text[VOLID_MAX];
	autofree char *path = xasprintf("%s/stream", room->path);
	if (!has_qemu_img())
		skip();
	for (int i = 0; i < 2; i++) {
		autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		make(room, 101, i ? "qcow2" : "raw", 64 * MIB, &volume);
		put(room, &volume, 'a');
		must(room->driver->export(&room->def, &volume, NULL, fd, &err), &err);
		assert_true(lseek(fd, 0, SEEK_END) < (off_t)(8 * MIB)); /* sparse */
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		const struct volume_alloc as = {.vmid = 104, .content = VOLUME_IMAGES};
		must(room->driver->import(&room->def, &as, fd, text, &err), &err);
		assert_int_equal(volid_parse(text, &made, NULL), 0);
		expect(room, &made, 'a');
		must(room->driver->free(&room->def, &made, &err), &err);
		must(room->driver->free(&room->def, &volume, &err), &err);
	}
}

/* An image that arrives must not open a file of the host to its guest. */
static void test_hostile_stream(void **state)
{
	struct room *room = *state;
	struct err err = ERR_INIT;
	struct volid volume;
	char text[VOLID_MAX];
	autofree char *secret = xasprintf("%s/secret", room->path);
	autofree char *stream = xasprintf("%s/stream", room->path);
	if (!has_qemu_img())
		skip();
	assert_int_equal(file_write_atomic(secret, "x", 1, 0600, NULL), 0);
	make(room, 101, "qcow2", 8 * MIB, &volume);
	autofree char *path = path_of(room, &volume);
	const char *const argv[] = {"qemu-img", "create", "-q",	 "-f", "qcow2", "-b",
				    secret,	"-F",	  "raw", path, "8M",	NULL};
	must(exec_run(&(struct exec_run){.argv = argv,
					 .deadline = clock_monotonic() + 20 * USEC_PER_SEC},
		      NULL, &err),
	     &err);
	autofd int fd = open(stream, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(room->driver->export(&room->def, &volume, NULL, fd, &err), &err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	const struct volume_alloc as = {.vmid = 105, .content = VOLUME_IMAGES};
	assert_int_equal(room->driver->import(&room->def, &as, fd, text, &err), -ERR_CORRUPT);
	autofree char *left = xasprintf("%s/images/105", room->path);
	assert_int_equal(access(left, F_OK), -1);
}

static void test_preallocation(void **state)
{
	struct room *room = *state;
	struct volid volume;
	struct volume_info info;
	fields_set(&room->def.keys, "preallocation", "falloc");
	make(room, 101, "raw", 8 * MIB, &volume);
	assert_int_equal(room->driver->info(&room->def, &volume, &info, NULL), 0);
	assert_true(info.used >= 8 * MIB);
}

/* The ext4 inside an image follows it. */
static void test_filesystem(void **state)
{
	struct room *room = *state;
	struct volid volume;
	struct err err = ERR_INIT;
	make(room, 101, "raw", 16 * MIB, &volume);
	autofree char *path = path_of(room, &volume);
	must(filesystem_make(path, &err), &err);
	must(room->driver->resize(&room->def, &volume, 64 * MIB, &err), &err);
	bool was_torn = false;
	must(filesystem_grow(path, &was_torn, &err), &err);
	assert_false(was_torn);
	unsigned char super[1024];
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, super, sizeof(super), 1024), sizeof(super));
	uint32_t blocks = super[4] | super[5] << 8 | super[6] << 16 | (uint32_t)super[7] << 24;
	uint32_t size = 1024u << super[24];
	assert_int_equal((uint64_t)blocks * size, 64 * MIB);
}

static int code_of(const char *const *argv)
{
	struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + 60 * USEC_PER_SEC};
	struct exec_result result = {0};
	int r = exec_run(&run, &result, NULL);
	if (r < 0)
		r = WIFEXITED(result.status) ? WEXITSTATUS(result.status) : -1;
	exec_result_fini(&result);
	return r;
}

/* A growth that is cut short tears it; the next one makes it whole. */
static void test_torn_filesystem(void **state)
{
	struct room *room = *state;
	struct volid volume;
	struct err err = ERR_INIT;
	bool was_torn = false;
	make(room, 101, "raw", 16 * MIB, &volume);
	autofree char *path = path_of(room, &volume);
	must(filesystem_make(path, &err), &err);
	must(room->driver->resize(&room->def, &volume, 64 * MIB, &err), &err);
	/* ends by SIGXFSZ when it writes beyond that */
	assert_int_not_equal(code_of((const char *const[]){"prlimit", "--fsize=17825792",
							   "resize2fs", path, NULL}),
			     0);
	assert_int_equal(code_of((const char *const[]){"e2fsck", "-f", "-n", path, NULL}), 4);
	must(filesystem_grow(path, &was_torn, &err), &err);
	assert_true(was_torn);
	assert_int_equal(code_of((const char *const[]){"e2fsck", "-f", "-n", path, NULL}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_snapshots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_base_stays_while_it_is_cloned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_base_that_goes_has_no_clones, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_of_a_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_stream, setup, teardown),
		cmocka_unit_test_setup_teardown(test_preallocation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filesystem, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_filesystem, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
