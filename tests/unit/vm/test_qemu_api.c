/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes of virtual machines: what reaches the store and the jobs, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api/lxc_test.h"

#define VM	    "/nodes/n1/qemu/101"
#define VM_CONF	    "/nodes/n1/qemu/101.conf"
#define UUID	    "smbios1=uuid=6f2c1b0e-58d5-4a3c-9d62-0a6f4f3a1b7c"
#define STORED_UUID "smbios1: uuid=6f2c1b0e-58d5-4a3c-9d62-0a6f4f3a1b7c\n"

static int open_vm_core(void **state)
{
	static const char storages[] = "dir: local\n\tpath /nowhere\n\tcontent images,iso\n\n"
				       "dir: backups\n\tpath /nowhere2\n\tcontent backup\n";
	static const char script[] = "#!/bin/sh\nset -C\ncat > \"${0%/*}/args-$1\"\n";
	struct err err = ERR_INIT;

	if (open_core(state) < 0)
		return -1;
	autofree char *path = path_join(folder, "lodge-task-vm");

	put("/storage.cfg", storages);
	return file_write_atomic(path, script, strlen(script), 0755, &err);
}

static void expect_vm(const char *text)
{
	struct store_value value;

	if (!text) {
		assert_false(store_get(core.store, VM_CONF, &value));
		return;
	}
	assert_true(store_get(core.store, VM_CONF, &value));
	assert_string_equal(value.data, text);
}

static int no_vm(void **state)
{
	(void)state;
	store_op(STORE_DELETE, VM_CONF, "");
	return 0;
}

static int stopped_vm(void **state)
{
	(void)state;
	put(VM_CONF,
	    "memory: 256\nname: web\nscsi0: local:101/vm-101-disk-0.raw,size=4G\n" STORED_UUID);
	take_fact("stopped", NULL);
	return 0;
}

static void creates(void **state)
{
	autofields args = FIELDS_INIT;

	(void)state;
	expect_job("POST", "/nodes/n1/qemu",
		   "vmid=101|name=web|memory=256|kvm=0|scsi0=local:4,ssd=1|virtio1=local:0.5"
		   "|ide2=local:iso/x.iso,media=cdrom|net0=virtio=BC:24:11:00:00:01,bridge=vmbr0"
		   "|serial0=socket|start=1|" UUID,
		   "qmcreate", &args);
	expect_vm("name: web\nmemory: 256\nkvm: 0\nide2: local:iso/x.iso,media=cdrom\n"
		  "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0\nserial0: socket\n" STORED_UUID
		  "scsihw: virtio-scsi-pci\nboot: order=scsi0;ide2;net0\nlock: create\n");
	assert_string_equal(fields_get(&args, "disk.scsi0"), "local:4,ssd=1");
	assert_string_equal(fields_get(&args, "disk.virtio1"), "local:0.5");
	assert_string_equal(fields_get(&args, "start"), "1");
	assert_string_equal(fields_get(&args, "guest"), "101");
	assert_null(fields_get(&args, "disk.ide2"));
	expect_failure("POST", "/nodes/n1/qemu", "vmid=101",
		       "unable to create VM 101 - VM 101 already exists on node 'n1'");
	expect_failure("POST", VM "/status/start", NULL, "VM is locked (create)");
	expect_failure("DELETE", VM, NULL, "VM is locked (create)");
}

static void refuses_bad_creations(void **state)
{
	static const struct {
		const char *params, *field, *text; /* field NULL: 500 */
	} cases[] = {
		{"memory=256", "vmid", "property is missing and it is not optional"},
		{"vmid=101|memory=4", "memory",
		 "invalid format - current: value must have a minimum value of 16"},
		{"vmid=101|args=-x", "args",
		 "property is not defined in schema and the schema does not allow additional "
		 "properties"},
		{"vmid=101|scsi0=local:102/vm-102-disk-0.raw", "scsi0",
		 "volume 'local:102/vm-102-disk-0.raw' does not belong to guest 101"},
		{"vmid=101|ide2=local:iso/x.iso", "ide2", "'local:iso/x.iso' needs media=cdrom"},
		{"vmid=101|scsi0=none:4", NULL, "storage 'none' does not exist"},
		{"vmid=101|scsi0=backups:4", NULL,
		 "storage 'backups' does not support content type 'images'"},
		{"vmid=101|ide2=backups:iso/x.iso,media=cdrom", NULL,
		 "storage 'backups' does not support content type 'iso'"},
		{"vmid=101|lock=backup", "lock", "a new virtual machine cannot be locked"},
		{"vmid=101|net0=virtio", "net0",
		 "bridge: property is missing and it is not optional"},
		{"vmid=101|vga=serial0", "vga", "there is no serial0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].field)
			expect_wrong("POST", "/nodes/n1/qemu", cases[i].params, cases[i].field,
				     cases[i].text);
		else
			expect_failure("POST", "/nodes/n1/qemu", cases[i].params, cases[i].text);
	}
	expect_vm(NULL);
}

static void changes_at_once(void **state)
{
	(void)state;
	expect("PUT", VM "/config", "memory=512|description=hello", 200, "{\"data\":null}");
	expect_wrong("PUT", VM "/config", "scsi1=local:102/vm-102-disk-0.raw", "scsi1",
		     "volume 'local:102/vm-102-disk-0.raw' does not belong to guest 101");
	expect("PUT", VM "/config", "scsi1=local:101/vm-101-disk-1.raw|delete=name", 200,
	       "{\"data\":null}");
	expect_vm("#hello\nmemory: 512\nscsi0: local:101/vm-101-disk-0.raw,size=4G\n" STORED_UUID
		  "scsi1: local:101/vm-101-disk-1.raw\n");
}

static void waits_while_running(void **state)
{
	(void)state;
	take_fact("running", "1");
	expect("PUT", VM "/config", "memory=512|tags=a", 200, "{\"data\":null}");
	expect_vm("memory: 256\nname: web\nscsi0: local:101/vm-101-disk-0.raw,size=4G\n" STORED_UUID
		  "tags: a\n\n[PENDING]\nmemory: 512\n");
	take_fact("stopped", NULL);
}

/* Volumes are made and freed by jobs. */
static void disks_come_and_go(void **state)
{
	autofields made = FIELDS_INIT, gone = FIELDS_INIT;

	(void)state;
	expect_job("POST", VM "/config", "scsi1=local:4,format=qcow2|memory=512", "qmconfig",
		   &made);
	assert_string_equal(fields_get(&made, "set.scsi1"), "local:4,format=qcow2");
	expect_job("POST", VM "/config", "delete=scsi0|force=1", "qmconfig", &gone);
	assert_string_equal(fields_get(&gone, "force"), "1");
	expect_failure("POST", VM "/config", "scsi1=none:4", "storage 'none' does not exist");
	expect_wrong("PUT", VM "/config", "unused0=local:101/vm-101-disk-7.raw", "unused0",
		     "is set by the node alone");
	expect_wrong("PUT", VM "/unlink", "idlist=scsi0,net0", "idlist", "'net0' is no disk");
	expect_wrong("PUT", VM "/unlink", "idlist=", "idlist", "names no disk");
	expect_wrong("PUT", VM "/unlink", "force=1", "idlist",
		     "property is missing and it is not optional");
	take_fact("running", "1");
	expect_failure("PUT", VM "/unlink", "idlist=scsi0|force=1",
		       "VM 101 is running: 'scsi0' cannot be removed by force");
	take_fact("stopped", NULL);
	/* answered when the job has ended, which here says nothing of its end */
	expect_failure("PUT", VM "/config", "scsi1=local:4",
		       "task died without a status (exit code 0)");
	autofree char *left = path_join(folder, "args-qmconfig");

	assert_int_equal(file_remove(left, NULL), 0);
	expect("PUT", VM "/config", "delete=scsi0", 200, "{\"data\":null}");
	expect_vm("memory: 256\nname: web\n" STORED_UUID "unused0: local:101/vm-101-disk-0.raw\n");
}

static void changes_by_a_job(void **state)
{
	static const char nothing[] = "{\"data\":null,\"message\":\"no options specified\\n\"}";
	autofields args = FIELDS_INIT;

	(void)state;
	expect_job("POST", VM "/config", "memory=512|delete=name", "qmconfig", &args);
	assert_string_equal(fields_get(&args, "set.memory"), "512");
	assert_string_equal(fields_get(&args, "delete"), "name");
	assert_null(fields_get(&args, "is-running"));
	expect_wrong("POST", VM "/config", "memory=4", "memory",
		     "invalid format - current: value must have a minimum value of 16");
	expect_failure("POST", VM "/config", "memory=512|digest=0000",
		       "detected modified configuration - file changed by other user? Try again.");
	expect("POST", VM "/config", "force=1", 400, nothing);
	expect("PUT", VM "/config", "force=1", 400, nothing);
	/* the node would undo a machine that is whole */
	expect_wrong("POST", VM "/config", "lock=create", "lock",
		     "'create' is set by the node alone");
	expect_wrong("PUT", VM "/config", "lock=create|scsi1=local:4", "lock",
		     "'create' is set by the node alone");
}

static void starts_and_stops(void **state)
{
	autofields args = FIELDS_INIT, none = FIELDS_INIT;

	(void)state;
	expect_failure("POST", VM "/status/stop", NULL, "VM 101 not running");
	expect_failure("POST", VM "/status/reset", NULL, "VM 101 not running");
	expect_job("POST", VM "/status/start", "timeout=5", "qmstart", &args);
	assert_string_equal(fields_get(&args, "timeout"), "5");
	take_fact("running", "1");
	expect_failure("POST", VM "/status/start", NULL, "VM 101 already running");
	expect_failure("DELETE", VM, NULL, "unable to destroy VM 101 - virtual machine is running");
	expect_job("POST", VM "/status/reset", NULL, "qmreset", &none);
	expect_failure("POST", "/nodes/n1/lxc/101/status/start", NULL,
		       "Configuration file 'nodes/n1/lxc/101.conf' does not exist");
	take_fact("stopped", NULL);
}

#define WITH_SNAPSHOT(file)                                                                        \
	"memory: 256\nscsi0: local:101/" file "\n\n[s1]\nmemory: 256\nscsi0: local:101/" file      \
	"\nsnaptime: 1\n"

/* What an emulator has open nobody else reads inside of, nor changes. */
static void open_images_are_left_alone(void **state)
{
	static const char where[] = "a running virtual machine: it lies in the image of scsi0, "
				    "which is open";
	autofree char *deletion =
		xasprintf("feature not available: deletion of a snapshot of %s", where);
	autofree char *copy = xasprintf("feature not available: copy of a snapshot of %s", where);
	autofields forced = FIELDS_INIT, deleted = FIELDS_INIT, cloned = FIELDS_INIT;
	unsigned status;

	(void)state;
	put(VM_CONF, WITH_SNAPSHOT("vm-101-disk-0.qcow2"));
	take_fact("running", "1");
	expect_failure("DELETE", VM "/snapshot/s1", NULL, deletion);
	expect_failure("POST", VM "/clone", "newid=102|snapname=s1|full=1", copy);
	autofree char *feature = xasprintf("{\"data\":{\"hasFeature\":0,\"reason\":\"%s\","
					   "\"nodes\":[]}}",
					   copy);

	expect("GET", VM "/feature", "feature=copy|snapname=s1", 200, feature);
	expect_job("DELETE", VM "/snapshot/s1", "force=1", "qmdelsnapshot", &forced);
	take_fact("stopped", NULL);
	expect_job("DELETE", VM "/snapshot/s1", NULL, "qmdelsnapshot", &deleted);
	/* nor does it start meanwhile: the job is in its queue, too */
	autobuf answer = ask_as(NULL, "POST", VM "/clone", "newid=102|snapname=s1|full=1", &status);

	assert_int_equal(status, 200);
	wait_for_job(buf_str(&answer));
	take_args("qmclone", &cloned);
	assert_string_equal(fields_get(&cloned, "other"), "101");
	store_op(STORE_DELETE, "/nodes/n1/qemu/102.conf", "");
}

/* Another machine is not given what it could not start with. */
static void gives_what_fits(void **state)
{
	autofields args = FIELDS_INIT;

	(void)state;
	put(VM_CONF, "memory: 256\nscsi1: local:101/vm-101-disk-1.raw,iothread=1,size=4G\n"
		     "scsihw: virtio-scsi-single\n");
	put("/nodes/n1/qemu/102.conf", "memory: 256\n");
	expect_wrong("POST", VM "/move_disk", "disk=scsi1|target-vmid=102|target-disk=sata0",
		     "target-disk",
		     "VM 102 cannot have it: sata0: iothread: only for scsi and virtio");
	expect_job("POST", VM "/move_disk", "disk=scsi1|target-vmid=102|target-disk=virtio0",
		   "qmmove", &args);
	store_op(STORE_DELETE, "/nodes/n1/qemu/102.conf", "");
}

/* Parameters and values of the contract that ask for nothing here, or for root's lock. */
static void takes_what_clients_send(void **state)
{
	static const char locked[] = "VM is locked (backup)";
	autofields args = FIELDS_INIT, destroyed = FIELDS_INIT, stopped = FIELDS_INIT;

	(void)state;
	expect("PUT", VM "/config", "balloon=0|numa=0|protection=0", 200, "{\"data\":null}");
	expect_wrong("PUT", VM "/config", "numa=1", "numa", "NUMA of the guest is not built");
	expect_wrong("PUT", VM "/config", "balloon=64", "balloon",
		     "value must have a maximum value of 0");
	expect_wrong("POST", "/nodes/n1/qemu", "vmid=102|numa=1", "numa",
		     "NUMA of the guest is not built");
	expect("PUT", VM "/config", "lock=backup", 200, "{\"data\":null}");
	expect_failure("PUT", VM "/config", "name=a", locked);
	expect("PUT", VM "/config", "name=a|skiplock=1", 200, "{\"data\":null}");
	expect_failure("POST", VM "/config", "name=b|background_delay=5", locked);
	expect_job("POST", VM "/config", "name=b|background_delay=5|skiplock=1", "qmconfig", &args);
	assert_string_equal(fields_get(&args, "skiplock"), "1");
	expect_failure("DELETE", VM, NULL, locked);
	put("/user.cfg", "user:joe@pve:1:0::::\nacl:/:user:joe@pve:Administrator:1\n");
	expect_as("joe@pve", "DELETE", VM, "skiplock=1", 400,
		  "{\"data\":null,\"errors\":{\"skiplock\":\"Only root may use this option.\"},"
		  "\"message\":\"Parameter verification failed.\\n\"}");
	expect_as("joe@pve", "PUT", VM "/config", "name=c|skiplock=1", 400,
		  "{\"data\":null,\"errors\":{\"skiplock\":\"Only root may use this option.\"},"
		  "\"message\":\"Parameter verification failed.\\n\"}");
	expect_job("DELETE", VM, "skiplock=1", "qmdestroy", &destroyed);
	assert_string_equal(fields_get(&destroyed, "skiplock"), "1");
	take_fact("running", "1");
	expect_job("POST", VM "/status/stop", "timeout=30|skiplock=1", "qmstop", &stopped);
	take_fact("stopped", NULL);
}

/* Neither the machine nor its volumes go. */
static void is_protected(void **state)
{
	(void)state;
	put(VM_CONF, "memory: 256\nscsi0: local:101/vm-101-disk-0.raw,size=4G\n"
		     "unused0: local:101/vm-101-disk-1.raw\n");
	expect("PUT", VM "/config", "protection=yes", 200, "{\"data\":null}");
	expect_failure("DELETE", VM, NULL, "can't remove VM 101 - protection mode enabled");
	expect_failure("PUT", VM "/config", "delete=unused0",
		       "can't remove volume 'local:101/vm-101-disk-1.raw' - protection mode "
		       "enabled");
	expect_failure("PUT", VM "/unlink", "idlist=scsi0|force=1",
		       "can't remove volume 'local:101/vm-101-disk-0.raw' - protection mode "
		       "enabled");
	expect("PUT", VM "/config", "delete=scsi0", 200, "{\"data\":null}");
}

/* What a job left half done is the next one's; any other lock is somebody's. */
static void a_template_is_carried_on(void **state)
{
	static const char begun[] =
		"lock: clone\nmemory: 256\nscsi0: local:101/base-101-disk-0.raw\n"
		"scsi1: local:101/vm-101-disk-1.raw\ntemplate: 1\n\n";
	autofree char *marked = xasprintf("%s[special:template]\ntemplate: 1\n", begun);
	autofree char *backup = xasprintf("lock: backup\n%s", strchr(marked, '\n') + 1);
	autofields args = FIELDS_INIT;

	(void)state;
	put(VM_CONF, begun);
	expect_failure("POST", VM "/template", NULL, "VM is locked (clone)");
	put(VM_CONF, backup);
	expect_failure("POST", VM "/template", NULL, "VM is locked (backup)");
	put(VM_CONF, marked);
	expect_failure("POST", VM "/status/start", NULL, "VM is locked (clone)");
	expect_job("POST", VM "/template", NULL, "qmtemplate", &args);
}

static void tells_its_state(void **state)
{
	unsigned status;

	(void)state;
	autobuf body = ask_as(NULL, "GET", VM "/status/current", NULL, &status);

	assert_int_equal(status, 200);
	assert_non_null(strstr(buf_str(&body), "\"qmpstatus\":\"stopped\""));
	assert_non_null(strstr(buf_str(&body), "\"maxmem\":268435456"));
	assert_non_null(strstr(buf_str(&body), "\"maxdisk\":4294967296"));
	assert_non_null(strstr(buf_str(&body), "\"name\":\"web\""));
	assert_null(strstr(buf_str(&body), "swap"));
}

/* Each right in turn is the first that is missing. */
static void creation_needs_every_right(void **state)
{
	static const struct {
		const char *vm, *storage, *path, *missing;
	} cases[] = {
		{"VM.Audit", "Datastore.Audit", "/vms/101", "VM.Allocate"},
		{"VM.Allocate", "Datastore.Audit", "/vms/101", "VM.Config.HWType"},
		{"VM.Allocate,VM.Config.HWType", "Datastore.Audit", "/vms/101", "VM.Config.Disk"},
		{"VM.Allocate,VM.Config.HWType,VM.Config.Disk", "Datastore.Audit", "/storage/local",
		 "Datastore.AllocateSpace"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *users = xasprintf("user:joe@pve:1:0::::\nrole:A:%s\nrole:B:%s\n"
						 "acl:/vms/101:user:joe@pve:A:1\n"
						 "acl:/storage:user:joe@pve:B:1\n",
						 cases[i].vm, cases[i].storage);
		autofree char *refusal = xasprintf("{\"data\":null,\"message\":\"Permission check "
						   "failed (%s, %s)\\n\"}",
						   cases[i].path, cases[i].missing);

		put("/user.cfg", users);
		expect_as("joe@pve", "POST", "/nodes/n1/qemu", "vmid=101|kvm=0|scsi0=local:1", 403,
			  refusal);
	}
}

static void expect_missing(const char *params, const char *privilege)
{
	autofree char *refusal = xasprintf(
		"{\"data\":null,\"message\":\"Permission check failed (/vms/101, %s)\\n\"}",
		privilege);

	expect_as("joe@pve", "PUT", VM "/config", params, 403, refusal);
	expect_as("joe@pve", "POST", VM "/config", params, 403, refusal);
}

/* Media are changed by the right to do that, disks are not: by no way from one to the other. */
static void media_have_a_right_of_their_own(void **state)
{
	static const char done[] = "{\"data\":null}";
	static const char media[] =
		"user:joe@pve:1:0::::\nrole:A:VM.Config.CDROM\nrole:B:Datastore.Audit\n"
		"acl:/vms/101:user:joe@pve:A:1\nacl:/storage:user:joe@pve:B:1\n";
	static const char disks[] =
		"user:joe@pve:1:0::::\nrole:A:VM.Config.Disk\nrole:B:Datastore.Audit\n"
		"acl:/vms/101:user:joe@pve:A:1\nacl:/storage:user:joe@pve:B:1\n";

	(void)state;
	put("/user.cfg", media);
	expect_as("joe@pve", "PUT", VM "/config", "ide2=none,media=cdrom", 200, done);
	expect_as("joe@pve", "PUT", VM "/config", "ide2=local:iso/x.iso,media=cdrom", 200, done);
	expect_missing("ide2=local:101/vm-101-disk-1.raw", "VM.Config.Disk");
	expect_missing("scsi0=none,media=cdrom", "VM.Config.Disk");
	expect_missing("delete=scsi0", "VM.Config.Disk");
	expect_missing("delete=ide3", "VM.Config.Disk"); /* nothing says what it would be */
	expect_missing("memory=512", "VM.Config.Memory");
	expect_as("joe@pve", "PUT", VM "/config", "delete=ide2", 200, done);
	expect_vm(
		"memory: 256\nname: web\nscsi0: local:101/vm-101-disk-0.raw,size=4G\n" STORED_UUID);
	put("/user.cfg", disks);
	expect_missing("ide2=none,media=cdrom", "VM.Config.CDROM");
}

/* What waits for the next start is replaced, too. */
static void a_waiting_disk_is_a_disk(void **state)
{
	static const char waiting[] = "ide2: none,media=cdrom\nmemory: 256\n" STORED_UUID
				      "\n[PENDING]\nide2: local:101/vm-101-disk-0.raw\n";
	static const char media[] =
		"user:joe@pve:1:0::::\nrole:A:VM.Config.CDROM\nacl:/vms/101:user:joe@pve:A:1\n";

	(void)state;
	put("/user.cfg", media);
	put(VM_CONF, waiting);
	expect_missing("revert=ide2", "VM.Config.Disk");
	expect_missing("ide2=none,media=cdrom", "VM.Config.Disk");
	expect_missing("delete=ide2", "VM.Config.Disk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(creates, NULL, no_vm),
		cmocka_unit_test(refuses_bad_creations),
		cmocka_unit_test(creation_needs_every_right),
		cmocka_unit_test_setup_teardown(changes_at_once, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(waits_while_running, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(disks_come_and_go, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(changes_by_a_job, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(starts_and_stops, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(open_images_are_left_alone, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(gives_what_fits, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(takes_what_clients_send, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(is_protected, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(a_template_is_carried_on, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(tells_its_state, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(media_have_a_right_of_their_own, stopped_vm, no_vm),
		cmocka_unit_test_setup_teardown(a_waiting_disk_is_a_disk, stopped_vm, no_vm),
	};

	return cmocka_run_group_tests(tests, open_vm_core, close_core);
}
