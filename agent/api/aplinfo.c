/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/aplinfo: container templates that this node can make or download. Core's loop. */
#include "agent/api/storage_use.h"

#define LIST_TIMEOUT (1900 * USEC_PER_MSEC)

static int listed(struct api_request *req, struct buf *output, struct err *err)
{
	return storage_write_answer(req, output, "[]", err);
}

static int list_templates(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "templates", NULL, LIST_TIMEOUT, listed, err);
}

static int make_template(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	int r = storage_find_usable(req, &def, err);
	if (r < 0)
		return r;
	if (!storage_def_has_content(def, "vztmpl"))
		return err_set(err, ERR_UNSUPPORTED,
			       "storage '%s' does not support 'vztmpl' "
			       "content",
			       def->id);
	r = volume_file_check(VOLUME_VZTMPL, api_str(req, "template"), err);
	if (r < 0)
		return err_field(err, "template", "this is no name of a template");
	storage_def_encode(def, &args);
	fields_add(&args, "template", api_str(req, "template"));
	struct job_spec job = {.program = JOB_FETCH,
			       .command = "apldownload",
			       .type = "download",
			       .id = api_str(req, "template"),
			       .args = &args,
			       .fd = -1};
	return api_start_job(req, &job, err);
}

static const struct param list_params[] = {PARAM_NODE, PARAM_END};
static const struct param make_params[] = {
	PARAM_NODE,
	{.name = "storage", .format = "pve-storage-id", .text = "Where the template goes."},
	{.name = "template",
	 .has_max = true,
	 .max = 255,
	 .text = "A name of the list of templates."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/aplinfo",
	 .text = "List the container templates that this node can make or download.",
	 .params = list_params,
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\"}}",
	 .handle = list_templates},
	{.verb = API_POST,
	 .path = "/nodes/{node}/aplinfo",
	 .text = "Make or download a container template.",
	 .params = make_params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = "Datastore.AllocateTemplate"},
	 .returns = "{\"type\":\"string\"}",
	 .handle = make_template},
};

const struct api_table api_table_aplinfo = {routes, ARRAY_SIZE(routes)};
