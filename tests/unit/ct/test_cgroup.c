/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups: what hosts offer, and the limits that follow from a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/cgroup.h"

#define V1_MEMORY  "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
#define V1_CPU	   "31 24 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
#define V1_DEV	   "32 24 0:28 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n"
#define V1_CPUSET  "34 24 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
#define V1_FREEZER "35 24 0:31 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
#define V2_HYBRID  "33 24 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
#define V2_ONLY	   "25 20 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define OTHER	   "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

static void layouts(void **state)
{
	struct cgroup_layout l;

	(void)state;
	cgroup_layout_parse(OTHER V1_MEMORY V1_CPU V1_DEV V2_HYBRID, "", &l);
	assert_true(l.v1[CG_MEMORY] && l.v1[CG_CPU] && l.v1[CG_DEVICES] && l.has_v2);
	assert_false(l.v2[CG_MEMORY] || l.v2[CG_CPU] || l.v2[CG_DEVICES]);
	assert_string_equal(l.mounts[1], "/sys/fs/cgroup/cpu");
	assert_string_equal(l.mounts[4], "");

	cgroup_layout_parse(OTHER V2_ONLY, "cpuset cpu io memory pids\n", &l);
	assert_true(l.v2[CG_MEMORY] && l.v2[CG_CPU] && l.v2[CG_DEVICES]);
	assert_false(l.v1[CG_MEMORY] || l.v1[CG_CPU] || l.v1[CG_DEVICES]);

	cgroup_layout_parse("nonsense\n - \n- cgroup\n\n", "memory", &l);
	assert_false(l.has_v2 || l.v2[CG_MEMORY]);
	assert_string_equal(l.mounts[0], "");
}

static bool is_live;

static void expect(const char *mountinfo, const char *controllers, bool v1_swap,
		   const char *config_text, const char *expected)
{
	struct cgroup_layout l;
	struct guest_config config;
	autofields items = FIELDS_INIT, warnings = FIELDS_INIT;
	autobuf out = BUF_INIT;

	cgroup_layout_parse(mountinfo, controllers, &l);
	l.has_v1_swap = v1_swap;
	assert_int_equal(guest_config_parse(config_text, strlen(config_text), &config, NULL), 0);
	cgroup_limits(&(struct cgroup_limits){.layout = &l,
					      .config = &config,
					      .host_cpus = 8,
					      .cpuset = "0-1",
					      .is_live = is_live},
		      &items, &warnings);
	for (size_t i = 0; i < items.count; i++)
		buf_addf(&out, "%s=%s;", items.items[i].name, items.items[i].value);
	for (size_t i = 0; i < warnings.count; i++)
		buf_addf(&out, "warning;");
	assert_string_equal(buf_str(&out), expected);
	guest_config_fini(&config);
}

static void limits(void **state)
{
	(void)state;
	expect(V2_ONLY, "cpu memory", false, "memory: 1\nswap: 2\ncores: 2\n",
	       "lxc.cgroup2.memory.max=1048576;lxc.cgroup2.memory.swap.max=2097152;"
	       "lxc.cgroup2.cpu.max=200000 100000;");
	expect(V1_MEMORY V1_CPU, "", true, "memory: 1\nswap: 2\ncores: 2\n",
	       "lxc.cgroup.memory.limit_in_bytes=1048576;lxc.cgroup.memory.memsw.limit_in_bytes="
	       "3145728;"
	       "lxc.cgroup.cpu.cfs_period_us=100000;lxc.cgroup.cpu.cfs_quota_us=200000;");
	/* no swap accounting: said only when swap was asked for */
	expect(V1_MEMORY, "", false, "memory: 1\n", "lxc.cgroup.memory.limit_in_bytes=1048576;");
	expect(V1_MEMORY, "", false, "memory: 1\nswap: 1\n",
	       "lxc.cgroup.memory.limit_in_bytes=1048576;warning;");
	/* no controllers at all */
	expect(OTHER, "", false, "memory: 1\ncores: 2\n", "warning;warning;");
	/* all cores of the node are no limit; the smaller of cores and cpulimit counts */
	expect(V2_ONLY, "cpu memory", false, "memory: 1\nswap: 0\ncores: 8\n",
	       "lxc.cgroup2.memory.max=1048576;lxc.cgroup2.memory.swap.max=0;");
	expect(V2_ONLY, "cpu memory", false,
	       "memory: 1\nswap: 0\ncores: 4\ncpulimit: 0.5\ncpuunits: 50\n",
	       "lxc.cgroup2.memory.max=1048576;lxc.cgroup2.memory.swap.max=0;"
	       "lxc.cgroup2.cpu.max=50000 100000;lxc.cgroup2.cpu.weight=50;");
}

/* What lifts a limit is said only to a running one; processors are dealt out where there is a controller. */
static void live_limits(void **state)
{
	(void)state;
	expect(V2_ONLY, "cpu memory cpuset", false, "memory: 1\nswap: 0\ncores: 2\ncpulimit: 1\n",
	       "lxc.cgroup2.memory.max=1048576;lxc.cgroup2.memory.swap.max=0;"
	       "lxc.cgroup2.cpu.max=100000 100000;lxc.cgroup2.cpuset.cpus=0-1;");
	expect(V1_MEMORY V1_CPU V1_CPUSET, "", false, "memory: 1\ncores: 2\n",
	       "lxc.cgroup.memory.limit_in_bytes=1048576;lxc.cgroup.cpuset.cpus=0-1;");
	is_live = true;
	expect(V2_ONLY, "cpu memory", false, "memory: 1\nswap: 0\n",
	       "lxc.cgroup2.memory.max=1048576;lxc.cgroup2.memory.swap.max=0;"
	       "lxc.cgroup2.cpu.max=max 100000;lxc.cgroup2.cpu.weight=100;");
	expect(V1_CPU V1_MEMORY, "", false, "memory: 1\ncpuunits: 0\n",
	       "lxc.cgroup.memory.limit_in_bytes=1048576;lxc.cgroup.cpu.cfs_quota_us=-1;"
	       "lxc.cgroup.cpu.shares=1024;");
	is_live = false;
}

static void paths(void **state)
{
	static const struct {
		const char *mountinfo, *controllers, *groups;
		enum cgroup_controller controller;
		const char *expected;
	} cases[] = {
		{V1_MEMORY V1_CPU V2_HYBRID, "",
		 "5:memory:/lxc.payload.101\n4:cpu,cpuacct:/lxc.payload.101/init.scope\n0::/x\n",
		 CG_CPU, "/sys/fs/cgroup/cpu/lxc.payload.101"},
		{V1_MEMORY, "", "5:memory:/lab/lxc.payload.101-12/a\n", CG_MEMORY,
		 "/sys/fs/cgroup/memory/lab/lxc.payload.101-12"},
		{V2_ONLY, "memory", "0::/m.slice/lxc.payload.101/init.scope\n", CG_MEMORY,
		 "/sys/fs/cgroup/m.slice/lxc.payload.101"},
		{V2_ONLY, "", "0::/lxc.payload.101\n", CG_FREEZER,
		 "/sys/fs/cgroup/lxc.payload.101"},
		{V1_FREEZER V2_HYBRID, "", "3:freezer:/lxc.payload.101\n0::/lxc.payload.101\n",
		 CG_FREEZER, "/sys/fs/cgroup/freezer/lxc.payload.101"},
		{V2_HYBRID, "", "0::/lxc.payload.101\n", CG_FREEZER,
		 "/sys/fs/cgroup/unified/lxc.payload.101"},
		{V1_MEMORY, "", "5:memory:/lxc.payload.1011\n", CG_MEMORY, NULL},
		{V1_MEMORY, "", "5:memory:/lxc.payload.101x\n", CG_MEMORY, NULL},
		{V1_MEMORY, "", "5:memory:/user.slice\n", CG_MEMORY, NULL},
		{V1_MEMORY, "", "nonsense\n:\n", CG_MEMORY, NULL},
		{V1_MEMORY, "", "5:memory:/../../lxc.payload.101/../x\n", CG_MEMORY, NULL},
		{V2_ONLY, "", "0::/lxc.payload.101\n", CG_MEMORY, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_layout l;
		char path[256];
		bool found;

		cgroup_layout_parse(cases[i].mountinfo, cases[i].controllers, &l);
		found = cgroup_path(&l, cases[i].groups, 101, cases[i].controller, path,
				    sizeof(path));
		assert_int_equal(found, cases[i].expected != NULL);
		if (found)
			assert_string_equal(path, cases[i].expected);
	}
}

/* -- the writer, on a folder that looks like either tree ---------------------------------------- */

static char folder[] = "/tmp/lodge-cgroup-XXXXXX";

static char *file(const char *name, const char *content)
{
	char *path = xasprintf("%s/lxc.payload.101/%s", folder, name);

	if (content)
		assert_int_equal(file_write_atomic(path, content, strlen(content), 0600, NULL), 0);
	return path;
}

static void expect_file(const char *name, const char *expected)
{
	autofree char *path = file(name, NULL);
	autobuf text = BUF_INIT;

	assert_int_equal(file_read(path, 4096, &text, NULL), 0);
	assert_string_equal(buf_str(&text), expected);
}

static void tree(struct cgroup_layout *l, bool is_v2)
{
	autofree char *group = xasprintf("%s/lxc.payload.101", folder);

	*l = (struct cgroup_layout){.has_v2 = is_v2};
	for (int i = 0; i < CG_COUNT; i++) {
		l->v1[i] = !is_v2;
		l->v2[i] = is_v2 && i != CG_FREEZER;
	}
	str_copy(l->mounts[0], sizeof(l->mounts[0]), folder);
	assert_int_equal(dir_make(group, 0700, NULL), 0);
}

static void writes_v2(void **state)
{
	static const char groups[] = "0::/lxc.payload.101/init.scope\n";
	struct cgroup_layout l;
	autofields items = FIELDS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	tree(&l, true);
	free(file("memory.max", "max\n"));
	free(file("memory.current", "209715200\n"));
	free(file("memory.stat", "anon 1\ninactive_file 104857600\n"));
	free(file("cpu.max", ""));
	fields_add(&items, "lxc.cgroup2.memory.max", "134217728");
	fields_add(&items, "lxc.cgroup2.cpu.max", "50000 100000");
	assert_int_equal(cgroup_apply(&l, groups, 101, &items, &err), 0);
	expect_file("memory.max", "134217728");
	expect_file("cpu.max", "50000 100000");
	/* the kernel would kill until it is kept */
	fields_set(&items, "lxc.cgroup2.memory.max", "52428800");
	assert_int_equal(cgroup_apply(&l, groups, 101, &items, &err), -ERR_BUSY);
	assert_string_equal(err.message, "100 MiB of memory are in use");
	expect_file("memory.max", "134217728");
	/* a limit takes back nothing that was swapped out before */
	free(file("memory.swap.max", "max\n"));
	free(file("memory.swap.current", "3145728\n"));
	assert_int_equal(cgroup_swap_beyond(&l, groups, 101), 0);
	free(file("memory.swap.max", "2097152\n"));
	assert_int_equal(cgroup_swap_beyond(&l, groups, 101), 1 << 20);
	free(file("memory.events", "low 0\noom 9\noom_kill 3\n"));
	autofree char *group = xasprintf("%s/lxc.payload.101", folder);

	assert_int_equal(cgroup_oom_kills(&l, group), 3);
	free(file("cgroup.freeze", "0\n"));
	free(file("cgroup.events", "populated 1\nfrozen 1\n"));
	assert_true(cgroup_is_frozen(&l, groups, 101));
	assert_int_equal(cgroup_freeze(&l, groups, 101, true, clock_monotonic(), &err), 0);
	expect_file("cgroup.freeze", "1\n");
	/* what does not thaw is told */
	assert_int_equal(cgroup_freeze(&l, groups, 101, false, clock_monotonic(), &err),
			 -ERR_TIMEOUT);
	assert_int_equal(dir_remove_tree(group, NULL), 0);
}

static void writes_v1(void **state)
{
	static const char groups[] = "5:memory:/lxc.payload.101\n6:freezer:/lxc.payload.101\n"
				     "7:cpuset:/lxc.payload.101\n";
	struct cgroup_layout l;
	autofields items = FIELDS_INIT;
	struct err err = ERR_INIT;

	(void)state;
	tree(&l, false);
	free(file("memory.limit_in_bytes", ""));
	free(file("cpuset.cpus", ""));
	fields_add(&items, "lxc.cgroup.memory.limit_in_bytes", "67108864");
	fields_add(&items, "lxc.cgroup.cpuset.cpus", "1");
	assert_int_equal(cgroup_apply(&l, groups, 101, &items, &err), 0);
	expect_file("memory.limit_in_bytes", "67108864");
	expect_file("cpuset.cpus", "1");
	/* a group that is not there, a file that is not there; the others are written all the same */
	fields_set(&items, "lxc.cgroup.cpu.shares", "5");
	fields_set(&items, "lxc.cgroup.memory.limit_in_bytes", "33554432");
	assert_int_equal(cgroup_apply(&l, groups, 101, &items, &err), -ERR_UNAVAILABLE);
	expect_file("memory.limit_in_bytes", "33554432");
	free(file("freezer.state", "FREEZING\n"));
	assert_false(cgroup_is_frozen(&l, groups, 101));
	free(file("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"));
	autofree char *group = xasprintf("%s/lxc.payload.101", folder);

	assert_int_equal(cgroup_oom_kills(&l, group), 2);
	assert_int_equal(dir_remove_tree(group, NULL), 0);
}

static void processors(void **state)
{
	static const struct {
		const char *text, *formatted;
	} texts[] = {{"0-3,8\n", "0-3,8"}, {"", ""},	     {"5", "5"},  {"1,0", "0-1"},
		     {"3-1", NULL},	   {"0-1024", NULL}, {"x", NULL}, {"-1", NULL}};
	bool usable[CG_CPUS_MAX] = {true, true, false, true, true}, chosen[CG_CPUS_MAX];
	unsigned users[CG_CPUS_MAX] = {2, 0, 0, 1, 0};
	autobuf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		bool set[CG_CPUS_MAX];
		bool is_valid = cpuset_parse(texts[i].text, set);
		autobuf formatted = BUF_INIT;

		assert_int_equal(is_valid, texts[i].formatted != NULL);
		if (!is_valid)
			continue;
		cpuset_format(set, &formatted);
		assert_string_equal(buf_str(&formatted), texts[i].formatted);
	}
	cpuset_choose(usable, users, 3, chosen);
	cpuset_format(chosen, &out);
	assert_string_equal(buf_str(&out), "1,3-4");
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

static void common_devices(void **state)
{
	(void)state;
	assert_true(cgroup_device_is_common('c', 1, 3));
	assert_true(cgroup_device_is_common('c', 136, 0)); /* a terminal */
	assert_true(cgroup_device_is_common('c', 136, 12));
	assert_false(cgroup_device_is_common('b', 1, 3));
	assert_false(cgroup_device_is_common('c', 1, 33));
	assert_false(cgroup_device_is_common('c', 10, 229));
}

static bool allows(const struct fields *items, const char *name, const char *rule)
{
	for (size_t i = 0; i < items->count; i++)
		if (str_eq(items->items[i].name, name) && str_eq(items->items[i].value, rule))
			return true;
	return false;
}

static void devices_at_start(void **state)
{
	const struct cgroup_layout v1 = {.v1[CG_DEVICES] = true}, v2 = {.v2[CG_DEVICES] = true};
	autofields more = FIELDS_INIT, on_v1 = FIELDS_INIT, on_v2 = FIELDS_INIT;

	(void)state;
	fields_add(&more, "device", "c 10:229 rwm");
	fields_add(&more, "device", "b 7:3 rm");
	cgroup_devices(&v1, &more, &on_v1);
	assert_true(allows(&on_v1, "lxc.cgroup.devices.deny", "a"));
	assert_true(allows(&on_v1, "lxc.cgroup.devices.allow", "c 10:229 rwm"));
	assert_true(allows(&on_v1, "lxc.cgroup.devices.allow", "b 7:3 rm"));
	cgroup_devices(&v2, &more, &on_v2);
	assert_true(allows(&on_v2, "lxc.cgroup2.devices.deny", "a"));
	assert_true(allows(&on_v2, "lxc.cgroup2.devices.allow", "c 10:229 r"));
	assert_true(allows(&on_v2, "lxc.cgroup2.devices.allow", "c 10:229 rw"));
	assert_true(allows(&on_v2, "lxc.cgroup2.devices.allow", "b 7:3 r"));
	assert_false(allows(&on_v2, "lxc.cgroup2.devices.allow", "b 7:3 rw"));
	assert_false(allows(&on_v2, "lxc.cgroup2.devices.allow", "b 7:3 rm"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),     cmocka_unit_test(limits),
		cmocka_unit_test(live_limits), cmocka_unit_test(paths),
		cmocka_unit_test(writes_v2),   cmocka_unit_test(writes_v1),
		cmocka_unit_test(processors),  cmocka_unit_test(common_devices),
		cmocka_unit_test(devices_at_start),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
