/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot whose last write has an outcome that nobody knows. */
#include "tests/unit/life/fake_core.h"

#include "agent/base/exec.h"
#include "agent/guest/vm_schema.h"
#include "agent/task/guest/life.h"

#define CONFIG "/nodes/n1/qemu/101.conf"

static char folder[64];

static bool is_running;

static int require_stopped(struct task_ctx *task, struct err *err)
{
	(void)task;
	return is_running ? err_set(err, ERR_BUSY, "VM 101 is running") : 0;
}

static const struct life life = {.ops = &guest_kind_vm,
				 .disk_lock = "disk",
				 .require_stopped = require_stopped,
				 .stop = require_stopped};

static void run(const char *const *argv, struct exec_result *ret)
{
	const struct exec_run spec = {.argv = argv,
				      .deadline = clock_monotonic() + 60 * USEC_PER_SEC,
				      .output_max = 4096};
	struct err err = ERR_INIT;

	if (exec_run(&spec, ret, &err) < 0)
		fail_msg("%s", err.message);
}

static char *image_path(void)
{
	return xasprintf("%s/images/101/vm-101-disk-0.qcow2", folder);
}

static int set_up(void **state)
{
	static const char config[] = "name: a\nscsi0: aa:101/vm-101-disk-0.qcow2,size=1M\n";

	(void)state;
	strcpy(folder, "/tmp/life-snapshot-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *images = xasprintf("%s/images/101", folder);
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent images\n", folder);
	autofree char *image = image_path();

	assert_int_equal(dir_make(images, 0755, NULL), 0);
	if (access("/usr/bin/qemu-img", X_OK) == 0)
		run((const char *const[]){"qemu-img", "create", "-q", "-f", "qcow2", image, "1M",
					  NULL},
		    NULL);
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

static int make(struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	pid_t pid = start_core();
	int r;

	fields_add(&task.args, "snapname", "s1");
	r = life_snapshot_run(&task, &life, &err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	fields_fini(&task.args);
	stop_core(pid);
	return r;
}

static bool has_snapshot(void)
{
	autofree char *image = image_path();
	struct exec_result result = {0};

	run((const char *const[]){"qemu-img", "snapshot", "-l", image, NULL}, &result);
	bool is_there = strstr(buf_str(&result.output), "s1") != NULL;

	exec_result_fini(&result);
	return is_there;
}

static void expect_made(const struct buf *config)
{
	assert_non_null(strstr(config->data, "parent: s1"));
	assert_non_null(strstr(config->data, "[s1]"));
	assert_null(strstr(config->data, "lock:"));
	assert_null(strstr(config->data, "snapstate:"));
	assert_true(has_snapshot());
}

static void is_made(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	assert_int_equal(make(&config), 0);
	expect_made(&config);
}

/* It was written, and what is told of that is a failure. */
static void stays_when_it_was_written(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	core.lie_on = "parent: s1";
	core.lies[0] = 500;
	assert_int_equal(make(&config), 0);
	expect_made(&config);
}

/* It is written while the job gives up. */
static void stays_when_it_is_written_late(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	core.late_on = "parent: s1";
	assert_int_equal(make(&config), 0);
	expect_made(&config);
}

static void undo(int (*job)(struct task_ctx *task, const struct life *life, struct err *err),
		 struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	pid_t pid = start_core();

	fields_add(&task.args, "snapname", "s1");
	fields_add(&task.args, "undo-of", "job");
	if (job(&task, &life, &err) < 0)
		fail_msg("%s", err.message);
	buf_clear(ret_config);
	(void)task_store_get(CONFIG, ret_config, NULL, NULL);
	fields_fini(&task.args);
	stop_core(pid);
}

static int delete_it(struct buf *ret_config, struct err *err)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	pid_t pid = start_core();
	int r;

	fields_add(&task.args, "snapname", "s1");
	r = life_delsnapshot_run(&task, &life, err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	fields_fini(&task.args);
	stop_core(pid);
	return r;
}

#define TAKEN "[s1]\nscsi1: aa:101/vm-101-disk-0.qcow2,size=1M\n"

/* A volume that only the snapshot names would be forgotten, and be the next owner's of this number. */
static void its_volume_is_kept(void **state)
{
	static const char before[] = "name: a\nparent: s1\n\n" TAKEN;
	autobuf config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	assert_int_equal(make(&config), 0);
	set(CONFIG, before, strlen(before));
	buf_clear(&config);
	if (delete_it(&config, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(buf_str(&config), "name: a\nunused0: aa:101/vm-101-disk-0.qcow2\n");
	assert_false(has_snapshot());
}

static void is_not_deleted_where_its_volume_has_no_key(void **state)
{
	autobuf before = BUF_INIT, config = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	assert_int_equal(make(&config), 0);
	buf_add_str(&before, "name: a\nparent: s1\n");
	for (unsigned i = 0; i < GUEST_UNUSED_MAX; i++)
		buf_addf(&before, "unused%u: aa:101/vm-101-disk-%u.qcow2\n", i, i + 1);
	buf_add_str(&before, "\n" TAKEN);
	set(CONFIG, before.data, before.size);
	buf_clear(&config);
	assert_int_equal(delete_it(&config, &err), -ERR_LIMIT);
	assert_string_equal(buf_str(&config), buf_str(&before));
	assert_true(has_snapshot());
}

#define GONE "name: a\nscsi0: gone:101/vm-101-disk-0.qcow2\nscsi1: aa:101/vm-101-disk-9.qcow2\n"

/* What is gone is not waited for: a storage, a volume, the guest. */
static void the_undo_ends(void **state)
{
	static const char made[] = "lock: snapshot\n" GONE "\n[s1]\n" GONE "snapstate: prepare\n";
	static const char deleted[] =
		"lock: snapshot-delete\n" GONE "\n[s1]\n" GONE "snapstate: delete\n";
	static const char other[] = "lock: backup\n" GONE "\n[s1]\n" GONE;
	static const char rolled[] =
		"lock: rollback\n" GONE "\n[s1]\n" GONE "\n[special:rollback]\nsnapname: s1\n";
	autobuf config = BUF_INIT;

	(void)state;
	set(CONFIG, made, strlen(made));
	undo(life_snapshot_undo_run, &config);
	assert_string_equal(buf_str(&config), GONE);
	set(CONFIG, deleted, strlen(deleted));
	undo(life_delsnapshot_run, &config);
	assert_string_equal(buf_str(&config), GONE);
	set(CONFIG, other, strlen(other)); /* others' lock: it had come to its end, or not begun */
	undo(life_delsnapshot_run, &config);
	assert_string_equal(buf_str(&config), other);
	undo(life_rollback_run, &config);
	assert_string_equal(buf_str(&config), other);
	set(CONFIG, rolled, strlen(rolled));
	undo(life_rollback_run, &config);
	assert_null(strstr(buf_str(&config), "lock:"));
	assert_null(strstr(buf_str(&config), "special:"));
	unset(CONFIG);
	undo(life_snapshot_undo_run, &config);
	undo(life_delsnapshot_run, &config);
	undo(life_rollback_run, &config);
	assert_int_equal(config.size, 0);
}

/* -- deleting -- */

#define DISK0 "scsi0: aa:101/vm-101-disk-0.qcow2,size=1M\n"
#define DISK1 "scsi1: aa:101/vm-101-disk-1.qcow2,size=1M\n"
#define AWAY  "scsi1: bb:101/vm-101-disk-1.qcow2,size=1M\n" /* nothing is mounted there */
#define WITH(disks, state)                                                                         \
	"name: a\nparent: s1\n" disks "\n[s1]\nname: a\n" disks "snaptime: 1\n" state

/* A machine with that configuration, and the snapshot in its first image; the second is no image at all. */
static void prepare(const char *text)
{
	autofree char *image = image_path();
	autofree char *broken = xasprintf("%s/images/101/vm-101-disk-1.qcow2", folder);
	autofree char *storages = xasprintf("dir: aa\n\tpath %s\n\tcontent images\n\n"
					    "dir: bb\n\tpath %s\n\tcontent images\n"
					    "\tis_mountpoint yes\n",
					    folder, folder);

	set("/storage.cfg", storages, strlen(storages));
	set(CONFIG, text, strlen(text));
	run((const char *const[]){"qemu-img", "snapshot", "-c", "s1", image, NULL}, NULL);
	assert_int_equal(file_write_atomic(broken, "x", 1, 0600, NULL), 0);
}

static int delete_as(bool is_forced, struct buf *ret_config, struct err *err)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	pid_t pid = start_core();
	int r;

	fields_add(&task.args, "snapname", "s1");
	fields_add(&task.args, "force", is_forced ? "1" : NULL);
	r = life_delsnapshot_run(&task, &life, err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	fields_fini(&task.args);
	stop_core(pid);
	return r;
}

/* What cannot be deleted stays whole: nothing of it goes, and it can be gone back to. */
static void a_refused_deletion_changes_nothing(void **state)
{
	static const struct {
		const char *text, *why;
		bool is_running;
	} cases[] = {
		{WITH(DISK0, ""), "feature not available: deletion of a snapshot of a running",
		 true},
		{WITH("ide0: aa:101/vm-101-disk-9.raw\n" DISK0, ""), "the image of scsi0", true},
		{WITH(DISK0 AWAY, ""), "nothing is mounted on", false},
		{WITH("scsi1: zz:101/vm-101-disk-1.qcow2\n" DISK0, ""), "storage 'zz'", false},
		{WITH(DISK1, ""), "scsi1:", false}, /* found when it is tried */
	};

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf config = BUF_INIT;
		struct err err = ERR_INIT;

		prepare(cases[i].text);
		is_running = cases[i].is_running;
		int r = delete_as(false, &config, &err);

		is_running = false;
		if (r == 0 || !strstr(err.message, cases[i].why))
			fail_msg("%zu: %d %s", i, r, err.message);
		assert_string_equal(buf_str(&config), cases[i].text);
		assert_true(has_snapshot());
	}
}

/* It is not whole any more, and says so; also after a second try, which deletes nothing more. */
static void a_deletion_that_broke_off_is_told(void **state)
{
	static const char *const texts[] = {WITH(DISK0 DISK1, ""),
					    WITH(DISK1, "snapstate: delete\n")};

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		autobuf config = BUF_INIT;

		prepare(texts[i]);
		assert_true(delete_as(false, &config, NULL) < 0);
		assert_non_null(strstr(buf_str(&config), "snapstate: delete"));
		assert_null(strstr(buf_str(&config), "lock:"));
	}
}

/* By force it is forgotten, whatever became of its volumes. */
static void is_forgotten_by_force(void **state)
{
	static const char *const disks[] = {DISK0, DISK1, AWAY,
					    "scsi1: zz:101/vm-101-disk-1.qcow2\n"};

	(void)state;
	if (access("/usr/bin/qemu-img", X_OK) != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
		autofree char *text = xasprintf("name: a\n%s\n[s1]\nname: a\n%ssnaptime: 1\n",
						disks[i], disks[i]);
		autofree char *after = xasprintf("name: a\n%s", disks[i]);
		autobuf config = BUF_INIT;
		struct err err = ERR_INIT;

		prepare(text);
		if (delete_as(true, &config, &err) < 0)
			fail_msg("%s: %s", disks[i], err.message);
		assert_string_equal(buf_str(&config), after);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_made),
		TEST(stays_when_it_was_written),
		TEST(stays_when_it_is_written_late),
		TEST(the_undo_ends),
		TEST(a_refused_deletion_changes_nothing),
		TEST(a_deletion_that_broke_off_is_told),
		TEST(is_forgotten_by_force),
		TEST(its_volume_is_kept),
		TEST(is_not_deleted_where_its_volume_has_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
