/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/storage/{storage}/prunebackups: which backups a rule keeps, and removing the others. Core's
 * loop. */
#include <stdio.h>

#include "agent/api/storage_use.h"

#define LIST_TIMEOUT (1900 * USEC_PER_MSEC)

static int prepare(const struct api_request *req, struct fields *args, struct err *err)
{
	const struct storage_def *def;
	int r = storage_find_usable(req, &def, err);
	if (r < 0)
		return r;
	if (!storage_def_has_content(def, "backup"))
		return err_set(err, ERR_UNSUPPORTED,
			       "storage '%s' does not support 'backup' "
			       "content",
			       def->id);
	storage_def_encode(def, args);
	fields_add(args, "prune-backups", api_str(req, "prune-backups"));
	fields_add(args, "vmid", api_str(req, "vmid"));
	fields_add(args, "backup-type", api_str(req, "type"));
	return 0;
}

static int listed(struct api_request *req, struct buf *output, struct err *err)
{
	return storage_write_answer(req, output, "[]", err);
}

static int dry_run(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	int r = prepare(req, &args, err);
	return r < 0 ? r : api_run_helper(req, "prune-backups", &args, LIST_TIMEOUT, listed, err);
}

/* Those of one guest: who may back it up. All: who owns the storage. */
static int check_rights(const struct api_request *req, struct err *err)
{
	char storage[160], guest[32];
	snprintf(storage, sizeof(storage), "/storage/%s", api_str(req, "storage"));
	if (!api_str(req, "vmid"))
		return api_check(req, storage, "Datastore.Allocate", false, err);
	snprintf(guest, sizeof(guest), "/vms/%s", api_str(req, "vmid"));
	int r = api_check(req, storage, "Datastore.AllocateSpace", false, err);
	return r < 0 ? r : api_check(req, guest, "VM.Backup", false, err);
}

static int prune(struct api_request *req, struct err *err)
{
	autofields args = FIELDS_INIT;
	int r = check_rights(req, err);
	if (r == 0)
		r = prepare(req, &args, err);
	if (r < 0)
		return r;
	const char *storage = api_str(req, "storage"), *vmid = api_str(req, "vmid");
	autofree char *id = vmid ? xasprintf("%s@%s", vmid, storage) : xstrdup(storage);
	struct job_spec job = {
		.program = JOB_HOST, .command = "prunebackups", .id = id, .args = &args, .fd = -1};
	return api_start_job(req, &job, err);
}

static const char *const types[] = {"qemu", "lxc", NULL};

static const struct param params[] = {
	PARAM_NODE,
	PARAM_STORAGE,
	{.name = "prune-backups",
	 .optional = true,
	 .format = "prune-backups",
	 .text = "What is kept, instead of what the storage's definition says."},
	{.name = "type",
	 .optional = true,
	 .choices = types,
	 .text = "Only backups of guests of this kind."},
	PARAM_VMID("vmid", true, "Only backups of this guest."),
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/storage/{storage}/prunebackups",
	 .text = "Which backups would be kept, and which removed.",
	 .params = params,
	 .permission = {.kind = API_CHECK,
			.path = "/storage/{storage}",
			.privs = "Datastore.Audit|Datastore.AllocateSpace",
			.any = true},
	 .returns = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
		    "\"ctime\":{\"type\":\"integer\"},\"mark\":{\"type\":\"string\"},"
		    "\"type\":{\"type\":\"string\"},"
		    "\"vmid\":{\"type\":\"integer\",\"optional\":1},"
		    "\"volid\":{\"type\":\"string\"}}}}",
	 .handle = dry_run},
	{.verb = API_DELETE,
	 .path = "/nodes/{node}/storage/{storage}/prunebackups",
	 .text = "Remove the backups that are not to be kept.",
	 .params = params,
	 .permission = {.kind = API_HANDLER,
			.text = "Datastore.Allocate; for one guest Datastore.AllocateSpace and "
				"VM.Backup on it."},
	 .returns = "{\"type\":\"string\"}",
	 .handle = prune},
};

const struct api_table api_table_storage_prune = {routes, ARRAY_SIZE(routes)};
