/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may give which values to a container's keys. Runs on the core's loop. */
#include "agent/api/ct_rights.h"

#include "agent/api/guest_create.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_roots.h"
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

	if (r < 0 || mp.is_folder)
		return r;
	return mp.is_new ? check_space(request->req, &mp, err)
			 : check_owner(request->req, f, &mp, err);
}

static int check_script(const struct request *request, const struct field *f, struct err *err)
{
	struct volid volume;
	struct err why = ERR_INIT;

	if (volid_parse(f->value, &volume, &why) < 0)
		return err_field(err, f->name, "%s", why.message);
	if (volume.content != VOLUME_SNIPPETS)
		return err_field(err, f->name, "'%s' is no snippet", f->value);
	return guest_create_check_storage(request->req, volume.storage, "snippets", err);
}

static int read_features(const char *value, struct ct_features *ret, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini)));

	guest_config_init(&config);
	guest_config_set(&config, "features", value);
	return ct_config_features(&config, ret, err);
}

static int check_features(const struct request *request, const struct field *f, struct err *err)
{
	struct ct_features features;

	(void)request;
	return read_features(f->value, &features, err);
}

static const struct rule {
	const char *key;
	int (*check)(const struct request *request, const struct field *f, struct err *err);
} rules[] = {{"mp[n]", check_mp}, {"features", check_features}, {"hookscript", check_script}};

static int check_field(const struct request *request, const struct field *f, struct err *err)
{
	const char *what = ct_roots_what(f, request->is_unprivileged);
	int r = what ? root_only(request->req, what, err) : 0;

	for (size_t i = 0; r == 0 && f->size > 0 && i < ARRAY_SIZE(rules); i++) {
		const char *const list[] = {rules[i].key, NULL};

		if (guest_key_is_in(list, f->name))
			r = rules[i].check(request, f, err);
	}
	return r;
}

int ct_rights_check(const struct api_request *req, const struct fields *set, bool is_unprivileged,
		    struct err *err)
{
	const struct request request = {req, is_unprivileged};
	int r = api_str(req, "lxc") ? root_only(req, "lxc", err) : 0;

	for (size_t i = 0; r == 0 && i < set->count; i++)
		r = check_field(&request, &set->items[i], err);
	return r;
}

int ct_rights_check_again(const struct api_request *req, const struct fields *keys,
			  const struct guest_config *now, struct err *err)
{
	return guest_request_is_root(req) ? 0 : ct_roots_check_again(keys, now, err);
}
