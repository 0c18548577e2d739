/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domain names and processes of virtual machines. Reads /run and /proc only. */
#include "agent/guest/vm_process.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define PID_MAX	   64 /* bytes of a pid file */
#define PID_FOLDER "/run/libvirt/qemu"
#define PREFIX	   "lodge-"
#define VMID_MIN   100
#define VMID_MAX   999999999u

void vm_domain_name(unsigned vmid, char ret[VM_DOMAIN_NAME_SIZE])
{
	snprintf(ret, VM_DOMAIN_NAME_SIZE, PREFIX "%u", vmid);
}

bool vm_domain_vmid(const char *name, unsigned *ret)
{
	const char *digits = str_after(name, PREFIX);
	uint64_t vmid;

	if (!digits || digits[0] == '0' || !str_to_u64(digits, &vmid) || vmid < VMID_MIN ||
	    vmid > VMID_MAX)
		return false;
	*ret = (unsigned)vmid;
	return true;
}

/* A pid file may be stale: the process must be a machine of this name. */
static bool is_machine(pid_t pid, const char *name)
{
	autofree char *wanted = xasprintf("guest=%s", name);

	return exec_pid_has_argument(pid, wanted, ',');
}

int vm_process_find(const char *name, pid_t *ret_pid, uint64_t *ret_start, struct err *err)
{
	autofree char *path = xasprintf(PID_FOLDER "/%s.pid", name);
	autobuf text = BUF_INIT;
	uint64_t pid, start;
	int r;

	if ((r = file_read(path, PID_MAX, &text, err)) < 0)
		return err_prefix(err, "process of %s", name);
	autofree char *line = buf_steal(&text);

	line[strcspn(line, "\n")] = '\0';
	if (!str_to_u64(line, &pid) || pid == 0 || pid > INT32_MAX)
		return err_set(err, ERR_CORRUPT, "%s holds no process id", path);
	start = exec_pid_start((pid_t)pid);
	if (start == 0 || !is_machine((pid_t)pid, name))
		return err_set(err, ERR_NOT_FOUND, "process of %s is gone", name);
	*ret_pid = (pid_t)pid;
	*ret_start = start;
	return 0;
}
