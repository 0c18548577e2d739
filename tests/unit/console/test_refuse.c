/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A viewer of VNC that is told why there is nothing to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/task/console/viewer.h"

/* What a viewer gets that says this, once it has ended its side. */
static void refuse(const char *says, struct buf *ret)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	struct viewer v = {.fd = ends[1]};

	fd_set_nonblock(ends[1], true);
	assert_int_equal(write(ends[0], says, strlen(says)), strlen(says));
	shutdown(ends[0], SHUT_WR);
	viewer_refuse(&v, "no terminal");
	viewer_fini(&v);
	close(ends[1]);
	assert_int_equal(fd_read_all(ends[0], 1000, ret, NULL), 0);
	close(ends[0]);
}

static void test_versions(void **state)
{
	autobuf now = BUF_INIT, old = BUF_INIT;

	(void)state;
	refuse("RFB 003.008\n", &now);
	assert_int_equal(now.size, 12 + 1 + 4 + 11);
	assert_memory_equal(now.data, "RFB 003.008\n\0\0\0\0\13no terminal", now.size);
	refuse("RFB 003.003\n", &old);
	assert_int_equal(old.size, 12 + 4 + 4 + 11);
	assert_memory_equal(old.data, "RFB 003.008\n\0\0\0\0\0\0\0\13no terminal", old.size);
}

/* One that leaves without a word is no reason to wait. */
static void test_viewer_leaves(void **state)
{
	autobuf got = BUF_INIT;

	(void)state;
	refuse("RFB 003", &got);
	assert_int_equal(got.size, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_viewer_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
