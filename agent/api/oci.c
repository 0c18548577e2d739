/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of container registries: which tags there are, and pulling one as a template. Core's loop. */
#include "agent/api/storage_use.h"
#include "agent/base/str.h"
#include "storage/volid/oci_reference.h"

#define TAGS_TIMEOUT (4500 * USEC_PER_MSEC) /* clients wait 5 s */

static int tags_listed(struct api_request *req, struct buf *output, struct err *err)
{
	return storage_write_answer(req, output, "[]", err);
}

static int list_tags(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	int r = oci_reference_check(api_str(req, "reference"), false, err);
	if (r < 0)
		return r;
	fields_add(&args, "reference", api_str(req, "reference"));
	return api_run_helper(req, "oci-tags", &args, TAGS_TIMEOUT, tags_listed, err);
}

/* The caller's name, with the suffix that tells what it is. */
static char *file_name(const struct api_request *req)
{
	const char *name = api_str(req, "filename");
	if (!name)
		return oci_reference_file(api_str(req, "reference"));
	return xasprintf("%s%s", name, str_ends(name, ".tar") ? "" : ".tar");
}

static int check_pull(const struct api_request *req, const struct storage_def **ret_def,
		      char **ret_file, struct err *err)
{
	autofree char *node = xasprintf("/nodes/%s", req->core->node);
	autofree char *file = NULL;
	int r = api_check(req, node, "Sys.AccessNetwork", false, err);
	if (r == 0)
		r = oci_reference_check(api_str(req, "reference"), true, err);
	if (r == 0)
		r = storage_find_usable(req, ret_def, err);
	if (r == 0 && !storage_def_has_content(*ret_def, "vztmpl"))
		r = err_set(err, ERR_UNSUPPORTED, "storage '%s' does not support 'vztmpl' content",
			    (*ret_def)->id);
	if (r < 0)
		return r;
	file = file_name(req);
	r = volume_file_check(VOLUME_VZTMPL, file, err);
	if (r == 0)
		*ret_file = TAKE(file);
	return r;
}

static int pull(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	autofree char *file = NULL;
	const struct storage_def *def;
	int r = check_pull(req, &def, &file, err);
	if (r < 0)
		return r;
	storage_def_encode(def, &args);
	fields_add(&args, "content", "vztmpl");
	fields_add(&args, "filename", file);
	fields_add(&args, "reference", api_str(req, "reference"));
	struct job_spec job = {.program = JOB_HOST,
			       .command = "ocipull",
			       .undo = "ocipull-undo",
			       .type = "download",
			       .id = file,
			       .args = &args,
			       .fd = -1};
	return api_start_job(req, &job, err);
}

static const struct param tags_params[] = {
	PARAM_NODE,
	{.name = "reference",
	 .has_max = true,
	 .max = OCI_REFERENCE_MAX,
	 .text = "Name of an image, [HOST[:PORT]/]NAME."},
	PARAM_END,
};

static const struct param pull_params[] = {
	PARAM_NODE,
	{.name = "storage", .format = "pve-storage-id", .text = "Where the image goes."},
	{.name = "reference",
	 .has_max = true,
	 .max = OCI_REFERENCE_MAX,
	 .text = "Name of an image and its tag, [HOST[:PORT]/]NAME:TAG."},
	{.name = "filename",
	 .optional = true,
	 .has_min = true,
	 .min = 1,
	 .has_max = true,
	 .max = 255,
	 .text = "Name that the template gets; \".tar\" is added. NAME_TAG by default."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/query-oci-repo-tags",
	 .text = "List the tags of an image in a container registry.",
	 .params = tags_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.AccessNetwork"},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
	 .handle = list_tags},
	{.verb = API_POST,
	 .path = "/nodes/{node}/storage/{storage}/oci-registry-pull",
	 .text = "Pull an image from a container registry, as a container template.",
	 .params = pull_params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = "Datastore.AllocateTemplate",
			.text = "And Sys.AccessNetwork on the node."},
	 .returns = "{\"type\":\"string\"}",
	 .handle = pull},
};

const struct api_table api_table_oci = {routes, ARRAY_SIZE(routes)};
