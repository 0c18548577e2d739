/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way back that cannot be gone to its end is not begun. */
#include "tests/unit/life/fake_core.h"

#include "agent/guest/ct_schema.h"
#include "agent/task/guest/life.h"

#define CONFIG "/nodes/n1/lxc/101.conf"

static char folder[64];

static int stop(struct task_ctx *task, struct err *err)
{
	(void)task;
	(void)err;
	return 0;
}

static const struct life life = {.ops = &guest_kind_ct, .disk_lock = "disk", .stop = stop};

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/life-rollback-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	memset(&core, 0, sizeof(core));
	core.values = map_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

/* The snapshot knows no volume: the root becomes an unused one. */
static int roll_back(unsigned unused, struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	autobuf text = BUF_INIT;
	int r;

	buf_addf(&text, "hostname: now\nmemory: 64\nrootfs: aa:101/vm-101-disk-0.raw\n");
	for (unsigned i = 0; i < unused; i++)
		buf_addf(&text, "unused%u: aa:101/vm-101-disk-%u.raw\n", i, i + 10);
	buf_addf(&text, "\n[snap]\nhostname: then\nmemory: 64\nsnaptime: 1\n");
	set(CONFIG, text.data, text.size);
	set("/storage.cfg", "", 0);
	fields_add(&task.args, "snapname", "snap");
	pid_t pid = start_core();
	r = life_rollback_run(&task, &life, &err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	stop_core(pid);
	fields_fini(&task.args);
	return r;
}

static void goes_back(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(roll_back(1, &config), 0);
	assert_non_null(strstr(buf_str(&config), "hostname: then"));
	assert_non_null(strstr(buf_str(&config), "unused1: aa:101/vm-101-disk-0.raw"));
	assert_null(strstr(buf_str(&config), "lock:"));
}

static void does_not_begin_without_a_key(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(roll_back(GUEST_UNUSED_MAX, &config), -ERR_LIMIT);
	assert_non_null(strstr(buf_str(&config), "hostname: now"));
	assert_null(strstr(buf_str(&config), "lock:"));
	assert_null(strstr(buf_str(&config), "[special:"));
}

/* Root took the device away after the rollback was asked for. */
static int roll_back_device(const char *user, const char *now, struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = user};
	struct err err = ERR_INIT;
	autobuf text = BUF_INIT;
	int r;

	buf_addf(&text,
		 "%shostname: now\nmemory: 64\n\n[snap]\ndev0: /dev/sda\nhostname: then\n"
		 "snaptime: 1\n",
		 now);
	set(CONFIG, text.data, text.size);
	set("/storage.cfg", "", 0);
	fields_add(&task.args, "snapname", "snap");
	pid_t pid = start_core();
	r = life_rollback_run(&task, &life, &err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	stop_core(pid);
	fields_fini(&task.args);
	return r;
}

static void what_root_took_away_does_not_come_back(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(roll_back_device("joe@pve", "", &config), -ERR_DENIED);
	assert_non_null(strstr(buf_str(&config), "hostname: now"));
	assert_null(strstr(buf_str(&config), "lock:"));
}

static void nor_by_a_token(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(roll_back_device("root@pam!key", "", &config), -ERR_DENIED);
}

static void root_may(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(roll_back_device("root@pam", "", &config), 0);
	assert_int_equal(strncmp(buf_str(&config), "dev0: /dev/sda\nhostname: then", 29), 0);
}

static void what_stands_stays(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(roll_back_device("joe@pve", "dev0: /dev/sda\n", &config), 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(goes_back),
		TEST(does_not_begin_without_a_key),
		TEST(what_root_took_away_does_not_come_back),
		TEST(nor_by_a_token),
		TEST(root_may),
		TEST(what_stands_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
