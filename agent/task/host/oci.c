/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of registries, by skopeo. Helper and job processes only. */
#include "agent/task/host/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/incoming.h"
#include "storage/template/image.h"
#include "storage/template/template.h"
#include "storage/volid/oci_reference.h"

#define SKOPEO	     "/usr/bin/skopeo"
#define TAGS_TIMEOUT (4 * USEC_PER_SEC) /* shorter than the caller's own */
#define TAGS_MAX     (4u * 1024 * 1024)
#define TAGS_COUNT   20000
#define PULL_TIMEOUT (6 * 3600 * USEC_PER_SEC)

static int check_tool(struct err *err)
{
	if (access(SKOPEO, X_OK) == 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "feature not available: the package 'skopeo' is not installed on this node");
}

static int check_reference(const struct fields *args, bool has_tag, struct err *err)
{
	const char *reference = fields_get(args, "reference");
	int r = check_tool(err);
	if (r < 0)
		return r;
	return oci_reference_check(reference ?: "", has_tag, err);
}

/* -- tags -------------------------------------------------------------------------------------- */

static void write_tags(struct json_object *list, struct json *j)
{
	size_t count = list ? json_object_array_length(list) : 0;
	json_array_begin(j);
	for (size_t i = 0; i < count && i < TAGS_COUNT; i++) {
		struct json_object *tag = json_object_array_get_idx(list, i);
		if (json_object_is_type(tag, json_type_string))
			json_string(j, json_object_get_string(tag));
	}
	json_array_end(j);
}

static int parse_tags(struct buf *text, struct buf *out, struct err *err)
{
	struct json_object *all, *list = NULL;
	struct json j;
	int r = json_parse(buf_str(text), text->size, TAGS_MAX, &all, err);
	if (r < 0)
		return r;
	if (json_object_is_type(all, json_type_object) &&
	    json_object_object_get_ex(all, "Tags", &list) &&
	    !json_object_is_type(list, json_type_array))
		list = NULL;
	json_init(&j, out);
	write_tags(list, &j);
	json_object_put(all);
	return 0;
}

int helper_oci_tags(const struct fields *args, struct buf *out, struct err *err)
{
	int r = check_reference(args, false, err);
	if (r < 0)
		return r;
	autofree char *source = xasprintf("docker://%s", fields_get(args, "reference"));
	const char *const argv[] = {SKOPEO, "list-tags", source, NULL};
	struct exec_result result = {0};
	const struct exec_run run = {
		.argv = argv, .deadline = clock_monotonic() + TAGS_TIMEOUT, .output_max = TAGS_MAX};
	r = exec_run(&run, &result, err);
	if (r == 0)
		r = parse_tags(&result.output, out, err);
	exec_result_fini(&result);
	return r;
}

/* -- pull -------------------------------------------------------------------------------------- */

static int fetch(const char *reference, const char *folder, const char *path, struct err *err)
{
	autofree char *source = xasprintf("docker://%s", reference);
	autofree char *target = xasprintf("oci-archive:%s", path);
	const char *const argv[] = {SKOPEO, "--tmpdir", folder, "--override-os", "linux",
				    "copy", "--quiet",	source, target,		 NULL};
	const struct exec_run run = {.argv = argv,
				     .deadline = clock_monotonic() + PULL_TIMEOUT,
				     .errors_fd = STDERR_FILENO,
				     .is_stopped = task_is_cancelled};
	return exec_run(&run, NULL, err);
}

static int check_image(int fd, struct err *err)
{
	autofields config = FIELDS_INIT;
	return image_read_config(fd, template_arch(), &config, err);
}

static int pull_into(struct incoming *in, const char *reference, const char *folder,
		     struct err *err)
{
	autofree char *path = xasprintf("%s/image.tar", folder);
	task_log("pulling %s to '%s:vztmpl/%s'", reference, in->target.def.id, in->file);
	int r = fetch(reference, folder, path, err);
	if (r < 0)
		return r;
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open '%s'", path);
	r = check_image(fd, err);
	if (r == 0)
		r = incoming_copy(in, fd, err);
	return r < 0 ? r : incoming_commit(in, err);
}

int job_ocipull(struct task_ctx *task, struct err *err)
{
	struct incoming in = INCOMING_INIT;
	char folder[] = "/var/tmp/lodge-image-XXXXXX";
	int r = check_reference(&task->args, true, err);
	if (r == 0)
		r = incoming_args(&task->args, &in, err);
	if (r == 0)
		r = incoming_begin(&in, err);
	if (r == 0 && !mkdtemp(folder))
		r = err_errno(err, errno, "make a folder in /var/tmp");
	else if (r == 0) {
		r = pull_into(&in, fields_get(&task->args, "reference"), folder, err);
		dir_remove_tree(folder, NULL);
	}
	incoming_fini(&in);
	return r;
}

/* -- what an image says ------------------------------------------------------------------------ */

int image_config_main(int argc, char **argv)
{
	autofields config = FIELDS_INIT;
	autobuf out = BUF_INIT;
	struct err err = ERR_INIT;
	autofd int fd = argc == 1 ? open(argv[0], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 2;
	if (image_is_one(fd) && image_read_config(fd, template_arch(), &config, &err) < 0) {
		dprintf(STDERR_FILENO, "%s\n", err.message);
		return 1;
	}
	fields_encode(&config, &out);
	return fd_write_all(STDOUT_FILENO, out.data, out.size, NULL) < 0;
}
