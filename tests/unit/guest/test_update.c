/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What API clients may do to a configuration: values, deletions, and what is refused unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agent/guest/update.h"
#include "tests/unit/guest/guest_test.h"

#define NET0 "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01"

static const char before[] = "arch: amd64\nhostname: web\nmemory: 512\n"
			     "net0: " NET0 ",ip=dhcp\n"
			     "rootfs: local:101/vm-101-disk-0.raw,size=8G\n"
			     "unprivileged: 1\n";

struct update_case {
	const char *name, *set, *delete, *revert;
	bool is_running;
	const char *after;	     /* NULL: refused */
	const char *field, *message; /* when refused */
};

#define REST_AFTER_MEMORY                                                                          \
	"net0: " NET0 ",ip=dhcp\n"                                                                 \
	"rootfs: local:101/vm-101-disk-0.raw,size=8G\nunprivileged: 1\n"

static const struct update_case update_cases[] = {
	{"sets", "memory=1024", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 1024\n" REST_AFTER_MEMORY, NULL, NULL},
	{"booleans become 0 and 1", "onboot=yes", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY "onboot: 1\n", NULL, NULL},
	{"numbers lose zeros", "cores=007", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY "cores: 7\n", NULL, NULL},
	{"keeps the address of an interface", "net0=bridge=vmbr1,name=eth0", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n"
	 "net0: name=eth0,bridge=vmbr1,hwaddr=BC:24:11:00:00:01\n"
	 "rootfs: local:101/vm-101-disk-0.raw,size=8G\nunprivileged: 1\n",
	 NULL, NULL},
	{"waits while running", "memory=1024|tags=a", "net0", NULL, true,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY
	 "tags: a\n\n[PENDING]\ndelete: net0\nmemory: 1024\n",
	 NULL, NULL},
	{"read-only root volume", "rootfs=local:101/vm-101-disk-0.raw,ro=yes", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\nnet0: " NET0 ",ip=dhcp\n"
	 "rootfs: local:101/vm-101-disk-0.raw,ro=1,size=8G\nunprivileged: 1\n",
	 NULL, NULL},
	{"same fixed value", "unprivileged=1", NULL, NULL, true,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY, NULL, NULL},
	{"empty deletes", "tags=", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY, NULL, NULL},

	{"tags in one form", "tags=Web,b;a  web B", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY "tags: a;b;web\n", NULL,
	 NULL},
	{"no tags are none", "tags=;", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY, NULL, NULL},
	{"a mount point, its path made plain", "mp0=local:101/vm-101-disk-1.raw,mp=//a//b/", NULL,
	 NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY
	 "mp0: local:101/vm-101-disk-1.raw,mp=/a/b\n",
	 NULL, NULL},
	{"nothing of a size is left", "mp0=/srv/x,mp=/a,ro=yes|mp1=/srv/x,mp=/b", NULL, NULL, false,
	 "arch: amd64\nhostname: web\nmemory: 512\n" REST_AFTER_MEMORY
	 "mp0: /srv/x,mp=/a,ro=1\nmp1: /srv/x,mp=/b\n",
	 NULL, NULL},

	{"unknown key", "mpx=x", NULL, NULL, false, NULL, "mpx", "unknown setting 'mpx'"},
	{"unknown deletion", "", "mpx", NULL, false, NULL, "delete", "unknown setting 'mpx'"},
	{"unknown revert", "", NULL, "mpx", false, NULL, "revert", "unknown setting 'mpx'"},
	{"two on one path", "mp0=/srv/x,mp=/a|mp1=/srv/y,mp=/a/", NULL, NULL, false, NULL, "mp1",
	 "mp: mp0 is mounted on '/a' already"},
	{"one volume twice", "mp0=local:101/v.raw,mp=/a|mp1=local:101/v.raw,mp=/b", NULL, NULL,
	 false, NULL, "mp1", "volume: mp0 has 'local:101/v.raw' already"},
	{"the root volume", "mp0=local:101/vm-101-disk-0.raw,mp=/a", NULL, NULL, false, NULL, "mp0",
	 "volume: 'local:101/vm-101-disk-0.raw' is the root already"},
	{"a reserved path", "mp0=/srv/x,mp=/proc/a", NULL, NULL, false, NULL, "mp0",
	 "mp: nothing can be mounted on '/proc/a'"},
	{"the root's path", "mp0=/srv/x,mp=//", NULL, NULL, false, NULL, "mp0",
	 "mp: nothing can be mounted on '//'"},
	{"a path that climbs", "mp0=/srv/x,mp=/a/./b", NULL, NULL, false, NULL, "mp0",
	 "mp: '/a/./b' must not have '.' or '..' in it"},
	{"a volume that is still to be made", "mp0=local:8,mp=/a", NULL, NULL, false, NULL, "mp0",
	 "volume: 'local:8' is no volume"},
	{"an unused volume of one's choice", "unused0=local:101/vm-101-disk-7.raw", NULL, NULL,
	 false, NULL, "unused0", "can only be deleted"},
	{"one device twice", "dev0=/dev/a|dev1=/dev/a,mode=0600", NULL, NULL, false, NULL, "dev1",
	 "path: dev0 is '/dev/a' already"},
	{"what no user namespace may", "features=mknod=1", NULL, NULL, false, NULL, "features",
	 "mknod: an unprivileged container cannot make device nodes; give it devices by dev[n]"},
	{"nor mount", "features=mount=nfs", NULL, NULL, false, NULL, "features",
	 "mount: an unprivileged container cannot mount 'nfs'"},
	{"bad value", "cores=x", NULL, NULL, false, NULL, "cores",
	 "type check ('integer') failed - got 'x'"},
	{"too small", "memory=1", NULL, NULL, false, NULL, "memory",
	 "value must have a minimum value of 16"},
	{"quotas inside", "mp0=local:101/vm-101-disk-1.raw,mp=/a,quota=1", NULL, NULL, false, NULL,
	 "mp0", "quota: there are no user quotas inside containers"},
	{"of the root", "rootfs=local:101/vm-101-disk-0.raw,quota=1", NULL, NULL, false, NULL,
	 "rootfs", "quota: there are no user quotas inside containers"},
	{"fixed", "unprivileged=0", NULL, NULL, false, NULL, "unprivileged",
	 "unable to modify read-only option: 'unprivileged'"},
	{"required", "", "memory,tags", NULL, false, NULL, "delete",
	 "unable to delete required option 'memory'"},
	{"set and deleted", "tags=a", "tags", NULL, false, NULL, "delete",
	 "'tags' is set and deleted at the same time"},
	{"set and reverted", "tags=a", NULL, "tags", false, NULL, "revert",
	 "'tags' is changed and reverted at the same time"},
	{"no bridge", "net1=name=eth1", NULL, NULL, true, NULL, "net1",
	 "bridge: property is missing and it is not optional"},
	{"same name twice", "net1=name=eth0,bridge=vmbr0", NULL, NULL, true, NULL, "net1",
	 "name: net0 is called 'eth0' already"},
	{"another root volume", "rootfs=local:16", NULL, NULL, false, NULL, "",
	 "rootfs: the volume and its size cannot be changed here"},
	{"another size", "rootfs=local:101/vm-101-disk-0.raw,size=9G", NULL, NULL, false, NULL, "",
	 "rootfs: the volume and its size cannot be changed here"},
};

static void run(const struct update_case *c)
{
	autofields set = FIELDS_INIT;
	struct guest_config config;
	struct err err = ERR_INIT;
	struct guest_update update = {.set = &set,
				      .delete_list = c->delete,
				      .revert_list = c->revert,
				      .is_running = c->is_running};

	config_from(before, &config);
	fields_from(c->set, &set);
	int r = guest_config_update(&guest_kind_ct, &config, &update, &err);

	if ((r == 0) != (c->after != NULL))
		fail_msg("%s: %s: %s", c->name, err.field, err.message);
	assert_config(c->name, &config, c->after ? c->after : before);
	if (r < 0) {
		assert_string_equal(err.field, c->field);
		assert_string_equal(err.message, c->message);
	}
	guest_config_fini(&config);
}

static void updates(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(update_cases); i++)
		run(&update_cases[i]);
}

/* A line break would start a key of the client's choice. */
static void refuses_line_breaks(void **state)
{
	(void)state;
	for (const struct param *p = guest_kind_ct.params; p->name; p++) {
		static const char *const values[] = {"1\nlock: x", "a\nb", "\n", "1\r",
						     "name=eth0,bridge=b\nlock: create"};
		autofree char *key = xstrdup(p->name);

		if (strchr(key, '['))
			memcpy(strchr(key, '['), "0", 2);

		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			autofree char *value = NULL;
			struct err err = ERR_INIT;

			if (str_eq(key, "description"))
				continue;
			if (guest_value_normalise(&guest_kind_ct, key, values[i], &value, &err) ==
			    0)
				fail_msg("%s takes a line break: '%s'", key, value);
			assert_string_equal(err.field, key);
		}
	}
}

/* Also where no format would refuse it. */
static void refuses_line_breaks_in_free_text(void **state)
{
	(void)state;
	static const struct param params[] = {{.name = "free", .optional = true}, PARAM_END};
	const struct guest_kind_ops kind = {.params = params};
	autofree char *value = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(guest_value_normalise(&kind, "free", "a\nlock: x", &value, &err),
			 -ERR_INVALID);
	assert_string_equal(err.message, "value must not contain control characters");
	assert_null(value);
	assert_int_equal(guest_value_normalise(&kind, "free", " a b ", &value, &err), 0);
	assert_string_equal(value, "a b");
}

static void raw_settings(void **state)
{
	static const struct {
		const char *raw, *after, *message; /* after NULL: refused */
	} cases[] = {
		{"lxc.cap.drop = sys_chroot\n# a comment\n\n  lxc.cgroup2.pids.max: 100\n",
		 "arch: amd64\nunprivileged: 1\nlxc.cap.drop: sys_chroot\n"
		 "lxc.cgroup2.pids.max: 100\n",
		 NULL},
		{"", "arch: amd64\nunprivileged: 1\n", NULL},
		{"lxc.rootfs.path = /", NULL, "'lxc.rootfs.path' cannot be set"},
		{"lxc.hook.start = /x", NULL, "'lxc.hook.start' cannot be set"},
		{"lxc.net.0.link = br0", NULL, "'lxc.net.0.link' cannot be set"},
		{"lxc.include = /x", NULL, "'lxc.include' cannot be set"},
		{"lxc.cgroup.dir = /x", NULL, "'lxc.cgroup.dir' cannot be set"},
		{"lxc.cgroup.dir.container = /x", NULL, "'lxc.cgroup.dir.container' cannot be set"},
		{"lxc.cap.droppings = x", NULL, "'lxc.cap.droppings' cannot be set"},
		{"lxc.cap.drop =", NULL, "'lxc.cap.drop' has no value"},
		{"lxc.cap.drop", NULL, "'lxc.cap.drop' is not 'lxc.KEY = VALUE'"},
		{"memory: 5", NULL, "'memory: 5' is not 'lxc.KEY = VALUE'"},
		{"lxc.cap.drop = a\001", NULL, "'lxc.cap.drop': control character in the value"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char text[] = "arch: amd64\nlxc.cap.drop: old\nunprivileged: 1\n"
					   "lxc.idmap: u 0 1 1\n";
		const struct fields none = {0};
		struct guest_config config;
		struct err err = ERR_INIT;
		struct guest_update update = {.set = &none, .raw = cases[i].raw};

		config_from(text, &config);
		int r = guest_config_update(&guest_kind_ct, &config, &update, &err);

		assert_config(cases[i].raw, &config, cases[i].after ? cases[i].after : text);
		assert_int_equal(r, cases[i].after ? 0 : -ERR_INVALID);
		if (r < 0) {
			assert_string_equal(err.field, "lxc");
			assert_string_equal(err.message, cases[i].message);
		}
		guest_config_fini(&config);
	}
}

/* A volume that loses its mount point is named as unused; one that gets one back is not any more. */
static void volumes_stay_named(void **state)
{
	static const struct {
		const char *before, *set, *delete;
		bool is_running;
		const char *after;
	} cases[] = {
		{"mp0: local:101/a.raw,mp=/a\nunprivileged: 1\n", "", "mp0", false,
		 "unprivileged: 1\nunused0: local:101/a.raw\n"},
		{"mp0: local:101/a.raw,mp=/a\nunprivileged: 1\n", "", "mp0", true,
		 "mp0: local:101/a.raw,mp=/a\nunprivileged: 1\n\n[PENDING]\ndelete: mp0\n"},
		{"mp0: local:101/a.raw,mp=/a\nunused0: local:101/b.raw\n",
		 "mp0=local:101/b.raw,mp=/a", NULL, false,
		 "mp0: local:101/b.raw,mp=/a\nunused0: local:101/a.raw\n"},
		{"unused0: local:101/b.raw\nunused1: local:101/c.raw\n",
		 "mp3=local:101/b.raw,mp=/a", NULL, false,
		 "unused1: local:101/c.raw\nmp3: local:101/b.raw,mp=/a\n"},
		{"mp0: /srv/x,mp=/a\nunprivileged: 1\n", "", "mp0", false, "unprivileged: 1\n"},
		{"mp0: local:101/a.raw,mp=/a\n", "mp0=local:101/a.raw,mp=/b", NULL, false,
		 "mp0: local:101/a.raw,mp=/b\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofields set = FIELDS_INIT;
		struct guest_config config;
		struct err err = ERR_INIT;
		struct guest_update update = {.set = &set,
					      .delete_list = cases[i].delete,
					      .is_running = cases[i].is_running};

		config_from(cases[i].before, &config);
		fields_from(cases[i].set, &set);
		if (guest_config_update(&guest_kind_ct, &config, &update, &err) < 0)
			fail_msg("%s: %s", cases[i].before, err.message);
		assert_config(cases[i].before, &config, cases[i].after);
		guest_config_fini(&config);
	}
}

/* Who frees it has looked already whether something names it. */
static void volumes_of_a_task_stay_with_it(void **state)
{
	static const char text[] =
		"arch: amd64\nunused0: local:101/vm-101-disk-1.raw\nunused1: "
		"local:101/vm-101-disk-2.raw\n\n"
		"[special:config]\nvolume0: local:101/vm-101-disk-1.raw,job=J1\n";
	static const struct {
		const char *set, *owner;
		bool is_fine;
	} cases[] = {
		{"mp1=local:101/vm-101-disk-1.raw,mp=/a", NULL, false},
		{"mp1=local:101/vm-101-disk-1.raw,mp=/a", "J2", false},
		{"mp1=local:101/vm-101-disk-1.raw,mp=/a", "J1", true},
		{"mp1=local:101/vm-101-disk-2.raw,mp=/a", NULL, true},
		{"memory=64", NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofields set = FIELDS_INIT;
		struct guest_config config;
		struct err err = ERR_INIT;
		const struct guest_update update = {.set = &set, .owner = cases[i].owner};

		config_from(text, &config);
		fields_from(cases[i].set, &set);
		assert_int_equal(guest_config_update(&guest_kind_ct, &config, &update, &err),
				 cases[i].is_fine ? 0 : -ERR_INVALID);
		assert_string_equal(err.field, cases[i].is_fine ? "" : "mp1");
		guest_config_fini(&config);
	}
}

static int note_key(const char *key, const char *value, void *ctx, struct err *err)
{
	buf_addf(ctx, "%s%s%s ", key, value ? "=" : "", value ?: "");
	return str_eq(key, "stop") ? err_set(err, ERR_DENIED, "no") : 0;
}

static void names_every_touched_key(void **state)
{
	(void)state;
	autofields set = FIELDS_INIT;
	autobuf seen = BUF_INIT;
	struct err err = ERR_INIT;
	struct guest_update update = {.set = &set, .delete_list = "c,d", .revert_list = "e;stop;f"};

	fields_from("a=1|b=2", &set);
	assert_int_equal(guest_update_each_key(&update, note_key, &seen, &err), -ERR_DENIED);
	assert_string_equal(buf_str(&seen), "a=1 b=2 c d e stop ");
}

/* It was legal elsewhere: what has it can be changed in every other way. */
static void quotas_that_are_there_stay(void **state)
{
	static const char text[] = "arch: amd64\nhostname: web\nmemory: 512\n"
				   "mp0: local:101/vm-101-disk-1.raw,mp=/a,quota=1\n"
				   "rootfs: local:101/vm-101-disk-0.raw,quota=1,size=8G\n";
	static const char *const changes[] = {"memory=1024",
					      "mp0=local:101/vm-101-disk-1.raw,mp=/b,quota=1",
					      "rootfs=local:101/vm-101-disk-0.raw,quota=1,ro=1",
					      "mp1=local:101/vm-101-disk-2.raw,mp=/c"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		autofields set = FIELDS_INIT;
		struct guest_config config;
		struct err err = ERR_INIT;
		const struct guest_update update = {.set = &set, .is_running = i & 1};

		config_from(text, &config);
		fields_from(changes[i], &set);
		if (guest_config_update(&guest_kind_ct, &config, &update, &err) < 0)
			fail_msg("%s: %s: %s", changes[i], err.field, err.message);
		guest_config_fini(&config);
	}
}

/* What is fixed at creation does not go, either: a template that is none would start on what its clones stand on. */
static void fixed_keys_stay(void **state)
{
	static const struct {
		const struct guest_kind_ops *ops;
		const char *text;
	} cases[] = {
		{&guest_kind_vm, "memory: 64\nscsi0: st:101/base-101-disk-0.raw\ntemplate: 1\n"},
		{&guest_kind_ct, "arch: amd64\nrootfs: st:101/base-101-disk-0.raw\ntemplate: 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		autofields set = FIELDS_INIT;
		struct guest_config config;
		struct err err = ERR_INIT;
		bool is_empty = i % 2;
		struct guest_update update = {.set = &set,
					      .delete_list = is_empty ? NULL : "template"};

		if (is_empty)
			fields_add(&set, "template", "");
		config_from(cases[i / 2].text, &config);
		assert_int_equal(guest_config_update(cases[i / 2].ops, &config, &update, &err),
				 -ERR_INVALID);
		assert_string_equal(err.message, "unable to modify read-only option: 'template'");
		assert_string_equal(err.field, is_empty ? "template" : "delete");
		assert_config("fixed", &config, cases[i / 2].text);
		guest_config_delete(&config, "template"); /* one that is not there may be deleted */
		assert_int_equal(guest_config_update(cases[i / 2].ops, &config, &update, &err), 0);
		guest_config_fini(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_keys_stay),
		cmocka_unit_test(updates),
		cmocka_unit_test(raw_settings),
		cmocka_unit_test(volumes_stay_named),
		cmocka_unit_test(volumes_of_a_task_stay_with_it),
		cmocka_unit_test(refuses_line_breaks),
		cmocka_unit_test(refuses_line_breaks_in_free_text),
		cmocka_unit_test(quotas_that_are_there_stay),
		cmocka_unit_test(names_every_touched_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
