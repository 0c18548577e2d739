/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real store in a temporary folder, for the tests of this area. */
#pragma once

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "cluster/store.h"

struct store_fixture {
	char directory[64];
	struct store *store;
};

static inline void store_fixture_open(struct store_fixture *f)
{
	struct store_options options = {
		.directory = f->directory, .node = "n1", .run = f->directory};
	struct err err = ERR_INIT;

	if (store_open(&options, &f->store, &err) < 0)
		fail_msg("%s", err.message);
}

static inline void store_fixture_init(struct store_fixture *f)
{
	strcpy(f->directory, "/tmp/lodge-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	store_fixture_open(f);
}

static inline void store_fixture_fini(struct store_fixture *f)
{
	store_close(f->store);
	dir_remove_tree(f->directory, NULL);
}

/* Lets the store work until *flag is set; its last event always comes. */
static inline void store_fixture_wait(struct store_fixture *f, const bool *flag)
{
	while (!*flag) {
		struct pollfd p = {.fd = store_fd(f->store), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 20000), 1);
		store_dispatch(f->store);
	}
}

static inline void store_fixture_done(const struct store_result *result, void *ctx)
{
	assert_int_equal(result->outcome, STORE_DONE);
	*(bool *)ctx = true;
}

/* NULL deletes. */
static inline void store_fixture_put(struct store_fixture *f, const char *path, const char *text)
{
	struct store_op op = {.kind = text ? STORE_PUT : STORE_DELETE,
			      .path = path,
			      .value = text,
			      .size = text ? strlen(text) : 0};
	struct store_txn txn = {.who = "root@pam", .ops = &op, .op_count = 1};
	struct err err = ERR_INIT;
	bool is_done = false;

	if (store_submit(f->store, &txn, store_fixture_done, &is_done, &err) < 0)
		fail_msg("%s", err.message);
	store_fixture_wait(f, &is_done);
}
