/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of consoles, with the clock passed in: ports, who may take what and when, bounds. */
#include "tests/unit/core/fixture.h"

#include <sys/socket.h>

#include "agent/base/str.h"
#include "agent/core/certificate.h"
#include "agent/core/consoles.h"

#define NOW	(1000 * USEC_PER_SEC)
#define STARTER "busy@pve"

static sd_event *event;
static struct jobs *jobs;
static struct consoles *consoles;

static int set_up(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	fixture_make();
	fixture_write("lodge-task-console", fixture_program, 0755);
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(jobs_new(event, "alpha", &jobs, &err), 0);
	consoles = consoles_new(event, jobs);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	consoles_free(consoles);
	jobs_free(jobs);
	sd_event_unref(event);
	fixture_remove();
	return 0;
}

/* Returns the job's end. */
static int add(unsigned port, const char *user, const char *ticket, const char *upid)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	consoles_add(
		consoles,
		&(struct console){
			.port = port, .vmid = 101, .user = user, .ticket = ticket, .upid = upid},
		ends[0], NOW);
	return ends[1];
}

static int take(unsigned port, unsigned vmid, const char *user, const char *ticket, usec_t now)
{
	const struct console console = {.port = port, .vmid = vmid, .user = user, .ticket = ticket};
	int fd = -1, r = consoles_take(consoles, &console, now, &fd, NULL);

	closep(&fd);
	return r;
}

static void expect_read(int fd, const char *text)
{
	char got[8] = "";

	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
}

static void only_its_owner_takes_it(void **state)
{
	static const struct {
		unsigned port, vmid;
		const char *user, *ticket;
	} wrong[] = {
		{5900, 101, "a@pve", "T"},  {5902, 101, "a@pve", "T"},	 {0, 101, "a@pve", "T"},
		{6000, 101, "a@pve", "T"},  {65535, 101, "a@pve", "T"},	 {5901, 102, "a@pve", "T"},
		{5901, 101, "b@pve", "T"},  {5901, 101, "a@pve!x", "T"}, {5901, 101, "a@pve", "t"},
		{5901, 101, "a@pve", "TT"}, {5901, 101, "a@pve", ""},
	};
	autofd int job = add(5901, "a@pve", "T", "UPID:x");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(
			take(wrong[i].port, wrong[i].vmid, wrong[i].user, wrong[i].ticket, NOW),
			-ERR_AUTH);
	assert_int_equal(take(5901, 101, "a@pve", "T", NOW), 0);
	expect_read(job, "!");
	expect_read(job, ""); /* take() closed it */
	assert_int_equal(take(5901, 101, "a@pve", "T", NOW), -ERR_AUTH);
}

static void it_waits_forty_seconds(void **state)
{
	autofd int late = add(5901, "a@pve", "T", "UPID:x");
	autofd int in_time = add(5902, "a@pve", "T", "UPID:y");

	(void)state;
	consoles_expire(consoles, NOW + CONSOLE_LIFE - 1);
	assert_int_equal(take(5902, 101, "a@pve", "T", NOW + CONSOLE_LIFE - 1), 0);
	/* also when the timer is late */
	assert_int_equal(take(5901, 101, "a@pve", "T", NOW + CONSOLE_LIFE), -ERR_AUTH);
	consoles_expire(consoles, NOW + CONSOLE_LIFE);
	expect_read(late, "");
	assert_int_equal(take(5901, 101, "a@pve", "T", NOW), -ERR_AUTH);
	expect_read(in_time, "!");
}

static void a_job_that_is_gone_is_told(void **state)
{
	int job = add(5901, "a@pve", "T", "UPID:x");

	(void)state;
	close(job);
	assert_int_equal(take(5901, 101, "a@pve", "T", NOW), -ERR_UNAVAILABLE);
	assert_int_equal(take(5901, 101, "a@pve", "T", NOW), -ERR_AUTH);
}

static int start(const char *vmid, char upid[UPID_MAX])
{
	const struct job_spec spec = {.program = JOB_CONSOLE,
				      .command = "say",
				      .type = CONSOLE_TASK_TYPE,
				      .id = vmid,
				      .user = STARTER,
				      .fd = -1};

	return jobs_start(jobs, &spec, upid, NULL);
}

static bool is_over(void *ctx)
{
	return jobs_find(jobs, ctx)->state == TASK_STOPPED;
}

static void a_port_is_free_when_its_job_has_ended(void **state)
{
	char upid[UPID_MAX];
	unsigned port = 0, other = 0;

	(void)state;
	assert_int_equal(consoles_reserve(consoles, 101, "root@pam", &port, NULL), 0);
	assert_in_range(port, CONSOLE_PORT_MIN, CONSOLE_PORT_MIN + CONSOLES_MAX - 1);
	assert_int_equal(start("101", upid), 0);
	autofd int job = add(port, "a@pve", "T", upid);

	for (unsigned i = 1; i < CONSOLES_MAX; i++) {
		assert_int_equal(consoles_reserve(consoles, 101, "root@pam", &other, NULL), 0);
		assert_int_not_equal(other, port);
		close(add(other, "a@pve", "T", "UPID:x"));
	}
	assert_int_equal(consoles_reserve(consoles, 101, "root@pam", &other, NULL), -ERR_LIMIT);
	fixture_run_until(event, is_over, upid);
	assert_int_equal(consoles_reserve(consoles, 101, "root@pam", &other, NULL), 0);
	assert_int_equal(other, port);
	expect_read(job, "");
}

/* Counted by their tasks, so that those of an earlier core count. */
static void they_are_bounded(void **state)
{
	char upid[UPID_MAX];
	struct err err = ERR_INIT;
	unsigned port;

	(void)state;
	for (unsigned i = 0; i < CONSOLES_OF_GUEST_MAX; i++) {
		assert_int_equal(consoles_reserve(consoles, 101, "root@pam", &port, NULL), 0);
		assert_int_equal(start("101", upid), 0);
	}
	assert_int_equal(consoles_reserve(consoles, 101, "root@pam", &port, &err), -ERR_LIMIT);
	assert_string_equal(err.message,
			    "too many consoles of guest 101 are open (32); close one first");
	assert_int_equal(consoles_reserve(consoles, 102, "root@pam", &port, NULL), 0);
	for (unsigned i = CONSOLES_OF_GUEST_MAX; i < CONSOLES_OF_USER_MAX; i++)
		assert_int_equal(start("103", upid), 0);
	assert_int_equal(consoles_reserve(consoles, 102, STARTER, &port, &err), -ERR_LIMIT);
	assert_string_equal(err.message,
			    "too many consoles of user " STARTER " are open (48); close one first");
	assert_int_equal(consoles_reserve(consoles, 102, "other@pve", &port, NULL), 0);
	for (unsigned i = CONSOLES_OF_USER_MAX; i < CONSOLES_MAX - CONSOLES_OF_ROOT; i++)
		assert_int_equal(start("103", upid), 0);
	assert_int_equal(consoles_reserve(consoles, 102, "other@pve", &port, NULL), -ERR_LIMIT);
	assert_int_equal(consoles_reserve(consoles, 102, "root@pam", &port, NULL), 0);
	for (unsigned i = CONSOLES_MAX - CONSOLES_OF_ROOT; i < CONSOLES_MAX; i++)
		assert_int_equal(start("104", upid), 0);
	assert_int_equal(consoles_reserve(consoles, 102, "root@pam", &port, NULL), -ERR_LIMIT);
	fixture_run_until(event, is_over, upid);
}

static void the_timer_closes_it(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	consoles_add(consoles,
		     &(struct console){
			     .port = 5950, .vmid = 101, .user = "a", .ticket = "T", .upid = "x"},
		     ends[0], clock_monotonic() - CONSOLE_LIFE);
	assert_true(sd_event_run(event, FIXTURE_PATIENCE) > 0);
	expect_read(ends[1], "");
	close(ends[1]);
}

static void certificate_without_its_key(void **state)
{
	static const char pem[] =
		"text\n-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"
		"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
		"-----BEGIN CERTIFICATE-----\ntwo\n-----END CERTIFICATE-----";
	static const char certificates[] =
		"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
		"-----BEGIN CERTIFICATE-----\ntwo\n-----END CERTIFICATE-----\n";
	struct certificate *certificate = certificate_new();
	autofree char *folder = fixture_path("tls");

	(void)state;
	assert_string_equal(certificate_pem(certificate), "");
	assert_int_equal(dir_make(folder, 0700, NULL), 0);
	fixture_write("tls/gate.pem", pem, 0600);
	assert_string_equal(certificate_pem(certificate), certificates);
	/* sha256sum of "ABC" */
	assert_string_equal(certificate_fingerprint(certificate),
			    "B5:D4:04:5C:3F:46:6F:A9:1F:E2:CC:6A:BE:79:23:2A:"
			    "1A:57:CD:F1:04:F7:A2:6E:71:6E:0A:1E:27:89:DF:78");
	fixture_write("tls/gate.pem", "-----BEGIN CERTIFICATE-----\ncut", 0600);
	assert_string_equal(certificate_pem(certificate), "");
	assert_string_equal(certificate_fingerprint(certificate), "");
	certificate_free(certificate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_its_owner_takes_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_waits_forty_seconds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_job_that_is_gone_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_port_is_free_when_its_job_has_ended, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(they_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_timer_closes_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(certificate_without_its_key, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
