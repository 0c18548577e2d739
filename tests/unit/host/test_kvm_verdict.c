/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of KVM after one run of the test machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/base/mem.h"
#include "agent/task/host/kvm_verdict.h"

#define QEMU "qemu-system-x86_64: "

static void test_verdicts(void **state)
{
	static const struct {
		struct kvm_run run;
		enum kvm_verdict verdict;
		const char *reason;
	} cases[] = {
		{{.was_ready = true, .elapsed = 2130000, .errors = ""},
		 KVM_USABLE,
		 "a test machine was ready after 2.1 s"},
		/* complaints do not matter then, nor does how it was ended */
		{{.was_ready = true,
		  .status = SIGKILL,
		  .elapsed = 900000,
		  .errors = QEMU "warning: x\n"},
		 KVM_USABLE,
		 "a test machine was ready after 0.9 s"},
		{{.elapsed = KVM_CHECK_TIMEOUT, .errors = ""},
		 KVM_UNUSABLE,
		 "/dev/kvm is there, but a test machine was not ready within 15 s"},
		{{.has_ended = true,
		  .status = SIGABRT,
		  .errors = QEMU "error: failed to set MSR 0x10a to 0x69\n" QEMU "more\n"},
		 KVM_UNUSABLE,
		 "QEMU was ended by signal 6: failed to set MSR 0x10a to 0x69"},
		{{.has_ended = true,
		  .status = W_EXITCODE(1, 0),
		  .errors = QEMU
		  "warning: host doesn't support it\nCould not access KVM kernel module\n"},
		 KVM_UNUSABLE,
		 "QEMU ended with status 1: Could not access KVM kernel module"},
		{{.has_ended = true, .status = 0, .errors = ""},
		 KVM_UNUSABLE,
		 "QEMU ended with status 0: it said nothing"},
		/* the node's fault, not the processor's */
		{{.has_ended = true,
		  .status = W_EXITCODE(1, 0),
		  .errors = QEMU "cannot set up guest memory 'pc.ram': Cannot allocate memory\n"},
		 KVM_UNDECIDED,
		 "QEMU ended with status 1: cannot set up guest memory 'pc.ram': Cannot allocate "
		 "memory"},
		{{.has_ended = true, .status = W_EXITCODE(1, 0), .errors = "a\033[2Jb\xc3\xa4\n"},
		 KVM_UNUSABLE,
		 "QEMU ended with status 1: a?[2Jb??"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char reason[256] = "";

		assert_int_equal(kvm_verdict(&cases[i].run, reason, sizeof(reason)),
				 cases[i].verdict);
		assert_string_equal(reason, cases[i].reason);
	}
}

static void test_long_lines(void **state)
{
	char errors[4096], reason[256];
	const struct kvm_run run = {.has_ended = true, .status = SIGABRT, .errors = errors};

	(void)state;
	memset(errors, 'x', sizeof(errors) - 1);
	errors[sizeof(errors) - 1] = '\0';
	assert_int_equal(kvm_verdict(&run, reason, sizeof(reason)), KVM_UNUSABLE);
	assert_true(strlen(reason) < 200);
	assert_int_equal(kvm_verdict(&run, reason, 8), KVM_UNUSABLE);
	assert_int_equal(strlen(reason), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
