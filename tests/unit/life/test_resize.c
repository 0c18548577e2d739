/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Growing a volume whose key names another one by the time that it has grown. */
#include "tests/unit/life/fake_core.h"

#include "agent/guest/ct_schema.h"
#include "agent/task/guest/life.h"

#define CONFIG "/nodes/n1/lxc/101.conf"
#define BEFORE "hostname: a\nmp0: aa:101/vm-101-disk-0.raw,mp=/a,size=4K\n"
#define OTHER  "hostname: a\nmp0: aa:101/vm-101-disk-7.raw,mp=/a,size=1K\n"

static char folder[64];
static const char *undo_of;   /* or NULL */
static const char *meanwhile; /* configuration that somebody writes while it grows */

static int require_stopped(struct task_ctx *task, struct err *err)
{
	(void)task;
	(void)err;
	return 0;
}

static int grow(struct task_ctx *task, const struct guest_volume *volume, const char *path,
		struct err *err)
{
	struct task_txn *txn = task_txn_new("else@pam");
	int r = 0;

	(void)task;
	(void)volume;
	(void)path;
	if (meanwhile) {
		task_txn_put(txn, CONFIG, meanwhile, strlen(meanwhile));
		r = task_txn_commit(txn, err);
	}
	task_txn_free(txn);
	return r;
}

static const struct life life = {.ops = &guest_kind_ct,
				 .disk_lock = "disk",
				 .require_stopped = require_stopped,
				 .grow = grow};

static int set_up(void **state)
{
	static const char data[4096];

	(void)state;
	strcpy(folder, "/tmp/life-resize-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *images = xasprintf("%s/images/101", folder);
	autofree char *path = xasprintf("%s/vm-101-disk-0.raw", images);
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent rootdir\n", folder);

	assert_int_equal(dir_make(images, 0755, NULL), 0);
	assert_int_equal(file_write_atomic(path, data, sizeof(data), 0600, NULL), 0);
	memset(&core, 0, sizeof(core));
	core.values = map_new();
	set("/storage.cfg", storages, strlen(storages));
	set(CONFIG, BEFORE, strlen(BEFORE));
	meanwhile = undo_of = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

static int resize(struct buf *ret_config, struct err *err)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	pid_t pid = start_core();
	int r;

	fields_add(&task.args, "disk", "mp0");
	fields_add(&task.args, "size", "8192");
	fields_add(&task.args, "undo-of", undo_of);
	r = life_resize_run(&task, &life, err);
	(void)task_store_get(CONFIG, ret_config, NULL, NULL);
	stop_core(pid);
	fields_fini(&task.args);
	return r;
}

static void grows(void **state)
{
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(resize(&config, &err), 0);
	assert_non_null(strstr(buf_str(&config), "size=8K"));
}

static void leaves_another_volume_alone(void **state)
{
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	meanwhile = OTHER;
	assert_int_equal(resize(&config, &err), -ERR_BUSY);
	assert_string_equal(err.message, "mp0 names another volume now");
	assert_string_equal(buf_str(&config), OTHER);
}

/* What is gone is not waited for. */
static void the_undo_ends(void **state)
{
	static const char *const configs[] = {
		BEFORE, /* it was not begun */
		"hostname: a\nmp1: aa:101/vm-101-disk-0.raw,mp=/a\n",
		"hostname: a\nmp0: aa:101/vm-101-disk-9.raw,mp=/a\n",
		"hostname: a\nmp0: gone:101/vm-101-disk-0.raw,mp=/a\n",
		"hostname: a\nmp0: aa:101/base-101-disk-0.raw,mp=/a\ntemplate: 1\n",
	};
	struct err err = ERR_INIT;

	(void)state;
	undo_of = "job";
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		autobuf config = BUF_INIT;

		set(CONFIG, configs[i], strlen(configs[i]));
		if (resize(&config, &err) < 0)
			fail_msg("%zu: %s", i, err.message);
		assert_string_equal(buf_str(&config), configs[i]);
	}
	autobuf none = BUF_INIT;

	unset(CONFIG);
	assert_int_equal(resize(&none, &err), 0);
}

static void the_undo_goes_on(void **state)
{
	static const char pending[] = BEFORE "\n[PENDING]\nmp0: aa:101/vm-101-disk-0.raw,mp=/b\n";
	autofree char *path = xasprintf("%s/images/101/vm-101-disk-0.raw", folder);
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	set(CONFIG, pending, strlen(pending));
	assert_int_equal(resize(&config, &err), -ERR_BUSY);
	undo_of = "job";
	assert_int_equal(truncate(path, 8192), 0);
	buf_clear(&config);
	assert_int_equal(resize(&config, &err), 0);
	assert_non_null(strstr(buf_str(&config), "mp=/a,size=8K"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(grows),
		TEST(leaves_another_volume_alone),
		TEST(the_undo_ends),
		TEST(the_undo_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
