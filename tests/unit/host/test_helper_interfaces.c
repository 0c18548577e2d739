/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces of a process in a network namespace of its own; skipped where none can be made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/task/host/helper_interfaces.h"

static pid_t guest;

/* The child's whole life; 'y' into the pipe once its lo is up, 'n' if that is not allowed here. */
static void live_apart(int ready)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int s;

	if (unshare(CLONE_NEWNET) < 0 || (s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0 ||
	    ioctl(s, SIOCSIFFLAGS, &request) < 0)
		_exit(write(ready, "n", 1) != 1);
	if (write(ready, "y", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int start_guest(void **state)
{
	char answer = 'n';
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	guest = fork();
	assert_true(guest >= 0);
	if (guest == 0)
		live_apart(ends[1]);
	assert_int_equal(read(ends[0], &answer, 1), 1);
	close(ends[0]);
	close(ends[1]);
	if (answer == 'n') {
		waitpid(guest, NULL, 0);
		guest = 0;
	}
	return 0;
}

static int end_guest(void **state)
{
	(void)state;
	if (guest > 0) {
		kill(guest, SIGKILL);
		waitpid(guest, NULL, 0);
	}
	return 0;
}

static int ask(uint64_t start, struct buf *out, struct err *err)
{
	autofields args = FIELDS_INIT;

	fields_addf(&args, "pid", "%d", (int)guest);
	fields_addf(&args, "pid_start", "%llu", (unsigned long long)start);
	return helper_ct_interfaces(&args, out, err);
}

static void refuses_another_process(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	autobuf out = BUF_INIT;

	if (guest == 0)
		skip();
	assert_int_equal(ask(exec_pid_start(guest) + 1, &out, &err), -ERR_NOT_FOUND);
	assert_int_equal(out.size, 0);
}

static void refuses_bad_arguments(void **state)
{
	(void)state;
	static const char *const pids[] = {"", "0", "-1", "1/../2", "99999999999"};

	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		struct err err = ERR_INIT;
		autobuf out = BUF_INIT;
		autofields args = FIELDS_INIT;

		fields_add(&args, "pid", pids[i]);
		fields_add(&args, "pid_start", "1");
		assert_int_equal(helper_ct_interfaces(&args, &out, &err), -ERR_INVALID);
		assert_string_equal(err.field, "pid");
	}
}

static void lists_interfaces(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	autobuf out = BUF_INIT;

	if (guest == 0)
		skip();
	if (ask(exec_pid_start(guest), &out, &err) < 0)
		fail_msg("%s", err.message);
	/* a kernel may bring tunnel interfaces into each namespace: only lo is sure */
	assert_non_null(strstr(buf_str(&out), "{\"name\":\"lo\",\"hwaddr\":\"00:00:00:00:00:00\","
					      "\"hardware-address\":\"00:00:00:00:00:00\","
					      "\"ip-addresses\":[{\"ip-address\":\"127.0.0.1\","
					      "\"ip-address-type\":\"inet\",\"prefix\":8}"));
	assert_non_null(strstr(buf_str(&out), "],\"inet\":\"127.0.0.1/8\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_bad_arguments), cmocka_unit_test(refuses_another_process),
		cmocka_unit_test(lists_interfaces), /* last: joins the namespace */
	};

	return cmocka_run_group_tests(tests, start_guest, end_guest);
}
