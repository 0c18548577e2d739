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

static int undo_of(const char *job, const char *text, struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	int r;

	fields_add(&task.args, "undo-of", job);
	set(CONFIG, text, strlen(text));
	pid_t pid = start_core();
	r = guest_change_undo_run(&task, &guest_kind_ct, &err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	stop_core(pid);
	fields_fini(&task.args);
	return r;
}

static int undo(const char *text, struct buf *ret_config)
{
	return undo_of("boot", text, ret_config);
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

/* By either name. */
static void keeps_a_clone_in_use(void **state)
{
	autofree char *path = xasprintf("%s/a/images/101/vm-101-disk-1.qcow2", folder);
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(file_write_atomic(path, "data", 4, 0600, NULL), 0);
	assert_int_equal(undo(OWN "mp0: aa:100/base-100-disk-0.raw/101/vm-101-disk-1.qcow2,mp=/d\n"
				  "\n[special:config]\nvolume0: aa:101/vm-101-disk-1.qcow2\n",
			      &config),
			 0);
	assert_null(strstr(config.data, "[special:"));
	assert_int_equal(access(path, F_OK), 0);
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

#define TWO_JOBS                                                                                   \
	OWN "unused0: aa:101/vm-101-disk-1.raw\nunused1: aa:101/vm-101-disk-2.raw\n"               \
	    "\n[special:config]\nvolume0: aa:101/vm-101-disk-1.raw,job=a1\n"                       \
	    "volume1: aa:101/vm-101-disk-2.raw,job=b2\n"

/* Each undo takes its own job's; whoever finds them after a power cut takes all. */
static void takes_what_that_job_made(void **state)
{
	autobuf config = BUF_INIT, rest = BUF_INIT;

	(void)state;
	put_volume(1);
	put_volume(2);
	assert_int_equal(undo_of("b2", TWO_JOBS, &config), 0);
	assert_string_equal(buf_str(&config),
			    OWN "unused0: aa:101/vm-101-disk-1.raw\n\n[special:config]\n"
				"volume0: aa:101/vm-101-disk-1.raw,job=a1\n");
	assert_true(is_there(1));
	assert_false(is_there(2));
	assert_int_equal(undo(TWO_JOBS, &rest), 0);
	assert_string_equal(buf_str(&rest), OWN);
	assert_false(is_there(1));
}

/* A job that comes to its end, and one that fails, leave the notes of one that died. */
static void leaves_notes_of_others(void **state)
{
	struct guest_change change = {.ops = &guest_kind_ct, .owner = "b2"};
	struct guest_config config;
	autobuf text = BUF_INIT;

	(void)state;
	assert_int_equal(guest_config_parse(TWO_JOBS, sizeof(TWO_JOBS) - 1, &config, NULL), 0);
	guest_change_end(&change, &config);
	guest_config_format(&config, &text);
	guest_config_fini(&config);
	assert_non_null(strstr(buf_str(&text), "job=a1"));
	assert_null(strstr(buf_str(&text), "job=b2"));
}

static int set_memory(struct task_ctx *task, struct guest_change *change,
		      struct guest_config *config, struct err *err)
{
	(void)task;
	(void)change;
	(void)err;
	guest_config_set(config, "memory", "128");
	return 0;
}

/* A change of two writes; between them somebody else writes `meanwhile` (NULL: nobody). */
static int change_twice(const char *meanwhile, struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct guest_change change;
	char digest[SHA1_HEX_SIZE];
	struct err err = ERR_INIT;
	int r;

	set(CONFIG, OWN, strlen(OWN));
	digest_sha1_hex(OWN, strlen(OWN), digest);
	fields_add(&task.args, "digest", digest);
	fields_add(&task.args, "serial", "a1");
	pid_t pid = start_core();
	guest_change_read(&task, &guest_kind_ct, &change);
	assert_int_equal(guest_change_name(&task, &change, "aa:101/vm-101-disk-1.raw", &err), 0);
	if (meanwhile) {
		struct task_txn *txn = task_txn_new("else@pam");

		task_txn_put(txn, CONFIG, meanwhile, strlen(meanwhile));
		assert_int_equal(task_txn_commit(txn, &err), 0);
		task_txn_free(txn);
	}
	if ((r = guest_change_edit(&task, &change, set_memory, &err)) < 0)
		guest_change_undo(&task, &change);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	stop_core(pid);
	guest_change_fini(&change);
	fields_fini(&task.args);
	return r;
}

static void its_own_writes_are_no_others(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(change_twice(NULL, &config), 0);
	assert_non_null(strstr(buf_str(&config), "memory: 128"));
}

static void does_not_overwrite_a_change_meanwhile(void **state)
{
	static const char meanwhile[] = OWN "cores: 2\nunused0: aa:101/vm-101-disk-1.raw\n"
					    "\n[special:config]\n"
					    "volume0: aa:101/vm-101-disk-1.raw,job=a1\n";
	autobuf config = BUF_INIT;

	(void)state;
	put_volume(1);
	assert_int_equal(change_twice(meanwhile, &config), -ERR_CONFLICT);
	assert_string_equal(buf_str(&config), OWN "cores: 2\n");
	assert_false(is_there(1));
}

/* Root's choice; the lock stays. */
static void a_lock_is_passed_over(void **state)
{
	static const char locked[] = OWN "lock: backup\n";

	(void)state;
	set(CONFIG, locked, strlen(locked));
	for (int skips = 0; skips < 2; skips++) {
		struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
		struct guest_change change;
		autobuf config = BUF_INIT;
		pid_t pid = start_core();

		if (skips)
			fields_add(&task.args, "skiplock", "1");
		guest_change_read(&task, &guest_kind_ct, &change);
		assert_int_equal(guest_change_edit(&task, &change, set_memory, NULL),
				 skips ? 0 : -ERR_BUSY);
		assert_int_equal(task_store_get(CONFIG, &config, NULL, NULL), 0);
		stop_core(pid);
		assert_non_null(strstr(buf_str(&config), "lock: backup"));
		assert_int_equal(strstr(buf_str(&config), "memory: 128") != NULL, skips);
		guest_change_fini(&change);
		fields_fini(&task.args);
	}
}

static void does_not_wait_for_a_storage_that_is_no_more(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	put_volume(1);
	assert_int_equal(undo(OWN "unused0: gone:101/vm-101-disk-5.raw\n"
				  "unused1: aa:101/vm-101-disk-1.raw\n"
				  "\n[special:config]\nvolume0: gone:101/vm-101-disk-5.raw\n"
				  "volume1: aa:101/vm-101-disk-1.raw\n",
			      &config),
			 0);
	assert_string_equal(buf_str(&config), OWN);
	assert_false(is_there(1));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removes_what_was_made_or_freed),
		TEST(keeps_what_is_in_use),
		TEST(keeps_a_clone_in_use),
		TEST(leaves_a_finished_change_alone),
		TEST(is_found_without_a_lock),
		TEST(takes_what_that_job_made),
		TEST(leaves_notes_of_others),
		TEST(does_not_wait_for_a_storage_that_is_no_more),
		TEST(its_own_writes_are_no_others),
		TEST(a_lock_is_passed_over),
		TEST(does_not_overwrite_a_change_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
