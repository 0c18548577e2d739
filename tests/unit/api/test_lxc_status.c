/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State and load of a container as JSON, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/api/guest_status.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

struct status_case {
	const char *name, *config; /* config NULL: unreadable */
	struct guest_fact fact;
	bool with_ha;
	const char *expected;
};

#define RUNNING                                                                                    \
	{                                                                                          \
		.state = GUEST_RUNNING, .pid = 4242, .uptime = 100, .cpu = 0.25, .mem = 1048576,   \
		.swap = 4096, .disk = 500, .max_disk = 1000, .disk_read = 1, .disk_write = 2,      \
		.net_in = 3, .net_out = 4, .observed = 10 * USEC_PER_SEC,                          \
	}

static const struct status_case cases[] = {
	{"stopped, with defaults",
	 "rootfs: local:101/vm-101-disk-0.raw,size=8G\n",
	 {.state = GUEST_STOPPED, .mem = 9, .pid = 7, .uptime = 5},
	 false,
	 "{\"vmid\":101,\"type\":\"lxc\",\"status\":\"stopped\",\"name\":\"CT101\",\"template\":0,"
	 "\"cpus\":4,\"maxmem\":536870912,\"maxswap\":536870912,\"maxdisk\":8589934592,"
	 "\"cpu\":0,\"mem\":0,\"swap\":0,\"disk\":0,\"diskread\":0,\"diskwrite\":0,\"netin\":0,"
	 "\"netout\":0,\"uptime\":0}"},
	{"running", "hostname: web\ncores: 2\nmemory: 1024\nswap: 0\ntags: a;b\n", RUNNING, true,
	 "{\"vmid\":101,\"type\":\"lxc\",\"status\":\"running\",\"name\":\"web\",\"template\":0,"
	 "\"tags\":\"a;b\",\"cpus\":2,\"maxmem\":1073741824,\"maxswap\":0,\"maxdisk\":1000,"
	 "\"cpu\":0.25,\"mem\":1048576,\"swap\":4096,\"disk\":500,\"diskread\":1,\"diskwrite\":2,"
	 "\"netin\":3,\"netout\":4,\"uptime\":105,\"pid\":4242,\"ha\":{\"managed\":0}}"},
	{"not known yet, locked",
	 "hostname: web\nlock: create\ntemplate: 1\n",
	 {.state = GUEST_UNKNOWN},
	 false,
	 "{\"vmid\":101,\"type\":\"lxc\",\"status\":\"unknown\",\"name\":\"web\",\"template\":1,"
	 "\"lock\":\"create\",\"cpus\":4,\"maxmem\":536870912,\"maxswap\":536870912,"
	 "\"maxdisk\":0,\"cpu\":0,\"mem\":0,\"swap\":0,\"disk\":0,\"diskread\":0,\"diskwrite\":0,"
	 "\"netin\":0,\"netout\":0,\"uptime\":0}"},
	{"unreadable",
	 NULL,
	 {.state = GUEST_STOPPED},
	 false,
	 "{\"vmid\":101,\"type\":\"lxc\",\"status\":\"stopped\",\"name\":\"CT101\",\"template\":0,"
	 "\"cpus\":4,\"maxmem\":0,\"maxswap\":0,\"maxdisk\":0,\"cpu\":0,\"mem\":0,\"swap\":0,"
	 "\"disk\":0,\"diskread\":0,\"diskwrite\":0,\"netin\":0,\"netout\":0,\"uptime\":0}"},
};

/* Why one stopped is told where that was nobody's wish. */
static void tells_ends(void **state)
{
	static const struct {
		struct guest_fact fact;
		const char *expected;
	} ends[] = {
		{{.state = GUEST_STOPPED}, "{}"},
		{{.state = GUEST_STOPPED, .reason = "shutdown"}, "{}"},
		{{.state = GUEST_STOPPED, .reason = "destroyed"}, "{}"},
		{{.state = GUEST_STOPPED, .reason = "crashed", .exit_signal = 11},
		 "{\"reason\":\"crashed\",\"exit-signal\":11}"},
		{{.state = GUEST_STOPPED, .reason = "oom"}, "{\"reason\":\"oom\"}"},
		{{.state = GUEST_RUNNING, .reason = "oom"}, "{}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		autobuf out = BUF_INIT;
		struct json j;

		json_init(&j, &out);
		json_object_begin(&j);
		guest_end_write(&ends[i].fact, &j);
		json_object_end(&j);
		assert_string_equal(buf_str(&out), ends[i].expected);
	}
}

static void writes_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct status_case *c = &cases[i];
		struct guest_config config = {0};
		struct err err = ERR_INIT;
		autobuf out = BUF_INIT;
		struct json j;

		if (c->config)
			assert_int_equal(
				guest_config_parse(c->config, strlen(c->config), &config, &err), 0);
		json_init(&j, &out);
		guest_status_write(&(struct guest_status){.ops = &guest_kind_ct,
							  .vmid = 101,
							  .config = c->config ? &config : NULL,
							  .fact = &c->fact,
							  .node_cpus = 4,
							  .now = 15 * USEC_PER_SEC,
							  .with_ha = c->with_ha},
				   &j);
		if (!str_eq(buf_str(&out), c->expected))
			fail_msg("%s: got\n%s\nexpected\n%s", c->name, buf_str(&out), c->expected);
		guest_config_fini(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(writes_status),
					   cmocka_unit_test(tells_ends)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
