/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undoing the creation of a container that was given a volume which was there before. */
#include "tests/unit/life/fake_core.h"

#include "agent/guest/ct/commands.h"

#define CONFIG "/nodes/n1/lxc/101.conf"
#define OLD                                                                                        \
	"lock: create\nmp0: aa:101/vm-101-disk-0.raw,mp=/a,size=1M\n"                              \
	"unused0: aa:101/vm-101-disk-1.raw\n"

static char folder[64];

static char *path_of(unsigned disk)
{
	return xasprintf("%s/images/101/vm-101-disk-%u.raw", folder, disk);
}

static bool is_there(unsigned disk)
{
	autofree char *path = path_of(disk);

	return access(path, F_OK) == 0;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/ct-create-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *images = xasprintf("%s/images/101", folder);
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent rootdir\n", folder);

	assert_int_equal(dir_make(images, 0755, NULL), 0);
	for (unsigned disk = 0; disk < 4; disk++) {
		autofree char *path = path_of(disk);

		assert_int_equal(file_write_atomic(path, "data", 4, 0600, NULL), 0);
	}
	memset(&core, 0, sizeof(core));
	core.values = map_new();
	set("/storage.cfg", storages, strlen(storages));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

static void undo(const char *text)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	autobuf config = BUF_INIT;

	set(CONFIG, text, strlen(text));
	pid_t pid = start_core();
	assert_int_equal(vzcreate_undo_run(&task, &err), 0);
	assert_int_equal(task_store_get(CONFIG, &config, NULL, NULL), -ERR_NOT_FOUND);
	stop_core(pid);
}

static void keeps_what_was_there(void **state)
{
	(void)state;
	undo(OLD "rootfs: aa:101/vm-101-disk-2.raw\n"
		 "\n[special:create]\nvolume0: aa:101/vm-101-disk-2.raw\n");
	assert_true(is_there(0) && is_there(1) && is_there(3));
	assert_false(is_there(2));
}

static void keeps_it_before_anything_was_made(void **state)
{
	(void)state;
	undo(OLD);
	assert_true(is_there(0) && is_there(1) && is_there(2) && is_there(3));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_what_was_there),
		TEST(keeps_it_before_anything_was_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
