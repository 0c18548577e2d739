/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor of a container, a fork of a job and so this program, is the parent of its init. Nobody else can ask how
 * that ended before Linux 6.15, and hooks of liblxc (5.0, 6.0) are not told. It asks waitpid(3): defined in this
 * program that takes the place of libc's, and puts what it saw into the environment, which hooks inherit. After its
 * init it waits for others, too, before the last hook: AppArmor's parser, and who removes groups. */
#include "agent/guest/ct/init_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "agent/base/str.h"

#define ENDED "LODGE_ENDED" /* "PID STATUS" */
#define INIT  "LXC_PID"	    /* set by liblxc before the container's first hook outside */

static bool is_init(pid_t pid)
{
	const char *text = getenv(INIT);
	uint64_t init;

	return text && str_to_u64(text, &init) && init == (uint64_t)pid;
}

static void note(pid_t pid, int status)
{
	char text[32];

	snprintf(text, sizeof(text), "%d %d", (int)pid, status);
	(void)setenv(ENDED, text, 1);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	int ended = 0;
	pid_t found = wait4(pid, &ended, options, NULL);

	if (found > 0 && (WIFSIGNALED(ended) || WIFEXITED(ended)) && is_init(found))
		note(found, ended);
	if (found > 0 && status)
		*status = ended;
	return found;
}

int ct_init_status(pid_t init)
{
	const char *text = getenv(ENDED);
	int pid = 0, status = 0;

	if (!text || sscanf(text, "%d %d", &pid, &status) != 2 || pid != (int)init)
		return -1;
	return status;
}
