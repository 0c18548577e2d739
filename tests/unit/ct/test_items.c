/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations as liblxc items, liblxc's log as a reason, root's id ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/items.h"
#include "agent/guest/ct_check.h"
#include "agent/guest/ct/lxc_start.h"

static const struct ct_host host = {
	.cgroups = {.v2 = {[CG_MEMORY] = true, [CG_CPU] = true, [CG_DEVICES] = true},
		    .has_v2 = true},
	.idmap = {.uid = {{0, 100000, 65536}}, .gid = {{0, 200000, 65536}}, .uids = 1, .gids = 1},
	.cpus = 8,
	.hook_program = "/x/lodge-task-ct",
};

static int build(const char *text, const struct ct_host *on, struct fields *items)
{
	struct guest_config config;
	autofields warnings = FIELDS_INIT;
	int r;

	assert_int_equal(guest_config_parse(text, strlen(text), &config, NULL), 0);
	r = ct_items_build(&(struct ct_items){.config = &config,
					      .host = on,
					      .vmid = 101,
					      .rootfs = "/run/x/mnt-101",
					      .halt_signal = 37,
					      .start = "one"},
			   items, &warnings, NULL);
	guest_config_fini(&config);
	return r;
}

static bool has(const struct fields *items, const char *name, const char *value)
{
	for (size_t i = 0; i < items->count; i++)
		if (str_eq(items->items[i].name, name) && str_eq(items->items[i].value, value))
			return true;
	return false;
}

static void unprivileged(void **state)
{
	autofields items = FIELDS_INIT;

	(void)state;
	assert_int_equal(
		build("unprivileged: 1\nhostname: a\ntty: 3\n"
		      "net1: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,tag=5,mtu=1400,"
		      "type=veth\n",
		      &host, &items),
		0);
	assert_true(has(&items, "lxc.idmap", "u 0 100000 65536"));
	assert_true(has(&items, "lxc.idmap", "g 0 200000 65536"));
	assert_true(has(&items, "lxc.rootfs.options", "idmap=container"));
	assert_true(has(&items, "lxc.rootfs.path", "dir:/run/x/mnt-101"));
	assert_true(has(&items, "lxc.uts.name", "a"));
	assert_true(has(&items, "lxc.tty.max", "3"));
	assert_true(has(&items, "lxc.signal.halt", "37"));
	assert_true(has(&items, "lxc.net.1.veth.pair", "veth101i1"));
	assert_true(has(&items, "lxc.net.1.link", "vmbr0"));
	assert_true(has(&items, "lxc.net.1.veth.vlan.id", "5"));
	assert_true(has(&items, "lxc.net.1.mtu", "1400"));
	assert_true(has(&items, "lxc.hook.post-stop", "/x/lodge-task-ct hook post-stop 101"));
	assert_true(has(&items, "lxc.hook.start-host",
			"/x/lodge-task-ct hook start-host 101 37 'veth101i1' one"));
	assert_null(fields_get(&items, "lxc.cap.drop"));
	assert_null(fields_get(&items, "lxc.cgroup2.devices.deny"));
	assert_false(ct_items_name_devices(&items));
}

static void privileged(void **state)
{
	autofields items = FIELDS_INIT;

	(void)state;
	assert_int_equal(build("hostname: a\n", &host, &items), 0);
	assert_null(fields_get(&items, "lxc.idmap"));
	assert_non_null(fields_get(&items, "lxc.cap.drop"));
	assert_string_equal(fields_get(&items, "lxc.cgroup2.devices.deny"), "a");
	assert_true(ct_items_name_devices(&items));
	/* nothing would mean the host's network */
	assert_string_equal(fields_get(&items, "lxc.net.0.type"), "empty");
}

static void shell_characters(void **state)
{
	struct ct_host bad = host;
	autofields items = FIELDS_INIT;

	(void)state;
	bad.hook_program = "/x y/lodge-task-ct";
	assert_true(build("hostname: a\n", &bad, &items) < 0);
}

static void log_reasons(void **state)
{
	static const struct {
		const char *log, *expected;
	} cases[] = {
		{"", ""},
		{"lxc 101 2026 WARN conf - a.c:f:1 - no\n", ""},
		{"lxc 101 2026 ERROR    conf - a.c:f:1 - first\nlxc 101 2026 ERROR    start - "
		 "b.c:g:2 - "
		 "second - with dash\n",
		 "first; second - with dash"},
		{"x ERROR  conf\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autobuf out = BUF_INIT;

		lxc_log_reason(cases[i].log, &out);
		assert_string_equal(buf_str(&out), cases[i].expected);
	}
}

static void features(void **state)
{
	static const char config[] = "unprivileged: 1\nhostname: a\n"
				     "features: nesting=1,fuse=1,force_rw_sys=1\n"
				     "entrypoint: /bin/run --all\nenv: A=1 2\\0B=3\n"
				     "lxc.prlimit.nofile: 100\nlxc.idmap: u 0 1 2\n";
	autofields items = FIELDS_INIT;

	(void)state;
	assert_int_equal(build(config, &host, &items), 0);
	assert_true(has(&items, "lxc.mount.auto", "proc:mixed sys:rw cgroup:mixed"));
	assert_true(
		has(&items, "lxc.mount.entry", "proc dev/.lxc/proc proc create=dir,optional 0 0"));
	/* the node's configfs stays its own */
	assert_true(has(&items, "lxc.mount.entry",
			"none sys/kernel/config tmpfs "
			"ro,nosuid,nodev,noexec,size=4k,mode=755,optional 0 0"));
	assert_true(has(&items, "lxc.init.cmd", "/bin/run --all"));
	assert_true(has(&items, "lxc.environment", "A=1 2"));
	assert_true(has(&items, "lxc.environment", "B=3"));
	assert_true(has(&items, "lxc.prlimit.nofile", "100"));
	assert_false(has(&items, "lxc.idmap",
			 "u 0 1 2")); /* only what was checked against root's ranges */
	assert_null(fields_get(&items, "lxc.cgroup2.devices.deny"));
}

/* What nobody inside sets up, liblxc does; DHCP it cannot. */
static void host_managed(void **state)
{
	static const char config[] =
		"hostname: a\n"
		"net0: name=eth0,bridge=b,ip=10.1.2.3/24,gw=10.1.2.1,host-managed=1\n"
		"net1: name=eth1,bridge=b,ip=10.1.3.3/24,gw=10.1.3.1\n"
		"net2: name=eth2,bridge=b,ip=dhcp,ip6=fd00::2/64,host-managed=1\n";
	autofields items = FIELDS_INIT;

	(void)state;
	assert_int_equal(build(config, &host, &items), 0);
	assert_true(has(&items, "lxc.net.0.ipv4.address", "10.1.2.3/24"));
	assert_true(has(&items, "lxc.net.0.ipv4.gateway", "10.1.2.1"));
	assert_null(fields_get(&items, "lxc.net.1.ipv4.address"));
	assert_null(fields_get(&items, "lxc.net.2.ipv4.address"));
	assert_true(has(&items, "lxc.net.2.ipv6.address", "fd00::2/64"));
}

static void privileged_features(void **state)
{
	struct ct_host armoured = host;
	autofields items = FIELDS_INIT;

	(void)state;
	armoured.has_apparmor = true;
	assert_int_equal(build("hostname: a\nfeatures: fuse=1,mount=nfs;cifs\n", &armoured, &items),
			 0);
	assert_true(has(&items, "lxc.apparmor.raw", "mount fstype=fuse.*,"));
	assert_true(has(&items, "lxc.apparmor.raw", "mount fstype=nfs,"));
	assert_true(has(&items, "lxc.apparmor.raw", "mount fstype=cifs,"));
}

/* Configurations may have it from before: the container decides where its links lead. */
static void working_folder(void **state)
{
	autofields items = FIELDS_INIT;
	struct err err = ERR_INIT;
	struct guest_config config;
	const char text[] = "hostname: a\nlxc.init.cwd: /proc/self/fd/11\nlxc.init.uid: 7\n";

	(void)state;
	assert_int_equal(build(text, &host, &items), 0);
	assert_null(fields_get(&items, "lxc.init.cwd"));
	assert_true(has(&items, "lxc.init.uid", "7"));
	assert_int_equal(guest_config_parse(text, strlen(text), &config, NULL), 0);
	assert_int_equal(ct_config_check(&config, &err), 0);
	assert_int_equal(ct_raw_set(&config, "lxc.init.cwd = /srv", &err), -ERR_INVALID);
	guest_config_fini(&config);
}

static void seccomp_profiles(void **state)
{
	static const char base[] = "2\ndenylist\n[all]\nx errno 1";
	static const char subvolumes[] =
		"ioctl errno 25 [1,1342215182,SCMP_CMP_MASKED_EQ,4294967295]\n"
		"ioctl errno 25 [1,1342215192,SCMP_CMP_MASKED_EQ,4294967295]\n"
		"ioctl errno 25 [1,1342215169,SCMP_CMP_MASKED_EQ,4294967295]\n"
		"ioctl errno 25 [1,1342215191,SCMP_CMP_MASKED_EQ,4294967295]\n";
	static const struct {
		struct ct_features features;
		bool is_unprivileged, changes, has_keyctl, has_subvolumes;
	} cases[] = {
		{{.nesting = true, .keyctl = true}, true, false, true, true},
		{{.nesting = true}, false, false, true, true},
		{{.nesting = true}, true, true, false, true},
		{{.keyctl = true}, true, true, true, false},
		{{0}, false, true, true, false},
		{{0}, true, true, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *expected =
			xasprintf("%s\n%s%s", base, cases[i].has_keyctl ? "" : "keyctl errno 38\n",
				  cases[i].has_subvolumes ? "" : subvolumes);
		autobuf out = BUF_INIT;

		ct_seccomp_text(base, &cases[i].features, cases[i].is_unprivileged, &out);
		assert_string_equal(buf_str(&out), cases[i].changes ? expected : "");
	}
}

static void id_maps(void **state)
{
	static const char files[] = "joe:1:9\nroot:100000:65536\nroot:1000:1\n";
	static const struct {
		const char *config, *message; /* message "": fine, NULL: none are there */
	} cases[] = {
		{"hostname: a\n", NULL},
		{"lxc.idmap: u 0 100000 1000\nlxc.idmap = u 1000 1000 1\n"
		 "lxc.idmap: u 1001 101001 64535\nlxc.idmap: g 0 100000 65536\n",
		 ""},
		{"lxc.idmap: u 0 100000 10\n", "lxc.idmap: user 0 and group 0 need a range, too"},
		{"lxc.idmap: u 0 0 1\n",
		 "lxc.idmap: 'u 0 0 1': /etc/subuid does not give these ids to root; add the line "
		 "'root:0:1'"},
		{"lxc.idmap: g 0 100000 65537\n",
		 "lxc.idmap: 'g 0 100000 65537': /etc/subgid does not give these ids to root; add "
		 "the line 'root:100000:65537'"},
		{"lxc.idmap: u 0 100000 10\nlxc.idmap: u 5 100100 10\n",
		 "lxc.idmap: 'u 5 100100 10' overlaps another range"},
		{"lxc.idmap: u 0 100000 10\nlxc.idmap: u 50 100009 10\n",
		 "lxc.idmap: 'u 50 100009 10' overlaps another range"},
		{"lxc.idmap: x 0 100000 10\n",
		 "lxc.idmap: 'x 0 100000 10' is not 'u|g INSIDE OUTSIDE COUNT'"},
		{"lxc.idmap: u 0 100000 0\n",
		 "lxc.idmap: 'u 0 100000 0' is not 'u|g INSIDE OUTSIDE COUNT'"},
		{"lxc.idmap: u 0 4294967295 65536\n",
		 "lxc.idmap: 'u 0 4294967295 65536' is not 'u|g INSIDE OUTSIDE COUNT'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guest_config config;
		struct ct_idmap map = {0};
		struct err err = ERR_INIT;
		int r;

		assert_int_equal(
			guest_config_parse(cases[i].config, strlen(cases[i].config), &config, NULL),
			0);
		r = ct_idmap_parse(&config, files, files, &map, &err);
		guest_config_fini(&config);
		if (!cases[i].message) {
			assert_int_equal(r, 0);
		} else if (!*cases[i].message) {
			uint32_t id;

			assert_int_equal(r, 1);
			assert_true(ct_idmap_host(map.uid, map.uids, 1000, &id));
			assert_int_equal(id, 1000);
			assert_true(ct_idmap_host(map.uid, map.uids, 1001, &id));
			assert_int_equal(id, 101001);
			assert_false(ct_idmap_host(map.uid, map.uids, 65536, &id));
		} else {
			assert_int_equal(r, -ERR_INVALID);
			assert_string_equal(err.field, "lxc");
			assert_string_equal(err.message, cases[i].message);
		}
	}
}

static void id_ranges(void **state)
{
	static const struct {
		const char *text;
		uint32_t expected;
	} cases[] = {
		{"", 0},
		{"root:100000:65536\n", 100000},
		{"user:100000:65536\n0:200000:65536\n", 200000},
		{"root:100000:1000\nroot:300000:70000\n", 300000},
		{"root:0:65536\n", 0},
		{"root:4294967295:65536\n", 0},
		{"root:x:65536\nroot:1\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(ct_subid_find(cases[i].text), cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unprivileged),	    cmocka_unit_test(privileged),
		cmocka_unit_test(shell_characters), cmocka_unit_test(log_reasons),
		cmocka_unit_test(id_ranges),	    cmocka_unit_test(features),
		cmocka_unit_test(host_managed),	    cmocka_unit_test(privileged_features),
		cmocka_unit_test(seccomp_profiles), cmocka_unit_test(id_maps),
		cmocka_unit_test(working_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
