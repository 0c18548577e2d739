/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a node's KVM test: text and back, what is refused, another kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/kvm_record.h"

static void test_round_trip(void **state)
{
	const struct kvm_record record = {.is_usable = false,
					  .reason = "QEMU was ended by signal 6: a: b",
					  .tested = 1700000000,
					  .kernel = "6.1.0-9-amd64"};
	struct kvm_record got;
	autobuf text = BUF_INIT;

	(void)state;
	kvm_record_format(&record, &text);
	assert_string_equal(buf_str(&text), "usable: 0\nreason: QEMU was ended by signal 6: a: b\n"
					    "tested: 1700000000\nkernel: 6.1.0-9-amd64\n");
	assert_int_equal(kvm_record_parse(text.data, text.size, &got, NULL), 0);
	assert_false(got.is_usable);
	assert_string_equal(got.reason, record.reason);
	assert_string_equal(got.kernel, record.kernel);
	assert_int_equal(got.tested, record.tested);
}

static void test_texts(void **state)
{
	static const struct {
		const char *text;
		int result;
		bool is_usable;
	} cases[] = {
		{"usable: 1\n", 0, true},
		{"usable: yes\ntested: soon\n", 0, true},
		{"reason: x\nusable: 0\n", 0, false},
		{"", -ERR_CORRUPT, false},
		{"usable: maybe\n", -ERR_CORRUPT, false},
		{"[snapshot]\nusable: 1\n", -ERR_CORRUPT, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kvm_record got = {0};
		struct err err = ERR_INIT;

		assert_int_equal(kvm_record_parse(cases[i].text, strlen(cases[i].text), &got, &err),
				 cases[i].result);
		assert_int_equal(got.is_usable, cases[i].is_usable);
		assert_int_equal(err.code, -cases[i].result);
	}
}

static void test_bounds(void **state)
{
	autofree char *text = xmalloc(KVM_RECORD_MAX + 2);
	struct kvm_record got;

	(void)state;
	memset(text, 'x', KVM_RECORD_MAX + 1);
	memcpy(text, "usable: 1\nreason: ", 18);
	text[KVM_RECORD_MAX + 1] = '\0';
	assert_int_equal(kvm_record_parse(text, KVM_RECORD_MAX + 1, &got, NULL), -ERR_LIMIT);
	assert_int_equal(kvm_record_parse(text, KVM_RECORD_MAX, &got, NULL), 0);
	assert_int_equal(strlen(got.reason), sizeof(got.reason) - 1);
}

static void test_kernel(void **state)
{
	struct kvm_record record = {0};

	(void)state;
	assert_true(kvm_record_is_outdated(&record));
	assert_true(str_copy(record.kernel, sizeof(record.kernel), kvm_kernel_release()));
	assert_false(kvm_record_is_outdated(&record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
