/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating a machine with a disk that was there before: whatever becomes of it, that disk stays. */
#include "tests/unit/life/fake_core.h"

#include "agent/guest/vm/commands.h"

#define CONFIG "/nodes/n1/qemu/101.conf"
#define OLD    "scsi0: aa:101/vm-101-disk-0.raw,size=1M\n"

static char folder[64];

static bool is_there(unsigned disk)
{
	autofree char *path = xasprintf("%s/images/101/vm-101-disk-%u.raw", folder, disk);

	return access(path, F_OK) == 0;
}

static void put_volume(unsigned disk)
{
	autofree char *path = xasprintf("%s/images/101/vm-101-disk-%u.raw", folder, disk);

	assert_int_equal(file_write_atomic(path, "data", 4, 0600, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/vm-create-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *images = xasprintf("%s/images/101", folder);
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent images\n", folder);

	assert_int_equal(dir_make(images, 0755, NULL), 0);
	memset(&core, 0, sizeof(core));
	core.values = map_new();
	set("/storage.cfg", storages, strlen(storages));
	put_volume(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

/* *ret_config is what is stored then, empty: nothing. */
static int run(int (*job)(struct task_ctx *task, struct err *err), struct task_ctx *task,
	       const char *text, struct buf *ret_config)
{
	struct err err = ERR_INIT;
	int r;

	task->guest = 101;
	task->node = "n1";
	task->user = "root@pam";
	set(CONFIG, text, strlen(text));
	pid_t pid = start_core();
	r = job(task, &err);
	(void)task_store_get(CONFIG, ret_config, NULL, NULL);
	stop_core(pid);
	fields_fini(&task->args);
	return r;
}

static void makes_the_new_ones(void **state)
{
	struct task_ctx task = {0};
	autobuf config = BUF_INIT;

	(void)state;
	fields_add(&task.args, "disk.scsi1", "aa:1,format=raw");
	assert_int_equal(run(qmcreate_run, &task, "lock: create\nkvm: 0\n" OLD, &config), 0);
	assert_non_null(strstr(buf_str(&config), "scsi1: aa:101/vm-101-disk-1.raw"));
	assert_null(strstr(buf_str(&config), "lock:"));
	assert_null(strstr(buf_str(&config), "[special:"));
	assert_true(is_there(0) && is_there(1));
}

static void failed(void **state)
{
	struct task_ctx task = {0};
	autobuf config = BUF_INIT;

	(void)state;
	fields_add(&task.args, "disk.scsi1", "aa:1,format=raw");
	fields_add(&task.args, "disk.scsi2", "gone:1");
	assert_true(run(qmcreate_run, &task, "lock: create\nkvm: 0\n" OLD, &config) < 0);
	assert_int_equal(config.size, 0);
	assert_true(is_there(0));
	assert_false(is_there(1));
}

/* Killed before it made anything, or after it noted what it makes. */
static void killed(void **state)
{
	struct task_ctx task = {0};
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(run(qmcreate_undo_run, &task,
			     "lock: create\nunused0: aa:101/vm-101-disk-0.raw\n", &config),
			 0);
	assert_int_equal(config.size, 0);
	assert_true(is_there(0));
	put_volume(1);
	assert_int_equal(run(qmcreate_undo_run, &task,
			     "lock: create\n" OLD "scsi1: aa:101/vm-101-disk-1.raw\n"
			     "\n[special:create]\nvolume0: aa:101/vm-101-disk-1.raw\n",
			     &config),
			 0);
	assert_int_equal(config.size, 0);
	assert_true(is_there(0));
	assert_false(is_there(1));
}

/* Its last write came through: it is a machine. */
static void finished(void **state)
{
	struct task_ctx task = {0};
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(run(qmcreate_undo_run, &task, OLD, &config), 0);
	assert_string_equal(buf_str(&config), OLD);
	assert_true(is_there(0));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_the_new_ones),
		TEST(failed),
		TEST(killed),
		TEST(finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
