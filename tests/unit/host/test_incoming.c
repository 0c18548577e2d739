/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that come in without a size, on a small file system seen by this process alone. Needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/incoming.h"

#define MIB (1024 * 1024)

static char path[64];

static bool mount_small(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("small", path, "tmpfs", 0, "size=170m") == 0;
}

/* A server that never ends must not fill the storage, which may be the node's root. */
static void unannounced_data_leaves_room(void **state)
{
	struct incoming in = INCOMING_INIT;
	struct err err = ERR_INIT;
	autofields args = FIELDS_INIT;
	autofree char *block = xcalloc(1, MIB);
	size_t written = 0;

	(void)state;
	strcpy(path, "/tmp/lodge-incoming-XXXXXX");
	assert_non_null(mkdtemp(path));
	if (!mount_small()) {
		rmdir(path);
		skip();
	}
	setenv("LODGE_RUN_DIR", path, 1);
	struct storage_def def = {.type = xstrdup("dir"), .id = xstrdup("local")};
	fields_add(&def.keys, "path", path);
	fields_add(&def.keys, "content", "iso");
	storage_def_encode(&def, &args);
	storage_def_fini(&def);
	fields_add(&args, "content", "iso");
	fields_add(&args, "filename", "a.iso");
	assert_int_equal(incoming_args(&args, &in, &err), 0);
	assert_int_equal(incoming_begin(&in, &err), 0);
	assert_int_equal(incoming_expect(&in, 0, &err), 0);
	while (written < 300 && incoming_write(&in, block, MIB, &err) == 0)
		written++;
	incoming_fini(&in);
	assert_int_equal(err.code, ERR_NO_SPACE);
	assert_in_range(written, 60, 130);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(unannounced_data_leaves_room)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
