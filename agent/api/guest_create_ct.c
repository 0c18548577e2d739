/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /nodes/{node}/lxc: checks everything that can be known at once, so that a job starts only
 * for what may work. Secrets go to the job alone, never into the configuration. Runs on the core's
 * loop. */
#include <inttypes.h>
#include <string.h>

#include "agent/api/ct_rights.h"
#include "agent/api/guest_bwlimit.h"
#include "agent/api/guest_create.h"
#include "agent/api/guest_handlers.h"
#include "agent/api/guest_keys.h"
#include "agent/api/pools.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_check.h"
#include "agent/guest/ct_schema.h"
#include "storage/volid/volid.h"

#define DEFAULT_STORAGE "local"
#define SSH_KEYS_MAX	(64 * 1024)
#define GIB		1073741824.0
#define TEMPLATE_RIGHTS "Datastore.Audit|Datastore.AllocateSpace|Datastore.AllocateTemplate"

static int rootfs_request(const struct api_request *req, struct ct_rootfs_request *ret,
			  struct err *err)
{
	return ct_rootfs_request_parse(api_str(req, "rootfs"),
				       api_str(req, "storage") ?: DEFAULT_STORAGE, ret, err);
}

static int template_volume(const struct api_request *req, struct volid *ret, struct err *err)
{
	struct err why = ERR_INIT;

	if (volid_parse(api_str(req, "ostemplate"), ret, &why) < 0)
		return err_field(err, "ostemplate", "%s", why.message);
	if (ret->content != VOLUME_VZTMPL)
		return err_field(err, "ostemplate", "'%s' is not a container template",
				 api_str(req, "ostemplate"));
	return 0;
}

/* One line of authorized_keys: empty, a comment, or with a key type as one of its words. */
static bool ssh_line_is_valid(const char *line)
{
	static const char *const types[] = {"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"};
	autostrv char **words = str_split(line, " \t\r");

	if (!words[0] || words[0][0] == '#')
		return true;
	for (size_t i = 0; words[i] && words[i + 1]; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
			if (str_starts(words[i], types[k]))
				return true;
		}
	}
	return false;
}

static int check_credentials(const struct api_request *req, struct err *err)
{
	const char *password = api_str(req, "password"), *keys = api_str(req, "ssh-public-keys");
	autostrv char **lines = str_split(keys ?: "", "\n");

	for (size_t i = 0; password && password[i]; i++) {
		if ((unsigned char)password[i] < 0x20)
			return err_field(err, "password", "must not contain control characters");
	}
	if (keys && strlen(keys) > SSH_KEYS_MAX)
		return err_field(err, "ssh-public-keys", "longer than %d bytes", SSH_KEYS_MAX);
	for (size_t i = 0; lines[i]; i++) {
		if (!ssh_line_is_valid(lines[i]))
			return err_field(err, "ssh-public-keys", "line %zu is not a public key",
					 i + 1);
	}
	return 0;
}

static bool is_unprivileged(const struct fields *set)
{
	bool value = true;

	str_to_bool(fields_get(set, "unprivileged") ?: "1", &value);
	return value;
}

/* Without a map of ids the container's root is the node's: only the kernel's checks stand between. */
static int check_privileged(const struct api_request *req, const struct fields *set,
			    struct err *err)
{
	return is_unprivileged(set) ? 0 : api_check(req, "/", "Sys.Modify", false, err);
}

static int check_rights(const struct api_request *req, const struct fields *set,
			const struct ct_rootfs_request *rootfs, const struct volid *template,
			struct err *err)
{
	const struct guest_target target = {.ops = guest_request_ops(req), .vmid = api_vmid(req)};
	autofree char *guest = xasprintf("/vms/%u", api_vmid(req));
	autofree char *space = xasprintf("/storage/%s", rootfs->storage);
	autofree char *source = xasprintf("/storage/%s", template->storage);
	int r = api_check(req, guest, "VM.Allocate", false, err);

	if (r == 0)
		r = guest_keys_check(req, &target, &(struct guest_update){.set = set}, err);
	if (r == 0)
		r = check_privileged(req, set, err);
	if (r == 0)
		r = ct_rights_check(req, set, is_unprivileged(set), err);
	if (r == 0)
		r = api_check(req, space, "Datastore.AllocateSpace", false, err);
	if (r == 0)
		r = api_check(req, source, TEMPLATE_RIGHTS, true, err);
	return r;
}

/* Parameters that speak of something that is not there. */
static int check_unsupported(const struct api_request *req, struct err *err)
{
	static const char *const of_restore[] = {"force", "unique"};

	if (api_bool(req, "restore", false))
		return err_set(err, ERR_UNSUPPORTED,
			       "restore: restoring a container from a backup is not supported yet");
	for (size_t i = 0; i < ARRAY_SIZE(of_restore); i++)
		if (api_bool(req, of_restore[i], false))
			return err_field(err, of_restore[i],
					 "missing property - 'restore' required by this property");
	if (api_bool(req, "ha-managed", false))
		return err_field(err, "ha-managed", "this node has no HA manager");
	if (api_bool(req, "start", false) && api_bool(req, "template", false))
		return err_field(err, "start", "a template cannot be started");
	return 0;
}

/* A mount point on a volume that is still to be made. */
static bool is_new_volume(const struct field *f)
{
	struct ct_mp mp;

	return str_starts(f->name, "mp") && ct_mp_parse(f->name, f->value, &mp, NULL) == 0 &&
	       mp.is_new;
}

static void drop_new_volumes(struct fields *set)
{
	for (size_t i = 0; i < set->count;) {
		autofree char *name = xstrdup(set->items[i].name);

		if (is_new_volume(&set->items[i]))
			fields_remove(set, name);
		else
			i++;
	}
}

static int config_make(const struct api_request *req, struct fields *set,
		       struct guest_config *config, struct err *err)
{
	const struct guest_kind_ops *ops = guest_request_ops(req);
	struct guest_update update = {.set = set, .raw = api_str(req, "lxc"), .is_new = true};

	if (fields_find(set, "lock"))
		return err_field(err, "lock", "a new container cannot be locked");
	fields_remove(set, "rootfs"); /* the job's: the volume is not there yet */
	drop_new_volumes(set);
	if (!fields_find(set, "unprivileged"))
		fields_add(set, "unprivileged", "1");
	int r = guest_config_update(ops, config, &update, err);

	return r < 0 ? r : ct_config_complete(config, api_vmid(req), err);
}

static int start_job(struct api_request *req, struct err *err)
{
	static const char *const handed_on[] = {"ostemplate", "password", "ssh-public-keys"};
	struct ct_rootfs_request rootfs;
	autofields args = FIELDS_INIT;
	int r = rootfs_request(req, &rootfs, err);

	for (size_t i = 0; i < ARRAY_SIZE(handed_on); i++)
		fields_add(&args, handed_on[i], api_str(req, handed_on[i]));
	if (r == 0)
		fields_addf(&args, "rootfs", "%s:%.15g%s%s", rootfs.storage,
			    (double)rootfs.size / GIB, rootfs.options[0] ? "," : "",
			    rootfs.options);
	for (size_t i = 0; i < req->params.count; i++) {
		const struct field *f = &req->params.items[i];
		autofree char *name = xasprintf("set.%s", f->name);

		if (is_new_volume(f))
			fields_add_n(&args, name, f->value, f->size);
	}
	if (api_bool(req, "ignore-unpack-errors", false))
		fields_add(&args, "ignore-unpack-errors", "1");
	if (api_bool(req, "start", false))
		fields_add(&args, "start", "1");
	if (r == 0) {
		autofields storages = FIELDS_INIT;
		uint64_t limit;

		fields_add(&storages, rootfs.storage, "");
		if ((limit = guest_bwlimit(req, "restore", &storages)) > 0)
			fields_addf(&args, "bwlimit", "%" PRIu64, limit);
	}
	if (r == 0)
		r = guest_request_job(req,
				      &(struct guest_job){.ops = guest_request_ops(req),
							  .vmid = api_vmid(req),
							  .verb = "create",
							  .undo = "vzcreate-undo",
							  .args = &args},
				      err);
	if (r < 0)
		guest_create_abandon(req, api_vmid(req));
	return r;
}

int ct_handle_create(struct api_request *req, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));
	struct ct_rootfs_request rootfs;
	struct volid template;
	autofields set = FIELDS_INIT;

	guest_config_init(&config);
	guest_request_config_fields(req, &set);
	int r = api_check_node(req, err);

	if (r == 0)
		r = check_unsupported(req, err);
	if (r == 0)
		r = api_pool_joins(req, api_vmid(req), err);
	if (r == 0)
		r = rootfs_request(req, &rootfs, err);
	if (r == 0)
		r = template_volume(req, &template, err);
	if (r == 0)
		r = check_credentials(req, err);
	if (r == 0)
		r = check_rights(req, &set, &rootfs, &template, err);
	if (r == 0)
		r = ct_quota_check(NULL, &set, err);
	if (r == 0)
		r = guest_create_check_id(req, guest_request_ops(req), api_vmid(req), err);
	if (r == 0)
		r = guest_create_check_storage(req, rootfs.storage, "rootdir", err);
	if (r == 0)
		r = guest_create_check_storage(req, template.storage, "vztmpl", err);
	if (r == 0)
		r = config_make(req, &set, &config, err);
	return r < 0 ? r : guest_create_store(req, api_vmid(req), &config, start_job, err);
}
