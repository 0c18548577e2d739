/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may give which values to a container's keys. Runs on the core's loop. */
#include "agent/api/ct_rights.h"

#include "agent/api/guest_create.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/volid/volid.h"

struct request {
	const struct api_request *req;
	bool is_unprivileged;
};

static int root_only(const struct api_request *req, const char *what, struct err *err)
{
	return guest_request_is_root(req)
		       ? 0
		       : err_set(err, ERR_DENIED, "only root@pam can set '%s'", what);
}

/* An owner that is another guest is an error of whoever it is. */
static int check_owner(const struct api_request *req, const struct field *f, const struct ct_mp *mp,
		       struct err *err)
{
	struct volid volume;
	struct err why = ERR_INIT;

	if (volid_parse(mp->volume, &volume, &why) < 0)
		return err_field(err, f->name, "volume: %s", why.message);
	if (volume.content != VOLUME_ROOTDIR && volume.content != VOLUME_IMAGES)
		return err_field(err, f->name, "volume: '%s' is no volume of a guest", mp->volume);
	if (volume.vmid != api_vmid(req))
		return err_field(err, f->name, "volume: '%s' does not belong to CT %u", mp->volume,
				 api_vmid(req));
	return 0;
}

static int check_space(const struct api_request *req, const struct ct_mp *mp, struct err *err)
{
	autofree char *path = xasprintf("/storage/%s", mp->storage);
	int r = api_check(req, path, "Datastore.AllocateSpace", false, err);

	return r < 0 ? r : guest_create_check_storage(req, mp->storage, "rootdir", err);
}

static int check_mp(const struct request *request, const struct field *f, struct err *err)
{
	struct ct_mp mp;
	int r = ct_mp_parse(f->name, f->value, &mp, err);

	if (r < 0)
		return r;
	if (mp.is_folder)
		return root_only(request->req, "a folder of the node as mount point", err);
	return mp.is_new ? check_space(request->req, &mp, err)
			 : check_owner(request->req, f, &mp, err);
}

static int check_root(const struct request *request, const struct field *f, struct err *err)
{
	return root_only(request->req, f->name, err);
}

static int check_script(const struct request *request, const struct field *f, struct err *err)
{
	struct volid volume;
	struct err why = ERR_INIT;
	int r = root_only(request->req, f->name, err);

	if (r < 0)
		return r;
	if (volid_parse(f->value, &volume, &why) < 0)
		return err_field(err, f->name, "%s", why.message);
	if (volume.content != VOLUME_SNIPPETS)
		return err_field(err, f->name, "'%s' is no snippet", f->value);
	return guest_create_check_storage(request->req, volume.storage, "snippets", err);
}

/* Nesting opens nothing that a user namespace does not guard; the others do. */
static int check_features(const struct request *request, const struct field *f, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));
	struct ct_features features;
	int r;

	guest_config_init(&config);
	guest_config_set(&config, "features", f->value);
	if ((r = ct_config_features(&config, &features, err)) < 0)
		return r;
	if (features.keyctl || features.fuse || features.mknod || features.force_rw_sys ||
	    features.mount[0] || (features.nesting && !request->is_unprivileged))
		return root_only(request->req,
				 "features other than nesting of an unprivileged container", err);
	return 0;
}

static const struct {
	const char *key;
	int (*check)(const struct request *request, const struct field *f, struct err *err);
} checks[] = {
	{"dev[n]", check_root},
	{"mp[n]", check_mp},
	{"features", check_features},
	{"hookscript", check_script},

};

int ct_rights_check(const struct api_request *req, const struct fields *set, bool is_unprivileged,
		    struct err *err)
{
	const struct request request = {req, is_unprivileged};
	int r = api_str(req, "lxc") ? root_only(req, "lxc", err) : 0;

	for (size_t i = 0; r == 0 && i < set->count; i++) {
		const struct field *f = &set->items[i];

		for (size_t k = 0; r == 0 && k < ARRAY_SIZE(checks); k++) {
			const char *const list[] = {checks[k].key, NULL};

			if (f->size > 0 && guest_key_is_in(list, f->name))
				r = checks[k].check(&request, f, err);
		}
	}
	return r;
}
