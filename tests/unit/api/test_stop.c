/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core stops while requests wait: nothing of it is touched after it is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "api_test.h"

static struct fixture f;

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&f);
	fixture_script(&f, "lodge-task", "#!/bin/sh\nexec sleep 60\n");
	fixture_start(&f);
	fixture_put(&f, "/storage.cfg",
		    "dir: local\n\tpath /x\n\tcontent vztmpl,rootdir\n\n"
		    "dir: other\n\tpath /y\n\tcontent iso\n");
	return 0;
}

/* Sends it; it has arrived, and waits, when this returns. */
static void leave_waiting(const char *request)
{
	struct call call;
	unsigned before = f.replies;

	fixture_fill(&f, request, &call);
	assert_int_equal(conn_call(f.client, &call, fixture_on_reply, &f, NULL, NULL), 0);
	call_fini(&call);
	assert_int_equal(fixture_call(&f, "GET /version"), 200);
	assert_int_equal(f.replies, before + 1);
}

/* The store's answers are left to its end. */
static void store_is_late(void)
{
	assert_true(sd_event_source_set_enabled(f.store_source, SD_EVENT_OFF) >= 0);
}

static void during_a_change_of_access(void **state)
{
	(void)state;
	store_is_late();
	leave_waiting("POST /access/users/root@pam/token/one");
	leave_waiting("POST /access/users/root@pam/token/two");
	fixture_end(&f);
}

static void during_a_create(void **state)
{
	(void)state;
	store_is_late();
	leave_waiting("POST /nodes/n1/lxc?vmid=101&ostemplate=local:vztmpl/debian.tar.zst");
	fixture_end(&f);
}

static void during_a_check_of_storages(void **state)
{
	(void)state;
	leave_waiting("GET /nodes/n1/storage");
	leave_waiting("GET /nodes/n1/storage/local/status");
	fixture_end(&f);
}

/* The client goes first; the check's answer then finds nobody. */
static void after_a_client_went_away(void **state)
{
	(void)state;
	leave_waiting("GET /nodes/n1/storage");
	api_cancel(&f.core, f.server, 0);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(during_a_change_of_access, set_up),
		cmocka_unit_test_setup(during_a_create, set_up),
		cmocka_unit_test_setup(during_a_check_of_storages, set_up),
		cmocka_unit_test_setup(after_a_client_went_away, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
