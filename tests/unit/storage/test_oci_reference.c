/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of images in registries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "storage/volid/oci_reference.h"

static void test_names(void **state)
{
	static const struct {
		const char *text;
		bool has_tag, is_valid;
	} cases[] = {
		{"debian", false, true},
		{"debian:12", true, true},
		{"debian", true, false},
		{"debian:12", false, false},
		{"docker.io/library/debian:12-slim", true, true},
		{"localhost:5000/a/b-c__d.e_f/g---h:v1.2_3-x", true, true},
		{"localhost:5000/a", false, true},
		{"Host.Example/a", false, true},
		{"UPPER", false, false},
		{"a/Upper", false, false},
		{"", false, false},
		{":x", true, false},
		{"a:", true, false},
		{"a:-x", true, false},
		{"a:.x", true, false},
		{"a b", false, false},
		{"-a", false, false},
		{"a-", false, false},
		{"a___b", false, false},
		{"a._b", false, false},
		{"a//b", false, false},
		{"/a", false, false},
		{"a/", false, false},
		{"-host/a", false, false},
		{"host-/A", false, false},
		{"Host:/a", false, false},
		{"Host:x/a", false, false},
		{"Ho..st/a", false, false},
		{"a@sha256:00", true, false},
		{"docker://a", false, false},
		{"a\nb", false, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = oci_reference_check(cases[i].text, cases[i].has_tag, NULL);
		if (r != (cases[i].is_valid ? 0 : -ERR_INVALID))
			fail_msg("'%s' %d: %d", cases[i].text, cases[i].has_tag, r);
	}
}

static void test_bounds(void **state)
{
	char text[700] = "a:";
	(void)state;
	memset(text + 2, 'x', 128);
	assert_int_equal(oci_reference_check(text, true, NULL), 0);
	text[130] = 'x';
	assert_int_equal(oci_reference_check(text, true, NULL), -ERR_INVALID);
	memset(text, 'a', 600);
	assert_int_equal(oci_reference_check(text, false, NULL), -ERR_INVALID);
}

static void test_files(void **state)
{
	autofree char *plain = oci_reference_file("debian:12");
	autofree char *deep = oci_reference_file("localhost:5000/x/app:v1");
	(void)state;
	assert_string_equal(plain, "debian_12.tar");
	assert_string_equal(deep, "app_v1.tar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
					   cmocka_unit_test(test_bounds),
					   cmocka_unit_test(test_files)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
