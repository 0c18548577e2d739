/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that cannot become a template stays what it is; one that has begun to is carried on. */
#include "tests/unit/life/fake_core.h"

#include "agent/base/exec.h"
#include "agent/guest/vm_schema.h"
#include "agent/task/guest/life.h"

#define CONFIG "/nodes/n1/qemu/101.conf"
#define TWO    "name: a\nscsi0: aa:101/vm-101-disk-0.raw,size=4K\nscsi1: aa:101/vm-101-disk-1.raw\n"

static char folder[64];
static bool is_running;

static int require_stopped(struct task_ctx *task, struct err *err)
{
	(void)task;
	return is_running ? err_set(err, ERR_BUSY, "it runs") : 0;
}

static const struct life life = {
	.ops = &guest_kind_vm, .disk_lock = "clone", .require_stopped = require_stopped};

static char *path_of(const char *file)
{
	return xasprintf("%s/images/101/%s", folder, file);
}

static void make_file(const char *file)
{
	static const char data[4096];
	autofree char *path = path_of(file);

	assert_int_equal(file_write_atomic(path, data, sizeof(data), 0600, NULL), 0);
}

static bool has_file(const char *file)
{
	autofree char *path = path_of(file);

	return access(path, F_OK) == 0;
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/life-template-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *images = path_of("");
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent images\n", folder);

	assert_int_equal(dir_make(images, 0755, NULL), 0);
	make_file("vm-101-disk-0.raw");
	make_file("vm-101-disk-1.raw");
	memset(&core, 0, sizeof(core));
	core.values = map_new();
	set("/storage.cfg", storages, strlen(storages));
	set(CONFIG, TWO, strlen(TWO));
	is_running = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

/* What the core has afterwards is what the next one begins with. */
static int convert(const char *undo_of, struct buf *ret_config, struct err *err)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	pid_t pid = start_core();
	int r;

	fields_add(&task.args, "undo-of", undo_of);
	r = life_template_run(&task, &life, err);
	buf_clear(ret_config);
	(void)task_store_get(CONFIG, ret_config, NULL, NULL);
	stop_core(pid);
	if (ret_config->size)
		set(CONFIG, ret_config->data, ret_config->size);
	fields_fini(&task.args);
	return r;
}

static void expect_made(const struct buf *config)
{
	assert_non_null(strstr(config->data, "template: 1"));
	assert_non_null(strstr(config->data, "scsi0: aa:101/base-101-disk-0.raw,size=4K"));
	assert_non_null(strstr(config->data, "scsi1: aa:101/base-101-disk-1.raw"));
	assert_null(strstr(config->data, "lock:"));
	assert_null(strstr(config->data, "special:"));
}

static void is_made(void **state)
{
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(convert(NULL, &config, &err), 0);
	expect_made(&config);
	assert_true(has_file("base-101-disk-0.raw") && !has_file("vm-101-disk-0.raw"));
}

static void refuses_a_linked_clone(void **state)
{
	static const char before[] = "name: a\nscsi0: aa:101/vm-101-disk-0.raw,size=4K\n"
				     "scsi1: aa:100/base-100-disk-0.raw/101/vm-101-disk-2.qcow2\n";
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	set(CONFIG, before, strlen(before));
	assert_int_equal(convert(NULL, &config, &err), -ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "linked clone"));
	assert_string_equal(buf_str(&config), before);
	assert_true(has_file("vm-101-disk-0.raw"));
}

static void refuses_unknown_snapshots(void **state)
{
	static const char before[] = "name: a\nscsi0: aa:101/vm-101-disk-0.raw,size=4K\n"
				     "scsi1: aa:101/vm-101-disk-2.qcow2,size=1M\n";
	autofree char *image = path_of("vm-101-disk-2.qcow2");
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;
	const char *const make[] = {"qemu-img", "create", "-q", "-f", "qcow2", image, "1M", NULL};
	const char *const snap[] = {"qemu-img", "snapshot", "-q", "-c", "other", image, NULL};

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	for (int i = 0; i < 2; i++)
		assert_int_equal(exec_run(&(struct exec_run){.argv = i ? snap : make,
							     .deadline = clock_monotonic() +
									 60 * USEC_PER_SEC},
					  NULL, NULL),
				 0);
	set(CONFIG, before, strlen(before));
	assert_int_equal(convert(NULL, &config, &err), -ERR_BUSY);
	assert_string_equal(err.message, "scsi1: volume aa:101/vm-101-disk-2.qcow2 has snapshots");
	assert_string_equal(buf_str(&config), before);
	assert_true(has_file("vm-101-disk-0.raw"));
}

/* The name that the first volume is to get is in use. */
static void takes_back_what_changed_nothing(void **state)
{
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	make_file("base-101-disk-0.raw");
	assert_int_equal(convert(NULL, &config, &err), -ERR_EXISTS);
	assert_string_equal(buf_str(&config), TWO);
}

/* That of the second one is, until somebody looks. */
static void is_carried_on(void **state)
{
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;
	autofree char *obstacle = path_of("base-101-disk-1.raw");

	(void)state;
	make_file("base-101-disk-1.raw");
	for (int i = 0; i < 2; i++) { /* by the same job, and by its undo */
		assert_int_equal(convert(i ? "job" : NULL, &config, &err), -ERR_EXISTS);
		assert_non_null(strstr(buf_str(&config), "lock: clone"));
		assert_non_null(strstr(buf_str(&config), "template: 1"));
		assert_non_null(strstr(buf_str(&config), "scsi0: aa:101/base-101-disk-0.raw"));
		assert_non_null(strstr(buf_str(&config), "scsi1: aa:101/vm-101-disk-1.raw"));
	}
	unlink(obstacle);
	assert_int_equal(convert(NULL, &config, &err), 0);
	expect_made(&config);
}

static void the_undo_ends(void **state)
{
	static const char begun[] =
		"lock: clone\nname: a\nscsi0: aa:101/vm-101-disk-5.raw,size=4K\n"
		"scsi1: aa:101/vm-101-disk-1.raw\ntemplate: 1\n\n"
		"[special:template]\ntemplate: 1\n";
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	is_running = true;
	assert_int_equal(convert("job", &config, &err), 0); /* not begun */
	assert_string_equal(buf_str(&config), TWO);
	set(CONFIG, begun, strlen(begun));
	assert_int_equal(convert("job", &config, &err), -ERR_BUSY);
	is_running = false;
	assert_int_equal(convert("job", &config, &err), 0); /* of a volume that is gone */
	assert_non_null(strstr(buf_str(&config), "scsi0: aa:101/vm-101-disk-5.raw"));
	assert_non_null(strstr(buf_str(&config), "scsi1: aa:101/base-101-disk-1.raw"));
	assert_null(strstr(buf_str(&config), "lock:"));
	unset(CONFIG);
	assert_int_equal(convert("job", &config, &err), 0); /* of a guest that is gone */
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_made),
		TEST(refuses_a_linked_clone),
		TEST(refuses_unknown_snapshots),
		TEST(takes_back_what_changed_nothing),
		TEST(is_carried_on),
		TEST(the_undo_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
