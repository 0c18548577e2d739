/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying a guest: what is another's stays another's. */
#include "tests/unit/life/fake_core.h"

#include "agent/guest/ct_schema.h"
#include "agent/task/guest/life.h"

#define SOURCE "/nodes/n1/lxc/101.conf"
#define COPY   "/nodes/n1/lxc/102.conf"

static char folder[64];

static int require_stopped(struct task_ctx *task, struct err *err)
{
	(void)task;
	(void)err;
	return 0;
}

static const struct life life = {
	.ops = &guest_kind_ct, .disk_lock = "disk", .require_stopped = require_stopped};

static void put_volume(unsigned guest, unsigned disk)
{
	autofree char *path =
		xasprintf("%s/images/%u/vm-%u-disk-%u.raw", folder, guest, guest, disk);
	autofree char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(dir_make(parent, 0755, NULL), 0);
	assert_int_equal(file_write_atomic(path, "data", 4, 0600, NULL), 0);
}

static int set_up(void **state)
{
	static const char source[] = "hostname: a\nmemory: 64\nrootfs: aa:101/vm-101-disk-0.raw\n"
				     "mp0: aa:101/vm-101-disk-1.raw,mp=/a\n";
	static const char copy[] = "hostname: b\nlock: create\nmemory: 64\n";

	(void)state;
	strcpy(folder, "/tmp/life-clone-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent rootdir\n", folder);

	memset(&core, 0, sizeof(core));
	core.values = map_new();
	set("/storage.cfg", storages, strlen(storages));
	set(SOURCE, source, strlen(source));
	set(COPY, copy, strlen(copy));
	put_volume(101, 0);
	put_volume(101, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

static int copy_as(const char *user)
{
	struct task_ctx task = {.guest = 102, .node = "n1", .user = user};
	struct err err = ERR_INIT;
	int r;

	fields_add(&task.args, "source", "101");
	r = life_clone_run(&task, &life, &err);
	fields_fini(&task.args);
	return r;
}

static int copy_guest(void)
{
	return copy_as("root@pam");
}

static bool is_file(const char *name)
{
	autofree char *path = xasprintf("%s/images/%s", folder, name);

	return access(path, F_OK) == 0;
}

static void copies(void **state)
{
	autobuf config = BUF_INIT;
	pid_t pid = start_core();

	(void)state;
	assert_int_equal(copy_guest(), 0);
	assert_int_equal(task_store_get(COPY, &config, NULL, NULL), 0);
	assert_non_null(strstr(buf_str(&config), "mp0: aa:102/vm-102-disk-1.raw,mp=/a"));
	assert_null(strstr(buf_str(&config), "lock:"));
	assert_true(is_file("102/vm-102-disk-0.raw") && is_file("102/vm-102-disk-1.raw"));
	stop_core(pid);
}

/* The name of the second volume is taken between the look and the copy: the first one goes, that one stays. */
static void leaves_what_others_made(void **state)
{
	autofree char *theirs = xasprintf("%s/images/102/vm-102-disk-1.raw", folder);
	autobuf config = BUF_INIT;
	pid_t pid;

	(void)state;
	core.appear_on = "mp0: aa:102/vm-102-disk-1.raw";
	core.appears = theirs;
	pid = start_core();
	assert_int_equal(copy_guest(), -ERR_EXISTS);
	assert_int_equal(task_store_get(COPY, &config, NULL, NULL), -ERR_NOT_FOUND);
	assert_int_equal(task_store_get(SOURCE, &config, NULL, NULL), 0);
	assert_null(strstr(buf_str(&config), "lock:"));
	assert_false(is_file("102/vm-102-disk-0.raw"));
	assert_true(is_file("102/vm-102-disk-1.raw"));
	stop_core(pid);
}

/* Root gave it to the source after the copy was asked for. */
static void what_only_root_gives_is_not_copied(void **state)
{
	static const char source[] = "dev0: /dev/sda\nhostname: a\nmemory: 64\n"
				     "rootfs: aa:101/vm-101-disk-0.raw\n";
	pid_t pid;

	(void)state;
	set(SOURCE, source, strlen(source));
	pid = start_core();
	assert_int_equal(copy_as("joe@pve"), -ERR_DENIED);
	stop_core(pid);
	assert_false(is_file("102/vm-102-disk-0.raw"));
}

/* The last change is not known to be made, and is made when the job gives up: nothing is freed of a guest that is. */
static void keeps_a_copy_that_was_ended_late(void **state)
{
	autobuf config = BUF_INIT;
	pid_t pid;

	(void)state;
	core.late_on = "hostname: b\nmemory: 64";
	pid = start_core();
	assert_true(copy_guest() < 0);
	assert_int_equal(task_store_get(COPY, &config, NULL, NULL), 0);
	assert_null(strstr(buf_str(&config), "lock:"));
	assert_null(strstr(buf_str(&config), "[special:"));
	assert_true(is_file("102/vm-102-disk-0.raw") && is_file("102/vm-102-disk-1.raw"));
	stop_core(pid);
}

/* A copy on a storage that is no more goes all the same, then it is gone. */
static void the_undo_ends(void **state)
{
	static const char copy[] =
		"hostname: b\nlock: create\nrootfs: gone:102/vm-102-disk-0.raw\n\n"
		"[special:create]\nvolume0: gone:102/vm-102-disk-0.raw\n"
		"volume1: aa:102/vm-102-disk-1.raw\n";

	(void)state;
	set(COPY, copy, strlen(copy));
	put_volume(102, 1);
	pid_t pid = start_core();
	for (int i = 0; i < 2; i++) {
		struct task_ctx task = {.guest = 102, .node = "n1", .user = "root@pam"};
		autobuf config = BUF_INIT;
		struct err err = ERR_INIT;

		fields_add(&task.args, "source", "101");
		fields_add(&task.args, "undo-of", "job");
		if (life_clone_undo_run(&task, &life, &err) < 0)
			fail_msg("%s", err.message);
		assert_int_equal(task_store_get(COPY, &config, NULL, NULL), -ERR_NOT_FOUND);
		assert_false(is_file("102/vm-102-disk-1.raw"));
		fields_fini(&task.args);
	}
	stop_core(pid);
}

#define HELD_SOURCE(newid)                                                                         \
	"hostname: a\nlock: disk\nmemory: 64\nrootfs: aa:101/vm-101-disk-0.raw\n\n"                \
	"[special:clone]\nnewid: " newid "\n"

/* The undo of a copy to a storage that is away; *ret_source is what is stored of the source then. */
static int undo_away(const char *source, struct buf *ret_source)
{
	static const char copy[] =
		"hostname: b\nlock: create\nmemory: 64\nrootfs: bb:102/vm-102-disk-0.raw\n\n"
		"[special:create]\nvolume0: bb:102/vm-102-disk-0.raw\n";
	struct task_ctx task = {.guest = 102, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent rootdir\n\n"
					    "dir: bb\n\tpath %s/b\n\tcontent rootdir\n"
					    "\tis_mountpoint yes\n",
					    folder, folder);

	set("/storage.cfg", storages, strlen(storages));
	set(SOURCE, source, strlen(source));
	set(COPY, copy, strlen(copy));
	fields_add(&task.args, "source", "101");
	fields_add(&task.args, "locks-source", "1");
	fields_add(&task.args, "undo-of", "job");
	pid_t pid = start_core();
	int r = life_clone_undo_run(&task, &life, &err);

	assert_int_equal(task_store_get(SOURCE, ret_source, NULL, NULL), 0);
	stop_core(pid);
	fields_fini(&task.args);
	return r;
}

/* The source is needed, wherever the copy was to be. */
static void the_undo_frees_the_source_first(void **state)
{
	autobuf source = BUF_INIT;

	(void)state;
	assert_true(undo_away(HELD_SOURCE("102"), &source) < 0);
	assert_null(strstr(buf_str(&source), "lock:"));
	assert_null(strstr(buf_str(&source), "[special:"));
}

/* It is tried again and again: meanwhile the source may be held for somebody else. */
static void the_undo_leaves_the_lock_of_another_copy(void **state)
{
	autobuf source = BUF_INIT;

	(void)state;
	assert_true(undo_away(HELD_SOURCE("103"), &source) < 0);
	assert_string_equal(buf_str(&source), HELD_SOURCE("103"));
}

/* The answer to the lock of the source is lost: whether it is locked is not known. */
static void unlocks_a_source_that_may_be_locked(void **state)
{
	autobuf config = BUF_INIT;
	pid_t pid;

	(void)state;
	core.lie_on = "newid: 102";
	core.lies[0] = 500;
	pid = start_core();
	assert_true(copy_guest() < 0);
	assert_int_equal(task_store_get(SOURCE, &config, NULL, NULL), 0);
	assert_null(strstr(buf_str(&config), "lock:"));
	assert_null(strstr(buf_str(&config), "[special:"));
	stop_core(pid);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copies),
		TEST(leaves_what_others_made),
		TEST(the_undo_frees_the_source_first),
		TEST(the_undo_leaves_the_lock_of_another_copy),
		TEST(unlocks_a_source_that_may_be_locked),
		TEST(what_only_root_gives_is_not_copied),
		TEST(keeps_a_copy_that_was_ended_late),
		TEST(the_undo_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
