/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processors a container with `cores` gets. Runs in jobs. */
#include "agent/guest/ct/cgroup.h"

#include <dirent.h>
#include <stdint.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define CPUSET_MAX 8192 /* bytes of text */

bool cpuset_parse(const char *text, bool ret[CG_CPUS_MAX])
{
	autostrv char **parts = str_split(text, ",\n ");
	bool set[CG_CPUS_MAX] = {0};

	for (char **part = parts; *part; part++) {
		char *dash = strchr(*part, '-');
		uint64_t first, last;

		if (dash)
			*dash = '\0';
		if (!str_to_u64(*part, &first) || !str_to_u64(dash ? dash + 1 : *part, &last) ||
		    first > last || last >= CG_CPUS_MAX)
			return false;
		for (uint64_t i = first; i <= last; i++)
			set[i] = true;
	}
	memcpy(ret, set, sizeof(set));
	return true;
}

void cpuset_format(const bool set[CG_CPUS_MAX], struct buf *out)
{
	for (unsigned i = 0; i < CG_CPUS_MAX; i++) {
		unsigned last = i;

		if (!set[i])
			continue;
		while (last + 1 < CG_CPUS_MAX && set[last + 1])
			last++;
		buf_addf(out, "%s%u", out->size ? "," : "", i);
		if (last > i)
			buf_addf(out, "-%u", last);
		i = last;
	}
}

void cpuset_choose(const bool usable[CG_CPUS_MAX], const unsigned users[CG_CPUS_MAX],
		   unsigned count, bool ret[CG_CPUS_MAX])
{
	memset(ret, 0, CG_CPUS_MAX * sizeof(*ret));
	for (; count > 0; count--) {
		unsigned best = CG_CPUS_MAX;

		for (unsigned i = 0; i < CG_CPUS_MAX; i++)
			if (usable[i] && !ret[i] && (best == CG_CPUS_MAX || users[i] < users[best]))
				best = i;
		if (best == CG_CPUS_MAX)
			return;
		ret[best] = true;
	}
}

static bool read_set(const char *folder, bool ret[CG_CPUS_MAX])
{
	static const char *const names[] = {"cpuset.effective_cpus", "cpuset.cpus.effective",
					    "cpuset.cpus"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *path = xasprintf("%s/%s", folder, names[i]);
		autobuf text = BUF_INIT;

		if (file_read(path, CPUSET_MAX, &text, NULL) == 0 &&
		    buf_str(&text)[strspn(buf_str(&text), " \n")] &&
		    cpuset_parse(buf_str(&text), ret))
			return true;
	}
	return false;
}

/* Those of other containers that have not all of them. */
static void count_users(const char *mount, unsigned vmid, const bool usable[CG_CPUS_MAX],
			unsigned users[CG_CPUS_MAX])
{
	DIR *dir = opendir(mount);
	autofree char *own = xasprintf("%u", vmid);

	for (struct dirent *e; dir && (e = readdir(dir));) {
		const char *name = str_after(e->d_name, "lxc.payload.");
		autofree char *folder = xasprintf("%s/%s", mount, e->d_name);
		bool set[CG_CPUS_MAX];

		if (!name || str_eq(name, own) || !read_set(folder, set) ||
		    memcmp(set, usable, sizeof(set)) == 0)
			continue;
		for (unsigned i = 0; i < CG_CPUS_MAX; i++)
			users[i] += set[i];
	}
	if (dir)
		closedir(dir);
}

static const char *cpuset_mount(const struct cgroup_layout *layout)
{
	if (layout->v1[CG_CPUSET])
		return layout->mounts[layout->v1_mount[CG_CPUSET]];
	return layout->v2[CG_CPUSET] ? layout->mounts[layout->v2_mount] : NULL;
}

void cpuset_all(const struct cgroup_layout *layout, struct buf *out)
{
	const char *mount = cpuset_mount(layout);
	bool usable[CG_CPUS_MAX];

	if (mount && read_set(mount, usable))
		cpuset_format(usable, out);
}

void cpuset_for(const struct cgroup_layout *layout, unsigned vmid, unsigned cores, struct buf *out)
{
	const char *mount = cpuset_mount(layout);
	bool usable[CG_CPUS_MAX], chosen[CG_CPUS_MAX];
	unsigned users[CG_CPUS_MAX] = {0}, count = 0;

	if (!mount || cores == 0 || !read_set(mount, usable))
		return;
	for (unsigned i = 0; i < CG_CPUS_MAX; i++)
		count += usable[i];
	if (cores >= count)
		return;
	count_users(mount, vmid, usable, users);
	cpuset_choose(usable, users, cores, chosen);
	cpuset_format(chosen, out);
}
