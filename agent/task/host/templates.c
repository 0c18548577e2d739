/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of templates, and their making by lodge-make-template. Helper and job processes only. */
#include "agent/task/host/templates.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/task/host/incoming.h"

#define MAKE_TIMEOUT (3600 * USEC_PER_SEC)

struct recipe {
	const char *kind, *suite; /* arguments of the maker */
	const char *file;	  /* printf format with the architecture */
	const char *os, *version, *headline;
	const char *tool, *key; /* files that must be there; NULL: none */
};

static const struct recipe recipes[] = {
	{"busybox", "", "busybox_%s.tar.gz", "busybox", "1",
	 "BusyBox with DHCP, a few MiB, made without network", "/bin/busybox", NULL},
	{"debian", "bookworm", "debian-bookworm_%s.tar.zst", "debian-12", "12",
	 "Debian 12 (bookworm), minimal with systemd", "/usr/bin/mmdebstrap",
	 "/usr/share/keyrings/debian-archive-keyring.gpg"},
	{"debian", "trixie", "debian-trixie_%s.tar.zst", "debian-13", "13",
	 "Debian 13 (trixie), minimal with systemd", "/usr/bin/mmdebstrap",
	 "/usr/share/keyrings/debian-archive-trixie-stable.gpg"},
};

static const char *architecture(void)
{
	static struct utsname name;
	if (uname(&name) < 0)
		return "amd64";
	return str_eq(name.machine, "x86_64")	 ? "amd64"
	       : str_eq(name.machine, "aarch64") ? "arm64"
						 : name.machine;
}

static char *file_of(const struct recipe *recipe)
{
	const char *mark = strstr(recipe->file, "%s");
	return xasprintf("%.*s%s%s", (int)(mark - recipe->file), recipe->file, architecture(),
			 mark + 2);
}

static bool can_make(const struct recipe *recipe)
{
	return access(recipe->tool, X_OK) == 0 && (!recipe->key || access(recipe->key, R_OK) == 0);
}

static void write_recipe(struct json *j, const struct recipe *recipe)
{
	autofree char *file = file_of(recipe);
	json_object_begin(j);
	json_kv_string(j, "template", file);
	json_kv_string(j, "package", recipe->kind);
	json_kv_string(j, "os", recipe->os);
	json_kv_string(j, "version", recipe->version);
	json_kv_string(j, "section", "system");
	json_kv_string(j, "type", "lxc");
	json_kv_string(j, "architecture", architecture());
	json_kv_string(j, "source", "made on this node");
	json_kv_string(j, "headline", recipe->headline);
	json_kv_string(j, "description", recipe->headline);
	json_object_end(j);
}

int helper_templates(const struct fields *args, struct buf *out, struct err *err)
{
	struct json j;
	(void)args;
	(void)err;
	json_init(&j, out);
	json_array_begin(&j);
	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++)
		if (can_make(&recipes[i]))
			write_recipe(&j, &recipes[i]);
	json_array_end(&j);
	return 0;
}

static int find(const char *file, const struct recipe **ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
		autofree char *own = file_of(&recipes[i]);
		if (str_eq(own, file) && can_make(&recipes[i])) {
			*ret = &recipes[i];
			return 0;
		}
	}
	return err_field(err, "template", "this node cannot make a template '%.200s'",
			 file ? file : "");
}

/* The maker's last line of output is the path of what it made. */
static int make(const struct recipe *recipe, const char *folder, char **ret_path, struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-make-template");
	const char *const argv[] = {
		program, "-c", folder, recipe->kind, *recipe->suite ? recipe->suite : NULL, NULL};
	struct exec_result result = {0};
	const struct exec_run run = {.argv = argv,
				     .deadline = clock_monotonic() + MAKE_TIMEOUT,
				     .errors_fd = STDERR_FILENO,
				     .is_stopped = task_is_cancelled};
	int r = exec_run(&run, &result, err);
	if (r == 0) {
		const char *text = buf_str(&result.output);
		*ret_path = xstrndup(text, strcspn(text, "\n"));
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

static int make_into(struct incoming *in, const struct recipe *recipe, const char *folder,
		     struct err *err)
{
	autofree char *path = NULL;
	task_log("making %s", in->file);
	int r = make(recipe, folder, &path, err);
	if (r == 0)
		r = copy(in, path, err);
	return r < 0 ? r : incoming_commit(in, err);
}

/* It would be for nothing if the name were in use already: the place in the storage comes first. */
int job_maketemplate(struct task_ctx *task, struct err *err)
{
	struct incoming in = INCOMING_INIT;
	const struct recipe *recipe = NULL;
	char folder[] = "/var/tmp/lodge-template-XXXXXX";
	const char *file = fields_get(&task->args, "template");
	int r = find(file, &recipe, err);
	if (r < 0)
		return r;
	fields_set(&task->args, "content", "vztmpl");
	fields_set(&task->args, "filename", file);
	r = incoming_args(&task->args, &in, err);
	if (r == 0)
		r = incoming_begin(&in, err);
	if (r == 0 && !mkdtemp(folder))
		r = err_errno(err, errno, "make a folder in /var/tmp");
	else if (r == 0) {
		r = make_into(&in, recipe, folder, err);
		dir_remove_tree(folder, NULL);
	}
	incoming_fini(&in);
	return r;
}
