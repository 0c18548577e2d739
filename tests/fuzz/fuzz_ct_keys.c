/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as the mount points, devices, features, raw settings, id maps, groups and processors of a container. What
 * passes keeps its promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/cgroup.h"
#include "agent/guest/ct/idmap.h"
#include "agent/guest/ct/mounts.h"
#include "agent/guest/ct_schema.h"
#include "agent/guest/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mount_points(const char *text)
{
	struct err err = ERR_INIT;
	struct ct_mp mp;

	if (ct_mp_parse("mp7", text, &mp, &err) < 0)
		return;
	if (mp.path[0] != '/' || strstr(mp.path, "/../") || strstr(mp.path, "//") ||
	    ct_path_is_below(mp.path, "/proc") || (mp.is_new && (mp.size == 0 || mp.is_folder)))
		abort();
	autofree char *value = ct_mp_value(text, "local:101/vm-101-disk-1.raw", 1 << 20);

	if (ct_mp_parse("mp7", value, &mp, &err) < 0 || mp.size != 1 << 20 || mp.is_new)
		abort();
}

static void id_maps(const struct guest_config *config, const char *text)
{
	struct ct_idmap map = {0};
	uint32_t id;

	if (ct_idmap_parse(config, text, "root:100000:65536\nroot:1000:1\n", &map, NULL) == 1 &&
	    (map.uids > CT_IDMAP_RANGES || !ct_idmap_host(map.gid, map.gids, 0, &id) ||
	     (id != 1000 && (id < 100000 || id > 165535))))
		abort();
}

static void groups(const char *text)
{
	struct cgroup_layout layout;
	bool cpus[CG_CPUS_MAX];
	char path[512];

	cgroup_layout_parse(text, text, &layout);
	for (int i = 0; i < CG_COUNT; i++)
		if (cgroup_path(&layout, text, 101, (enum cgroup_controller)i, path,
				sizeof(path)) &&
		    (!strstr(path, "/lxc.payload.101") || strstr(path, "/../")))
			abort();
	if (cpuset_parse(text, cpus)) {
		bool again[CG_CPUS_MAX];
		autobuf out = BUF_INIT;

		cpuset_format(cpus, &out);
		if (!cpuset_parse(buf_str(&out), again) || memcmp(cpus, again, sizeof(cpus)) != 0)
			abort();
	}
}

static void plans(const char *text)
{
	autofields f = FIELDS_INIT, again = FIELDS_INIT;
	struct ct_mount mount;

	fields_add(&f, "mount", text);
	if (!ct_mounts_decode(&f, 0, &mount))
		return;
	ct_mounts_encode(&mount, &again);
	if (!ct_mounts_decode(&again, 0, &mount))
		abort();
}

static void raw_settings(const char *text)
{
	struct guest_config config;
	struct err err = ERR_INIT;

	guest_config_init(&config);
	if (ct_raw_set(&config, text, &err) == 0) {
		autobuf out = BUF_INIT;
		struct guest_config again;

		/* what is stored can be read again, and says nothing else */
		guest_config_format(&config, &out);
		if (guest_config_parse(buf_str(&out), out.size, &again, &err) == 0) {
			if (again.sections[0].keys.count != config.sections[0].keys.count)
				abort();
			id_maps(&again, text);
			guest_config_fini(&again);
		}
	}
	guest_config_fini(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_config config;
	struct err err = ERR_INIT;
	struct ct_features features;
	autofree struct ct_dev *devs = NULL;
	size_t count = 0;

	if (size > 64 * 1024)
		return 0;
	autofree char *text = xstrndup((const char *)data, size);

	guest_config_init(&config);
	guest_config_set(&config, "dev3", text);
	guest_config_set(&config, "features", text);
	if (ct_config_devs(&config, &devs, &count, &err) == 0 &&
	    (count != 1 || !str_starts(devs[0].path, "/dev/") || strstr(devs[0].path, "/../")))
		abort();
	ct_config_features(&config, &features, &err);
	mount_points(text);
	raw_settings(text);
	groups(text);
	plans(text);
	guest_config_fini(&config);
	return 0;
}
