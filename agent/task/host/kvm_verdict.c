/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges one run of the KVM test machine. */
#include "agent/task/host/kvm_verdict.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define PROGRAM_PREFIX "qemu-system-x86_64: "
#define ERROR_PREFIX   "error: "

/* These tell of the node's state, not of its processor. */
static const char *const passing[] = {"Cannot allocate memory", "cannot set up guest memory",
				      "Could not open '/var/cache"};

static bool is_passing(const char *errors)
{
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++) {
		if (strstr(errors, passing[i]))
			return true;
	}
	return false;
}

/* QEMU's first line, without its name, warnings left out. */
static void first_error(const char *errors, char *ret, size_t size)
{
	autostrv char **lines = str_split(errors, "\r\n");
	size_t i = 0, length;

	while (lines[i] && strstr(lines[i], "warning: "))
		i++;
	const char *line = lines[i] ? lines[i] : "it said nothing";

	line = str_after(line, PROGRAM_PREFIX) ?: line;
	line = str_after(line, ERROR_PREFIX) ?: line;
	length = strlen(line) < size ? strlen(line) : size - 1;
	for (size_t k = 0; k < length; k++)
		ret[k] = line[k] >= ' ' && line[k] < 0x7f ? line[k] : '?';
	ret[length] = '\0';
}

static void say_end(const struct kvm_run *run, char *reason, size_t size)
{
	char line[160];

	first_error(run->errors, line, sizeof(line));
	if (WIFSIGNALED(run->status))
		snprintf(reason, size, "QEMU was ended by signal %d: %s", WTERMSIG(run->status),
			 line);
	else
		snprintf(reason, size, "QEMU ended with status %d: %s", WEXITSTATUS(run->status),
			 line);
}

enum kvm_verdict kvm_verdict(const struct kvm_run *run, char *reason, size_t size)
{
	double seconds = (double)run->elapsed / USEC_PER_SEC;

	if (run->was_ready) {
		snprintf(reason, size, "a test machine was ready after %.1f s", seconds);
		return KVM_USABLE;
	}
	if (!run->has_ended) {
		snprintf(reason, size,
			 "/dev/kvm is there, but a test machine was not ready within %.0f s",
			 seconds);
		return KVM_UNUSABLE;
	}
	say_end(run, reason, size);
	return is_passing(run->errors) ? KVM_UNDECIDED : KVM_UNUSABLE;
}
