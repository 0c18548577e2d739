/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core believes of guests while monitor and jobs report. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/core/facts.h"

struct change {
	unsigned count, vmid;
	enum guest_state before, now;
};

static void on_change(unsigned vmid, enum guest_state before, enum guest_state now, void *ctx)
{
	struct change *c = ctx;

	*c = (struct change){c->count + 1, vmid, before, now};
}

static int report(struct facts *facts, const char *vmid, const char *state, const char *pid,
		  const char *mem)
{
	autofields f = FIELDS_INIT;

	fields_add(&f, "vmid", vmid);
	fields_add(&f, "state", state);
	fields_add(&f, "pid", pid);
	fields_add(&f, "pid_start", pid);
	fields_add(&f, "mem", mem);
	return facts_take_guest(facts, &f, NULL);
}

static void unknown_until_listed(void **state)
{
	struct facts *facts = facts_new();

	(void)state;
	assert_int_equal(facts_guest(facts, 100)->state, GUEST_UNKNOWN);
	facts_hello(facts);
	assert_int_equal(report(facts, "101", "running", "50", "4096"), 0);
	assert_int_equal(facts_guest(facts, 100)->state, GUEST_UNKNOWN);
	facts_kind_listed(facts, false);
	facts_kind_listed(facts, true);
	assert_int_equal(facts_guest(facts, 100)->state, GUEST_STOPPED);
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_RUNNING);
	facts_lost(facts);
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_RUNNING);
	facts_hello(facts);
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_UNKNOWN);
	assert_int_equal(facts_guest(facts, 101)->mem, 0);
	facts_kind_listed(facts, false);
	facts_kind_listed(facts, true);
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_STOPPED);
	facts_free(facts);
}

static int report_machine(struct facts *facts, const char *vmid, const char *state,
			  const char *reason)
{
	autofields f = FIELDS_INIT;

	fields_add(&f, "vmid", vmid);
	fields_add(&f, "kind", "qemu");
	fields_add(&f, "state", state);
	fields_add(&f, "reason", reason);
	return facts_take_guest(facts, &f, NULL);
}

/* The first word of a stop may not know why it was; who was told of it is told again. */
static void reason_that_comes_later_is_told(void **state)
{
	struct facts *facts = facts_new();
	struct change change = {0};

	(void)state;
	report_machine(facts, "200", "running", NULL);
	facts_on_state(facts, on_change, &change);
	report_machine(facts, "200", "stopped", NULL);
	assert_int_equal(change.count, 1);
	report_machine(facts, "200", "stopped", "crashed");
	assert_int_equal(change.count, 2);
	assert_int_equal(change.before, GUEST_STOPPED);
	assert_string_equal(facts_guest(facts, 200)->reason, "crashed");
	report_machine(facts, "200", "stopped", NULL);
	report_machine(facts, "200", "stopped", "crashed");
	assert_int_equal(change.count, 2);
	facts_free(facts);
}

/* 100 is a container, 200 and 201 are machines. */
static bool next_guest(unsigned after, unsigned *ret_vmid, bool *ret_is_machine, void *ctx)
{
	static const unsigned ids[] = {100, 200, 201};

	(void)ctx;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (ids[i] <= after)
			continue;
		*ret_vmid = ids[i];
		*ret_is_machine = ids[i] >= 200;
		return true;
	}
	return false;
}

/* libvirtd does not answer: that says nothing of containers. */
static void each_kind_has_its_list(void **state)
{
	struct facts *facts = facts_new();
	struct change change = {0};

	(void)state;
	facts_set_guests(facts, next_guest, NULL);
	facts_hello(facts);
	facts_kind_listed(facts, false);
	assert_int_equal(facts_guest(facts, 100)->state, GUEST_STOPPED);
	assert_int_equal(facts_guest(facts, 201)->state, GUEST_UNKNOWN);
	report_machine(facts, "200", "running", NULL);
	facts_on_state(facts, on_change, &change);
	facts_kind_listed(facts, true);
	assert_int_equal(facts_guest(facts, 200)->state, GUEST_RUNNING);
	assert_int_equal(facts_guest(facts, 201)->state, GUEST_STOPPED);
	assert_int_equal(change.count, 1); /* of 201, which nobody ever reported */
	assert_int_equal(change.vmid, 201);
	assert_int_equal(change.now, GUEST_STOPPED);
	report(facts, "100", "running", "50", NULL);
	facts_kind_unlisted(facts, true);
	assert_int_equal(facts_guest(facts, 100)->state, GUEST_RUNNING);
	assert_int_equal(facts_guest(facts, 200)->state, GUEST_UNKNOWN);
	assert_int_equal(facts_guest(facts, 201)->state, GUEST_UNKNOWN);
	assert_int_equal(change.count, 4);
	/* A job does not know what became of 201; the next list does. */
	report_machine(facts, "201", "unknown", NULL);
	facts_kind_listing(facts, true);
	report_machine(facts, "200", "paused", NULL);
	facts_kind_listed(facts, true);
	assert_int_equal(facts_guest(facts, 200)->state, GUEST_PAUSED);
	assert_int_equal(facts_guest(facts, 201)->state, GUEST_STOPPED);
	facts_free(facts);
}

/* What a list dropped from the table must not be taken for what is known of the guest. */
static void a_dropped_guest_is_known_anew(void **state)
{
	struct facts *facts = facts_new();
	struct change change = {0};

	(void)state;
	facts_set_guests(facts, next_guest, NULL);
	report_machine(facts, "200", "running", NULL);
	facts_kind_listing(facts, true);
	facts_kind_listed(facts, true);
	facts_kind_unlisted(facts, true);
	assert_int_equal(facts_guest(facts, 200)->state, GUEST_UNKNOWN);
	facts_on_state(facts, on_change, &change);
	report_machine(facts, "200", "stopped", NULL);
	assert_int_equal(change.count, 1);
	assert_int_equal(change.now, GUEST_STOPPED);
	facts_free(facts);
}

/* Its number may be given to a guest of the other kind. */
static void a_guest_that_is_gone_is_forgotten(void **state)
{
	struct facts *facts = facts_new();

	(void)state;
	facts_set_guests(facts, next_guest, NULL);
	report_machine(facts, "100", "stopped", "shutdown");
	report_machine(facts, "200", "running", NULL);
	facts_forget(facts, 100);
	facts_forget(facts, 200); /* lives on */
	facts_forget(facts, 201);
	assert_string_equal(facts_guest(facts, 100)->reason, "");
	assert_false(facts_guest(facts, 100)->is_machine);
	assert_int_equal(facts_guest(facts, 200)->state, GUEST_RUNNING);
	facts_kind_listed(facts, false);
	facts_kind_listed(facts, true);
	facts_kind_unlisted(facts, true);
	assert_int_equal(facts_guest(facts, 100)->state, GUEST_STOPPED);
	facts_free(facts);
}

static int report_end(struct facts *facts, const char *reason, const char *name, const char *value)
{
	autofields f = FIELDS_INIT;

	fields_add(&f, "vmid", "101");
	fields_add(&f, "kind", "lxc");
	fields_add(&f, "state", reason ? "stopped" : "running");
	fields_add(&f, "reason", reason);
	if (name)
		fields_add(&f, name, value);
	return facts_take_guest(facts, &f, NULL);
}

/* Code and signal belong to the reason that they came with. */
static void end_of_a_first_process(void **state)
{
	struct facts *facts = facts_new();
	const struct guest_fact *fact;

	(void)state;
	report_end(facts, NULL, NULL, NULL);
	report_end(facts, "exited", "exit_code", "3");
	report_end(facts, NULL, NULL, NULL);
	assert_int_equal(facts_guest(facts, 101)->exit_code, 0);
	report_end(facts, "exited", "exit_code", "3");
	fact = facts_guest(facts, 101);
	assert_int_equal(fact->exit_code, 3);
	autofields late = FIELDS_INIT;

	fields_add(&late, "vmid", "101");
	fields_add(&late, "state", "stopped");
	facts_take_guest(facts, &late, NULL); /* the hook comes last */
	assert_int_equal(facts_guest(facts, 101)->exit_code, 3);
	report_end(facts, "crashed", "exit_signal", "11"); /* of the same end: the first word counts */
	assert_string_equal(facts_guest(facts, 101)->reason, "exited");
	report_end(facts, NULL, NULL, NULL);
	report_end(facts, "crashed", "exit_signal", "11");
	fact = facts_guest(facts, 101);
	assert_string_equal(fact->reason, "crashed");
	assert_int_equal(fact->exit_signal, 11);
	assert_int_equal(fact->exit_code, 0);
	report_end(facts, NULL, NULL, NULL);
	assert_true(report_end(facts, "crashed", "exit_signal", "x") < 0);
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_RUNNING);
	facts_free(facts);
}

static void reason_of_a_stop(void **state)
{
	struct facts *facts = facts_new();

	(void)state;
	report_machine(facts, "200", "running", "crashed");
	assert_string_equal(facts_guest(facts, 200)->reason, "");
	report_machine(facts, "200", "stopped", NULL);
	report_machine(facts, "200", "stopped", "crashed");
	report_machine(facts, "200", "stopped", NULL); /* the stop job comes last */
	assert_string_equal(facts_guest(facts, 200)->reason, "crashed");
	report_machine(facts, "200", "stopped", "killed"); /* somebody who saw less of it */
	assert_string_equal(facts_guest(facts, 200)->reason, "crashed");
	facts_kind_listing(facts, true);
	facts_kind_listed(facts, true);
	assert_string_equal(facts_guest(facts, 200)->reason, "crashed");
	report_machine(facts, "200", "running", NULL);
	report_machine(facts, "200", "stopped", NULL);
	assert_string_equal(facts_guest(facts, 200)->reason, "");
	facts_free(facts);
}

static void values_belong_to_the_process(void **state)
{
	struct facts *facts = facts_new();
	struct change change = {0};

	(void)state;
	facts_on_state(facts, on_change, &change);
	report(facts, "101", "running", "50", "4096");
	assert_int_equal(change.count, 1);
	assert_int_equal(change.before, GUEST_UNKNOWN);
	assert_int_equal(change.now, GUEST_RUNNING);
	report(facts, "101", "running", "50", NULL); /* the start job, after the monitor */
	assert_int_equal(facts_guest(facts, 101)->mem, 4096);
	assert_int_equal(change.count, 1);
	report(facts, "101", "running", "51", NULL);
	assert_int_equal(facts_guest(facts, 101)->mem, 0);
	report(facts, "101", "running", "51", "8192");
	uint64_t generation = facts_guest(facts, 101)->generation;
	report(facts, "101", "stopped", NULL, NULL);
	assert_int_equal(facts_guest(facts, 101)->mem, 0);
	assert_int_equal(facts_guest(facts, 101)->pid, 0);
	assert_true(facts_guest(facts, 101)->generation > generation);
	assert_int_equal(change.now, GUEST_STOPPED);
	facts_free(facts);
}

static void bad_fields_change_nothing(void **state)
{
	static const char *const cases[][4] = {
		{NULL, "running", "1", "1"},
		{"0", "running", "1", "1"},
		{"1000000000", "running", "1", "1"},
		{"x", "running", "1", "1"},
		{"101", NULL, "1", "1"},
		{"101", "walking", "1", "1"},
		{"101", "stopped", "-1", "1"},
		{"101", "stopped", "1", "1.5"},
		{"101", "stopped", "1", ""},
	};
	struct facts *facts = facts_new();

	(void)state;
	report(facts, "101", "running", "50", "4096");
	uint64_t generation = facts_generation(facts);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(report(facts, cases[i][0], cases[i][1], cases[i][2], cases[i][3]),
				 -ERR_INVALID);
	assert_true(facts_generation(facts) == generation);
	assert_int_equal(facts_guest(facts, 101)->state, GUEST_RUNNING);
	facts_free(facts);
}

static void node_values(void **state)
{
	struct facts *facts = facts_new();
	autofields f = FIELDS_INIT;

	(void)state;
	assert_int_equal(facts_node(facts)->observed, 0);
	fields_add(&f, "uptime", "77");
	fields_add(&f, "mem_total", "1024");
	assert_int_equal(facts_take_node(facts, &f, NULL), -ERR_INVALID); /* cpus is missing */
	fields_add(&f, "cpus", "2");
	fields_add(&f, "load5", "0.25");
	fields_add(&f, "cpu_model", "some model");
	fields_add(&f, "is_efi", "1");
	assert_int_equal(facts_take_node(facts, &f, NULL), 0);
	assert_true(facts_node(facts)->load[1] == 0.25);
	assert_string_equal(facts_node(facts)->cpu_model, "some model");
	assert_true(facts_node(facts)->is_efi);
	assert_true(facts_node(facts)->observed > 0);
	fields_set(&f, "is_efi", "2");
	assert_int_equal(facts_take_node(facts, &f, NULL), -ERR_INVALID);
	assert_int_equal(facts_node(facts)->uptime, 77);
	facts_free(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_until_listed),
		cmocka_unit_test(each_kind_has_its_list),
		cmocka_unit_test(a_dropped_guest_is_known_anew),
		cmocka_unit_test(a_guest_that_is_gone_is_forgotten),
		cmocka_unit_test(end_of_a_first_process),
		cmocka_unit_test(reason_of_a_stop),
		cmocka_unit_test(reason_that_comes_later_is_told),
		cmocka_unit_test(values_belong_to_the_process),
		cmocka_unit_test(bad_fields_change_nothing),
		cmocka_unit_test(node_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
