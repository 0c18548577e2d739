/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A storage of type dir in a folder of its own, and images on it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/storage.h"

#define MIB (1024ULL * 1024)

struct room {
	char path[64];
	struct storage_def def;
	const struct storage_driver *driver;
};

static inline int room_open(void **state, const char *content)
{
	struct room *room = xcalloc(1, sizeof(*room));
	strcpy(room->path, "/tmp/lodge-dir-XXXXXX");
	assert_non_null(mkdtemp(room->path));
	setenv("LODGE_RUN_DIR", room->path, 1); /* reservations */
	room->def = (struct storage_def){.type = xstrdup("dir"), .id = xstrdup("local")};
	fields_add(&room->def.keys, "path", room->path);
	fields_add(&room->def.keys, "content", content);
	room->driver = storage_driver_find("dir");
	assert_non_null(room->driver);
	assert_int_equal(room->driver->activate(&room->def, NULL), 0);
	*state = room;
	return 0;
}

static inline int teardown(void **state)
{
	struct room *room = *state;
	dir_remove_tree(room->path, NULL);
	storage_def_fini(&room->def);
	free(room);
	return 0;
}

static inline bool has_qemu_img(void)
{
	return access("/usr/bin/qemu-img", X_OK) == 0;
}

static inline void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->message);
}

static inline void run(const char *const *argv)
{
	struct err err = ERR_INIT;
	must(exec_run(&(struct exec_run){.argv = argv,
					 .deadline = clock_monotonic() + 20 * USEC_PER_SEC},
		      NULL, &err),
	     &err);
}

static inline void make(const struct room *room, unsigned vmid, const char *format, uint64_t size,
			struct volid *ret)
{
	char text[VOLID_MAX];
	struct err err = ERR_INIT;
	const struct volume_alloc what = {
		.vmid = vmid, .content = VOLUME_IMAGES, .format = format, .size = size};
	must(room->driver->alloc(&room->def, &what, text, &err), &err);
	assert_int_equal(volid_parse(text, ret, NULL), 0);
}

static inline char *path_of(const struct room *room, const struct volid *volume)
{
	autobuf path = BUF_INIT;
	assert_int_equal(room->driver->path(&room->def, volume, &path, NULL), 0);
	return buf_steal(&path);
}
