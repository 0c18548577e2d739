/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials and rights over a real store: what changes there counts at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/auth/access.h"
#include "agent/auth/edit.h"
#include "agent/auth/privs.h"
#include "agent/auth/shadow.h"
#include "agent/auth/token.h"
#include "agent/base/mem.h"
#include "tests/unit/auth/access_test.h"

#define NOW  0x68000000ull
#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define ROOT "user:root@pam:1:0::::\n"

static struct store_fixture fixture;
static struct access *access_;

static int setup(void **state)
{
	(void)state;
	store_fixture_init(&fixture);
	assert_int_equal(access_new(fixture.store, &access_, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	access_free(access_);
	access_ = NULL;
	store_fixture_fini(&fixture);
	return 0;
}

static void put(const char *path, const char *text)
{
	store_fixture_put(&fixture, path, text);
}

static void put_token_secret(const char *tokenid)
{
	char digest[SHA256_HEX_SIZE];

	token_digest(UUID, digest);
	autofree char *text = xasprintf("%s:%s\n", tokenid, digest);
	put("/priv/token.cfg", text);
}

static int login(const char *ticket, uint64_t now)
{
	struct credential cred = {.ticket = ticket};
	struct identity who;

	return access_authenticate(access_, &cred, false, now, &who, NULL);
}

static int login_token(const char *token, uint64_t now, struct identity *ret)
{
	struct credential cred = {.token = token};

	return access_authenticate(access_, &cred, true, now, ret, NULL);
}

static void test_key_is_made_once(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct store_value value;
	struct err err = ERR_INIT;

	(void)state;
	/* the transaction is under way, so there is none yet */
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, &err),
			 -ERR_UNAVAILABLE);
	put("/x", "");
	assert_true(store_get(fixture.store, "/priv/authkey", &value));
	assert_int_equal(value.size, 65);
	uint64_t version = value.version;
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	assert_int_equal(login(ticket, NOW), 0);

	/* the next start finds it, and its tickets */
	access_free(access_);
	store_close(fixture.store);
	store_fixture_open(&fixture);
	assert_int_equal(access_new(fixture.store, &access_, NULL), 0);
	assert_int_equal(login(ticket, NOW), 0);
	put("/x", "y");
	assert_true(store_get(fixture.store, "/priv/authkey", &value));
	assert_int_equal(value.version, version);
}

static void key_put_done(const struct store_result *result, void *ctx)
{
	(void)ctx;
	assert_int_equal(result->outcome, STORE_DONE);
}

/* Another node's key, ahead in the log, is not replaced. */
static void test_key_of_another_stays(void **state)
{
	static const char text[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	struct store_op op = {
		.kind = STORE_PUT, .path = "/priv/authkey", .value = text, .size = strlen(text)};
	struct store_txn txn = {.who = "node", .ops = &op, .op_count = 1};
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct store_value value;

	(void)state;
	put("/x", "");
	put("/priv/authkey", NULL);
	access_free(access_);
	assert_int_equal(store_submit(fixture.store, &txn, key_put_done, NULL, NULL), 0);
	assert_int_equal(access_new(fixture.store, &access_, NULL), 0);
	put("/x", "y");
	assert_true(store_get(fixture.store, "/priv/authkey", &value));
	assert_string_equal(value.data, text);
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
}

static void test_key_is_followed(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX];

	(void)state;
	put("/x", "");
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	put("/priv/authkey", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	assert_int_equal(login(ticket, NOW), -ERR_AUTH);
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	assert_int_equal(login(ticket, NOW), 0);
	put("/priv/authkey", "damaged\n");
	assert_int_equal(login(ticket, NOW), -ERR_AUTH);
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL),
			 -ERR_UNAVAILABLE);
	put("/priv/authkey", NULL);
	assert_int_equal(login(ticket, NOW), -ERR_AUTH);
}

static void test_user_state_counts_at_once(void **state)
{
	static const struct {
		const char *cfg;
		int r;
	} cases[] = {
		{"user:a@pve:1:0::::\n", 0},
		{"user:a@pve:0:0::::\n", -ERR_AUTH},
		{"user:a@pve:1:1744830465::::\n", 0}, /* ends a second later */
		{"user:a@pve:1:1744830464::::\n", -ERR_AUTH},
		{"user:b@pve:1:0::::\n", -ERR_AUTH},
		{"damaged\n", -ERR_AUTH},
		{NULL, -ERR_AUTH},
	};
	char ticket[TICKET_MAX], csrf[TICKET_MAX];

	(void)state;
	_Static_assert(NOW == 1744830464, "cases above");
	put("/x", "");
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, ticket, csrf, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t generation = access_generation(access_);

		put("/user.cfg", cases[i].cfg);
		assert_int_equal(login(ticket, NOW), cases[i].r);
		assert_int_equal(access_user_is_enabled(access_, "a@pve", NOW), cases[i].r == 0);
		assert_true(access_generation(access_) > generation);
		assert_true(access_user_is_enabled(access_, "root@pam", NOW));
	}
}

static void test_texts(void **state)
{
	static const struct {
		struct credential cred;
		const char *text;
	} cases[] = {
		{{0}, "No ticket"},
		{{.ticket = ""}, "No ticket"},
		{{.ticket = "PVE:root@pam:68000000::x"}, "permission denied - invalid PVE ticket"},
		{{.token = "root@pam!x"}, "invalid token value!"},
		{{.token = "root@pam!ghost=" UUID}, "invalid token value!"},
	};
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct identity who;
	struct err err = ERR_INIT;

	(void)state;
	put("/x", "");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			access_authenticate(access_, &cases[i].cred, true, NOW, &who, &err),
			-ERR_AUTH);
		assert_string_equal(err.message, cases[i].text);
	}
	assert_int_equal(access_ticket_make(access_, "root@pam", NOW, ticket, csrf, NULL), 0);
	struct credential cred = {.ticket = ticket};
	assert_int_equal(access_authenticate(access_, &cred, true, NOW, &who, &err), -ERR_AUTH);
	assert_string_equal(err.message, "Permission denied - invalid csrf token");
	cred.csrf = csrf;
	assert_int_equal(access_authenticate(access_, &cred, true, NOW, &who, &err), 0);
	assert_string_equal(who.userid, "root@pam");
	assert_false(who.is_local_root);
	assert_false(who.is_token);
}

static void test_tokens(void **state)
{
	struct identity who;

	(void)state;
	put_token_secret("a@pve!ci");
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:1:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), 0);
	assert_string_equal(who.userid, "a@pve");
	assert_string_equal(who.tokenid, "a@pve!ci");
	assert_true(who.is_token && who.has_privsep);
	assert_int_equal(login_token("a@pve!ci=01234567-89ab-cdef-0123-456789abcdee", NOW, &who),
			 -ERR_AUTH);
	/* expired, disabled user, gone, without a secret */
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:7:0:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
	assert_int_equal(login_token("a@pve!ci=" UUID, 6, &who), 0);
	assert_false(who.has_privsep);
	put("/user.cfg", "user:a@pve:0:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT);
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), 0);
	put("/priv/token.cfg", NULL);
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), -ERR_AUTH);
}

static void test_tickets_before_a_change(void **state)
{
	char old[TICKET_MAX], new[TICKET_MAX], csrf[TICKET_MAX];
	struct credential cred = {.ticket = old};
	struct identity who;
	uint64_t until;
	char line[64];

	(void)state;
	put("/user.cfg", "user:a@pve:1:0::::\n");
	put("/priv/shadow.cfg", "a@pve:$y$hash\n"); /* without a time */
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, old, csrf, NULL), 0);
	assert_int_equal(access_authenticate(access_, &cred, false, NOW, &who, NULL), 0);
	assert_string_equal(access_password_hash(access_, "a@pve"), "$y$hash");
	/* changed within the same second */
	snprintf(line, sizeof(line), "a@pve:%llu:$y$other\n", NOW + 1ull);
	put("/priv/shadow.cfg", line);
	assert_string_equal(access_password_hash(access_, "a@pve"), "$y$other");
	assert_int_equal(login(old, NOW), -ERR_AUTH);
	assert_false(access_refresh(access_, &who, NOW, &until));
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, new, csrf, NULL), 0);
	assert_int_equal(login(new, NOW), 0);
	assert_int_equal(login(new, NOW + TICKET_LIFE), 0);
	assert_int_equal(login(new, NOW + TICKET_LIFE + 1), -ERR_AUTH);
	/* without a password, as users of other realms */
	snprintf(line, sizeof(line), "a@pve:%llu:\n", NOW + 2ull);
	put("/priv/shadow.cfg", line);
	assert_null(access_password_hash(access_, "a@pve"));
	assert_int_equal(login(new, NOW), -ERR_AUTH);
	/* a clock that was years ahead locks nobody out */
	snprintf(line, sizeof(line), "a@pve:%llu:$y$other\n", NOW + 100000000ull);
	put("/priv/shadow.cfg", line);
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, new, csrf, NULL), 0);
	assert_int_equal(login(new, NOW), 0);
}

static void test_shadow_values(void **state)
{
	struct secrets *s = secrets_new();

	(void)state;
	assert_null(shadow_hash(s, "a@pve"));
	assert_int_equal(shadow_since(s, "a@pve"), 0);
	shadow_put(s, "a@pve", "$y$x", 1000);
	assert_string_equal(shadow_hash(s, "a@pve"), "$y$x");
	assert_int_equal(shadow_since(s, "a@pve"), 1000);
	shadow_put_since(s, "a@pve", 1000); /* each change counts */
	assert_string_equal(shadow_hash(s, "a@pve"), "$y$x");
	assert_int_equal(shadow_since(s, "a@pve"), 1001);
	shadow_put(s, "a@pve", NULL, 2000);
	assert_null(shadow_hash(s, "a@pve"));
	assert_int_equal(shadow_since(s, "a@pve"), 2000);
	secrets_put(s, "b@pve", "99999999999999999999:x"); /* no number */
	assert_int_equal(shadow_since(s, "b@pve"), 0);
	secrets_put(s, "b@pve", "12hash");
	assert_string_equal(shadow_hash(s, "b@pve"), "12hash");
	secrets_free(s);
}

static bool refresh(struct identity *who, uint64_t now, uint64_t *ret_until)
{
	*ret_until = 1;
	return access_refresh(access_, who, now, ret_until);
}

static void test_refresh_of_a_ticket(void **state)
{
	char ticket[TICKET_MAX], csrf[TICKET_MAX];
	struct credential cred = {.ticket = ticket};
	struct identity who, root = {.userid = "root@pam", .is_local_root = true};
	uint64_t until;

	(void)state;
	put("/user.cfg", "user:a@pve:1:0::::\n");
	assert_int_equal(access_ticket_make(access_, "a@pve", NOW, ticket, csrf, NULL), 0);
	assert_int_equal(access_authenticate(access_, &cred, false, NOW + 60, &who, NULL), 0);
	assert_int_equal(who.valid_until, NOW + TICKET_LIFE);
	assert_true(refresh(&who, NOW + TICKET_LIFE - 1, &until));
	assert_int_equal(until, NOW + TICKET_LIFE);
	assert_false(refresh(&who, NOW + TICKET_LIFE, &until));
	put("/user.cfg", "user:a@pve:1:1744830564::::\n"); /* 100 s later */
	assert_true(refresh(&who, NOW, &until));
	assert_int_equal(until, NOW + 100);
	assert_false(refresh(&who, NOW + 100, &until));
	put("/user.cfg", "user:a@pve:0:0::::\n");
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", NULL);
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", "user:a@pve:1:0::::\n");
	assert_true(refresh(&who, NOW, &until));
	put("/priv/authkey", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	assert_false(refresh(&who, NOW, &until));
	assert_true(refresh(&root, NOW, &until));
	assert_int_equal(until, 0);
}

static void test_refresh_of_a_token(void **state)
{
	static const char other[] =
		"a@pve!ci:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	struct identity who;
	uint64_t until;

	(void)state;
	put_token_secret("a@pve!ci");
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:1:\n");
	assert_int_equal(login_token("a@pve!ci=" UUID, NOW, &who), 0);
	assert_int_equal(who.valid_until, 0);
	assert_true(refresh(&who, NOW, &until));
	assert_int_equal(until, 0);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:1744830474:0:\n");
	assert_true(refresh(&who, NOW, &until));
	assert_int_equal(until, NOW + 10);
	assert_false(who.has_privsep);
	assert_false(refresh(&who, NOW + 10, &until));
	put("/user.cfg", "user:a@pve:0:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT);
	assert_false(refresh(&who, NOW, &until));
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!ci:0:0:\n");
	assert_true(refresh(&who, NOW, &until));
	put("/priv/token.cfg", other);
	assert_false(refresh(&who, NOW, &until));
	put("/priv/token.cfg", NULL);
	assert_false(refresh(&who, NOW, &until));
}

static void test_rights(void **state)
{
	struct identity local = {.userid = "root@pam", .is_local_root = true};
	struct identity a = {.userid = "a@pve"};
	struct identity full = {.userid = "a@pve", .tokenid = "a@pve!full", .is_token = true};
	struct identity sep = {
		.userid = "a@pve", .tokenid = "a@pve!sep", .is_token = true, .has_privsep = true};
	struct identity root_sep = {.userid = "root@pam",
				    .tokenid = "root@pam!sep",
				    .is_token = true,
				    .has_privsep = true};
	struct err err = ERR_INIT;

	(void)state;
	assert_true(access_privileges(access_, &local, "/") == PRIVSET_ALL);
	assert_true(access_privileges(access_, &a, "/") == 0);
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT "token:a@pve!full:0:0:\ntoken:a@pve!sep:0:1:\n"
			 "token:root@pam!sep:0:1:\n"
			 "acl:/:user:a@pve:PVEVMUser:1\n"
			 "acl:/vms/100:token:a@pve!sep:PVEAuditor:1\n"
			 "acl:/vms/100:token:root@pam!sep:PVEAuditor:1\n");
	assert_true(access_privileges(access_, &a, "/vms/100") & PRIV(VM_POWER_MGMT));
	assert_true(access_privileges(access_, &full, "/vms/100") ==
		    access_privileges(access_, &a, "/vms/100"));
	assert_true(access_privileges(access_, &sep, "/vms/100") ==
		    (PRIV(VM_AUDIT) | PRIV(VM_GUEST_AGENT_AUDIT)));
	assert_true(access_privileges(access_, &sep, "/vms/101") == 0);
	assert_true(access_privileges(access_, &root_sep, "/vms/101") == 0);
	assert_true(access_privileges(access_, &root_sep, "/vms/100") & PRIV(SYS_AUDIT));

	assert_int_equal(access_check(access_, &a, "/vms/100", PRIV(VM_AUDIT), false, &err), 0);
	assert_int_equal(access_check(access_, &a, "/vms/100", PRIV(VM_AUDIT) | PRIV(VM_ALLOCATE),
				      true, &err),
			 0);
	assert_int_equal(access_check(access_, &a, "/vms/100", PRIV(VM_AUDIT) | PRIV(VM_ALLOCATE),
				      false, &err),
			 -ERR_DENIED);
	assert_string_equal(err.message, "Permission check failed (/vms/100, VM.Allocate)");
	assert_int_equal(
		access_check(access_, &a, "/", PRIV(SYS_AUDIT) | PRIV(SYS_MODIFY), true, &err),
		-ERR_DENIED);
	assert_string_equal(err.message, "Permission check failed (/, Sys.Audit|Sys.Modify)");

	/* cached answers end with the configuration; tokens and users that are gone hold nothing */
	put("/user.cfg", "user:a@pve:1:0::::\n" ROOT);
	assert_true(access_privileges(access_, &a, "/vms/100") == 0);
	assert_true(access_privileges(access_, &full, "/vms/100") == 0);
	assert_true(access_privileges(access_, &root_sep, "/vms/100") == 0);
	assert_true(access_privileges(access_, &local, "/vms/100") == PRIVSET_ALL);
}

/* ---- edits ---- */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_key_is_made_once),
		TEST(test_key_of_another_stays),
		TEST(test_key_is_followed),
		TEST(test_user_state_counts_at_once),
		TEST(test_texts),
		TEST(test_tokens),
		TEST(test_tickets_before_a_change),
		cmocka_unit_test(test_shadow_values),
		TEST(test_refresh_of_a_ticket),
		TEST(test_refresh_of_a_token),
		TEST(test_rights),
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
