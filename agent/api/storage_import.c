/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/storage/{storage}/import-metadata: which machine a volume describes. Core's loop. */
#include "agent/api/storage_use.h"
#include "agent/base/str.h"

#define READ_TIMEOUT (1900 * USEC_PER_MSEC) /* clients wait 5 s, reads promise 2 */

static int described(struct api_request *req, struct buf *output, struct err *err)
{
	return storage_write_answer(req, output, "{}", err);
}

static int get_metadata(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	struct volid volume;
	int r = storage_find_usable(req, &def, err);
	if (r == 0)
		r = storage_parse_volume(req, &volume, err);
	if (r == 0)
		r = storage_check_volume(req, volume.storage, volume_content_name(volume.content),
					 volume.vmid, err);
	if (r < 0)
		return r;
	if (volume.content != VOLUME_IMPORT ||
	    (!str_eq(volume.format, "ova") && !str_eq(volume.format, "ovf")))
		return err_field(err, "volume", "'%s' is no description of a machine (.ova, .ovf)",
				 volume.name);
	storage_def_encode(def, &args);
	fields_addf(&args, "volid", "%s:%s", volume.storage, volume.name);
	return api_run_helper(req, "import-metadata", &args, READ_TIMEOUT, described, err);
}

static const struct param params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	{.name = "volume", .text = "Volume id, or the part after the colon."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/storage/{storage}/import-metadata",
	 .text = "Describe the machine of an OVA or OVF file, as parameters of a new one.",
	 .params = params,
	 .permission = {.kind = API_HANDLER, .text = "A right to read the storage."},
	 .returns = "{\"type\":\"object\",\"properties\":{"
		    "\"type\":{\"type\":\"string\",\"enum\":[\"vm\"]},"
		    "\"source\":{\"type\":\"string\",\"enum\":[\"esxi\"]},"
		    "\"create-args\":{\"type\":\"object\"},"
		    "\"disks\":{\"type\":\"object\",\"optional\":1},"
		    "\"net\":{\"type\":\"object\",\"optional\":1},"
		    "\"warnings\":{\"type\":\"array\",\"optional\":1,"
		    "\"items\":{\"type\":\"object\"}}}}",
	 .handle = get_metadata},
};

const struct api_table api_table_storage_import = {routes, ARRAY_SIZE(routes)};
