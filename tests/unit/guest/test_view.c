/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations as JSON, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/guest/view.h"
#include "tests/unit/guest/guest_test.h"

static const char text[] = "#a \"quoted\" note\n"
			   "cores: 2\n"
			   "cpulimit: 1.5\n"
			   "hostname: web\n"
			   "lxc.cap.drop: mknod\n"
			   "memory: 512\n"
			   "net1: name=eth1,bridge=vmbr0\n"
			   "newer: 7\n"
			   "onboot: 1\n"
			   "lxc.cap.drop: sys_time\n"
			   "\n[PENDING]\ndelete: net1\nmemory: 1024\nswap: 0\n";

#define RAW "\"lxc\":[[\"lxc.cap.drop\",\"mknod\"],[\"lxc.cap.drop\",\"sys_time\"]],"

static void assert_view(bool is_current, const char *expected)
{
	struct guest_config config;
	autobuf out = BUF_INIT, with_digest = BUF_INIT;
	struct json j;

	config_from(text, &config);
	json_init(&j, &out);
	guest_config_write(&guest_kind_ct, &config, is_current, &j);
	buf_addf(&with_digest, "%s\"digest\":\"%s\"}", expected, config.digest);
	assert_string_equal(buf_str(&out), buf_str(&with_digest));
	guest_config_fini(&config);
}

static void shows_what_runs(void **state)
{
	(void)state;
	assert_view(true, "{\"cores\":2,\"cpulimit\":1.5,\"hostname\":\"web\",\"memory\":512,"
			  "\"net1\":\"name=eth1,bridge=vmbr0\",\"newer\":\"7\",\"onboot\":1,"
			  "\"description\":\"a \\\"quoted\\\" note\\n\"," RAW);
}

static void shows_what_comes(void **state)
{
	(void)state;
	assert_view(false, "{\"cores\":2,\"cpulimit\":1.5,\"hostname\":\"web\",\"memory\":1024,"
			   "\"newer\":\"7\",\"onboot\":1,\"swap\":0,"
			   "\"description\":\"a \\\"quoted\\\" note\\n\"," RAW);
}

static void lists_what_waits(void **state)
{
	(void)state;
	struct guest_config config;
	autobuf out = BUF_INIT, expected = BUF_INIT;
	struct json j;

	config_from("cores: 2\nmemory: 512\nnet1: name=eth1,bridge=b\n#note\n"
		    "\n[PENDING]\ndelete: net1\nmemory: 1024\nswap: 0\n",
		    &config);
	json_init(&j, &out);
	guest_pending_write(&guest_kind_ct, &config, &j);
	buf_addf(&expected,
		 "[{\"key\":\"cores\",\"value\":2},"
		 "{\"key\":\"memory\",\"value\":512,\"pending\":1024},"
		 "{\"key\":\"net1\",\"value\":\"name=eth1,bridge=b\",\"delete\":1},"
		 "{\"key\":\"swap\",\"pending\":0},"
		 "{\"key\":\"description\",\"value\":\"note\\n\"},"
		 "{\"key\":\"digest\",\"value\":\"%s\"}]",
		 config.digest);
	assert_string_equal(buf_str(&out), buf_str(&expected));
	guest_config_fini(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_what_runs),
		cmocka_unit_test(shows_what_comes),
		cmocka_unit_test(lists_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
