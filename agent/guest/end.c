/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for the ends of containers. Pure. */
#include "agent/guest/end.h"

#include <signal.h>
#include <sys/wait.h>

#include "agent/base/str.h"

#define SHELL_SIGNALLED                                                                            \
	128 /* a shell as init exits like this after its last command was ended by a signal */

const char *guest_end_reason(int status, bool has_oom)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (status == 0 || signal == SIGINT || signal == SIGHUP)
		return "";
	if (has_oom &&
	    (signal == SIGKILL || (!signal && WEXITSTATUS(status) == SHELL_SIGNALLED + SIGKILL)))
		return "oom";
	if (!signal)
		return "exited";
	return signal == SIGKILL ? "killed" : "crashed";
}

void guest_end_fields(const char *reason, int status, struct fields *out)
{
	if (str_is_empty(reason))
		return;
	fields_add(out, "reason", reason);
	if (WIFSIGNALED(status))
		fields_addf(out, "exit_signal", "%d", WTERMSIG(status));
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		fields_addf(out, "exit_code", "%d", WEXITSTATUS(status));
}
