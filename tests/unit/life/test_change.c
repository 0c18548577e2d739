/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change of a configuration leaves when its job dies, and who takes it away. */
#include "tests/unit/life/fake_core.h"

#include "agent/guest/ct_schema.h"
#include "agent/guest/underway.h"
#include "agent/task/guest/change.h"

#define CONFIG "/nodes/n1/lxc/101.conf"
#define OWN    "hostname: a\nmemory: 64\nrootfs: aa:101/vm-101-disk-0.raw,size=1K\n"

static char folder[64];

static char *path_of(unsigned disk)
{
	return xasprintf("%s/a/images/101/vm-101-disk-%u.raw", folder, disk);
}

static bool is_there(unsigned disk)
{
	autofree char *path = path_of(disk);

	return access(path, F_OK) == 0;
}

static void put_volume(unsigned disk)
{
	autofree char *path = path_of(disk);

	assert_int_equal(file_write_atomic(path, "data", 4, 0600, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/life-change-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *images = xasprintf("%s/a/images/101", folder);
	autofree char *storages = xasprintf("dir: aa\n\tpath %s/a\n\tcontent rootdir\n", folder);

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

static int undo(const char *text, struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	int r;

	set(CONFIG, text, strlen(text));
	pid_t pid = start_core();
	r = guest_change_undo_run(&task, &guest_kind_ct, &err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	stop_core(pid);
	return r;
}

static void removes_what_was_made_or_freed(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	put_volume(1); /* disk 2 is named and was never made, disk 3 is nobody's business */
	put_volume(3);
	assert_int_equal(undo(OWN "unused0: aa:101/vm-101-disk-1.raw\n"
				  "unused1: aa:101/vm-101-disk-2.raw\n"
				  "unused2: aa:101/vm-101-disk-3.raw\n"
				  "\n[special:config]\nvolume0: aa:101/vm-101-disk-1.raw\n"
				  "volume1: aa:101/vm-101-disk-2.raw\n",
			      &config),
			 0);
	assert_string_equal(buf_str(&config), OWN "unused2: aa:101/vm-101-disk-3.raw\n");
	assert_false(is_there(1));
	assert_true(is_there(3));
	assert_true(is_there(0));
}

/* The last write had come through before the job died, or somebody was quicker. */
static void keeps_what_is_in_use(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	put_volume(1);
	assert_int_equal(undo(OWN "mp0: aa:101/vm-101-disk-1.raw,mp=/data,size=1K\n"
				  "\n[special:config]\nvolume0: aa:101/vm-101-disk-1.raw\n",
			      &config),
			 0);
	assert_non_null(strstr(config.data, "mp0: aa:101/vm-101-disk-1.raw"));
	assert_null(strstr(config.data, "[special:"));
	assert_true(is_there(1));
}

static void leaves_a_finished_change_alone(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	put_volume(1);
	assert_int_equal(undo(OWN "unused0: aa:101/vm-101-disk-1.raw\n", &config), 0);
	assert_string_equal(buf_str(&config), OWN "unused0: aa:101/vm-101-disk-1.raw\n");
	assert_true(is_there(1));
}

/* After a power cut the next core sees it in the configuration, lock or no lock. */
static void is_found_without_a_lock(void **state)
{
	static const char text[] = OWN "\n[special:config]\nvolume0: aa:101/vm-101-disk-1.raw\n";
	struct guest_config config;
	struct guest_underway what;

	(void)state;
	assert_int_equal(guest_config_parse(text, strlen(text), &config, NULL), 0);
	assert_true(guest_underway_find(&config, &what));
	assert_string_equal(what.command, "config-undo");
	guest_config_fini(&config);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removes_what_was_made_or_freed),
		TEST(keeps_what_is_in_use),
		TEST(leaves_a_finished_change_alone),
		TEST(is_found_without_a_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
