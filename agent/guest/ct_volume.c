/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and sizes of containers' volumes. Pure. */
#include "agent/guest/ct_volume.h"

#include <string.h>
#include <sys/mount.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const struct {
	const char *name;
	unsigned long flag;
} mount_flags[] = {
	{"lazytime", MS_LAZYTIME}, {"noatime", MS_NOATIME}, {"nodev", MS_NODEV},
	{"noexec", MS_NOEXEC},	   {"nosuid", MS_NOSUID},
};

void ct_volume_options(const struct fields *f, struct ct_volume_options *ret)
{
	autostrv char **names = str_split(fields_get(f, "mountoptions") ?: "", ";");
	struct ct_volume_options options = {.discard = strv_has(names, "discard")};

	bool acl = false;

	str_to_bool(fields_get(f, "ro") ?: "0", &options.read_only);
	str_to_bool(fields_get(f, "quota") ?: "0", &options.quota);
	if (fields_get(f, "acl") && str_to_bool(fields_get(f, "acl"), &acl))
		options.acl = acl ? CT_ACL_ON : CT_ACL_OFF;
	for (size_t i = 0; i < ARRAY_SIZE(mount_flags); i++)
		if (strv_has(names, mount_flags[i].name))
			options.flags |= mount_flags[i].flag;
	*ret = options;
}

int ct_volume_size(const struct fields *f, const char *key, uint64_t *ret, struct err *err)
{
	const char *text = fields_get(f, "size");

	*ret = 0;
	if (text && !str_to_bytes(text, 1, ret))
		return err_field(err, key, "bad size '%s'", text);
	return 0;
}

int ct_volume_rest(const struct param *keys, struct fields *f, const char *key, char *ret,
		   size_t size, struct err *err)
{
	autofree char *rest = NULL;

	fields_remove(f, "volume");
	fields_remove(f, "size");
	rest = propstr_format(keys, NULL, f);
	return str_copy(ret, size, rest ?: "") ? 0 : err_field(err, key, "options are too long");
}

bool ct_volume_is_request(const char *volume, char storage[101], double *ret_gib)
{
	const char *colon = strchr(volume, ':');
	size_t size = colon ? (size_t)(colon - volume) : 0;

	if (!str_to_double(colon ? colon + 1 : volume, ret_gib))
		return false;
	if (!colon)
		return true;
	if (size == 0 || size >= 101)
		return false;
	memcpy(storage, volume, size);
	storage[size] = '\0';
	return true;
}

int ct_volume_request_size(const char *key, double gib, uint64_t *ret, struct err *err)
{
	if (!(gib >= CT_ROOTFS_MIN_GIB && gib <= CT_ROOTFS_MAX_GIB))
		return err_field(err, key, "size must be between %g and %g GiB", CT_ROOTFS_MIN_GIB,
				 CT_ROOTFS_MAX_GIB);
	*ret = (uint64_t)(gib * (double)CT_GIB) / CT_MIB * CT_MIB;
	return 0;
}

void ct_size_format(uint64_t size, struct buf *out)
{
	static const struct {
		char suffix;
		unsigned shift;
	} units[] = {{'T', 40}, {'G', 30}, {'M', 20}, {'K', 10}};

	if (size == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t unit = (uint64_t)1 << units[i].shift;

		if (size % unit == 0) {
			buf_addf(out, ",size=%llu%c", (unsigned long long)(size / unit),
				 units[i].suffix);
			return;
		}
	}
	buf_addf(out, ",size=%llu", (unsigned long long)size);
}
