/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core is told of machines when libvirtd answers, is silent, goes, comes back. */
#include "tests/unit/monitor/machines_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(tells_what_is_listed),	    WITH(silence_is_unknown),
		WITH(hanging_open_is_unknown),	    WITH(quick_restart_changes_nothing),
		WITH(silence_without_a_break),	    WITH(a_living_process_is_not_stopped),
		WITH(a_domain_without_a_process),   WITH(records_alone),
		WITH(a_start_of_0_is_not_believed), WITH(lacking_descriptors_is_not_gone),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
