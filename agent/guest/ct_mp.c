/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's mount points. Pure. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct_volume.h"

bool ct_key_index(const char *key, const char *stem, unsigned max, unsigned *ret)
{
	const char *digits = str_after(key, stem);
	uint64_t index;

	if (!digits || !str_to_u64(digits, &index) || index >= max ||
	    (digits[0] == '0' && digits[1] != '\0'))
		return false;
	*ret = (unsigned)index;
	return true;
}

bool ct_config_flag(const struct guest_config *config, const char *key)
{
	return guest_config_flag(config, key);
}

bool ct_path_is_below(const char *path, const char *folder)
{
	const char *rest = str_after(path, folder);

	return rest && (*rest == '\0' || *rest == '/');
}

/* Places that the system inside, or liblxc, mounts over or needs for itself. */
static bool is_reserved(const char *path)
{
	static const char *const reserved[] = {"/proc", "/sys", "/dev"};

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (ct_path_is_below(path, reserved[i]))
			return true;
	return str_eq(path, "/run") || str_eq(path, "/");
}

/* Without doubled and last slashes; "." and ".." are refused. */
static int copy_path(const char *key, const char *text, char *ret, size_t size, struct err *err)
{
	autostrv char **parts = str_split(text, "/");
	autobuf out = BUF_INIT;

	for (char **part = parts; *part; part++) {
		if (str_eq(*part, ".") || str_eq(*part, ".."))
			return err_field(err, key, "mp: '%s' must not have '.' or '..' in it",
					 text);
		buf_addf(&out, "/%s", *part);
	}
	if (is_reserved(out.size ? buf_str(&out) : "/"))
		return err_field(err, key, "mp: nothing can be mounted on '%s'", text);
	return str_copy(ret, size, buf_str(&out)) ? 0 : err_field(err, key, "mp: too long");
}

static int read_volume(const char *key, const struct fields *f, struct ct_mp *mp, struct err *err)
{
	const char *volume = fields_get(f, "volume");
	double gib;
	int r = ct_volume_size(f, key, &mp->size, err);

	if (r < 0)
		return r;
	if (!str_copy(mp->volume, sizeof(mp->volume), volume))
		return err_field(err, key, "volume name is too long");
	mp->is_folder = volume[0] == '/';
	if (mp->is_folder && (strstr(volume, "/../") || str_ends(volume, "/..")))
		return err_field(err, key, "volume: '%s' must not have '..' in it", volume);
	mp->is_new = !mp->is_folder && ct_volume_is_request(volume, mp->storage, &gib);
	if (mp->is_new && !mp->storage[0])
		return err_field(err, key, "volume: '%s' names no storage", volume);
	return mp->is_new ? ct_volume_request_size(key, gib, &mp->size, err) : 0;
}

int ct_mp_parse(const char *key, const char *value, struct ct_mp *ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	struct ct_volume_options options;
	struct ct_mp mp = {0};
	int r = propstr_parse(ct_mp_keys, "volume", key, value, &f, err);

	if (r < 0)
		return r;
	if (!ct_key_index(key, "mp", CT_MPS_MAX, &mp.index))
		return err_field(err, key, "is no mount point");
	if ((r = read_volume(key, &f, &mp, err)) < 0 ||
	    (r = copy_path(key, fields_get(&f, "mp"), mp.path, sizeof(mp.path), err)) < 0)
		return r;
	ct_volume_options(&f, &options);
	mp.read_only = options.read_only;
	mp.discard = options.discard;
	mp.quota = options.quota;
	mp.acl = options.acl;
	mp.flags = options.flags;
	str_to_bool(fields_get(&f, "keepattrs") ?: "0", &mp.keep_attributes);
	*ret = mp;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct ct_mp *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : (int)x->index - (int)y->index;
}

int ct_config_mps(const struct guest_config *config, struct ct_mp **ret, size_t *ret_count,
		  struct err *err)
{
	const struct fields *keys = &config->sections[0].keys;
	autofree struct ct_mp *mps = xcalloc(keys->count + 1, sizeof(*mps));
	size_t count = 0;
	unsigned index;

	for (size_t i = 0; i < keys->count; i++) {
		int r;

		if (!ct_key_index(keys->items[i].name, "mp", CT_MPS_MAX, &index))
			continue;
		r = ct_mp_parse(keys->items[i].name, keys->items[i].value, &mps[count], err);
		if (r < 0)
			return r;
		count++;
	}
	if (count > 0)
		qsort(mps, count, sizeof(*mps), compare);
	*ret = TAKE(mps);
	*ret_count = count;
	return 0;
}

char *ct_mp_value(const char *value, const char *volume, uint64_t size)
{
	autofields f = FIELDS_INIT;
	autobuf text = BUF_INIT;

	if (propstr_parse(ct_mp_keys, "volume", "mp", value, &f, NULL) < 0)
		return xstrdup(value);
	ct_size_format(size, &text);
	fields_set(&f, "volume", volume);
	fields_remove(&f, "size");
	if (text.size)
		fields_set(&f, "size", buf_str(&text) + strlen(",size="));
	return propstr_format(ct_mp_keys, "volume", &f);
}
