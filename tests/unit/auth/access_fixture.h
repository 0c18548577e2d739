/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials and rights over the store of access_test.h, which is empty at first. Included by one
 * test file each. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/auth/access.h"
#include "agent/auth/token.h"
#include "agent/base/mem.h"
#include "access_test.h"

#define NOW  0x68000000ull
#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define ROOT "user:root@pam:1:0::::\n"

static struct store_fixture fixture;
static struct access *access_;

static inline int setup(void **state)
{
	(void)state;
	store_fixture_init(&fixture);
	assert_int_equal(access_new(fixture.store, &access_, NULL), 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	access_free(access_);
	access_ = NULL;
	store_fixture_fini(&fixture);
	return 0;
}

static inline void put(const char *path, const char *text)
{
	store_fixture_put(&fixture, path, text);
}

static inline void put_token_secret(const char *tokenid)
{
	char digest[SHA256_HEX_SIZE];

	token_digest(UUID, digest);
	autofree char *text = xasprintf("%s:%s\n", tokenid, digest);
	put("/priv/token.cfg", text);
}

static inline int login(const char *ticket, uint64_t now)
{
	struct credential cred = {.ticket = ticket};
	struct identity who;

	return access_authenticate(access_, &cred, false, now, &who, NULL);
}

static inline int login_token(const char *token, uint64_t now, struct identity *ret)
{
	struct credential cred = {.token = token};

	return access_authenticate(access_, &cred, true, now, ret, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
