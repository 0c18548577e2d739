/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a daemon is started: a small program in its place, on a loop of the test's own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "systemd/supervise/service.h"

static unsigned looks, early; /* what it leans on is there after so many looks */

static bool is_early(void)
{
	return ++looks <= early;
}

static const struct service_def def = {.name = "daemon", .is_early = is_early};

struct world {
	char folder[32];
	sd_event *event;
	struct service service;
};

static int setup(void **state)
{
	static const char program[] = "#!/bin/sh\nexec sleep 100\n";
	struct world *w = xcalloc(1, sizeof(*w));
	struct err err = ERR_INIT;
	sigset_t blocked;

	strcpy(w->folder, "/tmp/lodge-test-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	autofree char *path = path_join(w->folder, "daemon");
	autofree char *notes = path_join(w->folder, "supervise");
	setenv("LODGE_LIBEXEC_DIR", w->folder, 1);
	setenv("LODGE_RUN_DIR", w->folder, 1);
	assert_int_equal(dir_make(notes, 0755, &err), 0);
	assert_int_equal(file_write_atomic(path, program, sizeof(program) - 1, 0755, &err), 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	assert_true(sd_event_new(&w->event) >= 0);
	assert_int_equal(service_init(&w->service, w->event, &def, w->folder, &err), 0);
	looks = 0;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	service_stop(&w->service, SIGKILL);
	while (!service_is_stopped(&w->service))
		assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
	service_fini(&w->service);
	sd_event_unref(w->event);
	static const char *const names[] = {"daemon", "daemon.log", "supervise"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *path = path_join(w->folder, "%s", names[i]);
		remove(path);
	}
	rmdir(w->folder);
	free(w);
	return 0;
}

static void run_until_started(struct world *w)
{
	while (w->service.pid == 0)
		assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
}

static void test_waits(void **state)
{
	struct world *w = *state;

	early = 3;
	service_start(&w->service);
	assert_int_equal(w->service.pid, 0);
	run_until_started(w);
	assert_int_equal(looks, 4);
}

static void test_not_for_ever(void **state)
{
	struct world *w = *state;

	early = UINT32_MAX;
	service_start(&w->service);
	run_until_started(w);
	assert_int_equal(looks, SERVICE_PATIENCE / SERVICE_LOOK_EARLY);
}

static void test_a_restart_does_not_wait(void **state)
{
	struct world *w = *state;

	early = 0;
	service_start(&w->service);
	pid_t first = w->service.pid;
	assert_true(first > 0);
	early = UINT32_MAX;
	kill(first, SIGKILL);
	while (w->service.pid == first)
		assert_true(sd_event_run(w->event, UINT64_MAX) >= 0);
	run_until_started(w);
	assert_int_equal(looks, 1);
}

static void test_stopped_while_it_waits(void **state)
{
	struct world *w = *state;

	early = UINT32_MAX;
	service_start(&w->service);
	service_stop(&w->service, SIGTERM);
	assert_true(service_is_stopped(&w->service));
	assert_int_equal(sd_event_run(w->event, 2 * SERVICE_LOOK_EARLY), 0);
	assert_int_equal(w->service.pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_restart_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_while_it_waits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
