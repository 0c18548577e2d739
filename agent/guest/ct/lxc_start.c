/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls liblxc. Runs in a forked step of a job, single-threaded: liblxc forks its monitor from it.
 */
#include "agent/guest/ct/lxc_start.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <lxc/lxccontainer.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/guest/ct/guard.h"
#include "agent/guest/ct/image.h"

#define LOG_MAX	    (1024 * 1024)
#define REASONS_MAX 3

/* Only reading a file tells liblxc (5.0.2) the container's name where AppArmor profiles are generated from it;
 * without it a start on such a host ends with "Failed to mmap old profile". */
static bool set_name(struct lxc_container *c)
{
	return c->load_config(c, "/dev/null");
}

static int set_items(struct lxc_container *c, const struct fields *items, struct err *err)
{
	for (size_t i = 0; i < items->count; i++)
		if (!c->set_config_item(c, items->items[i].name, items->items[i].value))
			return err_set(err, ERR_UNSUPPORTED, "liblxc refused %s = %s",
				       items->items[i].name, items->items[i].value);
	return 0;
}

/* "lxc 101 TIME ERROR    module - file:function:line - text" */
static const char *error_text(char *line)
{
	char *at = strstr(line, " ERROR ");

	for (int i = 0; at && i < 2; i++)
		if ((at = strstr(at, " - ")))
			at += 3;
	return at;
}

void lxc_log_reason(const char *log, struct buf *out)
{
	autostrv char **lines = str_split(log, "\n");
	unsigned count = 0;

	for (char **line = lines; *line && count < REASONS_MAX; line++) {
		const char *text = error_text(*line);

		if (text)
			buf_addf(out, "%s%s", count++ ? "; " : "", text);
	}
}

/* liblxc also writes to standard error, whatever it is told: that is not for the task log. */
static void divert_stderr(const char *log_path)
{
	autofd int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)dup2(fd, STDERR_FILENO);
}

static int start_error(const char *log_path, struct err *err)
{
	autobuf log = BUF_INIT, reason = BUF_INIT;

	(void)file_read(log_path, LOG_MAX, &log, NULL);
	lxc_log_reason(buf_str(&log), &reason);
	return err_set(err, ERR_INTERNAL, "liblxc: %s",
		       reason.size ? buf_str(&reason) : "start failed without a reason");
}

/* liblxc 5.0.2 takes lxc.init.cmd apart at every space, quotes or not: it is told the words instead. */
static bool start(struct lxc_container *c, const struct fields *items)
{
	autostrv char **words = ct_command_words(fields_get(items, "lxc.init.cmd") ?: "");

	return c->start(c, 0, *words ? words : NULL);
}

int lxc_start_items(const char *lxc_path, unsigned vmid, const struct fields *items,
		    const char *log_path, bool is_debug, struct err *err)
{
	char name[16];
	struct lxc_log log = {.name = name,
			      .lxcpath = lxc_path,
			      .file = log_path,
			      .level = is_debug ? "DEBUG" : "ERROR",
			      .prefix = "lxc",
			      .quiet = true};
	struct lxc_container *c;
	int r;

	if ((r = ct_guard_require(err)) < 0)
		return r;
	snprintf(name, sizeof(name), "%u", vmid);
	divert_stderr(log_path);
	if (lxc_log_init(&log) != 0)
		return err_set(err, ERR_INTERNAL, "liblxc: cannot open its log");
	if (!(c = lxc_container_new(name, lxc_path)))
		return err_set(err, ERR_INTERNAL, "liblxc: no container object");
	r = set_name(c) ? set_items(c, items, err)
			: err_set(err, ERR_INTERNAL, "liblxc: no configuration");
	if (r == 0 && c->is_running(c))
		r = err_set(err, ERR_BUSY, "CT %u already running", vmid);
	if (r == 0 && (!c->want_daemonize(c, true) || !c->want_close_all_fds(c, true)))
		r = err_set(err, ERR_INTERNAL, "liblxc: cannot be told to run in the background");
	if (r == 0 && !start(c, items))
		r = start_error(log_path, err);
	lxc_container_put(c);
	return r;
}
