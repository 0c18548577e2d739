/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 images of the `dir` driver, made by qemu-img. Job processes only. */
#include "storage/dir.h"

#include "agent/base/exec.h"
#include "agent/base/mem.h"

#define DEADLINE (60 * USEC_PER_SEC)

int dir_qcow2_make(const struct storage_def *def, unsigned vmid, const char *name, uint64_t size,
		   struct err *err)
{
	const char *root;
	struct exec_result result = {0};
	int r = dir_root(def, &root, err);

	if (r < 0)
		return r;
	autofree char *path = xasprintf("%s/images/%u/%s", root, vmid, name);
	autofree char *bytes = xasprintf("%llu", (unsigned long long)size);
	const char *const argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", path, bytes, NULL};

	r = exec_run(&(struct exec_run){.argv = argv, .deadline = clock_monotonic() + DEADLINE},
		     &result, err);
	exec_result_fini(&result);
	return r < 0 ? err_prefix(err, "volume '%s'", name) : 0;
}
