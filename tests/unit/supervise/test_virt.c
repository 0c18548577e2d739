/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirtd's settings where KVM is hidden from it; whether it is wanted at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "systemd/supervise/virt.h"

static void test_qemu_conf(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{"", "namespaces = []\n"},
		{"user = \"root\"", "user = \"root\"\nnamespaces = []\n"},
		{"#namespaces = [ \"mount\" ]\n", "#namespaces = [ \"mount\" ]\nnamespaces = []\n"},
		{"namespaces = [ \"mount\" ]\na = 1\n", "a = 1\nnamespaces = []\n"},
		{" \tnamespaces=[\n  \"mount\",\n]\na = 1\n", "a = 1\nnamespaces = []\n"},
		{"namespaces_x = 1\n", "namespaces_x = 1\nnamespaces = []\n"},
		{"namespaces = [\n \"mount\"\n", "namespaces = []\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf got = BUF_INIT;

		virt_qemu_conf(cases[i].before, &got);
		assert_string_equal(buf_str(&got), cases[i].after);
	}
}

static void put(const char *folder, const char *name, mode_t mode)
{
	autofree char *path = xasprintf("%s/%s", folder, name);

	assert_int_equal(file_write_atomic(path, "", 0, mode, NULL), 0);
}

static void test_wanted(void **state)
{
	char folder[] = "/tmp/lodge-test-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	autofree char *conf = xasprintf("%s/lodge.conf", folder);

	setenv("LODGE_CONF", conf, 1);
	setenv("LODGE_LIBVIRT_SBIN", folder, 1);
	setenv("LODGE_LIBVIRT_RUN", folder, 1);
	assert_false(virt_is_wanted());
	put(folder, "libvirtd.conf", 0600);
	assert_false(virt_is_wanted()); /* nothing to start */
	put(folder, "libvirtd", 0755);
	assert_true(virt_is_wanted());
	assert_false(virt_libvirtd_answers());
	put(folder, "libvirt-sock", 0600); /* left by one that is gone */
	assert_false(virt_libvirtd_answers());
	assert_int_equal(dir_remove_tree(folder, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qemu_conf),
		cmocka_unit_test(test_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
