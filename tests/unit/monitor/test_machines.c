/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core is told of machines when libvirtd answers, is silent, goes, comes back: the monitor's real
 * parts against a libvirtd of this test's making and a core that writes down what it hears. */
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

static int fake_open(const char *uri, struct domains **ret, struct err *err)
{
	(void)uri;
	(void)err;
	libvirtd.ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*ret = (struct domains *)&libvirtd;
	return 0;
}

static int fake_fd(const struct domains *d)
{
	(void)d;
	return libvirtd.ready;
}

static bool fake_take(struct domains *d, struct domains_news *ret)
{
	eventfd_t count;

	(void)d;
	(void)eventfd_read(libvirtd.ready, &count);
	if (libvirtd.first == libvirtd.count)
		return false;
	*ret = libvirtd.news[libvirtd.first++];
	return true;
}

static void fake_connect(struct domains *d)
{
	(void)d;
	libvirtd.connects++;
}

static void fake_list(struct domains *d)
{
	(void)d;
	libvirtd.lists++;
}

static bool fake_close(struct domains *d)
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

static const struct domains_ops *fake_load(void)
{
	return &fake_ops;
}

static const struct domains_ops *no_load(void)
{
	return NULL;
}

static void say(struct domains_news news)
{
	assert_true(libvirtd.count < ARRAY_SIZE(libvirtd.news));
	libvirtd.news[libvirtd.count++] = news;
	eventfd_write(libvirtd.ready, 1);
}

static void says_list(const struct domain *items, size_t count)
{
	say((struct domains_news){.kind = DOMAINS_LISTED,
				  .items = count ? xmemdup(items, count * sizeof(*items)) : NULL,
				  .count = count});
}

static void says(unsigned vmid, enum domain_state state, const char *reason)
{
	struct domain domain = {.vmid = vmid, .state = state};

	str_copy(domain.reason, sizeof(domain.reason), reason);
	say((struct domains_news){
		.kind = DOMAINS_CHANGED, .items = xmemdup(&domain, sizeof(domain)), .count = 1});
}

static void says_lost(bool is_hung)
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

static const char *op_name(uint16_t op)
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

static void on_event(struct conn *conn, struct call *event, void *ctx)
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

static void on_closed(struct conn *conn, const struct err *err, void *ctx)
{
	(void)conn;
	(void)err;
	(void)ctx;
	world.core = NULL;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	static const struct conn_ops ops = {.on_event = on_event, .on_closed = on_closed};
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	(void)ctx;
	assert_int_equal(conn_new(world.monitor.event, client, &ops, NULL, &world.core, NULL), 0);
	return 0;
}

static void on_connected(void *ctx)
{
	(void)ctx;
}

static const struct reporter_ops reporter_ops = {.on_connected = on_connected};

/* Exactly this is heard, from where the last one ended. */
static void expect(const char *text)
{
	usec_t end = clock_monotonic() + PATIENCE;

	while (world.heard.size < strlen(text) && clock_monotonic() < end)
		sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	if (!str_eq(buf_str(&world.heard), text))
		fail_msg("heard:\n%swaited for:\n%s", buf_str(&world.heard), text);
	buf_clear(&world.heard);
}

static void expect_lists(unsigned count)
{
	usec_t end = clock_monotonic() + PATIENCE;

	while (libvirtd.lists < count && clock_monotonic() < end)
		sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	assert_int_equal(libvirtd.lists, count);
	assert_int_equal(world.heard.size, 0);
}

static void expect_connects(unsigned count)
{
	usec_t end = clock_monotonic() + PATIENCE;

	while (libvirtd.connects < count && clock_monotonic() < end)
		sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	assert_int_equal(libvirtd.connects, count);
}

static void begin(const struct domains_ops *(*load)(void))
{
	struct monitor *m = &world.monitor;
	struct err err = ERR_INIT;

	memset(&libvirtd, 0, sizeof(libvirtd));
	if (machines_new(m, load, "fake", &m->machines, &err) < 0)
		fail_msg("%s", err.message);
}

static int set_up(void **state)
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

static void end_machine(void)
{
	if (world.machine <= 0)
		return;
	kill(world.machine, SIGKILL);
	waitpid(world.machine, NULL, 0);
	world.machine = 0;
}

static int tear_down(void **state)
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
static void write_record(void)
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
static void listed(void)
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
static void listed_none(void)
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
static void core_connects(void)
{
	guests_watch_tell_all(world.monitor.guests);
	machines_tell_listed(world.monitor.machines);
}

static void tells_what_is_listed(void **state)
{
	(void)state;
	listed();
	says(101, DOMAIN_PAUSED, "");
	expect("guest 101 paused\n");
	says(101, DOMAIN_RUNNING, "");
	expect("guest 101 running\n");
	end_machine();
	expect("guest 101 stopped\n"); /* before libvirtd saw it */
	says(101, DOMAIN_ABSENT, "failed");
	expect("guest 101 stopped failed\n");
	assert_int_equal(libvirtd.lists, 0);
}

static void silence_is_unknown(void **state)
{
	(void)state;
	listed();
	says_lost(true);
	expect("unlisted qemu\n");
	expect_connects(2);
	end_machine();
	expect("guest 101 unknown\n"); /* another may be made of what waits in libvirtd's socket */
	/* What the first list lacks may be on its way. */
	says_list(NULL, 0);
	expect_lists(1);
	says_list(moving, 1);
	expect("listing qemu\nguest 101 unknown\nlisted qemu\n");
	expect_lists(2);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

static void hanging_open_is_unknown(void **state)
{
	(void)state;
	listed();
	says_lost(false);
	expect_connects(2); /* and no answer */
	expect("unlisted qemu\n");
	sd_event_run(world.monitor.event, 3 * USEC_PER_SEC);
	assert_int_equal(libvirtd.connects, 2); /* one attempt at a time */
	says_list(running, 1);
	expect("guest 101 running\n");
	expect_lists(1);
	says_list(running, 1);
	expect("guest 101 running\nlisting qemu\nguest 101 running\nlisted qemu\n");
}

static void quick_restart_changes_nothing(void **state)
{
	(void)state;
	listed();
	says_lost(false);
	expect_connects(2);
	says_lost(false);
	expect_connects(3);
	says_list(running, 1);
	expect("guest 101 running\nlisting qemu\nguest 101 running\nlisted qemu\n");
}

static void silence_without_a_break(void **state)
{
	(void)state;
	listed();
	machines_look(world.monitor.machines);
	expect_lists(1);
	expect("unlisted qemu\n");
	says_list(running, 1);
	expect("guest 101 running\n");
	expect_lists(2);
	says_list(running, 1);
	expect("guest 101 running\nlisting qemu\nguest 101 running\nlisted qemu\n");
}

/* Stopped is only said after the second list. */
static void looks_twice(void **state)
{
	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	expect_lists(2);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

/* A list that comes early, which an answer of before the doubt made one of two, is not the second. */
static void an_early_list_is_not_the_second(void **state)
{
	usec_t began = clock_monotonic();

	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	says_list(NULL, 0);
	expect_lists(2);
	assert_true(clock_monotonic() - began >= 2 * MACHINES_SETTLE);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

/* Between the two lists, and where the word of the job was lost with the core before. */
static void a_core_that_connects_waits_for_two(void **state)
{
	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	core_connects();
	expect_lists(2);
	says_list(NULL, 0);
	expect_lists(3);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
	core_connects();
	expect_lists(4);
	says_list(NULL, 0);
	expect_lists(5);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

/* A quick end of libvirtd between the two begins anew. */
static void a_break_between_the_two(void **state)
{
	(void)state;
	listed_none();
	machines_look(world.monitor.machines);
	expect_lists(1);
	says_list(NULL, 0);
	sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	says_lost(false);
	expect_connects(2);
	says_list(NULL, 0);
	expect_lists(2); /* that of before: early */
	says_list(NULL, 0);
	expect_lists(3);
	says_list(NULL, 0);
	expect("listing qemu\nlisted qemu\n");
}

/* libvirtd lost it, its process lives: not stopped. */
static void a_living_process_is_not_stopped(void **state)
{
	(void)state;
	listed();
	says_lost(false);
	expect_connects(2);
	says_list(NULL, 0);
	expect_lists(1);
	says_list(NULL, 0);
	expect("guest 101 running\nlisting qemu\nguest 101 running\nlisted qemu\n");
	says(101, DOMAIN_ABSENT, "destroyed");
	sd_event_run(world.monitor.event, 0);
	assert_int_equal(world.heard.size, 0);
	end_machine();
	expect("guest 101 stopped\n");
}

/* libvirtd has it, but no process of it can be found: asked twice. */
static void a_domain_without_a_process(void **state)
{
	static const struct domain odd[] = {{.vmid = 102, .state = DOMAIN_PAUSED}};

	(void)state;
	listed_none();
	says_list(odd, 1);
	expect_lists(1);
	says_list(odd, 1);
	expect("guest 102 paused\nlisting qemu\nguest 102 paused\nlisted qemu\n");
	says(102, DOMAIN_ABSENT, "shutdown");
	expect("guest 102 stopped shutdown\n");
}

/* Built without libvirt: records are all there is. */
static void records_alone(void **state)
{
	(void)state;
	begin(no_load);
	expect("listing qemu\nlisted qemu\n");
	write_record();
	expect("guest 101 running\n");
	end_machine();
	expect("guest 101 stopped\n");
}

/* Its start reads as 0, as does that of a record without one. */
static void a_start_of_0_is_not_believed(void **state)
{
	siginfo_t info;

	(void)state;
	begin(no_load);
	expect("listing qemu\nlisted qemu\n");
	kill(world.machine, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)world.machine, &info, WEXITED | WNOWAIT), 0);
	write_record();
	sd_event_run(world.monitor.event, USEC_PER_SEC);
	machines_tell_listed(world.monitor.machines);
	expect("listed qemu\n");
}

/* What cannot be looked at for want of a descriptor is looked at again. */
static void lacking_descriptors_is_not_gone(void **state)
{
	usec_t end = clock_monotonic() + PATIENCE;
	struct rlimit was, few;

	(void)state;
	begin(no_load);
	expect("listing qemu\nlisted qemu\n");
	write_record();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (guests_watch_is_complete(world.monitor.guests) && clock_monotonic() < end)
		sd_event_run(world.monitor.event, 50 * USEC_PER_MSEC);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(world.heard.size, 0);
	assert_false(guests_watch_is_complete(world.monitor.guests));
	guests_watch_sample(world.monitor.guests);
	expect("guest 101 running\n");
	assert_true(guests_watch_is_complete(world.monitor.guests));
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || setenv("LODGE_RUN_DIR", folder, 1) != 0)
		return -1;
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return dir_remove_tree(folder, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(tells_what_is_listed),
		WITH(silence_is_unknown),
		WITH(hanging_open_is_unknown),
		WITH(quick_restart_changes_nothing),
		WITH(silence_without_a_break),
		WITH(looks_twice),
		WITH(an_early_list_is_not_the_second),
		WITH(a_core_that_connects_waits_for_two),
		WITH(a_break_between_the_two),
		WITH(a_living_process_is_not_stopped),
		WITH(a_domain_without_a_process),
		WITH(records_alone),
		WITH(a_start_of_0_is_not_believed),
		WITH(lacking_descriptors_is_not_gone),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
