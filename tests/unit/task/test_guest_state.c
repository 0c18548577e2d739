/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a job tells of a guest whose process is gone: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/task/task.h"

#define NOBODY 0x7ffffff0 /* beyond any process number */

static void an_ended_guest_is_not_told_to_run(void **state)
{
	char folder[] = "/tmp/guest-state-test-XXXXXX";
	int core = -1;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("LODGE_RUN_DIR", folder, 1);
	autofree char *path = path_join(path_run(), CORE_SOCKET);
	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &core, NULL), 0);
	task_guest_state(101, "running", NOBODY);
	assert_int_equal(accept(core, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	close(core);
	assert_int_equal(dir_remove_tree(folder, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ended_guest_is_not_told_to_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
