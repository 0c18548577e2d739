/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What API clients may do to a configuration: values, deletions, and what is refused unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

	{"unknown key", "mp0=x", NULL, NULL, false, NULL, "mp0", "unknown setting 'mp0'"},
	{"unknown deletion", "", "mp0", NULL, false, NULL, "delete", "unknown setting 'mp0'"},
	{"unknown revert", "", NULL, "mp0", false, NULL, "revert", "unknown setting 'mp0'"},
	{"bad value", "cores=x", NULL, NULL, false, NULL, "cores",
	 "type check ('integer') failed - got 'x'"},
	{"too small", "memory=1", NULL, NULL, false, NULL, "memory",
	 "value must have a minimum value of 16"},
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
		const char *key = str_eq(p->name, "net[n]") ? "net0" : p->name;

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

static int note_key(const char *key, void *ctx, struct err *err)
{
	buf_addf(ctx, "%s ", key);
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
	assert_string_equal(buf_str(&seen), "a b c d e stop ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(updates),
		cmocka_unit_test(refuses_line_breaks),
		cmocka_unit_test(refuses_line_breaks_in_free_text),
		cmocka_unit_test(names_every_touched_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
