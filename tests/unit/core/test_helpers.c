/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper processes: answers, reported errors, death, deadline, bounds, cancel. */
#include "tests/unit/core/fixture.h"

#include "agent/base/str.h"
#include "agent/core/helper_answer.h"
#include "agent/core/helpers.h"

struct world {
	sd_event *event;
	struct helpers *helpers;
	unsigned done;
	struct err err;
	struct buf output;
};

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	fixture_make();
	assert_true(sd_event_new(&w->event) >= 0);
	w->helpers = helpers_new(w->event);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	helpers_free(w->helpers);
	sd_event_unref(w->event);
	buf_fini(&w->output);
	free(w);
	fixture_remove();
	return 0;
}

static void on_done(const struct err *err, struct buf *output, void *ctx)
{
	struct world *w = ctx;

	w->done++;
	w->err = *err;
	buf_clear(&w->output);
	buf_add(&w->output, output->data, output->size);
}

static bool is_done(void *ctx)
{
	return ((struct world *)ctx)->done > 0;
}

static struct helper *run(struct world *w, const char *name, usec_t timeout)
{
	autofields args = FIELDS_INIT;
	struct helper *helper = NULL;

	fields_add(&args, "key", "value");
	assert_int_equal(helpers_run(w->helpers, name, &args, timeout, on_done, w, &helper, NULL),
			 0);
	assert_int_equal(w->done, 0); /* never from inside */
	return helper;
}

static void run_to_end(struct world *w, const char *name, usec_t timeout)
{
	w->done = 0;
	run(w, name, timeout);
	fixture_run_until(w->event, is_done, w);
	assert_int_equal(w->done, 1);
}

static void answers(void **state)
{
	struct world *w = *state;
	autofields got = FIELDS_INIT;

	run_to_end(w, "echo", FIXTURE_PATIENCE);
	assert_int_equal(w->err.code, 0);
	struct cursor c = cursor_on(w->output.data, w->output.size);
	assert_int_equal(fields_decode(&c, &got, NULL), 0);
	assert_string_equal(fields_get(&got, "key"), "value");
}

static void failures(void **state)
{
	static const struct {
		const char *name;
		usec_t timeout;
		int code;
		const char *field, *message;
	} cases[] = {
		{"refuse", FIXTURE_PATIENCE, ERR_INVALID, "size", "value is too large"},
		{"crowd", FIXTURE_PATIENCE, ERR_CROWDED, "", "too many at this moment"},
		{"mumble", FIXTURE_PATIENCE, ERR_INTERNAL, "",
		 "helper mumble failed without a reason"},
		{"crash", FIXTURE_PATIENCE, ERR_INTERNAL, "", "helper crash died: signal 9"},
		{"hang", 50 * USEC_PER_MSEC, ERR_TIMEOUT, "", "hang took too long"},
		{"flood", FIXTURE_PATIENCE, ERR_LIMIT, "", "flood answered too much"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run_to_end(w, cases[i].name, cases[i].timeout);
		assert_int_equal(w->err.code, cases[i].code);
		assert_string_equal(w->err.field, cases[i].field);
		assert_string_equal(w->err.message, cases[i].message);
	}
}

static void program_missing(void **state)
{
	autofree char *path = fixture_path("lodge-task");

	unlink(path);
	run_to_end(*state, "echo", FIXTURE_PATIENCE);
	assert_int_equal(((struct world *)*state)->err.code, ERR_NOT_FOUND);
}

static void hanging_ones_give_their_slots_back(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < HELPERS_RUNNING; i++)
		run(w, "hang", 200 * USEC_PER_MSEC);
	struct err err = ERR_INIT;
	struct world other = {0};
	assert_int_equal(helpers_run(w->helpers, "echo", NULL, FIXTURE_PATIENCE, on_done, &other,
				     NULL, &err),
			 0);
	fixture_run_until(w->event, is_done, &other);
	assert_int_equal(other.err.code, 0);
	buf_fini(&other.output);
}

static void ask_storage(struct world *w, const char *name, const char *storage,
			struct world *answers_to)
{
	autofields args = FIELDS_INIT;

	fields_add(&args, "storage-id", storage);
	assert_int_equal(helpers_run(w->helpers, name, &args, FIXTURE_PATIENCE, on_done, answers_to,
				     NULL, NULL),
			 0);
}

/* Twice as many as there are slots ask one that hangs: another one is asked all the same. */
static void one_storage_takes_few_slots(void **state)
{
	struct world *w = *state;
	struct world other = {0};

	for (unsigned i = 0; i < 2 * HELPERS_RUNNING; i++)
		ask_storage(w, "hang", "slow", w);
	ask_storage(w, "echo", "quick", &other);
	fixture_run_until(w->event, is_done, &other);
	assert_int_equal(other.err.code, 0);
	assert_int_equal(w->done, 0);
	buf_fini(&other.output);
}

/* Servers that do not answer: logins are checked all the same. */
static void the_network_takes_few_slots(void **state)
{
	struct world *w = *state;
	struct world other = {0};

	for (unsigned i = 0; i < 2 * HELPERS_RUNNING; i++)
		run(w, "oci-hang", FIXTURE_PATIENCE);
	assert_int_equal(helpers_run(w->helpers, "echo", NULL, FIXTURE_PATIENCE, on_done, &other,
				     NULL, NULL),
			 0);
	fixture_run_until(w->event, is_done, &other);
	assert_int_equal(other.err.code, 0);
	assert_int_equal(w->done, 0);
	buf_fini(&other.output);
}

static void queue_is_bounded(void **state)
{
	struct world *w = *state;
	struct err err = ERR_INIT;

	for (unsigned i = 0; i < HELPERS_QUEUED; i++)
		run(w, "hang", FIXTURE_PATIENCE);
	assert_int_equal(
		helpers_run(w->helpers, "echo", NULL, FIXTURE_PATIENCE, on_done, w, NULL, &err),
		-ERR_LIMIT);
}

static void cancelled_is_never_answered(void **state)
{
	struct world *w = *state;
	struct world other = {0};

	helper_cancel(run(w, "echo", FIXTURE_PATIENCE)); /* queued */
	struct helper *running = run(w, "hang", FIXTURE_PATIENCE);
	assert_true(sd_event_run(w->event, USEC_PER_SEC) >= 0); /* starts it */
	helper_cancel(running);
	assert_int_equal(helpers_run(w->helpers, "echo", NULL, FIXTURE_PATIENCE, on_done, &other,
				     NULL, NULL),
			 0);
	fixture_run_until(w->event, is_done, &other);
	assert_int_equal(w->done, 0);
	buf_fini(&other.output);
}

static void error_lines(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *field, *message;
	} cases[] = {
		{"4 - no such file\nmore\n", ERR_NOT_FOUND, "", "no such file"},
		{"1 name is bad", ERR_INVALID, "name", "is bad"},
		{"99 - x", ERR_INTERNAL, "", "helper h failed: x"},
		{"0 - x", ERR_INTERNAL, "", "helper h failed: x"},
		{"-1 - x", ERR_INTERNAL, "", "helper h failed: x"},
		{"", ERR_INTERNAL, "", "helper h failed without a reason"},
		{"1", ERR_INTERNAL, "", "helper h failed without a reason"},
		{"\n1 - x", ERR_INTERNAL, "", "helper h failed without a reason"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(
			helper_error_parse("h", cases[i].text, strlen(cases[i].text), &err),
			-cases[i].code);
		assert_string_equal(err.field, cases[i].field);
		assert_string_equal(err.message, cases[i].message);
	}
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(answers),
		WITH(failures),
		WITH(program_missing),
		WITH(hanging_ones_give_their_slots_back),
		WITH(one_storage_takes_few_slots),
		WITH(the_network_takes_few_slots),
		WITH(queue_is_bounded),
		WITH(cancelled_is_never_answered),
		cmocka_unit_test(error_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
