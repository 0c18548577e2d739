/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's real parts against a libvirtd of the test's making and a core that writes down what it hears. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/monitor/machines.h"

#define PATIENCE (20 * USEC_PER_SEC)

static char folder[] = "/tmp/lodge-test-XXXXXX";

/* -- libvirtd ------------------------------------------------------------------------------------ */

static struct {
	int ready;
	struct domains_news news[32];
	size_t first, count;
	unsigned connects, lists;
} libvirtd;

static inline int fake_open(const char *uri, struct domains **ret, struct err *err)
{
	(void)uri;
	(void)err;
	libvirtd.ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*ret = (struct domains *)&libvirtd;
	return 0;
}

static inline int fake_fd(const struct domains *d)
{
	(void)d;
	return libvirtd.ready;
}

static inline bool fake_take(struct domains *d, struct domains_news *ret)
{
	eventfd_t count;

	(void)d;
	(void)eventfd_read(libvirtd.ready, &count);
	if (libvirtd.first == libvirtd.count)
		return false;
	*ret = libvirtd.news[libvirtd.first++];
	return true;
}

static inline void fake_connect(struct domains *d)
{
	(void)d;
	libvirtd.connects++;
}

static inline void fake_list(struct domains *d)
{
	(void)d;
	libvirtd.lists++;
}

static inline bool fake_close(struct domains *d)
{
	(void)d;
	close(libvirtd.ready);
	return true;
}

static const struct domains_ops fake_ops = {.open = fake_open,
					    .fd = fake_fd,
					    .take = fake_take,
					    .connect = fake_connect,
					    .list = fake_list,
					    .close = fake_close};

static inline const struct domains_ops *fake_load(void)
{
	return &fake_ops;
}

static inline const struct domains_ops *no_load(void)
{
	return NULL;
}

static inline void say(struct domains_news news)
{
	assert_true(libvirtd.count < ARRAY_SIZE(libvirtd.news));
	libvirtd.news[libvirtd.count++] = news;
	eventfd_write(libvirtd.ready, 1);
}

static inline void says_list(const struct domain *items, size_t count)
{
	say((struct domains_news){.kind = DOMAINS_LISTED,
				  .items = count ? xmemdup(items, count * sizeof(*items)) : NULL,
				  .count = count});
}

static inline void says(unsigned vmid, enum domain_state state, const char *reason)
{
	struct domain domain = {.vmid = vmid, .state = state};

	str_copy(domain.reason, sizeof(domain.reason), reason);
	say((struct domains_news){
		.kind = DOMAINS_CHANGED, .items = xmemdup(&domain, sizeof(domain)), .count = 1});
}

static inline void says_lost(bool is_hung)
{
	say((struct domains_news){.kind = DOMAINS_LOST, .is_hung = is_hung, .text = "away"});
}

/* -- the core ------------------------------------------------------------------------------------ */

static struct world {
	struct monitor monitor;
	int listener;
	sd_event_source *accepts;
	struct conn *core;
	struct buf heard; /* "guest 101 running\n" */
	pid_t machine;	  /* a process to be a machine's */
} world;

static inline const char *op_name(uint16_t op)
{
	switch (op) {
	case EVENT_GUEST:
		return "guest";
	case EVENT_LISTING:
		return "listing";
	case EVENT_LISTED:
		return "listed";
	case EVENT_UNLISTED:
		return "unlisted";
	default:
		return "?";
	}
}

static inline void on_event(struct conn *conn, struct call *event, void *ctx)
{
	static const char *const shown[] = {"vmid", "kind", "state", "reason"};

	(void)conn;
	(void)ctx;
	buf_addf(&world.heard, "%s", op_name(event->op));
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		const char *value = fields_get(&event->head, shown[i]);

		if (value && !(i == 1 && event->op == EVENT_GUEST))
			buf_addf(&world.heard, " %s", value);
	}
	buf_add_char(&world.heard, '\n');
}

static inline void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)err;
	(void)ctx;
	world.core = NULL;
}

static inline int on_accept(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	static const struct conn_ops ops = {.on_event = on_event, .on_closed = on_closed};
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	(void)ctx;
	assert_int_equal(conn_new(world.monitor.event, client, &ops, NULL, &world.core, NULL), 0);
	return 0;
}

static inline void on_connected(void *ctx)
{
	(void)ctx;
}

static const struct reporter_ops reporter_ops = {.on_connected = on_connected};

/* Exactly this is heard, from where the last one ended. */
static inline void expect(const char *text)
{
	usec_t end = clock_monotonic() + PATIENCE;

	while (world.heard.size < strlen(text) && clock_monotonic() < end)
		sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	if (!str_eq(buf_str(&world.heard), text))
		fail_msg("heard:\n%swaited for:\n%s", buf_str(&world.heard), text);
	buf_clear(&world.heard);
}

static inline void expect_lists(unsigned count)
{
	usec_t end = clock_monotonic() + PATIENCE;

	while (libvirtd.lists < count && clock_monotonic() < end)
		sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	assert_int_equal(libvirtd.lists, count);
	assert_int_equal(world.heard.size, 0);
}

static inline void expect_connects(unsigned count)
{
	usec_t end = clock_monotonic() + PATIENCE;

	while (libvirtd.connects < count && clock_monotonic() < end)
		sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	assert_int_equal(libvirtd.connects, count);
}

static inline void begin(const struct domains_ops *(*load)(void))
{
	struct monitor *m = &world.monitor;
	struct err err = ERR_INIT;

	memset(&libvirtd, 0, sizeof(libvirtd));
	if (machines_new(m, load, "fake", &m->machines, &err) < 0)
		fail_msg("%s", err.message);
}

static inline int set_up(void **state)
{
	struct monitor *m = &world.monitor;
	autofree char *path = path_join(path_run(), "%s", CORE_SOCKET);

	(void)state;
	world = (struct world){.listener = -1};
	assert_true(sd_event_new(&m->event) >= 0);
	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &world.listener, NULL), 0);
	assert_true(sd_event_add_io(m->event, &world.accepts, world.listener, EPOLLIN, on_accept,
				    NULL) >= 0);
	assert_int_equal(guests_watch_new(m, &m->guests, NULL), 0);
	assert_int_equal(reporter_new(m->event, &reporter_ops, m, &m->reporter, NULL), 0);
	while (!world.core)
		sd_event_run(m->event, USEC_PER_SEC);
	world.machine = fork();
	if (world.machine == 0) {
		pause();
		_exit(0);
	}
	return 0;
}

static inline void end_machine(void)
{
	if (world.machine <= 0)
		return;
	kill(world.machine, SIGKILL);
	waitpid(world.machine, NULL, 0);
	world.machine = 0;
}

static inline int tear_down(void **state)
{
	struct monitor *m = &world.monitor;
	autofree char *record = path_join(path_run(), "guests/101");

	(void)state;
	end_machine();
	assert_true(machines_free(m->machines));
	reporter_free(m->reporter);
	guests_watch_free(m->guests);
	if (world.core)
		conn_close(world.core);
	sd_event_source_disable_unref(world.accepts);
	close(world.listener);
	sd_event_unref(m->event);
	buf_fini(&world.heard);
	return file_remove(record, NULL);
}

/* As a start job does. */
static inline void write_record(void)
{
	autofree char *path = path_join(path_run(), "guests/101");
	autofields f = FIELDS_INIT;
	autobuf data = BUF_INIT;

	fields_addf(&f, "pid", "%d", (int)world.machine);
	fields_addf(&f, "pid_start", "%llu", (unsigned long long)exec_pid_start(world.machine));
	fields_add(&f, "boot", exec_boot_id());
	fields_add(&f, "kind", "qemu");
	fields_encode(&f, &data);
	assert_int_equal(file_write_atomic(path, data.data, data.size, 0600, NULL), 0);
}

static const struct domain running[] = {{.vmid = 101, .state = DOMAIN_RUNNING}};
static const struct domain moving[] = {{.vmid = 101, .state = DOMAIN_UNSETTLED}};

/* Up to where libvirtd has listed 101, whose process is this test's. */
static inline void listed(void)
{
	begin(fake_load);
	write_record();
	expect("guest 101 unknown\n");
	expect_connects(1);
	says_list(running, 1);
	expect("guest 101 running\n");
	expect_lists(1);
	says_list(running, 1);
	expect("guest 101 running\nlisting qemu\nguest 101 running\nlisted qemu\n");
	libvirtd.lists = 0;
}

/* Up to where it has listed none. */
static inline void listed_none(void)
{
	begin(fake_load);
	expect_connects(1);
	says_list(NULL, 0);
	expect_lists(1);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
	libvirtd.lists = 0;
}

/* As the monitor tells a core that connects. */
static inline void core_connects(void)
{
	guests_watch_tell_all(world.monitor.guests);
	machines_tell_listed(world.monitor.machines);
}

static inline int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || setenv("LODGE_RUN_DIR", folder, 1) != 0)
		return -1;
	return 0;
}

static inline int remove_folder(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
