/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the host's cgroup trees and clears what stopped containers left in them. Runs in jobs. */
#include "agent/guest/ct/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

static const char *const controller_names[CG_COUNT] = {[CG_MEMORY] = "memory",
						       [CG_CPU] = "cpu",
						       [CG_DEVICES] = "devices",
						       [CG_CPUSET] = "cpuset",
						       [CG_FREEZER] = "freezer"};

#define MOUNTINFO_MAX (4u * 1024 * 1024)
#define TREE_DEPTH    16

static void mark(bool set[CG_COUNT], const char *list, const char *separators)
{
	autostrv char **names = str_split(list, separators);

	for (unsigned i = 0; i < CG_COUNT; i++)
		if (strv_has(names, controller_names[i]))
			set[i] = true;
}

/* The first mount of a controller counts. */
static void mark_v1(struct cgroup_layout *ret, const char *options, unsigned mount)
{
	bool here[CG_COUNT] = {false};

	mark(here, options, ",");
	for (unsigned i = 0; i < CG_COUNT; i++) {
		if (!here[i] || ret->v1[i])
			continue;
		ret->v1[i] = true;
		ret->v1_mount[i] = mount;
	}
}

/* "ID PARENT MAJ:MIN ROOT POINT OPTIONS … - TYPE SOURCE SUPEROPTIONS" */
static void parse_mount(const char *line, struct cgroup_layout *ret, size_t *count)
{
	const char *dash = strstr(line, " - ");
	autostrv char **before = str_split(line, " "),
		      **after = str_split(dash ? dash + 3 : "", " ");

	if (strv_count(before) < 5 || strv_count(after) < 3 || *count >= CG_MOUNTS_MAX - 1)
		return;
	if (!str_eq(after[0], "cgroup") && !str_eq(after[0], "cgroup2"))
		return;
	if (!str_copy(ret->mounts[*count], sizeof(ret->mounts[0]), before[4])) {
		ret->mounts[*count][0] = '\0';
		return;
	}
	if (str_eq(after[0], "cgroup")) {
		mark_v1(ret, after[2], (unsigned)*count);
	} else if (!ret->has_v2) {
		ret->has_v2 = true;
		ret->v2_mount = (unsigned)*count;
	}
	(*count)++;
}

void cgroup_layout_parse(const char *mountinfo, const char *controllers, struct cgroup_layout *ret)
{
	autostrv char **lines = str_split(mountinfo, "\n");
	size_t count = 0;

	*ret = (struct cgroup_layout){0};
	for (char **line = lines; *line; line++)
		parse_mount(*line, ret, &count);
	if (ret->has_v2)
		mark(ret->v2, controllers, " \n");
	/* The unified tree has devices by BPF whenever it governs processes, with no name for it.
	 */
	ret->v2[CG_DEVICES] = ret->has_v2 && !ret->v1[CG_DEVICES];
}

void cgroup_layout_read(struct cgroup_layout *ret)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	autobuf mounts = BUF_INIT, controllers = BUF_INIT;

	(void)file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &mounts, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		autofree char *path = xasprintf("%s/cgroup.controllers", roots[i]);

		(void)file_read(path, 4096, &controllers, NULL);
	}
	cgroup_layout_parse(buf_str(&mounts), buf_str(&controllers), ret);
	ret->has_v1_swap = access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0;
}

static bool has_processes(int folder)
{
	autofd int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) != 0;
}

/* Is anything alive below? With `remove`, also removes the folders, deepest first. */
static bool walk(int parent, const char *name, bool remove, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool is_alive = dir && has_processes(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (depth < TREE_DEPTH && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			is_alive |= walk(fd, entry->d_name, remove, depth + 1);
	closedir(dir);
	if (remove && !is_alive)
		(void)unlinkat(parent, name, AT_REMOVEDIR);
	return is_alive;
}

/* liblxc's names, with "-1", "-2", … when one was taken: ours or another program's container. */
static bool is_name_of(const char *name, unsigned vmid)
{
	static const char *const kinds[] = {"lxc.payload.", "lxc.monitor."};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		autofree char *full = xasprintf("%s%u", kinds[i], vmid);
		const char *rest = str_after(name, full);

		if (rest && (*rest == '\0' || *rest == '-'))
			return true;
	}
	return false;
}

static void remove_below(const char *mount, unsigned vmid)
{
	DIR *dir = opendir(mount);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (!is_name_of(entry->d_name, vmid))
			continue;
		/* Look first: parts of a living container's tree may be empty, too. */
		if (!walk(dirfd(dir), entry->d_name, false, 0))
			walk(dirfd(dir), entry->d_name, true, 0);
	}
	if (dir)
		closedir(dir);
}

void cgroup_remove(const struct cgroup_layout *layout, unsigned vmid)
{
	for (size_t i = 0; layout->mounts[i][0]; i++)
		remove_below(layout->mounts[i], vmid);
}
