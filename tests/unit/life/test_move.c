/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving a volume on two folders, with a core of our own that says something else than what it did. */
#include "tests/unit/life/fake_core.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "agent/base/exec.h"
#include "agent/guest/ct_schema.h"
#include "agent/guest/guest.h"
#include "agent/task/guest/life.h"

#define CONFIG "/nodes/n1/lxc/101.conf"

/* -- the job -- */

static char folder[64];

static int require_stopped(struct task_ctx *task, struct err *err)
{
	(void)task;
	(void)err;
	return 0;
}

static const struct life life = {
	.ops = &guest_kind_ct, .disk_lock = "disk", .require_stopped = require_stopped};

static bool is_file(const char *name)
{
	autofree char *path = xasprintf("%s/%s", folder, name);

	return access(path, F_OK) == 0;
}

static void put_file(const char *name, const char *text)
{
	autofree char *path = xasprintf("%s/%s", folder, name);
	autofree char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(dir_make(parent, 0755, NULL), 0);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/life-move-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	put_file("a/images/101/vm-101-disk-0.raw", "data");
	autofree char *storages = xasprintf("dir: aa\n\tpath %s/a\n\tcontent rootdir\n\n"
					    "dir: bb\n\tpath %s/b\n\tcontent rootdir\n",
					    folder, folder);
	static const char config[] = "hostname: a\nmemory: 64\n"
				     "rootfs: aa:101/vm-101-disk-0.raw,size=1K\n";
	memset(&core, 0, sizeof(core));
	core.values = map_new();
	set("/storage.cfg", storages, strlen(storages));
	set(CONFIG, config, strlen(config));
	core.lie_on = "\nrootfs: bb:";
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	map_free(core.values, free_value);
	return dir_remove_tree(folder, NULL);
}

static bool is_left; /* something of the last move, to be undone */

/* Moves the root to storage bb; *ret_config is what is stored then. */
static int move(struct buf *ret_config)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	pid_t pid = start_core();
	int r;

	fields_add(&task.args, "volume", "rootfs");
	fields_add(&task.args, "storage", "bb");
	fields_add(&task.args, "delete", "1");
	r = life_move_run(&task, &life, &err);
	assert_int_equal(task_store_get(CONFIG, ret_config, NULL, NULL), 0);
	fields_fini(&task.args);
	stop_core(pid);
	is_left = task.is_unfinished;
	return r;
}

static void expect_moved(const struct buf *config)
{
	assert_non_null(strstr(config->data, "rootfs: bb:101/vm-101-disk-1.raw"));
	assert_null(strstr(config->data, "lock:"));
	assert_null(strstr(config->data, "[special:"));
	assert_true(is_file("b/images/101/vm-101-disk-1.raw"));
	assert_false(is_file("a/images/101/vm-101-disk-0.raw"));
}

static void moves(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	assert_int_equal(move(&config), 0);
	expect_moved(&config);
}

/* The change was made, and what is told of it is a failure: the copy is the guest's only volume now. */
static void keeps_a_copy_that_is_in_use(void **state)
{
	autobuf config = BUF_INIT;

	(void)state;
	core.lies[0] = 500;
	assert_int_equal(move(&config), 0);
	expect_moved(&config);
}

/* Somebody takes the name between the look and the copy: it is theirs. */
static void leaves_what_others_made(void **state)
{
	autofree char *path = xasprintf("%s/b/images/101/vm-101-disk-1.raw", folder);
	autobuf config = BUF_INIT, text = BUF_INIT;

	(void)state;
	core.lie_on = NULL;
	core.appear_on = "to: bb:101/vm-101-disk-1.raw";
	core.appears = path;
	assert_int_equal(move(&config), -ERR_EXISTS);
	assert_int_equal(file_read(path, 100, &text, NULL), 0);
	assert_string_equal(buf_str(&text), "theirs");
	assert_non_null(strstr(config.data, "rootfs: aa:101/vm-101-disk-0.raw"));
	assert_null(strstr(config.data, "lock:"));
	assert_null(strstr(config.data, "[special:"));
	assert_true(is_file("a/images/101/vm-101-disk-0.raw"));
	assert_false(is_left);
}

/* The copy's folder goes bad meanwhile: what cannot be removed is left to the undo, and removed by it. */
static void leaves_the_rest_to_the_undo(void **state)
{
	autofree char *bad = xasprintf("%s/b/images/101", folder);
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	autobuf config = BUF_INIT, after = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	core.lie_on = NULL;
	core.appear_on = "to: bb:";
	core.appears = bad;
	assert_true(move(&config) < 0);
	assert_true(is_left);
	assert_non_null(strstr(buf_str(&config), "lock: disk"));
	assert_int_equal(unlink(bad), 0);
	core.appear_on = NULL;
	set(CONFIG, config.data, config.size);
	fields_add(&task.args, "undo-of", "job");
	pid_t pid = start_core();
	if (life_move_undo_run(&task, &life, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(task_store_get(CONFIG, &after, NULL, NULL), 0);
	stop_core(pid);
	fields_fini(&task.args);
	assert_null(strstr(buf_str(&after), "lock:"));
	assert_null(strstr(buf_str(&after), "[special:"));
}

/* With no key left for a volume that has to stay, nothing is begun. */
static void needs_a_key_for_the_old_one(void **state)
{
	autobuf before = BUF_INIT, config = BUF_INIT;

	(void)state;
	buf_addf(&before, "hostname: a\nmemory: 64\nrootfs: aa:101/vm-101-disk-0.raw,size=1K\n");
	for (unsigned i = 0; i < GUEST_UNUSED_MAX; i++)
		buf_addf(&before, "unused%u: aa:101/vm-101-disk-%u.raw\n", i, i + 10);
	set(CONFIG, before.data, before.size);
	assert_int_equal(move(&config), -ERR_LIMIT);
	assert_null(strstr(config.data, "lock:"));
	assert_true(is_file("a/images/101/vm-101-disk-0.raw"));
	assert_false(is_file("b/images/101/vm-101-disk-1.raw"));
}

/* -- to another guest -- */

static const struct life vm_life = {
	.ops = &guest_kind_vm, .disk_lock = "clone", .require_stopped = require_stopped};

struct gift {
	const struct life *life;
	const char *own, *theirs, *key, *to;
	const char *after, *why; /* what they have then, or why not */
};

static void give(const struct gift *gift)
{
	const char *kind = gift->life->ops->name;
	autofree char *own = xasprintf("/nodes/n1/%s/101.conf", kind);
	autofree char *theirs = xasprintf("/nodes/n1/%s/102.conf", kind);
	autofree char *storages =
		xasprintf("dir: aa\n\tpath %s/a\n\tcontent images,rootdir\n", folder);
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	autobuf kept = BUF_INIT, got = BUF_INIT;
	struct err err = ERR_INIT;

	put_file("a/images/101/vm-101-disk-1.raw", "data");
	set("/storage.cfg", storages, strlen(storages));
	set(own, gift->own, strlen(gift->own));
	set(theirs, gift->theirs, strlen(gift->theirs));
	pid_t pid = start_core();
	fields_add(&task.args, "volume", gift->key);
	fields_add(&task.args, "target-vmid", "102");
	fields_add(&task.args, "target-volume", gift->to);
	int r = life_move_run(&task, gift->life, &err);

	fields_fini(&task.args);
	(void)task_store_get(own, &kept, NULL, NULL);
	(void)task_store_get(theirs, &got, NULL, NULL);
	stop_core(pid);
	if ((r == 0) != (gift->after != NULL) || (r < 0 && !strstr(err.message, gift->why)))
		fail_msg("%s to %s: %d %s", gift->key, gift->to, r, err.message);
	assert_string_equal(buf_str(&got), gift->after ?: gift->theirs);
	if (r < 0)
		assert_string_equal(buf_str(&kept), gift->own);
	assert_int_equal(is_file("a/images/101/vm-101-disk-1.raw"), r < 0);
	assert_int_equal(is_file("a/images/102/vm-102-disk-0.raw"), r == 0);
	autofree char *copy = xasprintf("%s/a/images/102/vm-102-disk-0.raw", folder);
	(void)unlink(copy);
}

/* Nobody is given what keeps him from starting, and from every change. */
static void gives_what_fits(void **state)
{
#define ROOT(n) "hostname: a\nmemory: 64\nrootfs: aa:" n "/vm-" n "-disk-9.raw\n"
#define DISK	"aa:101/vm-101-disk-1.raw"
#define MADE	"aa:102/vm-102-disk-0.raw"
	static const struct gift gifts[] = {
		{&vm_life, "memory: 64\nscsi1: " DISK ",ssd=1,size=1K\n", "memory: 32\n", "scsi1",
		 "sata0", "memory: 32\nsata0: " MADE ",ssd=1,size=1K\n", NULL},
		{&vm_life, "memory: 64\nunused0: " DISK "\n", "memory: 32\n", "unused0", "scsi1",
		 "memory: 32\nscsi1: " MADE "\n", NULL},
		{&vm_life, "memory: 64\nscsi1: " DISK ",iothread=1\nscsihw: virtio-scsi-single\n",
		 "memory: 32\n", "scsi1", "sata0", NULL,
		 "guest 102: sata0: iothread: only for scsi and virtio"},
		{&vm_life, "memory: 64\nscsi1: " DISK ",iothread=1\nscsihw: virtio-scsi-single\n",
		 "memory: 32\n", "scsi1", "scsi0", NULL,
		 "guest 102: scsi0: iothread: on scsi it needs scsihw"},
		{&vm_life, "memory: 64\nscsi1: " DISK ",iothread=1\nscsihw: virtio-scsi-single\n",
		 "memory: 32\n", "scsi1", "unused0", "memory: 32\nunused0: " MADE "\n", NULL},
		{&vm_life, "memory: 64\nscsi1: " DISK "\n",
		 "memory: 32\n\n[PENDING]\nscsi2: aa:102/vm-102-disk-7.raw\n", "scsi1", "scsi2",
		 NULL, "guest 102: a change of 'scsi2' waits"},
		{&life, ROOT("101") "mp0: " DISK ",mp=/data\n",
		 ROOT("102") "mp3: aa:102/vm-102-disk-7.raw,mp=/data\n", "mp0", "mp0", NULL,
		 "guest 102: mp3: mp: mp0 is mounted on '/data' already"},
		{&life, ROOT("101") "mp0: " DISK ",mp=/data\n", ROOT("102"), "mp0", "mp1",
		 ROOT("102") "mp1: " MADE ",mp=/data\n", NULL},
	};

	(void)state;
	core.lie_on = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(gifts); i++)
		give(&gifts[i]);
}

/* First unknown, then "not now": that says nothing of the first time. */
static void asks_until_the_outcome_is_known(void **state)
{
	struct task_txn *txn = task_txn_new("root@pam");
	pid_t pid;

	(void)state;
	core.lies[0] = 202;
	core.lies[1] = 503;
	pid = start_core();
	task_txn_put(txn, CONFIG, "\nrootfs: bb:\n", 13);
	assert_int_equal(task_txn_commit(txn, NULL), 0);
	task_txn_free(txn);
	stop_core(pid);
}

/* -- on btrfs, where root can mount one -- */

static void run(const char *const *argv)
{
	const struct exec_run spec = {.argv = argv,
				      .deadline = clock_monotonic() + 60 * USEC_PER_SEC};
	struct err err = ERR_INIT;

	if (exec_run(&spec, NULL, &err) < 0)
		fail_msg("%s", err.message);
}

static bool mount_btrfs(const char *root)
{
	autofree char *image = xasprintf("%s/image", folder);

	if (geteuid() != 0 || access("/sbin/mkfs.btrfs", X_OK) != 0 ||
	    access("/dev/loop-control", R_OK | W_OK) != 0)
		return false;
	autofd int fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, 256 << 20) == 0);
	assert_int_equal(dir_make(root, 0755, NULL), 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	run((const char *const[]){"mkfs.btrfs", "-q", image, NULL});
	run((const char *const[]){"mount", "-o", "loop", image, root, NULL});
	return true;
}

static int give_to_102(void)
{
	struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
	struct err err = ERR_INIT;
	int r;

	fields_add(&task.args, "volume", "mp0");
	fields_add(&task.args, "target-vmid", "102");
	fields_add(&task.args, "target-volume", "mp0");
	r = life_move_run(&task, &life, &err);
	fields_fini(&task.args);
	return r;
}

/* A subvolume that the guest made inside goes along. */
static void takes_nested_subvolumes_along(void **state)
{
	autofree char *root = xasprintf("%s/btrfs", folder);
	autofree char *tree = xasprintf("%s/images/101/subvol-101-disk-1", root);
	autofree char *nested = xasprintf("%s/nested", tree);
	autofree char *file = xasprintf("%s/file", nested);
	static const char own[] = "hostname: a\nmemory: 64\nrootfs: aa:101/vm-101-disk-0.raw\n"
				  "mp0: cc:101/subvol-101-disk-1.subvol,mp=/a\n";
	static const char theirs[] = "hostname: b\nmemory: 64\n";
	pid_t pid;

	(void)state;
	if (!mount_btrfs(root))
		skip();
	autofree char *storages = xasprintf("btrfs: cc\n\tpath %s\n\tcontent rootdir\n", root);
	set("/storage.cfg", storages, strlen(storages));
	set(CONFIG, own, strlen(own));
	set("/nodes/n1/lxc/102.conf", theirs, strlen(theirs));
	autofree char *parent = xasprintf("%s/images/101", root);
	assert_int_equal(dir_make(parent, 0700, NULL), 0);
	run((const char *const[]){"btrfs", "subvolume", "create", tree, NULL});
	run((const char *const[]){"btrfs", "subvolume", "create", nested, NULL});
	assert_int_equal(file_write_atomic(file, "x", 1, 0600, NULL), 0);
	pid = start_core();
	assert_int_equal(give_to_102(), 0);
	stop_core(pid);
	assert_false(is_file("btrfs/images/101/subvol-101-disk-1"));
	assert_true(is_file("btrfs/images/102/subvol-102-disk-0/nested/file"));
	assert_int_equal(umount2(root, MNT_DETACH), 0);
}

/* The copy's storage is no more, then the guest. */
static void the_undo_ends(void **state)
{
	static const char begun[] = "hostname: a\nlock: disk\nmemory: 64\n"
				    "rootfs: aa:101/vm-101-disk-0.raw,size=1K\n\n[special:move]\n"
				    "from: aa:101/vm-101-disk-0.raw\nkey: rootfs\n"
				    "to: gone:101/vm-101-disk-1.raw\n";

	(void)state;
	set(CONFIG, begun, strlen(begun));
	for (int i = 0; i < 2; i++) {
		struct task_ctx task = {.guest = 101, .node = "n1", .user = "root@pam"};
		autobuf config = BUF_INIT;
		struct err err = ERR_INIT;
		pid_t pid = start_core();

		fields_add(&task.args, "undo-of", "job");
		if (life_move_undo_run(&task, &life, &err) < 0)
			fail_msg("%s", err.message);
		(void)task_store_get(CONFIG, &config, NULL, NULL);
		assert_null(strstr(buf_str(&config), "lock:"));
		assert_null(strstr(buf_str(&config), "[special:"));
		fields_fini(&task.args);
		stop_core(pid);
		unset(CONFIG);
	}
	assert_true(is_file("a/images/101/vm-101-disk-0.raw"));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(moves),
		TEST(keeps_a_copy_that_is_in_use),
		TEST(leaves_what_others_made),
		TEST(leaves_the_rest_to_the_undo),
		TEST(needs_a_key_for_the_old_one),
		TEST(gives_what_fits),
		TEST(asks_until_the_outcome_is_known),
		TEST(takes_nested_subvolumes_along),
		TEST(the_undo_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
