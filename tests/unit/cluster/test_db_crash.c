/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that ends at any of its writes, and a machine that loses its power there: what was reported is there, what
 * was not is there whole or not at all, the log follows from its start, the values follow from the log. */
#include "memory_disk.h"

#include "ledger.h"

static int open_and_start(struct ledger *l, struct err *err)
{
	int r = ledger_open(l, err);

	return r < 0 ? r : ledger_start(l, err);
}

static int append_some(struct ledger *l, struct err *err)
{
	uint64_t from = log_last(&l->log).index + 1;

	ledger_entry(l, l->meta.promised, ENTRY_BARRIER, &(struct buf){0});
	ledger_put(l, l->meta.promised, "/a", "1");
	ledger_put(l, l->meta.promised, "/b", "");
	ledger_put(l, l->meta.promised, "/a", "2");
	return ledger_write(l, ledger_persist(l, from, 0), err);
}

static int append_two_at_once(struct ledger *l, struct err *err)
{
	struct persist *both[2];
	uint64_t from = log_last(&l->log).index + 1;

	ledger_put(l, l->meta.promised, "/c", "3");
	ledger_put(l, l->meta.promised, "/d", "4");
	both[0] = ledger_persist(l, from, 0);
	ledger_delete(l, l->meta.promised, "/a");
	both[1] = ledger_persist(l, from + 2, 0);
	return ledger_write_all(l, both, 2, err);
}

static int append_large(struct ledger *l, struct err *err)
{
	uint64_t from = log_last(&l->log).index + 1;

	/* more than SQLite keeps in memory: it writes before the transaction is complete */
	assert_int_equal(db_exec(l->db, "PRAGMA cache_size=10", "set", err), 0);
	for (unsigned i = 0; i < 3; i++)
		ledger_put_large(l, l->meta.promised, "/large", 20000);
	return ledger_write(l, ledger_persist(l, from, 0), err);
}

static int settle_some(struct ledger *l, struct err *err)
{
	return ledger_settle(l, log_last(&l->log).index - 2, l->state->at.index, err);
}

static int settle_and_move(struct ledger *l, struct err *err)
{
	l->db->checkpoint_pages = 1;
	return ledger_settle(l, log_last(&l->log).index - 1, log_last(&l->log).index - 3, err);
}

static int settle_all(struct ledger *l, struct err *err)
{
	uint64_t last = log_last(&l->log).index;

	l->db->checkpoint_pages = 1;
	return ledger_settle(l, last, last, err);
}

static int promise(struct ledger *l, struct err *err)
{
	l->meta.promised += 2;
	return ledger_write(l, ledger_persist(l, 0, 0), err);
}

/* Another leader's entries instead of the last `count`. */
static int cut_and_append(struct ledger *l, uint64_t count, struct err *err)
{
	uint64_t from = log_last(&l->log).index - count + 1;
	struct persist *p;

	log_cut(&l->log, from);
	l->meta.promised++;
	ledger_put(l, l->meta.promised, "/cut", "5");
	ledger_put(l, l->meta.promised, "/a", "6");
	p = ledger_persist(l, from, 0);
	p->cut_from = from;
	return ledger_write(l, p, err);
}

static int cut_inside_a_batch(struct ledger *l, struct err *err)
{
	return cut_and_append(l, 2, err);
}

static int cut_batches(struct ledger *l, struct err *err)
{
	return cut_and_append(l, 5, err);
}

static int snapshot(struct ledger *l, struct err *err)
{
	l->meta.promised++;
	for (unsigned i = 0; i < 4; i++)
		ledger_put(l, l->meta.promised, i % 2 ? "/a" : "/elsewhere", "7");
	ledger_delete(l, l->meta.promised, "/c");
	return ledger_write(l, ledger_snapshot(l), err);
}

static int stop_and_start(struct ledger *l, struct err *err)
{
	ledger_close(l);
	return open_and_start(l, err);
}

typedef int (*step_fn)(struct ledger *l, struct err *err);

static const step_fn script[] = {
	open_and_start, ledger_found,	 append_some,	     append_two_at_once, settle_some,
	append_some,	promise,	 append_some,	     cut_inside_a_batch, settle_some,
	append_large,	settle_and_move, append_some,	     append_two_at_once, cut_batches,
	snapshot,	append_some,	 stop_and_start,     append_some,	 settle_all,
	promise,	append_some,	 append_two_at_once, settle_some,	 promise,
	stop_and_start,
};

/* What is expected after each step. The state in it is not looked at. */
static struct ledger truths[ARRAY_SIZE(script) + 1];

static void truth_set(struct ledger *truth, const struct ledger *l)
{
	*truth = (struct ledger){.meta = l->meta};
	for (uint64_t i = 1; i <= log_last(&l->log).index; i++)
		log_append(&truth->log, log_entry_ref(log_at(&l->log, i)));
}

/* Until it ends. How many steps were reported. */
static size_t run(struct ledger *l, bool is_rehearsal)
{
	size_t i = 0;

	for (; i < ARRAY_SIZE(script); i++) {
		struct err err = ERR_INIT;

		if (script[i](l, &err) < 0)
			break;
		if (is_rehearsal)
			truth_set(&truths[i + 1], l);
	}
	return i;
}

/* Random incarnations differ from run to run. */
static bool is_at(const struct replica_disk *disk, const struct ledger *truth)
{
	uint64_t last = disk->base.index + disk->entry_count;

	return disk->meta.start == truth->meta.start &&
	       disk->meta.promised == truth->meta.promised && last == log_last(&truth->log).index &&
	       (disk->entry_count == 0 || position_compare(disk->entries[disk->entry_count - 1]->at,
							   log_last(&truth->log)) == 0);
}

static void check_survivor(struct ledger *l, size_t reported, const char *when)
{
	struct ledger *truth = &truths[reported];
	struct err err = ERR_INIT;
	struct replica_disk disk;

	ledger_forget(l);
	ledger_remove(l, DB_FAILED_MARKER); /* nobody was left to write it */
	if (ledger_open(l, &err) < 0)
		fail_msg("%s: %s", when, err.message);
	disk = ledger_load(l);
	if (!is_at(&disk, truth) && reported < ARRAY_SIZE(script))
		truth++;
	if (!is_at(&disk, truth))
		fail_msg("%s: %zu steps were reported; start %lu, promised %lu, last %lu", when,
			 reported, (unsigned long)disk.meta.start,
			 (unsigned long)disk.meta.promised,
			 (unsigned long)(disk.base.index + disk.entry_count));
	truth->meta.incarnation = disk.meta.incarnation;
	ledger_compare(truth, &disk);
	db_disk_fini(&disk);
	assert_int_equal(ledger_start(l, &err), 0);
}

static void crash_at(unsigned op, enum disk_end end)
{
	static const char *const names[] = {"killed", "cut", "torn"};
	autofree char *when = xasprintf("%s at %u", names[end], op);
	struct ledger l;
	size_t reported;

	disk_clear();
	the_disk.seed = op;
	the_disk.stop = op;
	ledger_init(&l);
	reported = run(&l, false);
	ledger_close(&l);
	disk_restart(end);
	check_survivor(&l, reported, when);
	ledger_fini(&l);
}

static unsigned rehearse(void)
{
	struct ledger l;
	unsigned ops;

	disk_clear();
	ledger_init(&l);
	assert_int_equal(run(&l, true), ARRAY_SIZE(script));
	ops = the_disk.ops;
	ledger_check(&l);
	ledger_fini(&l);
	return ops;
}

static void at_every_write(enum disk_end end)
{
	unsigned ops = rehearse();

	assert_true(ops > 200);
	if (getenv("LODGE_TEST_VERBOSE"))
		print_message("%u operations\n", ops);
	for (unsigned op = 1; op <= ops; op++)
		crash_at(op, end);
	for (size_t i = 0; i < ARRAY_SIZE(truths); i++)
		log_fini(&truths[i].log);
}

static void a_process_ends_at_any_write(void **state)
{
	(void)state;
	at_every_write(DISK_KILLED);
}

static void the_power_is_cut_at_any_write(void **state)
{
	(void)state;
	at_every_write(DISK_CUT);
}

static void the_power_is_cut_and_some_of_the_rest_was_written(void **state)
{
	(void)state;
	at_every_write(DISK_TORN);
}

static int use_memory(void **state)
{
	(void)state;
	disk_use();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_ends_at_any_write),
		cmocka_unit_test(the_power_is_cut_at_any_write),
		cmocka_unit_test(the_power_is_cut_and_some_of_the_rest_was_written),
	};

	return cmocka_run_group_tests(tests, use_memory, NULL);
}
