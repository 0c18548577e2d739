/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Creating containers: what reaches the store and the job, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api/lxc_test.h"

static void creates(void **state)
{
	(void)state;
	autofields args = FIELDS_INIT;

	expect_job("POST", "/nodes/n1/lxc",
		   TEMPLATE "|vmid=101|hostname=web|arch=amd64|password=secret1|start=1|memory=256"
			    "|ssh-public-keys=ssh-ed25519 AAAA me|rootfs=local:0.5",
		   "vzcreate", &args);
	expect_stored("hostname: web\narch: amd64\nmemory: 256\nunprivileged: 1\nswap: 512\n"
		      "lock: create\n");
	assert_string_equal(fields_get(&args, "ostemplate"), "local:vztmpl/debian.tar.zst");
	assert_string_equal(fields_get(&args, "password"), "secret1");
	assert_string_equal(fields_get(&args, "ssh-public-keys"), "ssh-ed25519 AAAA me");
	assert_string_equal(fields_get(&args, "rootfs"), "local:0.5");
	assert_string_equal(fields_get(&args, "start"), "1");
	assert_string_equal(fields_get(&args, "guest"), "101");

	expect_failure("POST", "/nodes/n1/lxc", TEMPLATE "|vmid=101",
		       "unable to create CT 101 - CT 101 already exists on node 'n1'");
	expect_failure("POST", GUEST "/status/start", NULL, "CT is locked (create)");
	expect_failure("PUT", GUEST "/config", "memory=512", "CT is locked (create)");
	expect_failure("DELETE", GUEST, NULL, "CT is locked (create)");
	expect("PUT", GUEST "/config", "delete=lock", 200, "{\"data\":null}");
}

struct refusal {
	const char *params, *field, *text; /* field NULL: 500 */
};

static const struct refusal create_refusals[] = {
	{"vmid=101", "ostemplate", "property is missing and it is not optional"},
	{TEMPLATE "|vmid=99", "vmid", "value must have a minimum value of 100"},
	{TEMPLATE "|vmid=101|features=flying=1", "features",
	 "invalid format - flying: property is not defined in schema and the schema does not allow "
	 "additional properties"},
	{TEMPLATE "|vmid=101|force=1", "force",
	 "missing property - 'restore' required by this property"},
	{TEMPLATE "|vmid=101|unique=1", "unique",
	 "missing property - 'restore' required by this property"},
	{TEMPLATE "|vmid=101|pool=web", "pool", "pool 'web' does not exist"},
	{TEMPLATE "|vmid=101|ha-managed=1", "ha-managed", "this node has no HA manager"},
	{TEMPLATE "|vmid=101|template=1|start=1", "start", "a template cannot be started"},
	{TEMPLATE "|vmid=101|restore=1", NULL,
	 "restore: restoring a container from a backup is not supported yet"},
	{TEMPLATE "|vmid=101|mp0=none:1,mp=/a", NULL, "storage 'none' does not exist"},
	{TEMPLATE "|vmid=101|mp0=local:0.01,mp=/a", "mp0",
	 "size must be between 0.0625 and 131072 GiB"},
	{TEMPLATE "|vmid=101|mp0=local:100/vm-100-disk-0.raw,mp=/a", "mp0",
	 "volume: 'local:100/vm-100-disk-0.raw' does not belong to CT 101"},
	{TEMPLATE "|vmid=101|lxc=lxc.include = /x", "lxc", "'lxc.include' cannot be set"},
	{TEMPLATE "|vmid=101|unprivileged=0|lxc=lxc.idmap = u 0 1 1", "lxc",
	 "lxc.idmap is for unprivileged containers"},
	{"ostemplate=local:iso/x.iso|vmid=101", "ostemplate",
	 "'local:iso/x.iso' is not a container template"},
	{TEMPLATE "|vmid=101|password=1234", "password",
	 "value must be at least 5 characters long"},
	{TEMPLATE "|vmid=101|ssh-public-keys=hello", "ssh-public-keys",
	 "line 1 is not a public key"},
	{TEMPLATE "|vmid=101|rootfs=local:101/vm-101-disk-0.raw", "rootfs",
	 "only a new volume, STORAGE:SIZE_IN_GiB, is supported"},
	{TEMPLATE "|vmid=101|lock=backup", "lock", "a new container cannot be locked"},
	{TEMPLATE "|vmid=101|net0=name=eth0,ip=dhcp", "net0",
	 "bridge: property is missing and it is not optional"},
	{TEMPLATE "|vmid=101|rootfs=none:8", NULL, "storage 'none' does not exist"},
	{TEMPLATE "|vmid=101|storage=isos", NULL,
	 "storage 'isos' does not support content type 'rootdir'"},
	{"ostemplate=isos:vztmpl/debian.tar.zst|vmid=101", NULL,
	 "storage 'isos' does not support content type 'vztmpl'"},
};

static void refuses_bad_creations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(create_refusals); i++) {
		const struct refusal *c = &create_refusals[i];

		if (c->field)
			expect_wrong("POST", "/nodes/n1/lxc", c->params, c->field, c->text);
		else
			expect_failure("POST", "/nodes/n1/lxc", c->params, c->text);
	}
	expect_stored(NULL);
}

/* No job, no guest: the configuration does not stay behind. */
static void takes_back_what_no_job_will_finish(void **state)
{
	(void)state;
	autofree char *program = path_join(folder, "lodge-task-ct");
	autofree char *away = path_join(folder, "away");
	struct store_value value;
	unsigned status;

	assert_int_equal(rename(program, away), 0);
	struct buf body = ask_as(NULL, "POST", "/nodes/n1/lxc", TEMPLATE "|vmid=101", &status);

	buf_fini(&body);
	assert_int_equal(rename(away, program), 0);
	assert_int_equal(status, 500);
	while (store_get(core.store, "/nodes/n1/lxc/101.conf", &value))
		assert_true(sd_event_run(core.event, WAIT) > 0);
}

/* Each right in turn is the first that is missing. */
static void creation_needs_every_right(void **state)
{
	(void)state;
	static const struct {
		const char *vm, *storage;   /* what joe has on /vms/101 and on /storage */
		const char *path, *missing; /* NULL: all is there */
	} cases[] = {
		{"VM.Audit", "Datastore.Audit", "/vms/101", "VM.Allocate"},
		{"VM.Allocate", "Datastore.Audit", "/vms/101", "VM.Config.Memory"},
		{"VM.Allocate,VM.Config.Memory", "Datastore.Audit", "/storage/local",
		 "Datastore.AllocateSpace"},
		{"VM.Allocate,VM.Config.Memory", "Datastore.AllocateSpace", NULL, NULL},
		/* root in a container that maps no ids is a short way from root on the node */
		{"VM.Allocate,VM.Config.Memory,VM.Config.Options", "Datastore.AllocateSpace", "/",
		 "Sys.Modify"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *users = xasprintf("user:joe@pve:1:0::::\nrole:A:%s\nrole:B:%s\n"
						 "acl:/vms/101:user:joe@pve:A:1\n"
						 "acl:/storage:user:joe@pve:B:1\n",
						 cases[i].vm, cases[i].storage);
		autofree char *refusal = xasprintf("{\"data\":null,\"message\":\"Permission check "
						   "failed (%s, %s)\\n\"}",
						   cases[i].path, cases[i].missing);
		unsigned status;

		put("/user.cfg", users);
		if (cases[i].missing) {
			expect_as("joe@pve", "POST", "/nodes/n1/lxc",
				  str_eq(cases[i].path, "/") ? TEMPLATE
					  "|vmid=101|memory=64|unprivileged=0"
							     : TEMPLATE "|vmid=101|memory=64",
				  403, refusal);
			continue;
		}
		struct buf body = ask_as("joe@pve", "POST", "/nodes/n1/lxc",
					 TEMPLATE "|vmid=101|memory=64", &status);

		buf_fini(&body);
		assert_int_equal(status, 200);
	}
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(creates, no_guest),
		cmocka_unit_test(refuses_bad_creations),
		cmocka_unit_test(takes_back_what_no_job_will_finish),
		cmocka_unit_test_teardown(creation_needs_every_right, no_guest),
	};

	return cmocka_run_group_tests(tests, open_core, close_core);
}
