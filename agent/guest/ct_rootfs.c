/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's root volume, as stored and as asked for at creation. Pure. */
#include <stdio.h>
#include <string.h>

#include "agent/base/str.h"
#include "agent/guest/ct_schema.h"

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)

int ct_config_rootfs(const struct guest_config *config, struct ct_rootfs *ret, struct err *err)
{
	const char *value = guest_config_get(config, "rootfs");
	autofields f = FIELDS_INIT;
	struct ct_rootfs rootfs = {0};

	if (!value)
		return err_set(err, ERR_NOT_FOUND, "rootfs: the container has no root volume");
	int r = propstr_parse(ct_rootfs_keys, "volume", "rootfs", value, &f, err);

	if (r < 0)
		return r;
	if (!str_copy(rootfs.volume, sizeof(rootfs.volume), fields_get(&f, "volume")))
		return err_field(err, "rootfs", "volume name is too long");
	if (fields_get(&f, "size") && !str_to_bytes(fields_get(&f, "size"), 1, &rootfs.size))
		return err_field(err, "rootfs", "bad size '%s'", fields_get(&f, "size"));
	str_to_bool(fields_get(&f, "ro"), &rootfs.read_only);
	*ret = rootfs;
	return 0;
}

/* Splits "local:8", or "8" for the default storage; false when it is no request for a new volume.
 */
static bool request_split(const char *volume, struct ct_rootfs_request *request, double *ret_gib)
{
	const char *colon = strchr(volume, ':');
	char *storage = request->storage;

	if (!str_to_double(colon ? colon + 1 : volume, ret_gib))
		return false;
	if (!colon)
		return true;
	size_t size = (size_t)(colon - volume);

	if (size == 0 || size >= sizeof(request->storage))
		return false;
	memcpy(storage, volume, size);
	storage[size] = '\0';
	return true;
}

int ct_rootfs_request_parse(const char *text, const char *default_storage,
			    struct ct_rootfs_request *ret, struct err *err)
{
	struct ct_rootfs_request request = {0};
	autofields f = FIELDS_INIT;
	double gib = CT_ROOTFS_DEFAULT_GIB;

	if (!str_copy(request.storage, sizeof(request.storage), default_storage))
		return err_field(err, "storage", "name is too long");
	if (text) {
		int r = propstr_parse(ct_rootfs_keys, "volume", "rootfs", text, &f, err);

		if (r < 0)
			return r;
		if (!request_split(fields_get(&f, "volume"), &request, &gib))
			return err_field(err, "rootfs",
					 "only a new volume, STORAGE:SIZE_IN_GiB, is supported");
	}
	if (!(gib >= CT_ROOTFS_MIN_GIB && gib <= CT_ROOTFS_MAX_GIB))
		return err_field(err, "rootfs", "size must be between %g and %g GiB",
				 CT_ROOTFS_MIN_GIB, CT_ROOTFS_MAX_GIB);
	request.size = (uint64_t)(gib * (double)GIB) / MIB * MIB;
	str_to_bool(fields_get(&f, "ro"), &request.read_only);
	*ret = request;
	return 0;
}

void ct_rootfs_format(const struct ct_rootfs *rootfs, struct buf *out)
{
	static const struct {
		char suffix;
		unsigned shift;
	} units[] = {{'T', 40}, {'G', 30}, {'M', 20}, {'K', 10}};

	buf_add_str(out, rootfs->volume);
	if (rootfs->read_only)
		buf_add_str(out, ",ro=1");
	if (rootfs->size == 0)
		return;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t unit = (uint64_t)1 << units[i].shift;

		if (rootfs->size % unit == 0) {
			buf_addf(out, ",size=%llu%c", (unsigned long long)(rootfs->size / unit),
				 units[i].suffix);
			return;
		}
	}
	buf_addf(out, ",size=%llu", (unsigned long long)rootfs->size);
}
