/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups: what hosts offer, and the limits that follow from a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/guest/ct/cgroup.h"

#define V1_MEMORY "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
#define V1_CPU	  "31 24 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
#define V1_DEV	  "32 24 0:28 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n"
#define V2_HYBRID "33 24 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
#define V2_ONLY	  "25 20 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define OTHER	  "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

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
	cgroup_limits(&l, &config, 8, &items, &warnings);
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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(layouts), cmocka_unit_test(limits)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
