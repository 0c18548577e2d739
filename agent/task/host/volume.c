/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a storage's definition and volume out of call arguments. Helper and job processes. */
#include "agent/task/host/volume.h"

#include "agent/base/str.h"

void volume_target_fini(struct volume_target *target)
{
	storage_def_fini(&target->def);
}

int volume_target_storage(const struct fields *args, struct volume_target *ret, struct err *err)
{
	autotarget target = {0};
	int r = storage_def_decode(args, &target.def, err);
	if (r < 0)
		return r;
	target.driver = storage_driver_find(target.def.type);
	if (!target.driver)
		return err_set(err, ERR_UNSUPPORTED, "feature not available: storage type '%s'",
			       target.def.type);
	*ret = target;
	target = (struct volume_target){0};
	return 0;
}

int volume_target_volume(const struct fields *args, struct volume_target *ret, struct err *err)
{
	struct volid volume;
	const char *text = fields_get(args, "volid");
	if (!text)
		return err_field(err, "volid", "property is missing and it is not optional");
	int r = volid_parse(text, &volume, err);
	if (r == 0)
		r = volume_target_storage(args, ret, err);
	if (r < 0)
		return r;
	if (!str_eq(volume.storage, ret->def.id)) {
		r = err_field(err, "volid", "volume '%s' is not of storage '%s'", text,
			      ret->def.id);
		volume_target_fini(ret);
		return r;
	}
	ret->volume = volume;
	return 0;
}

int volume_arg_u64(const struct fields *args, const char *name, uint64_t fallback, uint64_t *ret,
		   struct err *err)
{
	const char *text = fields_get(args, name);
	uint64_t value = fallback;
	if (text && !str_to_u64(text, &value))
		return err_field(err, name, "type check ('integer') failed - got '%.64s'", text);
	*ret = value;
	return 0;
}
