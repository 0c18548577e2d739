/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest joins a bridge or a VLAN by the right to use that, whichever way it comes there; where it is it stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api/lxc_test.h"

#define CT	GUEST
#define VM	"/nodes/n1/qemu/201"
#define ZONE	"/sdn/zones/localnetwork/"
#define VM_TEXT "memory: 256\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0\n"

static int open_bridges(void **state)
{
	autofree char *path = NULL;
	static const char script[] = "#!/bin/sh\nset -C\ncat > \"${0%/*}/args-$1\"\n";

	if (open_core(state) < 0)
		return -1;
	path = path_join(folder, "lodge-task-vm");
	return file_write_atomic(path, script, strlen(script), 0755, NULL);
}

/* acl: lines of joe's, beside those on guests and storages. */
static void allow(const char *acl)
{
	autofree char *text = xasprintf("user:joe@pve:1:0::::\nacl:/vms:user:joe@pve:PVEVMAdmin:1\n"
					"acl:/storage:user:joe@pve:PVEDatastoreUser:1\n%s",
					acl);

	put("/user.cfg", text);
}

static void put_guests(void)
{
	put("/nodes/n1/lxc/101.conf", STOPPED_CONFIG);
	put("/nodes/n1/qemu/201.conf", VM_TEXT);
	take_fact("stopped", NULL);
}

#define USE(where)	 "acl:" ZONE where ":user:joe@pve:PVESDNUser:1\n"
#define USE_ALONE(where) "acl:" ZONE where ":user:joe@pve:PVESDNUser:0\n"

static const struct {
	const char *acl, *verb, *path, *params;
	const char *missing; /* below ZONE; NULL: it is allowed */
} cases[] = {
	/* as it is, and what is no bridge */
	{"", "PUT", CT "/config", "net0=name=eth1,bridge=vmbr0,ip=dhcp", NULL},
	{"", "PUT", CT "/config", "memory=256", NULL},
	{"", "PUT", CT "/config", "delete=net0", NULL},
	{"", "PUT", VM "/config", "net0=e1000,bridge=vmbr0,link_down=1", NULL},
	/* another one */
	{"", "PUT", CT "/config", "net0=name=eth0,bridge=vmbr1", "vmbr1"},
	{"", "PUT", CT "/config", "net1=name=eth1,bridge=vmbr0", "vmbr0"},
	{"", "PUT", VM "/config", "net0=virtio,bridge=vmbr1", "vmbr1"},
	{"", "POST", VM "/config", "net1=virtio,bridge=vmbr0", "vmbr0"},
	{USE("vmbr0"), "PUT", VM "/config", "net0=virtio,bridge=vmbr1", "vmbr1"},
	{USE("vmbr1"), "PUT", VM "/config", "net0=virtio,bridge=vmbr1", NULL},
	{USE("vmbr1"), "PUT", CT "/config", "net0=name=eth0,bridge=vmbr1", NULL},
	{"acl:/sdn:user:joe@pve:PVESDNUser:1\n", "PUT", CT "/config", "net1=name=eth1,bridge=vmbr7",
	 NULL},
	{"acl:/sdn:user:joe@pve:PVEAuditor:1\n", "PUT", CT "/config", "net1=name=eth1,bridge=vmbr7",
	 "vmbr7"},
	/* VLANs */
	{"", "PUT", CT "/config", "net0=name=eth0,bridge=vmbr0,tag=5", "vmbr0/5"},
	{USE("vmbr0"), "PUT", CT "/config", "net0=name=eth0,bridge=vmbr0,tag=5", NULL},
	{USE_ALONE("vmbr0"), "PUT", CT "/config", "net0=name=eth0,bridge=vmbr0,tag=5", "vmbr0/5"},
	{USE("vmbr0/5"), "PUT", CT "/config", "net0=name=eth0,bridge=vmbr0,tag=5", NULL},
	{USE("vmbr0/5"), "PUT", CT "/config", "net0=name=eth0,bridge=vmbr0,tag=6", "vmbr0/6"},
	{USE("vmbr0/5"), "PUT", CT "/config", "net0=name=eth0,bridge=vmbr0,tag=5,trunks=5;007",
	 "vmbr0/7"},
	{USE("vmbr0/5") USE("vmbr0/7"), "PUT", CT "/config",
	 "net0=name=eth0,bridge=vmbr0,tag=5,trunks=5;007", NULL},
	{USE("vmbr1/5"), "PUT", CT "/config", "net0=name=eth0,bridge=vmbr1,trunks=5", "vmbr1"},
	/* a new guest, and a copy */
	{"", "POST", "/nodes/n1/lxc", TEMPLATE "|vmid=102|net0=name=eth0,bridge=vmbr0", "vmbr0"},
	{"", "POST", "/nodes/n1/qemu", "vmid=202|net0=virtio,bridge=vmbr0", "vmbr0"},
	{USE("vmbr0"), "POST", "/nodes/n1/qemu", "vmid=202|net0=virtio,bridge=vmbr0", NULL},
	{"", "POST", "/nodes/n1/qemu", "vmid=202", NULL},
	{"", "POST", CT "/clone", "newid=102|full=1", "vmbr0"},
	{"", "POST", VM "/clone", "newid=202|full=1", "vmbr0"},
	{USE("vmbr0"), "POST", VM "/clone", "newid=202|full=1", NULL},
};

static void check_answer(const char *what, const char *missing, unsigned status, const char *body)
{
	autofree char *refusal = xasprintf(
		"{\"data\":null,\"message\":\"Permission check failed (" ZONE "%s, SDN.Use)\\n\"}",
		missing ?: "");

	if (missing ? status != 403 || !str_eq(body, refusal) : status != 200)
		fail_msg("%s: %u %s, not %s", what, status, body, missing ?: "allowed");
	if (status == 200 && strstr(body, "UPID"))
		wait_for_job(body);
}

static void drop(const char *path)
{
	struct store_value value;

	if (store_get(core.store, path, &value))
		store_op(STORE_DELETE, path, "");
}

static void drop_args(void)
{
	static const char *const types[] = {"qmconfig", "qmclone", "qmcreate", "vzclone",
					    "vzcreate"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		autofree char *args = path_join(folder, "args-%s", types[i]);

		(void)file_remove(args, NULL);
	}
}

static void each_way_to_a_bridge(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *what =
			xasprintf("case %zu: %s %s", i, cases[i].path, cases[i].params);
		unsigned status;

		put_guests();
		allow(cases[i].acl);
		autobuf answer =
			ask_as("joe@pve", cases[i].verb, cases[i].path, cases[i].params, &status);

		check_answer(what, cases[i].missing, status, buf_str(&answer));
		drop_args();
		drop("/nodes/n1/lxc/102.conf");
		drop("/nodes/n1/qemu/202.conf");
	}
}

/* What somebody with the right lets wait for the next start stands as well. */
static void a_waiting_bridge_stands(void **state)
{
	unsigned status;

	(void)state;
	put("/nodes/n1/qemu/201.conf",
	    VM_TEXT "\n[PENDING]\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr1\n");
	allow("");
	autobuf same = ask_as("joe@pve", "PUT", VM "/config", "net0=e1000,bridge=vmbr1", &status);
	check_answer("the same", NULL, status, buf_str(&same));
	autobuf other = ask_as("joe@pve", "PUT", VM "/config", "net0=e1000,bridge=vmbr2", &status);
	check_answer("another", "vmbr2", status, buf_str(&other));
}

static void a_rollback_joins_none(void **state)
{
	static const char here[] =
		STOPPED_CONFIG "\n[s1]\n" STOPPED_CONFIG "snaptime: 1700000000\n";
	static const char there[] =
		STOPPED_CONFIG "\n[s1]\narch: amd64\nhostname: web\nmemory: 512\n"
			       "net0: name=eth0,bridge=vmbr1,hwaddr=BC:24:11:00:00:01\n"
			       "rootfs: local:101/vm-101-disk-0.raw,size=8G\nsnaptime: "
			       "1700000000\nunprivileged: 1\n";
	unsigned status;

	(void)state;
	put("/nodes/n1/lxc/101.conf", there);
	allow("");
	autobuf no = ask_as("joe@pve", "POST", CT "/snapshot/s1/rollback", NULL, &status);
	check_answer("to vmbr1", "vmbr1", status, buf_str(&no));
	allow(USE("vmbr1"));
	autobuf may = ask_as("joe@pve", "POST", CT "/snapshot/s1/rollback", NULL, &status);
	check_answer("to vmbr1 with the right", NULL, status, buf_str(&may));
	put("/nodes/n1/lxc/101.conf", here);
	allow("");
	autofree char *args = path_join(folder, "args-vzrollback");
	(void)file_remove(args, NULL);
	autobuf same = ask_as("joe@pve", "POST", CT "/snapshot/s1/rollback", NULL, &status);
	check_answer("to the same", NULL, status, buf_str(&same));
}

/* ---- what is shown to choose from ---- */

#define BRIDGE(name) "{\"iface\":\"" name "\",\"type\":\"bridge\",\"address\":\"192.0.2.1\"}"
#define ETH	     "{\"iface\":\"eth0\",\"type\":\"eth\"}"

static void answer_list(void)
{
	autofree char *program = path_join(folder, "lodge-task");
	autofree char *text = path_join(folder, "net-list");
	autofree char *script = xasprintf("#!/bin/sh\nexec cat %s\n", text);
	autofields answer = FIELDS_INIT;
	autobuf encoded = BUF_INIT;

	fields_add(&answer, "data", "[" ETH "," BRIDGE("vmbr0") "," BRIDGE("vmbr1") "]");
	fields_encode(&answer, &encoded);
	assert_int_equal(file_write_atomic(text, encoded.data, encoded.size, 0644, NULL), 0);
	assert_int_equal(file_write_atomic(program, script, strlen(script), 0755, NULL), 0);
}

static void lists_what_one_may_use(void **state)
{
	static const struct {
		const char *acl, *params, *list;
	} shown[] = {
		{"", "type=any_bridge", ETH},
		{"", "type=any_local_bridge", ETH},
		{"", "type=include_sdn", ETH},
		{"", "type=bridge", ETH "," BRIDGE("vmbr0") "," BRIDGE("vmbr1")},
		{"", NULL, ETH "," BRIDGE("vmbr0") "," BRIDGE("vmbr1")},
		{USE("vmbr1"), "type=any_bridge", ETH "," BRIDGE("vmbr1")},
		{USE("vmbr0/5"), "type=any_bridge", ETH "," BRIDGE("vmbr0")},
		{"acl:/:user:joe@pve:PVEAuditor:1\n", "type=any_bridge",
		 ETH "," BRIDGE("vmbr0") "," BRIDGE("vmbr1")},
	};

	(void)state;
	answer_list();
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		autofree char *body = xasprintf("{\"data\":[%s]}", shown[i].list);

		allow(shown[i].acl);
		expect_as("joe@pve", "GET", "/nodes/n1/network", shown[i].params, 200, body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_to_a_bridge),
		cmocka_unit_test(a_waiting_bridge_stands),
		cmocka_unit_test(a_rollback_joins_none),
		cmocka_unit_test(lists_what_one_may_use),
	};

	return cmocka_run_group_tests(tests, open_bridges, close_core);
}
