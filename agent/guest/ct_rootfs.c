/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's root volume, as stored and as asked for at creation. Pure. */
#include <string.h>

#include "agent/base/str.h"
#include "agent/guest/ct_volume.h"

static int rootfs_read(struct fields *f, struct ct_rootfs *ret, struct err *err)
{
	struct ct_volume_options options;
	struct ct_rootfs rootfs = {0};
	int r;

	if (!str_copy(rootfs.volume, sizeof(rootfs.volume), fields_get(f, "volume")))
		return err_field(err, "rootfs", "volume name is too long");
	if ((r = ct_volume_size(f, "rootfs", &rootfs.size, err)) < 0)
		return r;
	ct_volume_options(f, &options);
	rootfs.read_only = options.read_only;
	rootfs.discard = options.discard;
	rootfs.quota = options.quota;
	rootfs.acl = options.acl;
	rootfs.flags = options.flags;
	r = ct_volume_rest(ct_rootfs_keys, f, "rootfs", rootfs.options, sizeof(rootfs.options),
			   err);
	if (r == 0)
		*ret = rootfs;
	return r;
}

int ct_config_rootfs(const struct guest_config *config, struct ct_rootfs *ret, struct err *err)
{
	const char *value = guest_config_get(config, "rootfs");
	autofields f = FIELDS_INIT;

	if (!value)
		return err_set(err, ERR_NOT_FOUND, "rootfs: the container has no root volume");
	int r = propstr_parse(ct_rootfs_keys, "volume", "rootfs", value, &f, err);

	return r < 0 ? r : rootfs_read(&f, ret, err);
}

int ct_rootfs_request_parse(const char *text, const char *default_storage,
			    struct ct_rootfs_request *ret, struct err *err)
{
	struct ct_rootfs_request request = {0};
	autofields f = FIELDS_INIT;
	double gib = CT_ROOTFS_DEFAULT_GIB;
	int r;

	if (!str_copy(request.storage, sizeof(request.storage), default_storage))
		return err_field(err, "storage", "name is too long");
	if (text) {
		r = propstr_parse(ct_rootfs_keys, "volume", "rootfs", text, &f, err);
		if (r < 0)
			return r;
		if (!ct_volume_is_request(fields_get(&f, "volume"), request.storage, &gib))
			return err_field(err, "rootfs",
					 "only a new volume, STORAGE:SIZE_IN_GiB, is supported");
	}
	if ((r = ct_volume_request_size("rootfs", gib, &request.size, err)) < 0)
		return r;
	str_to_bool(fields_get(&f, "ro") ?: "0", &request.read_only);
	r = ct_volume_rest(ct_rootfs_keys, &f, "rootfs", request.options, sizeof(request.options),
			   err);
	if (r == 0)
		*ret = request;
	return r;
}

void ct_rootfs_format(const struct ct_rootfs *rootfs, struct buf *out)
{
	buf_add_str(out, rootfs->volume);
	if (rootfs->options[0])
		buf_addf(out, ",%s", rootfs->options);
	ct_size_format(rootfs->size, out);
}
