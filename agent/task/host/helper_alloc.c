/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The allocation of a volume of a guest. A helper that is killed at its deadline leaves nothing that looks like one: a
 * volume with a name of the caller's choice has it once it is complete. */
#include "agent/task/host/helper.h"

#include <stdint.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/volume.h"

static int alloc_args(const struct fields *args, struct volume_alloc *ret, struct err *err)
{
	uint64_t vmid;
	const char *content = fields_get(args, "content");
	*ret = (struct volume_alloc){.content = VOLUME_IMAGES,
				     .format = fields_get(args, "format"),
				     .name = fields_get(args, "name")};
	int r = volume_arg_u64(args, "vmid", 0, &vmid, err);
	if (r == 0)
		r = volume_arg_u64(args, "size", 0, &ret->size, err);
	if (r == 0 && content)
		r = volume_content_from_name(content, &ret->content, err);
	if (r == 0 && vmid > UINT32_MAX)
		r = err_field(err, "vmid", "value must have a maximum value of 999999999");
	if (r == 0)
		ret->vmid = (unsigned)vmid;
	return r;
}

/* Bases have a template, linked clones a base; and what has the name of an unfinished one would be swept. */
static int check_name(struct volume_target *target, const struct volume_alloc *what,
		      struct err *err)
{
	autofree char *text = xasprintf("%s:%u/%s", target->def.id, what->vmid, what->name);
	struct volid *volume = &target->volume;
	int r = volid_parse(text, volume, err);
	if (r < 0) {
		if (err)
			str_copy(err->field, sizeof(err->field), "filename");
		return r;
	}
	if (volume_is_base(volume) || volume->base[0] || strchr(what->name, '/'))
		return err_field(err, "filename",
				 "a new volume is neither a base volume nor a linked clone");
	if (volume_copy_owner(volume->file))
		return err_field(err, "filename", "such names are of volumes that are being made");
	return 0;
}

static int check_absent(const struct volume_target *target, struct err *err)
{
	struct volume_info info;
	struct err why = ERR_INIT;
	int r = target->driver->info(&target->def, &target->volume, &info, &why);
	if (r == 0)
		return err_set(err, ERR_EXISTS, "volume '%s:%s' already exists",
			       target->volume.storage, target->volume.name);
	return r == -ERR_NOT_FOUND ? 0 : err_set(err, (enum err_code)why.code, "%s", why.message);
}

static int alloc_named(struct volume_target *target, const struct volume_alloc *what,
		       char ret_volid[VOLID_MAX], struct err *err)
{
	char file[256], made[VOLID_MAX];
	struct volume_alloc copy = *what;
	struct volid volume;
	int r = check_name(target, what, err);
	if (r == 0)
		r = check_absent(target, err);
	if (r < 0)
		return r;
	storage_copy_name(what->vmid, target->volume.format, file);
	copy.name = file;
	target->driver->sweep(&target->def, what->vmid);
	if ((r = target->driver->alloc(&target->def, &copy, made, err)) < 0 ||
	    (r = volid_parse(made, &volume, err)) < 0)
		return r;
	r = target->driver->rename(&target->def, &volume, target->volume.file, ret_volid, err);
	if (r < 0)
		(void)target->driver->free(&target->def, &volume, NULL);
	return r;
}

int helper_storage_alloc(const struct fields *args, struct buf *out, struct err *err)
{
	autotarget target = {0};
	struct volume_alloc what;
	char volid[VOLID_MAX];
	struct json j;
	int r = alloc_args(args, &what, err);
	if (r == 0)
		r = volume_target_storage(args, &target, err);
	if (r == 0 && !fields_get(args, "content") &&
	    !storage_def_has_content(&target.def, "images"))
		what.content = VOLUME_ROOTDIR;
	if (r == 0)
		r = target.driver->activate(&target.def, err);
	if (r == 0)
		r = what.name ? alloc_named(&target, &what, volid, err)
			      : target.driver->alloc(&target.def, &what, volid, err);
	if (r < 0)
		return r;
	json_init(&j, out);
	json_string(&j, volid);
	return 0;
}
