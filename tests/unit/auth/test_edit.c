/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edits of users and secrets in a real store, with others at work there. */
#include "tests/unit/auth/access_fixture.h"

#include "agent/auth/edit.h"

struct edit_case {
	const char *name;
	bool is_rival_first; /* each try meets a change made meanwhile */
	unsigned tries;
	bool is_done;
	int code;
};

static void rival_done(const struct store_result *result, void *ctx)
{
	(void)ctx;
	assert_int_equal(result->outcome, STORE_DONE);
}

/* A transaction that is ahead of the one under test in the log. */
static void rival_put(unsigned number)
{
	static char text[64];
	struct store_op op = {.kind = STORE_PUT, .path = "/user.cfg", .value = text};
	struct store_txn txn = {.who = "rival", .ops = &op, .op_count = 1};

	snprintf(text, sizeof(text), "user:rival%u@pve:1:0::::\n", number);
	op.size = strlen(text);
	assert_int_equal(store_submit(fixture.store, &txn, rival_done, NULL, NULL), 0);
}

static int apply(struct access_draft *draft, void *ctx, struct err *err)
{
	struct edit_case *c = ctx;
	struct cfg_user *user;

	c->tries++;
	if (c->is_rival_first)
		rival_put(c->tries);
	secrets_put(draft->shadow, c->name, "hash");
	return usercfg_add_user(draft->cfg, c->name, &user, err);
}

static void edit_done(const struct err *err, void *ctx)
{
	struct edit_case *c = ctx;

	assert_false(c->is_done);
	c->is_done = true;
	c->code = err->code;
}

static int start(struct edit_case *c, struct err *err)
{
	struct access_edit edit = {.who = "root@pam", .apply = apply, .done = edit_done, .ctx = c};

	return access_edit(access_, &edit, err);
}

static void test_edit(void **state)
{
	struct edit_case a = {.name = "a@pve"}, again = {.name = "a@pve"};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(start(&a, &err), 0);
	store_fixture_wait(&fixture, &a.is_done);
	assert_int_equal(a.code, 0);
	assert_non_null(map_get(access_usercfg(access_)->users, "a@pve"));
	assert_string_equal(access_password_hash(access_, "a@pve"), "hash");
	assert_int_equal(start(&again, &err), -ERR_EXISTS);
	assert_false(again.is_done);
}

/* More at once than there are tries: they wait for each other instead of losing. */
static void test_edits_at_once(void **state)
{
	struct edit_case cases[3 * ACCESS_EDIT_TRIES];
	char names[ARRAY_SIZE(cases)][32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(names[i], sizeof(names[i]), "u%zu@pve", i / 2);
		cases[i] = (struct edit_case){.name = names[i]};
		assert_int_equal(start(&cases[i], NULL), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		store_fixture_wait(&fixture, &cases[i].is_done);
		/* the second of each pair finds the first */
		assert_int_equal(cases[i].code, i % 2 ? ERR_EXISTS : 0);
		assert_non_null(map_get(access_usercfg(access_)->users, names[i]));
	}
}

/* A change from elsewhere, ahead in the log, is judged anew and kept. */
static void test_edit_behind_a_rival(void **state)
{
	struct edit_case a = {.name = "a@pve"};

	(void)state;
	rival_put(7);
	assert_int_equal(start(&a, NULL), 0);
	store_fixture_wait(&fixture, &a.is_done);
	assert_int_equal(a.code, 0);
	assert_int_equal(a.tries, 2);
	assert_non_null(map_get(access_usercfg(access_)->users, "a@pve"));
	assert_non_null(map_get(access_usercfg(access_)->users, "rival7@pve"));
}

static void test_edit_gives_up(void **state)
{
	struct edit_case a = {.name = "a@pve", .is_rival_first = true};

	(void)state;
	assert_int_equal(start(&a, NULL), 0);
	store_fixture_wait(&fixture, &a.is_done);
	assert_int_equal(a.code, ERR_CONFLICT);
	assert_int_equal(a.tries, ACCESS_EDIT_TRIES);
	assert_null(map_get(access_usercfg(access_)->users, "a@pve"));
	assert_null(access_password_hash(access_, "a@pve"));
}

static int apply_nothing(struct access_draft *draft, void *ctx, struct err *err)
{
	(void)draft;
	(void)ctx;
	(void)err;
	return 0;
}

static void test_edit_of_nothing_and_of_damage(void **state)
{
	struct access_edit edit = {.who = "root@pam", .apply = apply_nothing, .done = edit_done};
	struct edit_case a = {.name = "a@pve"};
	struct store_value value;
	struct err err = ERR_INIT;

	(void)state;
	put("/user.cfg", ROOT);
	assert_int_equal(access_edit(access_, &edit, NULL), ACCESS_EDIT_UNCHANGED);
	put("/user.cfg", "damaged\n");
	assert_int_equal(start(&a, &err), -ERR_CORRUPT);
	assert_string_equal(err.message, "/user.cfg: line 1: unknown record");
	assert_true(store_get(fixture.store, "/user.cfg", &value));
	assert_string_equal(value.data, "damaged\n");
}

static int apply_unreadable(struct access_draft *draft, void *ctx, struct err *err)
{
	struct cfg_user *user;

	(void)ctx;
	user = map_get(draft->cfg->users, ROOT_USERID);
	xreplace(&user->comment, "no UTF-8: \xff");
	(void)err;
	return 0;
}

static void test_unreadable_is_not_written(void **state)
{
	struct access_edit edit = {.who = "root@pam", .apply = apply_unreadable, .done = edit_done};
	struct store_value value;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(access_edit(access_, &edit, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.message, "the change was not made"));
	put("/x", "");
	assert_false(store_get(fixture.store, "/user.cfg", &value));
}

/* The store outlives the access object; what is under way then must not touch it. */
static void test_free_with_an_edit_under_way(void **state)
{
	struct edit_case a = {.name = "a@pve"}, b = {.name = "b@pve"};

	(void)state;
	assert_int_equal(start(&a, NULL), 0);
	assert_int_equal(start(&b, NULL), 0);
	access_free(access_);
	access_ = NULL;
	assert_true(b.is_done);
	assert_int_equal(b.code, ERR_UNAVAILABLE);
	store_fixture_wait(&fixture, &a.is_done);
	assert_int_equal(a.code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_edit),
		TEST(test_edits_at_once),
		TEST(test_edit_behind_a_rival),
		TEST(test_edit_gives_up),
		TEST(test_edit_of_nothing_and_of_damage),
		TEST(test_unreadable_is_not_written),
		TEST(test_free_with_an_edit_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
