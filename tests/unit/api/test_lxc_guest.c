/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One container through its routes: configuration, power, lists, rights; exact answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api/lxc_test.h"

static void shows_and_changes_the_configuration(void **state)
{
	(void)state;
	struct store_value value;
	char digest[SHA1_HEX_SIZE];

	expect("PUT", GUEST "/config", "memory=1024|delete=net0|tags=a", 200, "{\"data\":null}");
	expect_stored("arch: amd64\nhostname: web\nmemory: 1024\n"
		      "rootfs: local:101/vm-101-disk-0.raw,size=8G\nswap: 512\nunprivileged: 1\n"
		      "tags: a\n");
	expect_failure("PUT", GUEST "/config",
		       "memory=16|digest=0000000000000000000000000000000000000000",
		       "detected modified configuration - file changed by other user? Try again.");
	expect_wrong("PUT", GUEST "/config", "memory=15", "memory",
		     "value must have a minimum value of 16");
	expect_wrong("PUT", GUEST "/config", "hostname=a\nlock: x", "hostname",
		     "invalid format - value 'a lock: x' does not look like a valid dns-name");
	expect_failure("PUT", GUEST "/config", "rootfs=local:16",
		       "rootfs: the volume and its size cannot be changed here");
	expect_failure("GET", GUEST "/config", "snapshot=old", "snapshot 'old' does not exist");
	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	digest_sha1_hex(value.data, value.size, digest);
	autofree char *shown =
		xasprintf("{\"data\":{\"arch\":\"amd64\",\"hostname\":\"web\",\"memory\":1024,"
			  "\"rootfs\":\"local:101/vm-101-disk-0.raw,size=8G\",\"swap\":512,"
			  "\"unprivileged\":1,\"tags\":\"a\",\"digest\":\"%s\"}}",
			  digest);
	autofree char *right_digest = xasprintf("delete=tags|digest=%s", digest);

	expect("GET", GUEST "/config", NULL, 200, shown);
	expect("PUT", GUEST "/config", right_digest, 200, "{\"data\":null}");
}

/* What a running one is to follow is a job's; what concerns nobody inside is only written. */
static void keeps_changes_of_a_running_guest(void **state)
{
	(void)state;
	autofields args = FIELDS_INIT;

	take_fact("running", "1");
	expect("PUT", GUEST "/config", "onboot=1", 200, "{\"data\":null}");
	expect_stored(STOPPED_CONFIG "onboot: 1\n");
	expect("PUT", GUEST "/config", "revert=hostname", 200, "{\"data\":null}");
	expect_failure("PUT", GUEST "/config", "features=nesting=1",
		       "task died without a status (exit code 0)");
	take_args("vzconfig", &args);
	assert_string_equal(fields_get(&args, "set.features"), "nesting=1");
	fields_fini(&args);
	args = FIELDS_INIT;
	while (jobs_guest_is_busy(core.jobs, 101)) /* its undo: meanwhile changes only wait */
		assert_true(sd_event_run(core.event, USEC_PER_SEC) >= 0);
	/* the job here is a script that keeps its arguments and says nothing of how it ended */
	expect_failure("PUT", GUEST "/config", "memory=1024|tags=a|delete=net0",
		       "task died without a status (exit code 0)");
	take_args("vzconfig", &args);
	assert_string_equal(fields_get(&args, "set.memory"), "1024");
	assert_string_equal(fields_get(&args, "set.tags"), "a");
	assert_string_equal(fields_get(&args, "delete"), "net0");
	expect_wrong("PUT", GUEST "/config", "net1=name=eth0,bridge=b", "net1",
		     "name: net0 is called 'eth0' already");
	expect_stored(STOPPED_CONFIG "onboot: 1\n");
}

static void makes_and_frees_volumes_by_a_job(void **state)
{
	(void)state;
	autofields args = FIELDS_INIT;

	expect_failure("PUT", GUEST "/config", "mp0=local:1,mp=/a",
		       "task died without a status (exit code 0)");
	take_args("vzconfig", &args);
	assert_string_equal(fields_get(&args, "set.mp0"), "local:1,mp=/a");
	fields_fini(&args);
	put("/nodes/n1/lxc/101.conf", STOPPED_CONFIG "unused3: local:101/vm-101-disk-3.raw\n");
	expect_failure("PUT", GUEST "/config", "delete=unused3",
		       "task died without a status (exit code 0)");
	take_args("vzconfig", &args);
	put("/nodes/n1/lxc/101.conf",
	    STOPPED_CONFIG "unused3: local:101/vm-101-disk-3.raw\nprotection: 1\n");
	expect_failure(
		"PUT", GUEST "/config", "delete=unused3",
		"can't remove volume 'local:101/vm-101-disk-3.raw' - protection mode enabled");
	expect_failure("DELETE", GUEST, NULL, "can't remove CT 101 - protection mode enabled");
	expect_failure("PUT", GUEST "/config", "mp0=none:1,mp=/a", "storage 'none' does not exist");
	expect_failure("PUT", GUEST "/config", "mp0=isos:1,mp=/a",
		       "storage 'isos' does not support content type 'rootdir'");
	expect_wrong(
		"PUT", GUEST "/config",
		"mp0=local:backup/vzdump-lxc-101-2026_01_31-12_00_00.tar.zst,mp=/a", "mp0",
		"volume: 'local:backup/vzdump-lxc-101-2026_01_31-12_00_00.tar.zst' is no volume of "
		"a guest");
	expect_wrong("PUT", GUEST "/config", "mp0=local:102/vm-102-disk-0.raw,mp=/a", "mp0",
		     "volume: 'local:102/vm-102-disk-0.raw' does not belong to CT 101");
}

/* Ways out to the node are root's alone, whatever else one may. */
static void some_values_are_for_root(void **state)
{
	(void)state;
	static const struct {
		const char *params, *message; /* NULL: allowed */
	} cases[] = {
		{"mp0=/srv,mp=/a", "only root@pam can set 'a folder of the node as mount point'"},
		{"dev0=/dev/fuse", "only root@pam can set 'dev0'"},
		{"hookscript=local:snippets/a.sh", "only root@pam can set 'hookscript'"},
		{"lxc=lxc.cap.keep = sys_admin", "only root@pam can set 'lxc'"},
		{"features=nesting=1", NULL},
		{"features=nesting=1,fuse=1",
		 "only root@pam can set 'features other than nesting of an unprivileged "
		 "container'"},
	};

	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/:user:joe@pve:Administrator:1\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *refusal = xasprintf("{\"data\":null,\"message\":\"%s\\n\"}",
						   cases[i].message ? cases[i].message : "");

		expect_as("joe@pve", "PUT", GUEST "/config", cases[i].params,
			  cases[i].message ? 403 : 200,
			  cases[i].message ? refusal : "{\"data\":null}");
	}
	expect_stored(STOPPED_CONFIG "features: nesting=1\n");
	expect("PUT", GUEST "/config", "lxc=lxc.cap.keep = sys_admin|mp0=/srv,mp=/a|dev0=/dev/fuse",
	       200, "{\"data\":null}");
	expect_stored(STOPPED_CONFIG "features: nesting=1\nmp0: /srv,mp=/a\ndev0: /dev/fuse\n"
				     "lxc.cap.keep: sys_admin\n");
	expect("PUT", GUEST "/config", "lxc=", 200, "{\"data\":null}");
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

static void suspends_and_runs_programs(void **state)
{
	(void)state;
	autofields args = FIELDS_INIT;

	expect_failure("POST", GUEST "/status/suspend", NULL, "CT 101 not running");
	expect_failure("POST", GUEST "/exec", "command=ls", "CT 101 not running");
	take_fact("running", "1");
	expect_failure("POST", GUEST "/status/resume", NULL, "CT 101 is not suspended");
	expect_job("POST", GUEST "/status/suspend", NULL, "vzsuspend", &args);
	fields_fini(&args);
	take_fact("paused", "1");
	expect_failure("POST", GUEST "/status/suspend", NULL, "CT 101 is suspended already");
	expect_failure("POST", GUEST "/exec", "command=ls", "CT 101 is suspended");
	expect_job("POST", GUEST "/status/resume", NULL, "vzresume", &args);
	take_fact("running", "1");
	expect_wrong("POST", GUEST "/exec", "command=", "command", "is empty");
	expect_wrong("POST", GUEST "/exec", "command=ls|env=A", "env", "'A' is not NAME=VALUE");
	expect_wrong("POST", GUEST "/exec", "command=ls|cwd=a", "cwd", "must be an absolute path");
	expect_wrong("POST", GUEST "/exec", "command=ls|stream-input=1", "stream-input",
		     "only the node's own socket carries input; use input-data");
	expect_as("joe@pve", "POST", GUEST "/exec", "command=ls", 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/101, "
		  "VM.GuestAgent.Unrestricted)\\n\"}");
}

/* Until the monitor has reported, a guest may be running. */
static void keeps_changes_of_an_unknown_guest(void **state)
{
	(void)state;
	take_fact("unknown", NULL);
	expect("PUT", GUEST "/config", "memory=1024", 200, "{\"data\":null}");
	expect_stored(STOPPED_CONFIG "\n[PENDING]\nmemory: 1024\n");
}

static void checks_the_right_of_each_key(void **state)
{
	(void)state;
	static const struct {
		const char *params, *missing; /* NULL: allowed */
	} cases[] = {
		{"tags=a", NULL},
		{"delete=tags", NULL},
		{"memory=1024", "VM.Config.Memory"},
		{"tags=a|cores=1", "VM.Config.CPU"},
		{"delete=net0", "VM.Config.Network"},
		{"revert=rootfs", "VM.Config.Disk"},
	};

	put("/user.cfg", "user:joe@pve:1:0::::\nrole:Tagger:VM.Config.Options\n"
			 "acl:/vms/101:user:joe@pve:Tagger:1\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *refusal = xasprintf("{\"data\":null,\"message\":\"Permission check "
						   "failed (/vms/101, %s)\\n\"}",
						   cases[i].missing ? cases[i].missing : "");

		expect_as("joe@pve", "PUT", GUEST "/config", cases[i].params,
			  cases[i].missing ? 403 : 200,
			  cases[i].missing ? refusal : "{\"data\":null}");
	}
	expect_as("joe@pve", "PUT", GUEST "/config", "delete=lock", 403,
		  "{\"data\":null,\"message\":\"only root can set 'lock'\\n\"}");
	expect_stored(STOPPED_CONFIG);
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

static void writes_nothing_when_nothing_changes(void **state)
{
	(void)state;
	struct store_value value;

	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	uint64_t version = value.version;

	expect("PUT", GUEST "/config", "memory=512|delete=tags", 200, "{\"data\":null}");
	assert_true(store_get(core.store, "/nodes/n1/lxc/101.conf", &value));
	assert_int_equal(value.version, version);
	expect("PUT", GUEST "/config", NULL, 400,
	       "{\"data\":null,\"message\":\"no options specified\\n\"}");
}

static void shows_an_unreadable_guest(void **state)
{
	(void)state;
	unsigned status;

	put("/nodes/n1/lxc/101.conf", "this is no configuration\n");
	expect_failure("GET", GUEST "/config", NULL, "configuration of CT 101 cannot be read");
	expect_failure("POST", GUEST "/status/start", NULL,
		       "configuration of CT 101 cannot be read");
	autobuf list = ask_as(NULL, "GET", "/nodes/n1/lxc", NULL, &status);

	assert_int_equal(status, 200);
	assert_non_null(strstr(buf_str(&list), "\"name\":\"CT101\""));
}

static void checks_rights(void **state)
{
	(void)state;
	expect_as("joe@pve", "PUT", GUEST "/config", "memory=1024", 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/101, "
		  "VM.Config.CPU|VM.Config.Disk|VM.Config.Memory|VM.Config.Network|"
		  "VM.Config.Options)\\n\"}");
	expect_as("joe@pve", "DELETE", GUEST, NULL, 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/101, "
		  "VM.Allocate)\\n\"}");
	expect_as("joe@pve", "POST", "/nodes/n1/lxc", TEMPLATE "|vmid=102", 403,
		  "{\"data\":null,\"message\":\"Permission check failed (/vms/102, "
		  "VM.Allocate)\\n\"}");
	expect_as("joe@pve", "POST", GUEST "/status/start", "skiplock=1", 400,
		  "{\"data\":null,\"errors\":{\"skiplock\":\"Only root may use this option.\"},"
		  "\"message\":\"Parameter verification failed.\\n\"}");
}

static void starts_and_stops(void **state)
{
	(void)state;
	autofields args = FIELDS_INIT;

	expect_failure("POST", GUEST "/status/stop", NULL, "CT 101 not running");
	expect_failure("POST", GUEST "/status/shutdown", NULL, "CT 101 not running");
	expect_failure("POST", "/nodes/n1/lxc/102/status/start", NULL,
		       "Configuration file 'nodes/n1/lxc/102.conf' does not exist");
	expect_job("POST", GUEST "/status/start", NULL, "vzstart", &args);
	take_fact("running", "1");
	expect_failure("POST", GUEST "/status/start", NULL, "CT 101 already running");
	expect_failure("DELETE", GUEST, NULL, "unable to destroy CT 101 - container is running");
	fields_fini(&args);
	expect_job("POST", GUEST "/status/shutdown", "forceStop=1", "vzshutdown", &args);
	assert_string_equal(fields_get(&args, "timeout"), "60");
	assert_string_equal(fields_get(&args, "forceStop"), "1");
	fields_fini(&args);
	expect_job("POST", GUEST "/status/reboot", "timeout=5", "vzreboot", &args);
	assert_string_equal(fields_get(&args, "timeout"), "5");
	fields_fini(&args);
	expect_job("POST", GUEST "/status/stop", NULL, "vzstop", &args);
	fields_fini(&args);
	expect_job("DELETE", GUEST, "force=1|purge=1", "vzdestroy", &args);
	assert_string_equal(fields_get(&args, "force"), "1");
	assert_string_equal(fields_get(&args, "purge"), "1");
	assert_null(fields_get(&args, "destroy-unreferenced-disks"));
}

static void lists_what_one_may_see(void **state)
{
	(void)state;
	static const char entry[] =
		"{\"vmid\":101,\"type\":\"lxc\",\"status\":\"stopped\",\"name\":\"web\","
		"\"template\":0,\"cpus\":0,\"maxmem\":536870912,\"maxswap\":536870912,"
		"\"maxdisk\":8589934592,\"cpu\":0,\"mem\":0,\"swap\":0,\"disk\":0,\"diskread\":0,"
		"\"diskwrite\":0,\"netin\":0,\"netout\":0,\"uptime\":0}";
	autofree char *both = xasprintf("{\"data\":[%s]}", entry);
	autofree char *current =
		xasprintf("{\"data\":%.*s,\"ha\":{\"managed\":0}}}", (int)strlen(entry) - 1, entry);

	expect("GET", "/nodes/n1/lxc", NULL, 200, both);
	expect_as("joe@pve", "GET", "/nodes/n1/lxc", NULL, 200, both);
	expect("GET", GUEST "/status/current", NULL, 200, current);
	expect("GET", GUEST "/interfaces", NULL, 200, "{\"data\":null}");
	put("/user.cfg", "user:joe@pve:1:0::::\n");
	expect_as("joe@pve", "GET", "/nodes/n1/lxc", NULL, 200, "{\"data\":[]}");
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/vms/101:user:joe@pve:PVEVMUser:1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shows_and_changes_the_configuration, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(keeps_changes_of_a_running_guest, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(keeps_changes_of_an_unknown_guest, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(makes_and_frees_volumes_by_a_job, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(some_values_are_for_root, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(suspends_and_runs_programs, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(writes_nothing_when_nothing_changes, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(shows_an_unreadable_guest, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(checks_rights, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(checks_the_right_of_each_key, fresh_guest,
						no_guest),
		cmocka_unit_test_setup_teardown(starts_and_stops, fresh_guest, no_guest),
		cmocka_unit_test_setup_teardown(lists_what_one_may_see, fresh_guest, no_guest),
	};

	return cmocka_run_group_tests(tests, open_core, close_core);
}
