/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of what storage types can do. Pure. */
#include "storage/volid/feature.h"

#include <stdbool.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

static const char *const names[] = {
	[VOLUME_SNAPSHOT] = "snapshot", [VOLUME_CLONE] = "clone",	[VOLUME_COPY] = "copy",
	[VOLUME_RESIZE] = "resize",	[VOLUME_TEMPLATE] = "template",
};

/* States of a volume that a feature works on. */
enum { CURRENT = 1, BASE = 2, SNAPSHOT = 4 };

struct ability {
	const char *type, *format;
	enum volume_feature feature;
	unsigned states;
};

/* What is not here cannot be done. Base volumes never change: no snapshot, no resize. */
static const struct ability abilities[] = {
	{"dir", "raw", VOLUME_CLONE, BASE},
	{"dir", "raw", VOLUME_COPY, CURRENT | BASE},
	{"dir", "raw", VOLUME_RESIZE, CURRENT},
	{"dir", "raw", VOLUME_TEMPLATE, CURRENT},
	{"dir", "qcow2", VOLUME_SNAPSHOT, CURRENT},
	{"dir", "qcow2", VOLUME_CLONE, BASE},
	{"dir", "qcow2", VOLUME_COPY, CURRENT | BASE | SNAPSHOT},
	{"dir", "qcow2", VOLUME_RESIZE, CURRENT},
	{"dir", "qcow2", VOLUME_TEMPLATE, CURRENT},
	{"btrfs", "raw", VOLUME_SNAPSHOT, CURRENT},
	{"btrfs", "raw", VOLUME_CLONE, CURRENT | BASE | SNAPSHOT},
	{"btrfs", "raw", VOLUME_COPY, CURRENT | BASE | SNAPSHOT},
	{"btrfs", "raw", VOLUME_RESIZE, CURRENT},
	{"btrfs", "raw", VOLUME_TEMPLATE, CURRENT},
	{"btrfs", "subvol", VOLUME_SNAPSHOT, CURRENT},
	{"btrfs", "subvol", VOLUME_CLONE, CURRENT | BASE | SNAPSHOT},
	{"btrfs", "subvol", VOLUME_COPY, CURRENT | BASE | SNAPSHOT},
	{"btrfs", "subvol", VOLUME_RESIZE, CURRENT},
	{"btrfs", "subvol", VOLUME_TEMPLATE, CURRENT},
	{"btrfs", "qcow2", VOLUME_SNAPSHOT, CURRENT},
	{"btrfs", "qcow2", VOLUME_CLONE, BASE},
	{"btrfs", "qcow2", VOLUME_COPY, CURRENT | BASE | SNAPSHOT},
	{"btrfs", "qcow2", VOLUME_RESIZE, CURRENT},
	{"btrfs", "qcow2", VOLUME_TEMPLATE, CURRENT},
};

int volume_feature_from_name(const char *name, enum volume_feature *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_eq(names[i], name)) {
			*ret = (enum volume_feature)i;
			return 0;
		}
	}
	return err_field(err, "feature", "unknown feature '%.64s'", name ? name : "");
}

static unsigned states_of(const char *type, const char *format, enum volume_feature feature)
{
	for (size_t i = 0; i < ARRAY_SIZE(abilities); i++)
		if (abilities[i].feature == feature && str_eq(abilities[i].type, type) &&
		    str_eq(abilities[i].format, format))
			return abilities[i].states;
	return 0;
}

static int refuse(struct err *err, const struct volid *volume, enum volume_feature feature,
		  const char *why)
{
	return err_set(err, ERR_UNSUPPORTED, "feature not available: %s of volume '%s:%.200s': %s",
		       names[feature], volume->storage, volume->name, why);
}

static int refuse_format(struct err *err, const char *type, const struct volid *volume,
			 enum volume_feature feature)
{
	autofree char *why = xasprintf("volumes of format '%s' on a storage of type '%s' have none",
				       volume->format, type);
	return refuse(err, volume, feature, why);
}

static int refuse_state(struct err *err, const struct volid *volume, const char *snapshot,
			enum volume_feature feature, unsigned states)
{
	if (snapshot)
		return refuse(err, volume, feature, "not of a snapshot of this format");
	if (volume_is_base(volume))
		return refuse(err, volume, feature, "base volumes do not change");
	return refuse(err, volume, feature,
		      states & SNAPSHOT ? "only of a snapshot"
					: "only of a base volume (template)");
}

int volume_feature_check(const char *type, const struct volid *volume, const char *snapshot,
			 enum volume_feature feature, struct err *err)
{
	unsigned state = snapshot ? SNAPSHOT : volume_is_base(volume) ? BASE : CURRENT;
	if (volume->content != VOLUME_IMAGES && volume->content != VOLUME_ROOTDIR)
		return refuse(err, volume, feature, "it is no guest volume");
	unsigned states = states_of(type, volume->format, feature);
	if (states == 0)
		return refuse_format(err, type, volume, feature);
	if (!(states & state))
		return refuse_state(err, volume, snapshot, feature, states);
	if (feature == VOLUME_TEMPLATE && volume->base[0])
		return refuse(err, volume, feature,
			      "it is a linked clone, which has a base itself");
	if (feature == VOLUME_CLONE && volume->content == VOLUME_ROOTDIR && str_eq(type, "dir"))
		return refuse(err, volume, feature,
			      "a clone on a storage of type 'dir' is a qcow2 image, and containers "
			      "have no use for one");
	return 0;
}

static bool name_is_good(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t size = name ? strlen(name) : 0;
	return size >= 2 && size <= VOLUME_SNAPSHOT_NAME_MAX && strspn(name, letters) > 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		       size;
}

int volume_snapshot_name_check(const char *name, struct err *err)
{
	bool is_good = name_is_good(name);
	if (is_good && str_eq(name, "current"))
		return err_field(err, "snapname", "'current' is the running state, no snapshot");
	if (!is_good)
		return err_field(err, "snapname",
				 "a snapshot's name is 2 to %d letters, digits, '_' and '-', "
				 "beginning with a letter",
				 VOLUME_SNAPSHOT_NAME_MAX);
	return 0;
}

const char *volume_default_format(const char *type, enum volume_content content)
{
	return content == VOLUME_ROOTDIR && str_eq(type, "btrfs") ? "subvol" : "raw";
}
