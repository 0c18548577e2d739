/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines as they arrive, paths, and deadlines. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

struct captured {
	int pipe[2];
	int before;
};

static void capture(struct captured *c)
{
	assert_int_equal(pipe2(c->pipe, O_CLOEXEC), 0);
	c->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(dup2(c->pipe[1], STDERR_FILENO), STDERR_FILENO);
	close(c->pipe[1]);
}

static void release(struct captured *c, struct buf *ret)
{
	dup2(c->before, STDERR_FILENO);
	close(c->before);
	fd_read_all(c->pipe[0], 1 << 20, ret, NULL);
	close(c->pipe[0]);
}

static void test_journal(void **state)
{
	autobuf text = BUF_INIT;
	struct captured c;

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_open("tester");
	capture(&c);
	log_error("bad\nthing \x1b[1m %d", 7);
	log_error("\xc2\x9b"
		  "31m \xc3\xa4 \xc2\xa0 \xc2");
	log_debug("not shown");
	release(&c, &text);
	assert_string_equal(buf_str(&text), "<3>bad\\x0athing \\x1b[1m 7\n"
					    "<3>\\xc2\\x9b"
					    "31m \xc3\xa4 \xc2\xa0 \xc2\n");
}

static void test_terminal(void **state)
{
	char name[2000] = {0}, big[5000] = {0};
	autobuf text = BUF_INIT;
	struct captured c;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	memset(big, '\n', sizeof(big) - 1);
	unsetenv("JOURNAL_STREAM");
	setenv("LODGE_LOG", "debug", 1);
	log_open("tester");
	capture(&c);
	log_debug("shown");
	release(&c, &text);
	assert_non_null(strstr(buf_str(&text), " tester["));
	assert_true(str_ends(buf_str(&text), "] debug: shown\n"));
	buf_clear(&text);
	log_open(name);
	capture(&c);
	log_warning("%s", big);
	release(&c, &text);
	assert_true(text.size <= PIPE_BUF);
	assert_ptr_equal(memchr(text.data, '\n', text.size), text.data + text.size - 1);
	log_open("tester");
}

/* a reader that does not read: lines are lost, nobody waits for ever */
static void test_full_pipe(void **state)
{
	char chunk[4096] = {0};
	autobuf text = BUF_INIT;
	struct captured c;

	(void)state;
	capture(&c);
	fd_set_nonblock(STDERR_FILENO, true);
	while (write(STDERR_FILENO, chunk, sizeof(chunk)) > 0)
		;
	fd_set_nonblock(STDERR_FILENO, false);
	log_error("lost");
	release(&c, &text);
	assert_null(memmem(text.data, text.size, "lost", 4));
}

static void test_paths(void **state)
{
	autofree char *joined = NULL;

	(void)state;
	unsetenv("LODGE_STATE_DIR");
	assert_string_equal(path_state(), "/var/lib/lodge");
	setenv("LODGE_STATE_DIR", "/tmp/x", 1);
	assert_string_equal(path_state(), "/tmp/x");
	setenv("LODGE_STATE_DIR", "relative", 1);
	assert_string_equal(path_state(), "/var/lib/lodge");
	unsetenv("LODGE_STATE_DIR");
	joined = path_join(path_run(), "jobs/%d", 7);
	assert_true(str_ends(joined, "/jobs/7"));
}

static void test_deadlines(void **state)
{
	usec_t now = clock_monotonic();

	(void)state;
	assert_int_equal(clock_left_ms(0), 0);
	assert_int_equal(clock_left_ms(now), 0);
	assert_int_equal(clock_left_ms(UINT64_MAX), INT_MAX);
	assert_in_range(clock_left_ms(clock_monotonic() + 60 * USEC_PER_SEC), 50000, 60000);
	assert_true(clock_boottime() >= now);
	assert_true(clock_wall() > 1700000000ull * USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal),	  cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_full_pipe), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_deadlines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
