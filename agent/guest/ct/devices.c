/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device nodes for containers: made on a file system of their own, where nobody but root comes, with the owner
 * that stands for the one inside. Runs in jobs. */
#include "agent/guest/ct/devices.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/guest/ct/mount.h"

int ct_device_id(const struct ct_dev *dev, struct ct_device_id *ret, struct err *err)
{
	struct stat st;
	char key[16];

	snprintf(key, sizeof(key), "dev%u", dev->index);
	if (stat(dev->path, &st) != 0 || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return err_field(err, key, "'%s' is no device of this node", dev->path);
	*ret = (struct ct_device_id){.kind = S_ISCHR(st.st_mode) ? 'c' : 'b',
				     .major = major(st.st_rdev),
				     .minor = minor(st.st_rdev)};
	return 0;
}

static int look_up(const struct ct_dev *dev, struct ct_devices *devices, struct err *err)
{
	struct ct_device_id id;
	int r = ct_device_id(dev, &id, err);

	if (r < 0)
		return r;
	fields_addf(&devices->rules, "device", "%c %u:%u %s", id.kind, id.major, id.minor,
		    dev->read_only ? "rm" : "rwm");
	devices->denies |= dev->read_only;
	return 0;
}

/* The node's own may be for root alone. */
static void add_fuse(struct ct_devices *devices)
{
	static const struct ct_dev fuse = {.index = CT_DEVS_MAX, .path = "/dev/fuse", .mode = 0666};

	if (access(fuse.path, F_OK) != 0)
		return;
	devices->devs = xrealloc(devices->devs, devices->count + 1, sizeof(*devices->devs));
	devices->devs[devices->count++] = fuse;
}

int ct_devices_read(const struct guest_config *config, struct ct_devices *ret, struct err *err)
{
	struct ct_devices devices = {0};
	struct ct_features features;
	int r = ct_config_devs(config, &devices.devs, &devices.count, err);

	if (r == 0 && (r = ct_config_features(config, &features, err)) == 0 && features.fuse)
		add_fuse(&devices);
	for (size_t i = 0; r == 0 && i < devices.count; i++)
		r = look_up(&devices.devs[i], &devices, err);
	if (r < 0)
		ct_devices_fini(&devices);
	else
		*ret = devices;
	return r;
}

void ct_devices_fini(struct ct_devices *devices)
{
	free(devices->devs);
	fields_fini(&devices->rules);
	*devices = (struct ct_devices){0};
}

static int make_node(const struct ct_dev *dev, const char *path, const struct ct_idmap *map,
		     struct err *err)
{
	uint32_t uid = dev->uid, gid = dev->gid;
	struct stat st;

	if (map && (!ct_idmap_host(map->uid, map->uids, dev->uid, &uid) ||
		    !ct_idmap_host(map->gid, map->gids, dev->gid, &gid)))
		return err_set(err, ERR_INVALID, "dev%u: the container has no user %u or group %u",
			       dev->index, dev->uid, dev->gid);
	if (stat(dev->path, &st) != 0 ||
	    mknod(path, (st.st_mode & S_IFMT) | dev->mode, st.st_rdev) != 0 ||
	    chown(path, uid, gid) != 0 || chmod(path, dev->mode) != 0)
		return err_errno(err, errno, "dev%u: make '%s'", dev->index, dev->path);
	return 0;
}

int ct_devices_prepare(const struct ct_devices *devices, unsigned vmid, const struct ct_idmap *map,
		       struct fields *plan, struct err *err)
{
	autofree char *place = ct_mount_point(vmid);
	autofree char *folder = xasprintf("%s.dev", place);
	int r;

	if (devices->count == 0)
		return 0;
	if ((r = dir_make(folder, 0700, err)) < 0)
		return r;
	if (mount("lodge-dev", folder, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0700,size=64k") != 0)
		return err_errno(err, errno, "mount a folder for devices");
	for (size_t i = 0; i < devices->count; i++) {
		const struct ct_dev *dev = &devices->devs[i];
		struct ct_mount mount = {.is_file = true};

		snprintf(mount.source, sizeof(mount.source), "%s/%u", folder, dev->index);
		snprintf(mount.target, sizeof(mount.target), "%s", dev->path);
		if ((r = make_node(dev, mount.source, map, err)) < 0)
			return r;
		ct_mounts_encode(&mount, plan);
	}
	return 0;
}
