/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store on a disk that is full, or hangs: what was acknowledged stays, what was refused does not
 * happen. The disk is a layer over SQLite's own that fails or waits when told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "cluster/store.h"

/* ---- the disk ---- */

enum fault { FAULT_NONE, FAULT_FULL, FAULT_IO, FAULT_HANG };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static enum fault fault; /* under lock */
static bool is_met;	 /* the same: a write failed since it was set */

static void set_fault(enum fault f)
{
	pthread_mutex_lock(&lock);
	fault = f;
	is_met = false;
	pthread_cond_broadcast(&wake);
	pthread_mutex_unlock(&lock);
}

static bool was_met(void)
{
	bool was;

	pthread_mutex_lock(&lock);
	was = is_met;
	pthread_mutex_unlock(&lock);
	return was;
}

struct disk_file {
	sqlite3_file base;
	sqlite3_file *real; /* right behind this struct */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs disk;

#define REAL(f) (((struct disk_file *)(f))->real)
#define PASS(name, params, ...)                                                                    \
	static int disk_##name params                                                              \
	{                                                                                          \
		return REAL(f)->pMethods->name(REAL(f), ##__VA_ARGS__);                            \
	}

PASS(xRead, (sqlite3_file * f, void *p, int n, sqlite3_int64 at), p, n, at)
PASS(xTruncate, (sqlite3_file * f, sqlite3_int64 size), size)
PASS(xSync, (sqlite3_file * f, int flags), flags)
PASS(xFileSize, (sqlite3_file * f, sqlite3_int64 *size), size)
PASS(xLock, (sqlite3_file * f, int level), level)
PASS(xUnlock, (sqlite3_file * f, int level), level)
PASS(xCheckReservedLock, (sqlite3_file * f, int *ret), ret)
PASS(xFileControl, (sqlite3_file * f, int op, void *p), op, p)

static int disk_xSectorSize(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int disk_xDeviceCharacteristics(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int disk_xClose(sqlite3_file *f)
{
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int disk_xWrite(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	enum fault now;

	pthread_mutex_lock(&lock);
	while (fault == FAULT_HANG)
		pthread_cond_wait(&wake, &lock);
	now = fault;
	is_met = is_met || now != FAULT_NONE;
	pthread_mutex_unlock(&lock);
	if (now != FAULT_NONE)
		return now == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = disk_xClose,
	.xRead = disk_xRead,
	.xWrite = disk_xWrite,
	.xTruncate = disk_xTruncate,
	.xSync = disk_xSync,
	.xFileSize = disk_xFileSize,
	.xLock = disk_xLock,
	.xUnlock = disk_xUnlock,
	.xCheckReservedLock = disk_xCheckReservedLock,
	.xFileControl = disk_xFileControl,
	.xSectorSize = disk_xSectorSize,
	.xDeviceCharacteristics = disk_xDeviceCharacteristics,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct disk_file *file = (struct disk_file *)f;
	int r;

	(void)vfs;
	file->real = (sqlite3_file *)(file + 1);
	r = real_vfs->xOpen(real_vfs, name, file->real, flags, ret_flags);
	file->base.pMethods = r == SQLITE_OK ? &methods : NULL;
	return r;
}

static int use_disk(void **state)
{
	(void)state;
	real_vfs = sqlite3_vfs_find(NULL);
	disk = *real_vfs;
	disk.zName = "disk";
	disk.szOsFile = (int)sizeof(struct disk_file) + real_vfs->szOsFile;
	disk.xOpen = disk_open;
	return sqlite3_vfs_register(&disk, 1) == SQLITE_OK ? 0 : -1;
}

/* ---- the store ---- */

static char directory[64];

static struct store *must_open(void)
{
	struct store_options options = {.directory = directory, .node = "n1"};
	struct err err = ERR_INIT;
	struct store *store = NULL;

	if (store_open(&options, &store, &err) < 0)
		fail_msg("%s", err.message);
	return store;
}

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/lodge-store-XXXXXX");
	assert_non_null(mkdtemp(directory));
	setenv("LODGE_RUN_DIR", directory, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	set_fault(FAULT_NONE);
	return dir_remove_tree(directory, NULL);
}

struct put {
	struct store *store;
	bool is_back;
	struct store_result result;
	enum fault then;  /* the disk's state from the answer on */
	struct put *next; /* submitted in the answer */
	const char *path;
	usec_t deadline;
	const void *value;
	size_t size;
};

static void submit(struct put *p);

static void on_put(const struct store_result *result, void *ctx)
{
	struct put *p = ctx;

	assert_false(p->is_back);
	p->is_back = true;
	p->result = *result;
	set_fault(p->then);
	if (p->next)
		submit(p->next);
}

static void submit(struct put *p)
{
	struct store_op op = {.kind = STORE_PUT,
			      .path = p->path,
			      .value = p->value ? p->value : "v",
			      .size = p->value ? p->size : 1};
	struct store_txn txn = {
		.who = "root@pam", .ops = &op, .op_count = 1, .deadline = p->deadline};
	struct err err = ERR_INIT;

	p->is_back = false;
	if (store_submit(p->store, &txn, on_put, p, &err) < 0)
		fail_msg("%s", err.message);
}

static void turn(struct store *store)
{
	struct pollfd p = {.fd = store_fd(store), .events = POLLIN};

	assert_int_equal(poll(&p, 1, 20000), 1);
	store_dispatch(store);
}

static void put(struct store *store, const char *path, enum fault then)
{
	struct put p = {.store = store, .path = path, .then = then};

	submit(&p);
	while (!p.is_back)
		turn(store);
	assert_int_equal(p.result.outcome, STORE_DONE);
}

/* The log is written, but the disk is full when the values should follow. */
static void a_value_that_found_no_room_follows_later(void **state)
{
	struct store *store = must_open();
	struct store_value v;

	(void)state;
	put(store, "/a", FAULT_FULL);
	while (!was_met()) /* until there was an attempt to settle it */
		turn(store);
	set_fault(FAULT_NONE);
	assert_null(store_read_only_reason(store));
	put(store, "/b", FAULT_NONE);
	store_close(store);
	store = must_open();
	assert_true(store_get(store, "/b", &v));
	assert_true(store_get(store, "/a", &v));
	assert_int_equal(v.version, 3); /* behind the voters and a barrier */
	store_close(store);
}

/* Nothing more is written to a database whose values could not be: the log, which has them, must
 * not be passed by. */
static void a_store_that_could_not_settle_is_read_only(void **state)
{
	autofree char *marker = xasprintf("%s/store-failed", directory);
	struct store *store = must_open();
	struct store_value v;

	(void)state;
	put(store, "/a", FAULT_IO);
	while (!store_read_only_reason(store))
		turn(store);
	set_fault(FAULT_NONE);
	store_close(store);
	assert_int_equal(access(marker, F_OK), 0);
	assert_int_equal(unlink(marker), 0);
	store = must_open();
	assert_true(store_get(store, "/a", &v));
	store_close(store);
}

/* The disk hangs, a change is given up; its owner tries another one at once, just when the disk comes
 * back. */
static void what_expired_is_not_done_after_all(void **state)
{
	struct store *store = must_open();
	struct put again = {.store = store, .path = "/again"};
	struct put first = {.store = store, .path = "/first"};
	struct put late = {.store = store, .path = "/late", .next = &again};
	struct epoll_event events[2];
	struct store_value v;

	(void)state;
	set_fault(FAULT_HANG);
	submit(&first);
	turn(store); /* the writer has it, and hangs */
	late.deadline = clock_monotonic() + 20 * USEC_PER_MSEC;
	submit(&late);
	turn(store);
	set_fault(FAULT_NONE);
	/* both at once: the disk's answer and the deadline */
	while (epoll_wait(store_fd(store), events, 2, 20000) < 2)
		;
	while (!first.is_back || !late.is_back || !again.is_back)
		turn(store);
	assert_int_equal(first.result.outcome, STORE_DONE);
	assert_int_equal(late.result.outcome, STORE_NOT_SENT);
	assert_int_equal(again.result.outcome, STORE_DONE);
	assert_false(store_get(store, "/late", &v));
	assert_true(store_get(store, "/again", &v));
	store_close(store);
	store = must_open();
	assert_false(store_get(store, "/late", &v));
	store_close(store);
}

static void *disk_returns(void *ctx)
{
	(void)ctx;
	/* time for a close that does not wait for the disk to go wrong */
	nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	set_fault(FAULT_NONE);
	return NULL;
}

static void on_closing(const struct store_result *result, void *ctx)
{
	pthread_t *thread = ctx;

	assert_int_equal(result->outcome, STORE_UNKNOWN);
	if (!*thread)
		assert_int_equal(pthread_create(thread, NULL, disk_returns, NULL), 0);
}

/* The changes of one batch are larger than the database's memory: it writes, and hangs, before it has
 * read the last one. */
static void closing_waits_for_the_disk(void **state)
{
	static char value[900 * 1024];
	struct store *store = must_open();
	struct put first = {.store = store, .path = "/first", .then = FAULT_HANG};
	struct store_op op = {.kind = STORE_PUT, .value = value, .size = sizeof(value)};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	static const char *const paths[] = {"/a", "/b", "/c"};
	pthread_t thread = 0;
	struct store_value v;

	(void)state;
	memset(value, 'x', sizeof(value));
	set_fault(FAULT_HANG);
	submit(&first);
	turn(store); /* the writer has it, and hangs */
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		op.path = paths[i];
		assert_int_equal(store_submit(store, &txn, on_closing, &thread, NULL), 0);
	}
	set_fault(FAULT_NONE);
	while (!first.is_back)
		turn(store);
	store_close(store);
	assert_true(thread != 0);
	pthread_join(thread, NULL);
	store = must_open();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_true(store_get(store, paths[i], &v));
		assert_int_equal(v.size, sizeof(value));
		assert_memory_equal(v.data, value, sizeof(value));
	}
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_value_that_found_no_room_follows_later, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_store_that_could_not_settle_is_read_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_expired_is_not_done_after_all, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closing_waits_for_the_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, use_disk, NULL);
}
