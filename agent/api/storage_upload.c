/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that come into a storage: uploads and downloads, each by a job, and what a server says of a file. Core's
 * loop. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/api/storage_use.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"

#define METADATA_TIMEOUT (4500 * USEC_PER_MSEC) /* clients wait 5 s */

static const struct {
	const char *name;
	size_t digits;
} sums[] = {{"md5", 32},    {"sha1", 40},   {"sha224", 56},
	    {"sha256", 64}, {"sha384", 96}, {"sha512", 128}};

/* Of the length that its kind has. */
static int check_sum(const struct api_request *req, struct err *err)
{
	const char *sum = api_str(req, "checksum"), *kind = api_str(req, "checksum-algorithm");
	for (size_t i = 0; sum && i < ARRAY_SIZE(sums); i++)
		if (str_eq(sums[i].name, kind) &&
		    (strlen(sum) != sums[i].digits ||
		     strspn(sum, "0123456789abcdefABCDEF") != sums[i].digits))
			return err_field(err, "checksum", "expected %zu hexadecimal digits",
					 sums[i].digits);
	return 0;
}

/* Storage, content, name and checksum belong together. ret_file: the name that the file gets. */
static int check_target(const struct api_request *req, const struct storage_def *def,
			char ret_file[256], struct err *err)
{
	const char *name = api_str(req, "content");
	enum volume_content content;
	if (!storage_def_has_content(def, name))
		return err_set(err, ERR_UNSUPPORTED, "storage '%s' does not support '%s' content",
			       def->id, name);
	volume_file_normal(api_str(req, "filename"), ret_file);
	int r = check_sum(req, err);
	if (r == 0)
		r = volume_content_from_name(name, &content, err);
	if (r == 0)
		r = volume_file_check(content, ret_file, err);
	if (r < 0 && err && !err->field[0])
		str_copy(err->field, sizeof(err->field), "filename");
	return r;
}

static void add_target(const struct api_request *req, const struct storage_def *def,
		       const char *file, struct fields *args)
{
	static const char *const passed[] = {"content", "checksum", "checksum-algorithm"};
	storage_def_encode(def, args);
	fields_add(args, "filename", file);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		fields_add(args, passed[i], api_str(req, passed[i]));
}

/* -- upload ------------------------------------------------------------------------------------ */

static int start_upload(struct api_request *req, struct fields *args, int fd, struct err *err)
{
	struct job_spec job = {.program = JOB_HOST, .command = "imgcopy", .args = args, .fd = fd};
	return api_start_job(req, &job, err);
}

/* The job runs while the file comes in; its caller writes to the other end. */
static int start_stream(struct api_request *req, struct fields *args, struct err *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(err, errno, "socketpair");
	autofd int job_end = ends[0], caller_end = ends[1];
	fields_add(args, "framed", "1");
	fields_addf(args, "announced", "%" PRIu64, req->upload_size);
	int r = start_upload(req, args, job_end, err);
	if (r == 0)
		api_stream(req, TAKE_FD(caller_end), API_STREAM_UPLOAD);
	return r;
}

static int upload(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	char file[256];
	int r = storage_find_usable(req, &def, err);
	if (r == 0 && req->fd < 0 && !req->takes_upload_stream)
		r = err_field(err, "filename", "no file was sent");
	if (r == 0)
		r = check_target(req, def, file, err);
	if (r < 0)
		return r;
	add_target(req, def, file, &args);
	return req->fd >= 0 ? start_upload(req, &args, req->fd, err)
			    : start_stream(req, &args, err);
}

/* -- download ---------------------------------------------------------------------------------- */

/* Who may reach into the node's network: as the contract has it, beside the storage's own right. */
static int check_network(const struct api_request *req, struct err *err)
{
	autofree char *node = xasprintf("/nodes/%s", req->core->node);
	if (api_check(req, "/", "Sys.Audit", false, NULL) == 0 &&
	    api_check(req, "/", "Sys.Modify", false, NULL) == 0)
		return 0;
	return api_check(req, node, "Sys.AccessNetwork", false, err);
}

static int download(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	const struct storage_def *def;
	char file[256];
	int r = check_network(req, err);
	if (r == 0)
		r = storage_find_usable(req, &def, err);
	if (r == 0)
		r = check_target(req, def, file, err);
	if (r < 0)
		return r;
	add_target(req, def, file, &args);
	fields_add(&args, "url", api_str(req, "url"));
	fields_add(&args, "compression", api_str(req, "compression"));
	if (!api_bool(req, "verify-certificates", true))
		fields_add(&args, "insecure", "1");
	struct job_spec job = {
		.program = JOB_FETCH, .command = "download", .id = file, .args = &args, .fd = -1};
	return api_start_job(req, &job, err);
}

static int metadata_known(struct api_request *req, struct buf *output, struct err *err)
{
	return storage_write_answer(req, output, "{}", err);
}

static int query_metadata(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	int r = check_network(req, err);
	if (r < 0)
		return r;
	fields_add(&args, "url", api_str(req, "url"));
	if (!api_bool(req, "verify-certificates", true))
		fields_add(&args, "insecure", "1");
	return api_run_helper(req, "url-metadata", &args, METADATA_TIMEOUT, metadata_known, err);
}

/* -- tables ------------------------------------------------------------------------------------ */

/* Snippets run as root on the node: they are put there by hand. */
static const char *const uploads[] = {"iso", "vztmpl", "import", NULL};
static const char *const downloads[] = {"iso", "vztmpl", "import", NULL};
static const char *const compressions[] = {"gz", "xz", "zst", "bz2", NULL};
static const char *const algorithms[] = {"md5",	   "sha1",   "sha224", "sha256",
					 "sha384", "sha512", NULL};

#define FILENAME                                                                                   \
	{                                                                                          \
		.name = "filename", .has_max = true, .max = 255,                                   \
		.text = "Name that the file gets, less folders, and with '_' for what names "      \
			"cannot have."                                                             \
	}
#define CHECKSUM                                                                                   \
	{.name = "checksum",                                                                       \
	 .optional = true,                                                                         \
	 .requires = "checksum-algorithm",                                                         \
	 .text = "Expected checksum, hexadecimal."},                                               \
	{                                                                                          \
		.name = "checksum-algorithm", .optional = true, .choices = algorithms,             \
		.requires = "checksum", .text = "Kind of the checksum."                            \
	}
#define URL                                                                                        \
	{                                                                                          \
		.name = "url", .pattern = "https?://.*", .has_max = true, .max = 4096,             \
		.text = "Address of the file."                                                     \
	}
#define VERIFY                                                                                     \
	{                                                                                          \
		.name = "verify-certificates", .type = PARAM_BOOLEAN, .optional = true,            \
		.text = "Refuse servers whose certificate is not valid.", .default_text = "1"      \
	}

static const struct param upload_params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	{.name = "content", .choices = uploads, .text = "Kind of the file."},
	FILENAME,
	CHECKSUM,
	PARAM_END,
};

static const struct param download_params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	{.name = "content", .choices = downloads, .text = "Kind of the file."},
	FILENAME,
	CHECKSUM,
	URL,
	{.name = "compression",
	 .optional = true,
	 .choices = compressions,
	 .text = "Unpack the file, which comes compressed like this."},
	VERIFY,
	PARAM_END,
};

static const struct param metadata_params[] = {PARAM_NODE, URL, VERIFY, PARAM_END};

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/nodes/{node}/storage/{storage}/upload",
	 .text = "Upload an image or a template.",
	 .params = upload_params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = "Datastore.AllocateTemplate"},
	 .returns = "{\"type\":\"string\"}",
	 .handle = upload,
	 .takes_upload = true},
	{.verb = API_POST,
	 .path = "/nodes/{node}/storage/{storage}/download-url",
	 .text = "Download an image or a template.",
	 .params = download_params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = "Datastore.AllocateTemplate",
			.text = "And Sys.Audit and Sys.Modify on /, or Sys.AccessNetwork on the "
				"node."},
	 .returns = "{\"type\":\"string\"}",
	 .handle = download},
	{.verb = API_GET,
	 .path = "/nodes/{node}/query-url-metadata",
	 .text = "Name, size and type of a file on a server.",
	 .params = metadata_params,
	 .permission = {.kind = API_HANDLER,
			.text = "Sys.Audit and Sys.Modify on /, or Sys.AccessNetwork on the node."},
	 .returns = "{\"type\":\"object\",\"properties\":{"
		    "\"filename\":{\"type\":\"string\",\"optional\":1},"
		    "\"mimetype\":{\"type\":\"string\",\"optional\":1},"
		    "\"size\":{\"type\":\"integer\",\"optional\":1}}}",
	 .handle = query_metadata},
};

const struct api_table api_table_storage_upload = {routes, ARRAY_SIZE(routes)};
