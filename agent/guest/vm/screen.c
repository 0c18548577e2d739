/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives a connection to a machine's VNC server to the job that started this process, and ends. */
#include "agent/base/str.h"
#include "agent/guest/vm/commands.h"
#include "agent/guest/vm/control.h"
#include "agent/guest/vm/domain.h"
#include "agent/task/handover.h"

#define SCREEN_TIMEOUT (15 * USEC_PER_SEC)

static int open_screen(unsigned vmid, int *ret_fd, struct err *err)
{
	char name[VM_DOMAIN_NAME_SIZE];
	struct vm_record record;
	struct hv *hv;
	int r;

	if (!vm_record_find(vmid, &record))
		return err_set(err, ERR_BUSY, "VM %u not running", vmid);
	vm_domain_name(vmid, name);
	if ((r = hv_open(clock_monotonic() + SCREEN_TIMEOUT, &hv, err)) < 0)
		return r;
	return hv_open_graphics(hv, name, ret_fd, err);
}

int screen_main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	uint64_t vmid;
	int fd = -1;

	if (argc != 1 || !str_to_u64(argv[0], &vmid) || vmid == 0 || vmid > 999999999)
		return 2;
	(void)open_screen((unsigned)vmid, &fd, &err);
	return handover_send(&fd, 1, &err);
}
