/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations as liblxc items, liblxc's log as a reason, root's id ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/items.h"
#include "agent/guest/ct/lxc_start.h"

static const struct ct_host host = {
	.cgroups = {.v2 = {[CG_MEMORY] = true, [CG_CPU] = true, [CG_DEVICES] = true},
		    .has_v2 = true},
	.idmap = {.uid = 100000, .gid = 200000},
	.cpus = 8,
	.hook_program = "/x/lodge-task-ct",
};

static int build(const char *text, const struct ct_host *on, struct fields *items)
{
	struct guest_config config;
	autofields warnings = FIELDS_INIT;
	int r;

	assert_int_equal(guest_config_parse(text, strlen(text), &config, NULL), 0);
	r = ct_items_build(&(struct ct_items){.config = &config,
					      .host = on,
					      .vmid = 101,
					      .rootfs = "/run/x/mnt-101",
					      .halt_signal = 37},
			   items, &warnings, NULL);
	guest_config_fini(&config);
	return r;
}

static bool has(const struct fields *items, const char *name, const char *value)
{
	for (size_t i = 0; i < items->count; i++)
		if (str_eq(items->items[i].name, name) && str_eq(items->items[i].value, value))
			return true;
	return false;
}

static void unprivileged(void **state)
{
	autofields items = FIELDS_INIT;

	(void)state;
	assert_int_equal(
		build("unprivileged: 1\nhostname: a\ntty: 3\n"
		      "net1: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,tag=5,mtu=1400,"
		      "type=veth\n",
		      &host, &items),
		0);
	assert_true(has(&items, "lxc.idmap", "u 0 100000 65536"));
	assert_true(has(&items, "lxc.idmap", "g 0 200000 65536"));
	assert_true(has(&items, "lxc.rootfs.options", "idmap=container"));
	assert_true(has(&items, "lxc.rootfs.path", "dir:/run/x/mnt-101"));
	assert_true(has(&items, "lxc.uts.name", "a"));
	assert_true(has(&items, "lxc.tty.max", "3"));
	assert_true(has(&items, "lxc.signal.halt", "37"));
	assert_true(has(&items, "lxc.net.1.veth.pair", "veth101i1"));
	assert_true(has(&items, "lxc.net.1.link", "vmbr0"));
	assert_true(has(&items, "lxc.net.1.veth.vlan.id", "5"));
	assert_true(has(&items, "lxc.net.1.mtu", "1400"));
	assert_true(has(&items, "lxc.hook.post-stop", "/x/lodge-task-ct hook post-stop 101"));
	assert_true(has(&items, "lxc.hook.start-host",
			"/x/lodge-task-ct hook start-host 101 37 'veth101i1'"));
	assert_null(fields_get(&items, "lxc.cap.drop"));
	assert_null(fields_get(&items, "lxc.cgroup2.devices.deny"));
}

static void privileged(void **state)
{
	autofields items = FIELDS_INIT;

	(void)state;
	assert_int_equal(build("hostname: a\n", &host, &items), 0);
	assert_null(fields_get(&items, "lxc.idmap"));
	assert_non_null(fields_get(&items, "lxc.cap.drop"));
	assert_string_equal(fields_get(&items, "lxc.cgroup2.devices.deny"), "a");
	/* nothing would mean the host's network */
	assert_string_equal(fields_get(&items, "lxc.net.0.type"), "empty");
}

static void shell_characters(void **state)
{
	struct ct_host bad = host;
	autofields items = FIELDS_INIT;

	(void)state;
	bad.hook_program = "/x y/lodge-task-ct";
	assert_true(build("hostname: a\n", &bad, &items) < 0);
}

static void log_reasons(void **state)
{
	static const struct {
		const char *log, *expected;
	} cases[] = {
		{"", ""},
		{"lxc 101 2026 WARN conf - a.c:f:1 - no\n", ""},
		{"lxc 101 2026 ERROR    conf - a.c:f:1 - first\nlxc 101 2026 ERROR    start - "
		 "b.c:g:2 - "
		 "second - with dash\n",
		 "first; second - with dash"},
		{"x ERROR  conf\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;

		lxc_log_reason(cases[i].log, &out);
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

static void id_ranges(void **state)
{
	static const struct {
		const char *text;
		uint32_t expected;
	} cases[] = {
		{"", 0},
		{"root:100000:65536\n", 100000},
		{"user:100000:65536\n0:200000:65536\n", 200000},
		{"root:100000:1000\nroot:300000:70000\n", 300000},
		{"root:0:65536\n", 0},
		{"root:4294967295:65536\n", 0},
		{"root:x:65536\nroot:1\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(ct_subid_find(cases[i].text), cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unprivileged),	    cmocka_unit_test(privileged),
		cmocka_unit_test(shell_characters), cmocka_unit_test(log_reasons),
		cmocka_unit_test(id_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
