/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of /proc and of both cgroup versions, as kernels write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/monitor/proc.h"

static void values(void **state)
{
	(void)state;
	assert_int_equal(proc_value("MemTotal:       24 kB\nMemFree:  7 kB\n", "MemFree"), 7);
	assert_int_equal(proc_value("usage_usec 55\nuser_usec 40\n", "usage_usec"), 55);
	assert_int_equal(proc_value("MemTotalX: 3\n", "MemTotal"), 0);
	assert_int_equal(proc_value("", "x"), 0);
}

static void network_counts_all_but_loopback(void **state)
{
	static const char text[] =
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		"packets\n"
		"    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
		"  eth0: 100 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"
		"  eth1:7 1 0 0 0 0 0 0 3 1 0 0 0 0 0 0\n";
	uint64_t in, out;

	(void)state;
	proc_net_bytes(text, &in, &out);
	assert_int_equal(in, 107);
	assert_int_equal(out, 23);
}

static void cpu_ticks(void **state)
{
	struct proc_cpu cpu;

	(void)state;
	assert_true(proc_cpu_ticks("cpu  10 1 5 100 20 0 2 3 0 0\ncpu0 1 1 1 1\n", &cpu));
	assert_int_equal(cpu.busy, 21);
	assert_int_equal(cpu.idle, 100);
	assert_int_equal(cpu.wait, 20);
	assert_false(proc_cpu_ticks("intr 1 2 3", &cpu));
}

static void cpu_shares(void **state)
{
	static const struct {
		struct proc_cpu last, now;
		bool is_known;
		double busy, wait;
	} cases[] = {
		{{100, 800, 100}, {130, 860, 110}, true, 0.3, 0.1},
		/* iowait goes back */
		{{100, 800, 100}, {150, 850, 90}, true, 0.5, 0},
		/* idle does */
		{{100, 800, 100}, {175, 790, 125}, true, 0.75, 0.25},
		/* by more than anything else grew */
		{{100, 800, 100}, {150, 850, 0}, true, 0.5, 0},
		{{100, 800, 100}, {110, 700, 0}, true, 1, 0},
		{{100, 800, 100}, {100, 790, 100}, false, 0, 0},
		{{100, 800, 100}, {100, 800, 100}, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double busy = 0, wait = 0;

		assert_int_equal(proc_cpu_shares(&cases[i].last, &cases[i].now, &busy, &wait),
				 cases[i].is_known);
		assert_float_equal(busy, cases[i].busy, 1e-9);
		assert_float_equal(wait, cases[i].wait, 1e-9);
	}
}

static void io_of_both_versions(void **state)
{
	uint64_t in, out;

	(void)state;
	proc_io_bytes("7:0 Read 10\n7:0 Write 4\n7:1 Read 5\nTotal 19\n", &in, &out);
	assert_int_equal(in, 15);
	assert_int_equal(out, 4);
	proc_io_bytes("7:0 rbytes=10 wbytes=4 rios=1\n8:0 rbytes=1 wbytes=2 rios=3\n", &in, &out);
	assert_int_equal(in, 11);
	assert_int_equal(out, 6);
}

static void the_guests_own_cgroup(void **state)
{
	static const char v1[] = "5:memory:/lxc.payload.101/init.scope\n"
				 "4:cpu,cpuacct:/nodes/a/lxc.payload.101\n"
				 "0::/lxc.payload.101/init.scope\n";
	autofree char *memory = proc_cgroup(v1, "memory"), *cpuacct = proc_cgroup(v1, "cpuacct"),
		      *unified = proc_cgroup(v1, "");

	(void)state;
	assert_string_equal(memory, "/lxc.payload.101");
	assert_string_equal(cpuacct, "/nodes/a/lxc.payload.101");
	assert_string_equal(unified, "/lxc.payload.101");
	assert_null(proc_cgroup(v1, "blkio"));
	assert_null(proc_cgroup("0::/user.slice\n5:memory:/lxc.payload.1\n", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(network_counts_all_but_loopback),
		cmocka_unit_test(cpu_ticks),
		cmocka_unit_test(cpu_shares),
		cmocka_unit_test(io_of_both_versions),
		cmocka_unit_test(the_guests_own_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
