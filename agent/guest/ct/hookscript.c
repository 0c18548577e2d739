/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs hookscripts. Runs in jobs, and in the hook that follows a container's end. */
#include "agent/guest/ct/hookscript.h"

#include <stdio.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/str.h"
#include "agent/guest/ct/volume.h"

int ct_hookscript_path(struct task_ctx *task, const struct guest_config *config, struct buf *ret,
		       struct err *err)
{
	const char *volume = guest_config_get(config, "hookscript");
	int r;

	if (!volume)
		return 0;
	if ((r = ct_volume_path(task, volume, ret, err)) < 0)
		return err_prefix(err, "hookscript '%s'", volume);
	if (access(buf_str(ret), X_OK) != 0)
		return err_field(err, "hookscript", "'%s' is not there, or not executable", volume);
	return 0;
}

static void tell(const struct exec_result *result)
{
	autostrv char **lines = str_split(result->output.size ? result->output.data : "", "\n");

	for (char **line = lines; *line; line++)
		task_log("hookscript: %s", *line);
}

int ct_hookscript_run(const char *path, unsigned vmid, const char *phase, struct err *err)
{
	char id[16];
	const char *const argv[] = {path, id, phase, NULL};
	struct exec_run run = {.argv = argv,
			       .deadline = clock_monotonic() + CT_HOOKSCRIPT_WAIT,
			       .output_max = 64 * 1024};
	struct exec_result result = {0};
	int r;

	if (str_is_empty(path))
		return 0;
	snprintf(id, sizeof(id), "%u", vmid);
	r = exec_run(&run, &result, err);
	buf_str(&result.output);
	tell(&result);
	exec_result_fini(&result);
	return r < 0 ? err_prefix(err, "hookscript, %s", phase) : 0;
}
