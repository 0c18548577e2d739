/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Templates on a folder whose file system knows no RENAME_NOREPLACE, as NFS. */
#include "tests/unit/storage/dir_test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "storage/dir.h"

static int set_up(void **state)
{
	return room_open(state, "images,rootdir");
}

/* renameat2() with flags is EINVAL in this process from now on. */
static bool forget_flags(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The code that `fn` ends with in a process of its own. */
static int without_flags(int (*fn)(const struct room *room, const struct volid *volume),
			 const struct room *room, const struct volid *volume)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(forget_flags() ? -fn(room, volume) : 127);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static int to_base(const struct room *room, const struct volid *volume)
{
	char volid[VOLID_MAX];
	struct err err = ERR_INIT;
	int r = room->driver->to_base(&room->def, volume, volid, &err);

	if (r < 0)
		fprintf(stderr, "%s\n", err.message);
	return r;
}

static bool is_there(const struct room *room, const char *file)
{
	autofree char *path = xasprintf("%s/images/101/%s", room->path, file);

	return access(path, F_OK) == 0;
}

static void becomes_a_base(void **state)
{
	const struct room *room = *state;
	struct volid volume;

	make(room, 101, "raw", MIB, &volume);
	assert_int_equal(without_flags(to_base, room, &volume), 0);
	assert_true(is_there(room, "base-101-disk-0.raw"));
	assert_false(is_there(room, "vm-101-disk-0.raw"));
}

static void does_not_replace_another(void **state)
{
	const struct room *room = *state;
	autofree char *other = xasprintf("%s/images/101/base-101-disk-0.raw", room->path);
	struct volid volume;

	make(room, 101, "raw", MIB, &volume);
	assert_int_equal(file_write_atomic(other, "theirs", 6, 0600, NULL), 0);
	assert_true(without_flags(to_base, room, &volume) < 0);
	assert_true(is_there(room, "vm-101-disk-0.raw"));
}

/* A folder has no second link: its new name is claimed by an empty one. */
static int rename_folder(const struct room *room, const struct volid *to)
{
	autofd int folder = open(room->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir_rename_absent(folder, "tree", to->file) == 0 ? 0 : -1;
}

static void renames_folders(void **state)
{
	const struct room *room = *state;
	autofree char *inside = xasprintf("%s/tree/a", room->path);
	autofree char *moved = xasprintf("%s/new/a", room->path);
	struct volid to = {.file = "new"};

	assert_int_equal(dir_make(inside, 0755, NULL), 0);
	assert_int_equal(without_flags(rename_folder, room, &to), 0);
	assert_int_equal(access(moved, F_OK), 0);
	assert_int_equal(dir_make(inside, 0755, NULL), 0);
	assert_int_equal(without_flags(rename_folder, room, &to), -1);
	assert_int_equal(access(inside, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(becomes_a_base),
		TEST(does_not_replace_another),
		TEST(renames_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
