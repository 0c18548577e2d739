/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A template that clones stand on is not destroyed, not even in part. */
#include "tests/unit/life/fake_core.h"

#include "agent/base/exec.h"
#include "agent/guest/vm_schema.h"
#include "agent/task/guest/life.h"

#define CONFIG "/nodes/n1/qemu/101.conf"

static char folder[64];

static const struct life life = {.ops = &guest_kind_vm, .disk_lock = "clone"};

static char *image(const char *name)
{
	return xasprintf("%s/a/images/%s", folder, name);
}

static void put_base(const char *name)
{
	autofree char *path = image(name);

	assert_int_equal(file_write_atomic(path, "data", 4, 0400, NULL), 0);
}

static bool is_there(const char *name)
{
	autofree char *path = image(name);

	return access(path, F_OK) == 0;
}

static void make_clone(void)
{
	autofree char *path = image("102/vm-102-disk-0.qcow2");
	const char *const argv[] = {
		"qemu-img", "create", "-q", "-f", "qcow2", "-b", "../101/base-101-disk-1.raw",
		"-F",	    "raw",    path, NULL};

	assert_int_equal(
		exec_run(&(struct exec_run){.argv = argv,
					    .deadline = clock_monotonic() + 60 * USEC_PER_SEC},
			 NULL, NULL),
		0);
}

static int set_up(void **state)
{
	static const char config[] = "memory: 64\nscsi0: aa:101/base-101-disk-0.raw,size=1K\n"
				     "scsi1: aa:101/base-101-disk-1.raw,size=1K\ntemplate: 1\n";

	(void)state;
	strcpy(folder, "/tmp/life-destroy-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *own = image("101"), *clones = image("102");
	autofree char *storages = xasprintf("dir: aa\n\tpath %s/a\n\tcontent images\n", folder);
	assert_int_equal(dir_make(own, 0755, NULL), 0);
	assert_int_equal(dir_make(clones, 0755, NULL), 0);
	put_base("101/base-101-disk-0.raw");
	put_base("101/base-101-disk-1.raw");
	memset(&core, 0, sizeof(core));
	core.values = map_new();
	set("/storage.cfg", storages, strlen(storages));
	set(CONFIG, config, strlen(config));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

static bool is_left; /* something of the last one */

static int destroy_with(const char *option, struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	pid_t pid = start_core();
	struct err err = ERR_INIT;

	if (option)
		fields_add(&task.args, option, "1");
	int r = life_destroy_volumes(&task, &life, &err);

	fields_fini(&task.args);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	buf_str(ret_config);
	stop_core(pid);
	is_left = task.is_unfinished;
	return r;
}

static int destroy(struct buf *ret_config)
{
	return destroy_with(NULL, ret_config);
}

static void stays_whole_while_clones_stand_on_it(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	make_clone();
	assert_int_equal(destroy(&config), -ERR_BUSY);
	assert_true(is_there("101/base-101-disk-0.raw"));
	assert_true(is_there("101/base-101-disk-1.raw"));
	assert_null(strstr(config.data, "lock:"));
	assert_null(strstr(config.data, "[special:"));
}

static void goes_without_clones(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(destroy(&config), 0);
	assert_false(is_there("101/base-101-disk-0.raw"));
	assert_false(is_there("101/base-101-disk-1.raw"));
	assert_false(is_left);
}

/* The storage of the second volume is away: there is no way back, and the undo goes on. */
static void goes_on_once_begun(void **state)
{
	static const char both[] = "name: a\nscsi0: aa:101/base-101-disk-0.raw\n"
				   "scsi1: bb:101/vm-101-disk-1.raw\n";
	autofree char *storages = xasprintf("dir: aa\n\tpath %s/a\n\tcontent images\n\n"
					    "dir: bb\n\tpath %s/b\n\tcontent images\n"
					    "\tis_mountpoint yes\n",
					    folder, folder);
	autobuf config = BUF_INIT;

	(void)state;
	set("/storage.cfg", storages, strlen(storages));
	set(CONFIG, both, strlen(both));
	assert_true(destroy(&config) < 0);
	assert_false(is_there("101/base-101-disk-0.raw"));
	assert_non_null(strstr(config.data, "lock: destroyed"));
	assert_true(is_left);
}

/* Root may pass over somebody's lock. */
static void a_lock_is_passed_over(void **state)
{
	static const char locked[] = "lock: backup\nscsi0: aa:101/base-101-disk-0.raw\n";
	autobuf config = BUF_INIT;

	(void)state;
	set(CONFIG, locked, strlen(locked));
	assert_int_equal(destroy(&config), -ERR_BUSY);
	assert_true(is_there("101/base-101-disk-0.raw"));
	buf_clear(&config);
	assert_int_equal(destroy_with("skiplock", &config), 0);
	assert_false(is_there("101/base-101-disk-0.raw"));
}

static bool is_meant(const char *undo_of)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	pid_t pid = start_core();
	struct err err = ERR_INIT;
	bool is_meant;

	fields_add(&task.args, "undo-of", undo_of);
	assert_int_equal(life_destroy_is_meant(&task, &life, &is_meant, &err), 0);
	stop_core(pid);
	fields_fini(&task.args);
	return is_meant;
}

/* What died before it began is not carried on: the number may be another guest's by now. */
static void undo_begins_nothing(void **state)
{
	static const char begun[] = "lock: destroyed\nmemory: 64\n\n[special:destroy]\nbegun: 1\n";

	(void)state;
	assert_true(is_meant(NULL));
	assert_false(is_meant("S"));
	set(CONFIG, begun, strlen(begun));
	assert_true(is_meant("S"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stays_whole_while_clones_stand_on_it),
		TEST(goes_without_clones),
		TEST(a_lock_is_passed_over),
		TEST(goes_on_once_begun),
		TEST(undo_begins_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
