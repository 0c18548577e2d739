/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers' keys: every table entry is usable, values and bounds, interfaces, root volumes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/guest/ct_schema.h"
#include "agent/guest/guest.h"
#include "tests/unit/guest/guest_test.h"

struct value_case {
	const char *key, *value;
	bool is_valid;
};

static const struct value_case value_cases[] = {
	{"arch", "amd64", true},
	{"arch", "sparc", false},
	{"console", "1", true},
	{"console", "2", false},
	{"cores", "1", true},
	{"cores", "8192", true},
	{"cores", "0", false},
	{"cores", "8193", false},
	{"cores", "two", false},
	{"cpulimit", "0.5", true},
	{"cpulimit", "-1", false},
	{"cpuunits", "1024", true},
	{"cpuunits", "500001", false},
	{"description", "any \xc3\xa4\ntext", true},
	{"hostname", "web-1", true},
	{"hostname", "web.example.org", true},
	{"hostname", "-web", false},
	{"hostname", "a b", false},
	{"hostname", "a/b", false},
	{"lock", "create", true},
	{"lock", "mine", false},
	{"memory", "16", true},
	{"memory", "15", false},
	{"memory", "4398046511105", false},
	{"nameserver", "10.0.0.1 2001:db8::1", true},
	{"nameserver", "10.0.0.1,10.0.0.2", true},
	{"nameserver", "dns.example.org", false},
	{"net0", "name=eth0,bridge=vmbr0,ip=dhcp", true},
	{"net31", "name=eth0,bridge=vmbr0,ip=10.0.0.5/24,gw=10.0.0.1,tag=4094,mtu=1500", true},
	{"net0", "name=eth0,bridge=vmbr0,ip6=auto,firewall=1,link_down=0,type=veth", true},
	{"net0", "name=eth0,hwaddr=BC:24:11:00:00:01", true},
	{"net0", "bridge=vmbr0", false},
	{"net0", "name=eth0,bridge=vmbr0,ip=10.0.0.5", false},
	{"net0", "name=eth0,bridge=vmbr0,tag=4095", false},
	{"net0", "name=eth0,bridge=vmbr0,mtu=63", false},
	{"net0", "name=an-overlong-name,bridge=vmbr0", false},
	{"net0", "name=eth/0,bridge=vmbr0", false},
	{"net0", "name=eth0,bridge=vmbr0,hwaddr=nonsense", false},
	{"net0", "name=eth0,rate=10.5,trunks=5;7,host-managed=1", true},
	{"net0", "name=eth0,rate=-1", false},
	{"net0", "name=eth0,rate=10241", false},
	{"net0", "name=eth0,trunks=5,7", false},
	{"net0", "name=eth0,type=macvlan", false},
	{"net0", "name=eth0,name=eth1", false},
	{"onboot", "1", true},
	{"ostype", "debian", true},
	{"ostype", "windows", false},
	{"rootfs", "local:8", true},
	{"rootfs", "8", true},
	{"rootfs", "local:101/vm-101-disk-0.raw,size=8G,ro=1", true},
	{"rootfs", "volume=local:8", true},
	{"rootfs", "/dev/sda", false},
	{"rootfs", "local:8,acl=1,quota=0,replicate=0,shared=1,mountoptions=noatime;discard", true},
	{"rootfs", "local:8,acl=2", false},
	{"rootfs", "local:8,mountoptions=sync", false},
	{"rootfs", "local:8,mp=/a", false},
	{"mp0", "local:8,mp=/srv/data", true},
	{"mp255", "/srv/shared,mp=/mnt/x y,ro=1,backup=1", true},
	{"mp0",
	 "local:101/vm-101-disk-1.raw,mp=/a,mountoptions=nosuid;nodev;noexec;lazytime,size=8G",
	 true},
	{"mp0", "local:8", false},
	{"mp0", "local:8,mp=a", false},
	{"mp0", "local:8,mp=/a/../b", false},
	{"mp0", "local:8,mp=local:8", false},
	{"mp0", "local:8,mp=/a,mountoptions=rw", false},
	{"mp0", "local:8,mp=/a,colour=red", false},
	{"dev0", "/dev/fuse", true},
	{"dev255", "path=/dev/net/tun,uid=1,gid=4294967294,mode=0660,deny-write=1", true},
	{"dev0", "/etc/passwd", false},
	{"dev0", "/dev/../etc/passwd", false},
	{"dev0", "/dev/fuse,mode=660", false},
	{"dev0", "/dev/fuse,uid=-1", false},
	{"features", "nesting=1,keyctl=0,fuse=1,mknod=0,mount=nfs;cifs,force_rw_sys=0", true},
	{"features", "nesting=2", false},
	{"features", "flying=1", false},
	{"features", "mount=nfs/cifs", false},
	{"entrypoint", "/sbin/init --x", true},
	{"entrypoint", "a\nb", false},
	{"env", "A=1", true},
	{"env", "A", false},
	{"hookscript", "local:snippets/a.sh", true},
	{"hookscript", "a.sh", false},
	{"timezone", "Europe/Berlin", true},
	{"timezone", "host", true},
	{"timezone", "/etc/passwd", false},
	{"timezone", "a b", false},
	{"protection", "1", true},
	{"protection", "maybe", false},
	{"template", "1", true},
	{"debug", "0", true},
	{"unused0", "local:101/vm-101-disk-1.raw", true},
	{"unused0", "x", false},
	{"rootfs", "size=8G", false},
	{"searchdomain", "example.org", true},
	{"searchdomain", "exa mple.org/", false},
	{"startup", "order=1,up=30,down=60", true},
	{"startup", "2", true},
	{"startup", "later", false},
	{"swap", "0", true},
	{"swap", "-1", false},
	{"tags", "a;b-2", true},
	{"tags", "a b!", false},
	{"tty", "6", true},
	{"tty", "7", false},
	{"unprivileged", "0", true},
};

static void checks_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(value_cases); i++) {
		const struct value_case *c = &value_cases[i];
		const struct param *p = param_find(ct_config_params, c->key);
		struct err err = ERR_INIT;

		assert_non_null(p);
		if ((param_check(p, c->key, c->value, &err) == 0) != c->is_valid)
			fail_msg("%s=%s: %s", c->key, c->value, err.message);
		if (!c->is_valid)
			assert_string_equal(err.field, c->key);
	}
}

static void only_honoured_keys_are_known(void **state)
{
	(void)state;
	static const char *const unknown[] = {"feature", "mp256",   "net32",	 "net",
					      "netx",	 "rootfs0", "vmid",	 "mp00",
					      "dev256",	 "dev",	    "unused256", "mp"};

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		assert_null(param_find(ct_config_params, unknown[i]));
}

static void reads_interfaces_in_order(void **state)
{
	(void)state;
	struct guest_config config;
	struct err err = ERR_INIT;
	autofree struct ct_net *nets = NULL;
	size_t count = 0;

	config_from("net10: name=b,bridge=vmbr1,ip6=auto,tag=7\n"
		    "net2: name=a,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.0.0.5/24,gw=10.0.0.1,"
		    "mtu=1400,link_down=1\n",
		    &config);
	assert_int_equal(ct_config_nets(&config, &nets, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(nets[0].index, 2);
	assert_string_equal(nets[0].name, "a");
	assert_string_equal(nets[0].hwaddr, "BC:24:11:00:00:01");
	assert_string_equal(nets[0].ip, "10.0.0.5/24");
	assert_string_equal(nets[0].gw, "10.0.0.1");
	assert_int_equal(nets[0].mtu, 1400);
	assert_true(nets[0].link_down);
	assert_false(nets[0].firewall);
	assert_int_equal(nets[1].index, 10);
	assert_string_equal(nets[1].bridge, "vmbr1");
	assert_string_equal(nets[1].ip6, "auto");
	assert_int_equal(nets[1].tag, 7);
	guest_config_fini(&config);
}

static void refuses_bad_stored_interfaces(void **state)
{
	(void)state;
	struct guest_config config;
	struct err err = ERR_INIT;
	struct ct_net *nets = (void *)1;
	size_t count = 9;

	config_from("net0: name=eth0,bridge=a/b\n", &config);
	assert_int_equal(ct_config_nets(&config, &nets, &count, &err), -ERR_INVALID);
	assert_string_equal(err.field, "net0");
	assert_ptr_equal(nets, (void *)1);
	guest_config_fini(&config);
}

struct rootfs_case {
	const char *text, *storage;
	const char *ret_storage; /* NULL: refused */
	uint64_t mib;
	bool read_only;
};

static const struct rootfs_case rootfs_cases[] = {
	{NULL, "local", "local", 4096, false},
	{"local:8", "other", "local", 8192, false},
	{"8", "other", "other", 8192, false},
	{"local:0.5,ro=1", "local", "local", 512, true},
	{"local:0", "local", NULL, 0, false},
	{"local:0.01", "local", NULL, 0, false},
	{"local:131073", "local", NULL, 0, false},
	{"local:1e300", "local", NULL, 0, false},
	{"local:101/vm-101-disk-0.raw", "local", NULL, 0, false},
	{"local:", "local", NULL, 0, false},
};

static void reads_requests_for_root_volumes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rootfs_cases); i++) {
		const struct rootfs_case *c = &rootfs_cases[i];
		struct ct_rootfs_request request = {.size = 77};
		struct err err = ERR_INIT;
		int r = ct_rootfs_request_parse(c->text, c->storage, &request, &err);

		if ((r == 0) != (c->ret_storage != NULL))
			fail_msg("%s: %s", c->text, err.message);
		if (r < 0) {
			assert_string_equal(err.field, "rootfs");
			assert_int_equal(request.size, 77);
			continue;
		}
		assert_string_equal(request.storage, c->ret_storage);
		assert_int_equal(request.size, c->mib << 20);
		assert_int_equal(request.read_only, c->read_only);
	}
}

static void reads_and_writes_root_volumes(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"local:101/vm-101-disk-0.raw,size=8G", "local:101/vm-101-disk-0.raw,ro=1,size=512M",
		"local:101/vm-101-disk-0.raw", "local:101/x,size=1T", "local:101/x,size=1025"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct guest_config config;
		struct ct_rootfs rootfs;
		struct err err = ERR_INIT;
		autobuf out = BUF_INIT;

		guest_config_init(&config);
		guest_config_set(&config, "rootfs", texts[i]);
		assert_int_equal(ct_config_rootfs(&config, &rootfs, &err), 0);
		ct_rootfs_format(&rootfs, &out);
		assert_string_equal(buf_str(&out), texts[i]);
		guest_config_fini(&config);
	}
}

static void completes_a_new_container(void **state)
{
	(void)state;
	struct guest_config config;
	struct err err = ERR_INIT;
	autofree struct ct_net *nets = NULL;
	size_t count = 0;

	config_from("cores: 1\nnet0: name=eth0,bridge=vmbr0\n"
		    "net1: name=eth1,bridge=vmbr0,hwaddr=BC:24:11:00:00:01\n",
		    &config);
	assert_int_equal(ct_config_complete(&config, 101, &err), 0);
	assert_string_equal(guest_config_get(&config, "hostname"), "CT101");
	assert_string_equal(guest_config_get(&config, "memory"), "512");
	assert_string_equal(guest_config_get(&config, "swap"), "512");
	assert_non_null(guest_config_get(&config, "arch"));
	assert_int_equal(ct_config_nets(&config, &nets, &count, &err), 0);
	assert_true(str_starts(nets[0].hwaddr, "BC:24:11:"));
	assert_int_equal(strlen(nets[0].hwaddr), 17);
	assert_string_equal(nets[1].hwaddr, "BC:24:11:00:00:01");
	guest_config_fini(&config);
}

struct check_case {
	const char *text, *field, *message;
};

static const struct check_case check_cases[] = {
	{"net0: name=eth0\n", "net0", "bridge: property is missing and it is not optional"},
	{"net0: name=lo,bridge=b\n", "net0", "name: 'lo' cannot be used"},
	{"net0: name=eth0,bridge=b\nnet3: name=eth0,bridge=b\n", "net3",
	 "name: net0 is called 'eth0' already"},
	{"net0: name=a,bridge=b,hwaddr=BC:24:11:00:00:0a\n"
	 "net1: name=c,bridge=b,hwaddr=BC:24:11:00:00:0A\n",
	 "net1", "hwaddr: net0 has 'BC:24:11:00:00:0A' already"},
};

static void checks_that_keys_fit_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(check_cases); i++) {
		struct guest_config config;
		struct err err = ERR_INIT;

		config_from(check_cases[i].text, &config);
		assert_int_equal(guest_kind_ct.check(&config, &err), -ERR_INVALID);
		assert_string_equal(err.field, check_cases[i].field);
		assert_string_equal(err.message, check_cases[i].message);
		guest_config_fini(&config);
	}
}

static void finds_kinds_and_privileges(void **state)
{
	(void)state;
	assert_ptr_equal(guest_kind_by_route("/nodes/{node}/lxc"), &guest_kind_ct);
	assert_ptr_equal(guest_kind_by_route("/nodes/{node}/lxc/{vmid}/config"), &guest_kind_ct);
	assert_null(guest_kind_by_route("/nodes/{node}/lxcfs"));
	assert_null(guest_kind_by_route("/cluster/resources"));
	assert_string_equal(guest_key_privilege(&guest_kind_ct, "cores"), "VM.Config.CPU");
	assert_string_equal(guest_key_privilege(&guest_kind_ct, "swap"), "VM.Config.Memory");
	assert_string_equal(guest_key_privilege(&guest_kind_ct, "net12"), "VM.Config.Network");
	assert_string_equal(guest_key_privilege(&guest_kind_ct, "rootfs"), "VM.Config.Disk");
	assert_string_equal(guest_key_privilege(&guest_kind_ct, "onboot"), "VM.Config.Options");
	assert_string_equal(guest_key_privilege(&guest_kind_ct, "netx"), "VM.Config.Options");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_values),
		cmocka_unit_test(only_honoured_keys_are_known),
		cmocka_unit_test(reads_interfaces_in_order),
		cmocka_unit_test(refuses_bad_stored_interfaces),
		cmocka_unit_test(reads_requests_for_root_volumes),
		cmocka_unit_test(reads_and_writes_root_volumes),
		cmocka_unit_test(completes_a_new_container),
		cmocka_unit_test(checks_that_keys_fit_together),
		cmocka_unit_test(finds_kinds_and_privileges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
