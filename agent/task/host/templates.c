/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the lists of templates offer, and making one by lodge-make-template. Helper and job processes only. */
#include "agent/task/host/templates.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/task/host/incoming.h"
#include "agent/task/host/template_room.h"
#include "storage/template/template.h"

#define MAKE_TIMEOUT (3600 * USEC_PER_SEC)

static void write_text(struct json *j, const char *name, const struct catalog_entry *entry,
		       const char *key, const char *fallback)
{
	json_kv_string(j, name, catalog_entry_get(entry, key) ?: fallback);
}

static void write_entry(struct json *j, const struct catalog_entry *entry)
{
	const char *arch = template_arch();
	autofree char *file = catalog_entry_text(entry, "file", arch);
	autofree char *url = catalog_entry_text(entry, "url", arch);
	const char *headline = catalog_entry_get(entry, "headline") ?: entry->name;
	json_object_begin(j);
	json_kv_string(j, "template", file);
	json_kv_string(j, "package", entry->name);
	write_text(j, "os", entry, "os", "linux");
	write_text(j, "version", entry, "version", "1");
	write_text(j, "section", entry, "section", "system");
	json_kv_string(j, "type", "lxc");
	json_kv_string(j, "architecture", arch);
	json_kv_string(j, "source", url ? url : "made on this node");
	json_kv_string(j, "headline", headline);
	write_text(j, "description", entry, "description", headline);
	if (url)
		json_kv_string(j, "location", url);
	json_object_end(j);
}

int helper_templates(const struct fields *args, struct buf *out, struct err *err)
{
	autocatalog catalog = CATALOG_INIT;
	const struct catalog_entry *entry = NULL;
	struct json j;
	(void)args;
	(void)err;
	templates_load(&catalog);
	json_init(&j, out);
	json_array_begin(&j);
	while ((entry = templates_next(&catalog, entry)))
		write_entry(&j, entry);
	json_array_end(&j);
	return 0;
}

/* The maker's last line of output is the path of what it made. It runs as the first of a process namespace, so that all that
 * it starts ends with it, and it with this job. */
static int make(const struct catalog_entry *entry, const char *folder, char **ret_path,
		struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-make-template");
	autostrv char **words = str_split(catalog_entry_get(entry, "make"), " \t");
	const char *argv[24] = {"unshare", "--pid", "--fork", "--kill-child",
				"--",	   program, "-c",     folder};
	size_t n = 8;
	static const char *const options[][2] = {{"keyring", "-k"}, {"mirror", "-m"}};
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (!catalog_entry_get(entry, options[i][0]))
			continue;
		argv[n++] = options[i][1];
		argv[n++] = catalog_entry_get(entry, options[i][0]);
	}
	for (size_t i = 0; words[i] && n < ARRAY_SIZE(argv) - 1; i++)
		argv[n++] = words[i];
	struct exec_result result = {0};
	const struct exec_run run = {.argv = argv,
				     .deadline = clock_monotonic() + MAKE_TIMEOUT,
				     .errors_fd = STDERR_FILENO,
				     .is_stopped = task_is_cancelled};
	int r = exec_run(&run, &result, err);
	if (r == 0) {
		const char *text = buf_str(&result.output);
		*ret_path = xstrndup(text, strcspn(text, "\n"));
	} else if (r != -ERR_CANCELLED && result.status && WIFEXITED(result.status)) {
		r = err_set(err, ERR_IO, "lodge-make-template failed (%d)",
			    WEXITSTATUS(result.status));
	}
	exec_result_fini(&result);
	return r;
}

static int copy(struct incoming *in, const char *path, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open '%s'", path);
	return incoming_copy(in, fd, err);
}

static int make_into(struct incoming *in, const struct catalog_entry *entry, const char *folder,
		     struct err *err)
{
	autofree char *path = NULL;
	task_log("making %s", in->file);
	int r = make(entry, folder, &path, err);
	if (r == 0)
		r = copy(in, path, err);
	return r < 0 ? r : incoming_commit(in, err);
}

/* It would be for nothing if the name were in use already: the place in the storage comes first. */
int template_make(const struct fields *args, const struct catalog_entry *entry, const char *file,
		  struct err *err)
{
	struct incoming in = INCOMING_INIT;
	autofree char *folder = NULL;
	autofd int lock = -1;
	autofields own = FIELDS_INIT;
	fields_copy(&own, args);
	fields_set(&own, "content", "vztmpl");
	fields_set(&own, "filename", file);
	int r = incoming_args(&own, &in, err);
	if (r == 0)
		r = incoming_begin(&in, err);
	if (r == 0)
		r = template_room_make(&folder, &lock, err);
	if (r == 0) {
		r = make_into(&in, entry, folder, err);
		dir_remove_tree(folder, NULL);
	}
	incoming_fini(&in);
	return r;
}
