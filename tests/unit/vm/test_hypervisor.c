/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt calls keep their deadline: against a socket that takes connections and never answers, against
 * none, and against libvirt's own test driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/guest/vm/hypervisor.h"

static char folder[] = "/tmp/lodge-test-XXXXXX";

static void point_at(const char *name, struct sockaddr_un *ret)
{
	char uri[256];

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", folder, name);
	snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s&mode=direct", ret->sun_path);
	setenv("LODGE_LIBVIRT_URI", uri, 1);
}

/* As a libvirtd stopped by SIGSTOP: the kernel accepts, nobody answers. */
static void gives_up_at_the_deadline(void **state)
{
	struct sockaddr_un address;
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err = ERR_INIT;
	struct hv *hv;

	(void)state;
	point_at("mute", &address);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	usec_t began = clock_monotonic();
	int r = hv_open(began + 300 * USEC_PER_MSEC, &hv, &err);
	usec_t took = clock_monotonic() - began;

	unlink(address.sun_path);
	if (r != -ERR_UNKNOWN || !str_eq(err.message, "libvirtd does not answer"))
		fail_msg("%d %s", r, err.message);
	assert_true(took >= 300 * USEC_PER_MSEC && took < 2 * USEC_PER_SEC);
}

static void says_that_nobody_is_there(void **state)
{
	struct sockaddr_un address;
	struct err err = ERR_INIT;
	struct hv *hv;

	(void)state;
	point_at("none", &address);
	int r = hv_open(clock_monotonic() + 10 * USEC_PER_SEC, &hv, &err);

	if (r != -ERR_UNAVAILABLE || !str_starts(err.message, "libvirtd is not reachable: "))
		fail_msg("%d %s", r, err.message);
}

/* libvirt's test driver has a running machine "test" and knows no paused start. */
static void acts_on_domains(void **state)
{
	struct err err = ERR_INIT;
	enum hv_state now;
	struct hv *hv;

	(void)state;
	setenv("LODGE_LIBVIRT_URI", "test:///default", 1);
	assert_int_equal(hv_open(clock_monotonic() + 10 * USEC_PER_SEC, &hv, &err), 0);
	assert_int_equal(hv_look(hv, "lodge-101", &now, &err), 0);
	assert_int_equal(now, HV_ABSENT);
	assert_int_equal(hv_destroy(hv, "lodge-101", &err), -ERR_NOT_FOUND);
	assert_int_equal(hv_look(hv, "test", &now, &err), 0);
	assert_int_equal(now, HV_RUNNING);
	assert_int_equal(hv_create_paused(hv, "<domain/>", &err), -ERR_INTERNAL);
	assert_non_null(strstr(err.message, "flags"));
	assert_int_equal(hv_destroy(hv, "test", &err), 0);
	assert_int_equal(hv_look(hv, "test", &now, &err), 0);
	assert_int_equal(now, HV_ABSENT); /* its definition stays */
	assert_true(hv_resume(hv, "test", &err) < 0);
	assert_string_not_equal(err.message, "");
}

/* Once given up, a link answers nothing any more. */
static void stays_lost(void **state)
{
	struct err err = ERR_INIT;
	enum hv_state now;
	struct hv *hv;

	(void)state;
	setenv("LODGE_LIBVIRT_URI", "test:///default", 1);
	assert_int_equal(hv_open(clock_monotonic() + 10 * USEC_PER_SEC, &hv, &err), 0);
	hv_set_deadline(hv, 0);
	int r = hv_look(hv, "x", &now, &err);

	if (r == 0) /* the answer was there before the clock was looked at */
		return;
	assert_int_equal(r, -ERR_UNKNOWN);
	hv_set_deadline(hv, clock_monotonic() + 10 * USEC_PER_SEC);
	assert_int_equal(hv_look(hv, "x", &now, &err), -ERR_UNKNOWN);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acts_on_domains),
		cmocka_unit_test(says_that_nobody_is_there),
		cmocka_unit_test(gives_up_at_the_deadline),
		cmocka_unit_test(stays_lost),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
