/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of registries, by skopeo: their tags; and what an image says. Helper and job processes only. */
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
#include "storage/template/image.h"
#include "storage/template/template.h"
#include "storage/volid/oci_reference.h"

#define TAGS_TIMEOUT (4 * USEC_PER_SEC) /* shorter than the caller's own */
#define TAGS_MAX     (4u * 1024 * 1024)
#define TAGS_COUNT   20000

static int check_tool(struct err *err)
{
	if (access(OCI_SKOPEO, X_OK) == 0)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "feature not available: the package 'skopeo' is not installed on this node");
}

int oci_check_reference(const struct fields *args, bool has_tag, struct err *err)
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
	int r = oci_check_reference(args, false, err);
	if (r < 0)
		return r;
	autofree char *source = xasprintf("docker://%s", fields_get(args, "reference"));
	const char *const argv[] = {OCI_SKOPEO, "list-tags", source, NULL};
	struct exec_result result = {0};
	const struct exec_run run = {
		.argv = argv, .deadline = clock_monotonic() + TAGS_TIMEOUT, .output_max = TAGS_MAX};
	r = exec_run(&run, &result, err);
	if (r == 0)
		r = parse_tags(&result.output, out, err);
	exec_result_fini(&result);
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
