/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk in memory under SQLite, that remembers what was synced. Each write, sync, truncation and removal is counted and
 * may be the last one; a sync may fail; there may be no room. After the end of a process the files are what was
 * written (killed), what was synced (power cut), or what was synced and some of what was not, whole or in part. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"

#define DISK_FILES  32
#define DISK_SECTOR 512

struct disk_write {
	size_t at, size; /* size 0: truncated to `at` */
	char *data;
};

struct disk_image {
	char name[160]; /* "": unused, or without a name */
	bool is_used;
	struct buf now, synced;
	struct disk_write *pending; /* since the last sync, in order */
	size_t pending_count;
};

enum disk_end { DISK_KILLED, DISK_CUT, DISK_TORN };

static struct {
	struct disk_image images[DISK_FILES];
	unsigned ops;  /* so far */
	unsigned stop; /* the last operation that is done; 0: no end */
	unsigned syncs;
	unsigned fail_sync;  /* number of the sync that fails; 0: none */
	size_t room;	     /* bytes of all files; 0: no bound */
	bool has_quota;	     /* that is what bounds the room; as SQLite sees it */
	const char *reserve; /* a real file: while it is not empty, it takes so much of the room: */
	size_t reserved;
	const char *victim; /* only files below this folder fail, or find no room; NULL: all */
	uint64_t seed;
	pthread_mutex_t lock; /* one writer thread a database */
} the_disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void disk_unlock(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

#define DISK_LOCKED                                                                                \
	__attribute__((cleanup(disk_unlock))) pthread_mutex_t *locked = &the_disk.lock;            \
	pthread_mutex_lock(locked)

static inline bool disk_is_victim(const char *name)
{
	return !the_disk.victim || strncmp(name, the_disk.victim, strlen(the_disk.victim)) == 0;
}

struct disk_file {
	sqlite3_file base;
	struct disk_image *image;
};

static inline void disk_forget_pending(struct disk_image *image)
{
	for (size_t i = 0; i < image->pending_count; i++)
		free(image->pending[i].data);
	free(image->pending);
	image->pending = NULL;
	image->pending_count = 0;
}

static inline void disk_drop(struct disk_image *image)
{
	disk_forget_pending(image);
	buf_fini(&image->now);
	buf_fini(&image->synced);
	*image = (struct disk_image){0};
}

static inline struct disk_image *disk_find(const char *name)
{
	for (size_t i = 0; name && i < DISK_FILES; i++)
		if (the_disk.images[i].is_used && strcmp(the_disk.images[i].name, name) == 0)
			return &the_disk.images[i];
	return NULL;
}

static inline struct disk_image *disk_make(const char *name)
{
	for (size_t i = 0; i < DISK_FILES; i++) {
		struct disk_image *image = &the_disk.images[i];

		if (image->is_used)
			continue;
		image->is_used = true;
		strncpy(image->name, name ? name : "", sizeof(image->name) - 1);
		return image;
	}
	return NULL;
}

/* false: the process has ended before */
static inline bool disk_op(void)
{
	the_disk.ops++;
	return !the_disk.stop || the_disk.ops <= the_disk.stop;
}

static inline void disk_resize(struct buf *to, size_t size)
{
	static const char zeros[4096];

	while (to->size < size)
		buf_add(to, zeros,
			size - to->size < sizeof(zeros) ? size - to->size : sizeof(zeros));
	to->size = size;
}

static inline void disk_apply(struct buf *to, const struct disk_write *w, size_t size)
{
	if (w->size == 0) {
		disk_resize(to, w->at);
		return;
	}
	if (to->size < w->at + size)
		disk_resize(to, w->at + size);
	memcpy(to->data + w->at, w->data, size);
}

static inline void disk_note(struct disk_image *image, size_t at, const void *data, size_t size)
{
	struct disk_write *w;

	image->pending = xrealloc(image->pending, image->pending_count + 1, sizeof(*w));
	w = &image->pending[image->pending_count++];
	*w = (struct disk_write){.at = at, .size = size, .data = size ? xmemdup(data, size) : NULL};
	disk_apply(&image->now, w, size);
}

static inline size_t disk_used(void)
{
	size_t used = 0;

	for (size_t i = 0; i < DISK_FILES; i++)
		if (disk_is_victim(the_disk.images[i].name))
			used += the_disk.images[i].now.size;
	return used;
}

static inline int disk_xClose(sqlite3_file *f)
{
	struct disk_image *image = ((struct disk_file *)f)->image;

	DISK_LOCKED;
	if (!image->name[0])
		disk_drop(image);
	return SQLITE_OK;
}

static inline int disk_xRead(sqlite3_file *f, void *to, int size, sqlite3_int64 at)
{
	const struct buf *now = &((struct disk_file *)f)->image->now;
	size_t have = (size_t)at < now->size ? now->size - (size_t)at : 0;

	if (have > (size_t)size)
		have = (size_t)size;
	memset(to, 0, (size_t)size);
	if (have)
		memcpy(to, now->data + at, have);
	return have == (size_t)size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

/* What was kept free beside the database was given up. */
static inline bool disk_got_reserve(void)
{
	struct stat st;

	return the_disk.reserve && stat(the_disk.reserve, &st) == 0 && st.st_size == 0;
}

static inline size_t disk_room(void)
{
	return the_disk.room + (disk_got_reserve() ? the_disk.reserved : 0);
}

static inline int disk_xWrite(sqlite3_file *f, const void *data, int size, sqlite3_int64 at)
{
	struct disk_image *image = ((struct disk_file *)f)->image;
	size_t end = (size_t)at + (size_t)size;

	DISK_LOCKED;
	if (!disk_op())
		return SQLITE_IOERR_WRITE;
	if (the_disk.room && disk_is_victim(image->name) && end > image->now.size &&
	    disk_used() + end - image->now.size > disk_room()) {
		errno = EDQUOT;
		return the_disk.has_quota ? SQLITE_IOERR_WRITE : SQLITE_FULL;
	}
	disk_note(image, (size_t)at, data, (size_t)size);
	return SQLITE_OK;
}

static inline int disk_xTruncate(sqlite3_file *f, sqlite3_int64 size)
{
	DISK_LOCKED;
	if (!disk_op())
		return SQLITE_IOERR_TRUNCATE;
	disk_note(((struct disk_file *)f)->image, (size_t)size, NULL, 0);
	return SQLITE_OK;
}

static inline int disk_xSync(sqlite3_file *f, int flags)
{
	struct disk_image *image = ((struct disk_file *)f)->image;

	(void)flags;
	DISK_LOCKED;
	if (!disk_op() || (disk_is_victim(image->name) && ++the_disk.syncs == the_disk.fail_sync)) {
		errno = the_disk.has_quota ? EDQUOT : EIO;
		return SQLITE_IOERR_FSYNC;
	}
	buf_clear(&image->synced);
	if (image->now.size)
		buf_add(&image->synced, image->now.data, image->now.size);
	disk_forget_pending(image);
	return SQLITE_OK;
}

static inline int disk_xFileSize(sqlite3_file *f, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((struct disk_file *)f)->image->now.size;
	return SQLITE_OK;
}

static inline int disk_xLock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static inline int disk_xCheckReservedLock(sqlite3_file *f, int *ret)
{
	(void)f;
	*ret = 0;
	return SQLITE_OK;
}

static inline int disk_xFileControl(sqlite3_file *f, int op, void *p)
{
	(void)f;
	(void)op;
	(void)p;
	return SQLITE_NOTFOUND;
}

static inline int disk_xSectorSize(sqlite3_file *f)
{
	(void)f;
	return DISK_SECTOR;
}

static inline int disk_xDeviceCharacteristics(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods disk_methods = {
	.iVersion = 1,
	.xClose = disk_xClose,
	.xRead = disk_xRead,
	.xWrite = disk_xWrite,
	.xTruncate = disk_xTruncate,
	.xSync = disk_xSync,
	.xFileSize = disk_xFileSize,
	.xLock = disk_xLock,
	.xUnlock = disk_xLock,
	.xCheckReservedLock = disk_xCheckReservedLock,
	.xFileControl = disk_xFileControl,
	.xSectorSize = disk_xSectorSize,
	.xDeviceCharacteristics = disk_xDeviceCharacteristics,
};

static inline int disk_xOpen(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
			     int *ret)
{
	struct disk_file *file = (struct disk_file *)f;

	(void)vfs;
	DISK_LOCKED;
	file->base.pMethods = NULL;
	file->image = disk_find(name);
	if (!file->image && (flags & SQLITE_OPEN_CREATE))
		file->image = disk_make(name);
	if (!file->image)
		return SQLITE_CANTOPEN;
	file->base.pMethods = &disk_methods;
	if (ret)
		*ret = flags;
	return SQLITE_OK;
}

static inline int disk_xDelete(sqlite3_vfs *vfs, const char *name, int syncs)
{
	struct disk_image *image;

	(void)vfs;
	(void)syncs;
	DISK_LOCKED;
	image = disk_find(name);
	if (!disk_op())
		return SQLITE_IOERR_DELETE;
	if (!image)
		return SQLITE_IOERR_DELETE_NOENT;
	disk_drop(image);
	return SQLITE_OK;
}

static inline int disk_xAccess(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	(void)vfs;
	(void)flags;
	DISK_LOCKED;
	*ret = disk_find(name) != NULL;
	return SQLITE_OK;
}

static sqlite3_vfs disk_vfs;

/* All databases of this process are on it from here on. */
static inline void disk_use(void)
{
	disk_vfs = *sqlite3_vfs_find(NULL);
	disk_vfs.zName = "memory-disk";
	disk_vfs.szOsFile = (int)sizeof(struct disk_file);
	disk_vfs.xOpen = disk_xOpen;
	disk_vfs.xDelete = disk_xDelete;
	disk_vfs.xAccess = disk_xAccess;
	assert_int_equal(sqlite3_vfs_register(&disk_vfs, 1), SQLITE_OK);
}

/* An empty one. */
static inline void disk_clear(void)
{
	for (size_t i = 0; i < DISK_FILES; i++)
		disk_drop(&the_disk.images[i]);
	the_disk.ops = the_disk.stop = the_disk.syncs = the_disk.fail_sync = 0;
	the_disk.room = 0;
	the_disk.has_quota = false;
	the_disk.reserve = the_disk.victim = NULL;
}

static inline uint64_t disk_random(void)
{
	the_disk.seed = the_disk.seed * 6364136223846793005u + 1442695040888963407u;
	return the_disk.seed >> 33;
}

static inline void disk_tear(struct disk_image *image)
{
	for (size_t i = 0; i < image->pending_count; i++) {
		const struct disk_write *w = &image->pending[i];

		switch (disk_random() % 3) {
		case 0:
			disk_apply(&image->synced, w, w->size);
			break;
		case 1:
			if (w->size > 0)
				disk_apply(&image->synced, w, disk_random() % w->size + 1);
			break;
		default:
			break;
		}
	}
}

/* What the next process finds. The one before has closed its files. */
static inline void disk_restart(enum disk_end end)
{
	for (size_t i = 0; i < DISK_FILES; i++) {
		struct disk_image *image = &the_disk.images[i];

		if (!image->is_used || end == DISK_KILLED)
			continue;
		if (end == DISK_TORN)
			disk_tear(image);
		disk_forget_pending(image);
		buf_clear(&image->now);
		if (image->synced.size)
			buf_add(&image->now, image->synced.data, image->synced.size);
	}
	the_disk.ops = the_disk.stop = the_disk.syncs = the_disk.fail_sync = 0;
}
