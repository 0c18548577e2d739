/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for the ends of containers. Pure. */
#include "agent/guest/end.h"

#include <signal.h>

const char *guest_end_reason(int signal, bool has_oom)
{
	switch (signal) {
	case 0:
	case SIGINT:
	case SIGHUP:
		return "";
	case SIGKILL:
		return has_oom ? "oom" : "killed";
	default:
		return "crashed";
	}
}
