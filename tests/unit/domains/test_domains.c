/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module's thread: against libvirt's own test driver, a socket that never answers, and none. Its caller never
 * waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/monitor/libvirt/session.h"

#define PATIENCE_MS 10000
#define XML                                                                                        \
	"<domain type='test'><name>%s</name><memory>8192</memory><os><type>hvm</type></os>"        \
	"</domain>"

static const struct domains_ops *const ops = &domains_libvirt_ops;
static char folder[] = "/tmp/lodge-test-XXXXXX";

static struct domains *start(const char *uri)
{
	struct domains *domains;
	struct err err = ERR_INIT;

	if (ops->open(uri, &domains, &err) < 0)
		fail_msg("%s", err.message);
	return domains;
}

static struct domains_news await(struct domains *domains)
{
	struct domains_news news = {0};

	while (!ops->take(domains, &news))
		assert_int_equal(poll(&(struct pollfd){.fd = ops->fd(domains), .events = POLLIN}, 1,
				      PATIENCE_MS),
				 1);
	return news;
}

static void expect_change(struct domains *domains, enum domain_state state, const char *reason)
{
	struct domains_news news = await(domains);

	assert_int_equal(news.kind, DOMAINS_CHANGED);
	assert_int_equal(news.items[0].vmid, 101);
	assert_int_equal(news.items[0].state, state);
	assert_string_equal(news.items[0].reason, reason);
	free(news.items);
}

static void expect_list(struct domains *domains, size_t count)
{
	struct domains_news news = await(domains);

	assert_int_equal(news.kind, DOMAINS_LISTED);
	assert_int_equal(news.count, count);
	if (count > 0)
		assert_int_equal(news.items[0].vmid, 101);
	free(news.items);
}

static virDomainPtr create(virConnectPtr conn, const char *name)
{
	char xml[512];

	snprintf(xml, sizeof(xml), XML, name);
	virDomainPtr domain = virDomainCreateXML(conn, xml, 0);

	assert_non_null(domain);
	return domain;
}

/* Foreign machines are nobody's business. */
static void follows_events(void **state)
{
	struct domains *domains = start("test:///default");
	virConnectPtr conn = virConnectOpen("test:///default");

	(void)state;
	ops->connect(domains);
	expect_list(domains, 0);
	virDomainPtr foreign = create(conn, "lodge-1x");
	virDomainPtr domain = create(conn, "lodge-101");

	expect_change(domains, DOMAIN_RUNNING, "");
	assert_int_equal(virDomainSuspend(domain), 0);
	expect_change(domains, DOMAIN_PAUSED, "");
	assert_int_equal(virDomainResume(domain), 0);
	expect_change(domains, DOMAIN_RUNNING, "");
	ops->list(domains);
	expect_list(domains, 1);
	assert_int_equal(virDomainDestroy(domain), 0);
	expect_change(domains, DOMAIN_ABSENT, "destroyed");
	virDomainDestroy(foreign);
	virDomainFree(foreign);
	virDomainFree(domain);
	assert_true(ops->close(domains));
	virConnectClose(conn);
}

/* As `virsh edit` leaves one: a machine that is only defined is not on its way anywhere. */
static void a_definition_is_no_machine(void **state)
{
	struct domains *domains = start("test:///default");
	virConnectPtr conn = virConnectOpen("test:///default");
	char xml[512];

	(void)state;
	ops->connect(domains);
	expect_list(domains, 0);
	snprintf(xml, sizeof(xml), XML, "lodge-101");
	virDomainPtr domain = virDomainDefineXML(conn, xml);

	assert_non_null(domain);
	expect_change(domains, DOMAIN_ABSENT, "");
	ops->list(domains);
	expect_list(domains, 0);
	assert_int_equal(virDomainCreate(domain), 0);
	expect_change(domains, DOMAIN_RUNNING, "");
	assert_int_equal(virDomainDestroy(domain), 0);
	expect_change(domains, DOMAIN_ABSENT, "destroyed");
	virDomainUndefine(domain);
	virDomainFree(domain);
	assert_true(ops->close(domains));
	virConnectClose(conn);
}

/* Nobody takes the news: they are not kept without end, and the list after it is right. */
static void queue_is_bounded(void **state)
{
	struct domains *domains = start("test:///default");
	virConnectPtr conn = virConnectOpen("test:///default");
	struct domains_news news = {0};
	unsigned lists = 0;

	(void)state;
	ops->connect(domains);
	expect_list(domains, 0);
	virDomainPtr domain = create(conn, "lodge-101");

	expect_change(domains, DOMAIN_RUNNING, "");
	for (unsigned i = 0; i < NEWS_MAX * 3; i++) {
		ops->list(domains);
		while (poll(&(struct pollfd){.fd = domains->wake, .events = POLLIN}, 1, 0) == 1)
			usleep(100);
	}
	ops->list(domains);
	for (size_t taken = 0; ops->take(domains, &news) || lists == 0; taken++) {
		assert_true(taken < NEWS_MAX * 2);
		lists += news.kind == DOMAINS_LISTED;
		free(news.items);
		news = (struct domains_news){0};
	}
	virDomainDestroy(domain);
	virDomainFree(domain);
	assert_true(ops->close(domains));
	virConnectClose(conn);
}

static void says_that_nobody_is_there(void **state)
{
	struct domains *domains = start("qemu+unix:///system?socket=/nowhere&mode=direct");
	struct domains_news news;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ops->connect(domains);
		news = await(domains);
		assert_int_equal(news.kind, DOMAINS_LOST);
		assert_false(news.is_hung);
		assert_string_not_equal(news.text, "");
	}
	assert_true(ops->close(domains));
}

/* As a libvirtd stopped by SIGSTOP. The thread hangs, and only it. */
static void hangs_alone(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct domains_news news;
	char uri[256];

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/mute", folder);
	snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s&mode=direct", address.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	struct domains *domains = start(uri);

	ops->connect(domains);
	autofd int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	usec_t began = clock_monotonic();

	ops->list(domains);
	assert_false(ops->take(domains, &news));
	assert_false(ops->close(domains));
	assert_true(clock_monotonic() - began < 2 * USEC_PER_SEC);
	/* libvirtd ends: so does the thread */
	close(TAKE_FD(peer));
	close(TAKE_FD(fd));
	news = await(domains);
	assert_int_equal(news.kind, DOMAINS_LOST);
	assert_true(ops->close(domains));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_events),
		cmocka_unit_test(a_definition_is_no_machine),
		cmocka_unit_test(queue_is_bounded),
		cmocka_unit_test(says_that_nobody_is_there),
		cmocka_unit_test(hangs_alone),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
