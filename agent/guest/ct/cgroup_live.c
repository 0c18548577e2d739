/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits, freezing and counters of a running container, by the files of its groups and not by liblxc's
 * command socket, which has no deadline. Runs in jobs and hooks. */
#include "agent/guest/ct/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define FILE_MAX     (64u * 1024)
#define FREEZE_LOOK  20 /* ms */
#define CPUSET_DEPTH 8

static const char *const names[CG_COUNT] = {[CG_MEMORY] = "memory",
					    [CG_CPU] = "cpu",
					    [CG_DEVICES] = "devices",
					    [CG_CPUSET] = "cpuset",
					    [CG_FREEZER] = "freezer"};

/* "4:cpu,cpuacct:/a/b" is the line of "cpu"; "0::/a/b" that of the unified tree ("") */
static char *group_of(const char *groups, const char *controller)
{
	autostrv char **lines = str_split(groups, "\n");

	for (char **line = lines; *line; line++) {
		char *list = strchr(*line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		autostrv char **of = str_split(++list, ",");

		if (*controller ? strv_has(of, controller) : *list == '\0')
			return xstrdup(path);
	}
	return NULL;
}

/* Cuts the path behind liblxc's folder, which may be "lxc.payload.101-1"; false: it has none. */
static bool cut(char *path, unsigned vmid)
{
	autofree char *name = xasprintf("/lxc.payload.%u", vmid);

	for (char *at = path; (at = strstr(at, name)); at++) {
		char *rest = at + strlen(name);

		if (*rest == '-')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (*rest != '/' && *rest != '\0')
			continue;
		*rest = '\0';
		return true;
	}
	return false;
}

bool cgroup_path(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		 enum cgroup_controller controller, char *ret, size_t size)
{
	bool is_v1 = layout->v1[controller];
	bool is_v2 =
		!is_v1 && layout->has_v2 && (layout->v2[controller] || controller == CG_FREEZER);
	autofree char *group =
		is_v1 || is_v2 ? group_of(groups, is_v1 ? names[controller] : "") : NULL;

	if (!group || !cut(group, vmid))
		return false;
	autofree char *path = xasprintf(
		"%s%s", layout->mounts[is_v1 ? layout->v1_mount[controller] : layout->v2_mount],
		group);

	return !strstr(path, "/../") && str_copy(ret, size, path);
}

static int write_file(const char *folder, const char *name, const char *value)
{
	autofree char *path = xasprintf("%s/%s", folder, name);
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static bool read_file(const char *folder, const char *name, struct buf *ret)
{
	autofree char *path = xasprintf("%s/%s", folder, name);

	buf_clear(ret);
	return file_read(path, FILE_MAX, ret, NULL) == 0;
}

/* "name 12" on a line of its own */
static uint64_t counter(const char *text, const char *name)
{
	autostrv char **lines = str_split(text, "\n");

	for (char **line = lines; *line; line++) {
		const char *value = str_after(*line, name);
		uint64_t n;

		if (value && *value == ' ' && str_to_u64(value + 1, &n))
			return n;
	}
	return 0;
}

/* On v1 a group's processors must cover those of the groups below: the change goes down first when the kernel
 * refuses it, and down afterwards in any case, for groups below keep what they had. */
static int write_cpuset(const char *folder, const char *value, int depth)
{
	int r = write_file(folder, "cpuset.cpus", value);
	DIR *dir = depth < CPUSET_DEPTH ? opendir(folder) : NULL;

	for (struct dirent *e; dir && (e = readdir(dir));) {
		autofree char *below = xasprintf("%s/%s", folder, e->d_name);

		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			write_cpuset(below, value, depth + 1);
	}
	if (dir)
		closedir(dir);
	return r == -EBUSY ? write_file(folder, "cpuset.cpus", value) : r;
}

static bool read_bytes(const char *folder, const char *name, uint64_t *ret)
{
	autobuf text = BUF_INIT;

	if (!read_file(folder, name, &text))
		return false;
	text.data[strcspn(buf_str(&text), "\n")] = '\0';
	return str_to_u64(text.data, ret);
}

/* v2 takes any bound and kills until it is kept. */
static int check_memory(const char *folder, const char *value, struct err *err)
{
	autobuf text = BUF_INIT;
	uint64_t now, bound, cache;

	if (!str_to_u64(value, &bound) || !read_bytes(folder, "memory.current", &now))
		return 0;
	cache = read_file(folder, "memory.stat", &text) ? counter(buf_str(&text), "inactive_file")
							: 0;
	now -= cache < now ? cache : now;
	return now <= bound ? 0
			    : err_set(err, ERR_BUSY, "%llu MiB of memory are in use",
				      (unsigned long long)(now >> 20));
}

static int apply_one(const char *folder, const char *file, const char *value, struct err *err)
{
	int r;

	if (str_eq(file, "memory.max") && (r = check_memory(folder, value, err)) < 0)
		return r;
	r = str_eq(file, "cpuset.cpus") ? write_cpuset(folder, value, 0)
					: write_file(folder, file, value);
	if (r == -EBUSY)
		return err_set(err, ERR_BUSY, "%s: more than %s is in use", file, value);
	return r < 0 ? err_errno(err, -r, "%s = %s", file, value) : 0;
}

static bool item_place(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		       const char *file, char *ret, size_t size)
{
	autofree char *controller = xstrndup(file, strcspn(file, "."));

	for (int i = 0; i < CG_COUNT; i++)
		if (str_eq(names[i], controller))
			return cgroup_path(layout, groups, vmid, (enum cgroup_controller)i, ret,
					   size);
	return false;
}

/* Of v1's two bounds of memory the larger one must be the larger one at any moment: what was refused is tried
 * again after the others. */
int cgroup_apply(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		 const struct fields *items, struct err *err)
{
	bool *is_done = xcalloc(items->count + 1, sizeof(*is_done));
	int r = 0;

	for (int round = 0; round < 2; round++) {
		r = 0;
		for (size_t i = 0; i < items->count; i++) {
			const char *name = items->items[i].name;
			const char *file =
				str_after(name, "lxc.cgroup2.") ?: str_after(name, "lxc.cgroup.");
			char folder[PATH_MAX];
			struct err why = ERR_INIT;
			int one;

			if (!file || is_done[i])
				continue;
			if (!item_place(layout, groups, vmid, file, folder, sizeof(folder)))
				one = err_set(&why, ERR_UNAVAILABLE, "%s: its group is not there",
					      file);
			else
				one = apply_one(folder, file, items->items[i].value, &why);
			is_done[i] = one == 0;
			if (one < 0 && r == 0) {
				r = one;
				if (err)
					*err = why;
			}
		}
	}
	free(is_done);
	return r;
}

uint64_t cgroup_swap_beyond(const struct cgroup_layout *layout, const char *groups, unsigned vmid)
{
	char folder[PATH_MAX];
	uint64_t now, bound;

	if (!layout->v2[CG_MEMORY] ||
	    !cgroup_path(layout, groups, vmid, CG_MEMORY, folder, sizeof(folder)) ||
	    !read_bytes(folder, "memory.swap.current", &now) ||
	    !read_bytes(folder, "memory.swap.max", &bound))
		return 0;
	return now > bound ? now - bound : 0;
}

static bool frozen_at(const struct cgroup_layout *layout, const char *folder)
{
	autobuf text = BUF_INIT;

	if (layout->v1[CG_FREEZER])
		return read_file(folder, "freezer.state", &text) &&
		       str_starts(buf_str(&text), "FROZEN");
	return read_file(folder, "cgroup.events", &text) && counter(buf_str(&text), "frozen") == 1;
}

static int set_frozen(const struct cgroup_layout *layout, const char *folder, bool freeze)
{
	return layout->v1[CG_FREEZER]
		       ? write_file(folder, "freezer.state", freeze ? "FROZEN" : "THAWED")
		       : write_file(folder, "cgroup.freeze", freeze ? "1" : "0");
}

int cgroup_freeze(const struct cgroup_layout *layout, const char *groups, unsigned vmid,
		  bool freeze, usec_t deadline, struct err *err)
{
	char folder[PATH_MAX];
	int r;

	if (!cgroup_path(layout, groups, vmid, CG_FREEZER, folder, sizeof(folder)))
		return err_set(err, ERR_UNSUPPORTED, "this host has no freezer for containers");
	if ((r = set_frozen(layout, folder, freeze)) < 0)
		return err_errno(err, -r, "%s", folder);
	while (frozen_at(layout, folder) != freeze) {
		if (clock_left_ms(deadline) == 0) {
			if (freeze)
				(void)set_frozen(layout, folder, false);
			return err_set(err, ERR_TIMEOUT, "its processes do not %s",
				       freeze ? "freeze" : "go on");
		}
		poll(NULL, 0, FREEZE_LOOK);
		/* v1: processes that were in the kernel are asked again by writing again */
		if (freeze)
			(void)set_frozen(layout, folder, true);
	}
	return 0;
}

bool cgroup_is_frozen(const struct cgroup_layout *layout, const char *groups, unsigned vmid)
{
	char folder[PATH_MAX];

	return cgroup_path(layout, groups, vmid, CG_FREEZER, folder, sizeof(folder)) &&
	       frozen_at(layout, folder);
}

unsigned long cgroup_oom_kills(const struct cgroup_layout *layout, const char *path)
{
	autobuf text = BUF_INIT;

	if (!read_file(path, layout->v1[CG_MEMORY] ? "memory.oom_control" : "memory.events", &text))
		return 0;
	return (unsigned long)counter(buf_str(&text), "oom_kill");
}
