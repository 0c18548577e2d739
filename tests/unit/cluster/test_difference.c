/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frozen states, lists and differences: what comes out is the state that was frozen, whatever it is put together with,
 * however it is cut; and what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "cluster/core/difference.h"

#define PAIRS 300

static uint64_t seed;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void load(struct kv *kv, unsigned path, unsigned version)
{
	static const char *const folders[] = {"", "/a", "/a/b", "/ab"};
	char text[64], value[300];
	size_t size = below(4) ? below(40) : below(sizeof(value));

	snprintf(text, sizeof(text), "%s/%u", folders[path % 4], path);
	memset(value, (int)('a' + version % 26), sizeof(value));
	kv_load(kv, text, version, value, size);
}

static struct state *random_state(uint64_t index, unsigned paths)
{
	struct state *s = state_new(50);

	s->at = (struct position){3, index};
	s->voters_index = below(9);
	s->level = 1 + below(2);
	for (unsigned i = 0; i < paths; i++)
		if (below(3))
			load(s->kv, i, 1 + below(3));
	for (unsigned i = 0; i < below(5); i++) {
		struct kv_request request = {.id.bytes = {(uint8_t)i, (uint8_t)index},
					     .index = 10 + i,
					     .outcome = STORE_DONE};

		kv_load_request(s->kv, &request);
	}
	return s;
}

static void assert_same(const struct state *a, const struct state *b)
{
	autobuf x = BUF_INIT, y = BUF_INIT;
	uint8_t p[SHA256_SIZE], q[SHA256_SIZE];

	state_encode(a, &x);
	state_encode(b, &y);
	assert_int_equal(x.size, y.size);
	assert_memory_equal(x.data, y.data, x.size);
	state_digest(a, p);
	state_digest(b, q);
	assert_memory_equal(p, q, SHA256_SIZE);
}

static struct comparison *compare(const struct state *state, const struct kv *held, size_t chunk)
{
	struct frozen *f = frozen_new(state);
	struct comparison *c = comparison_new(f);
	autobuf list = BUF_INIT;
	size_t n;

	frozen_unref(f);
	list_encode(held, &list);
	for (size_t at = 0; at < list.size; at += n) {
		n = list_chunk(&list, at, chunk);
		assert_true(n > 0);
		assert_true(comparison_take(c, list.data + at, n));
	}
	comparison_end(c);
	return c;
}

static void read_all(const struct frozen *f, const struct portion *s, size_t chunk, struct buf *out)
{
	while (out->size < s->total) {
		size_t left = (size_t)s->total - out->size, before = out->size;

		assert_int_equal(portion_read(f, s, before, chunk, out),
				 left < chunk ? left : chunk);
		assert_int_equal(out->size - before, left < chunk ? left : chunk);
	}
}

static void a_difference_makes_the_frozen_state_of_any_other(void **state)
{
	(void)state;
	for (seed = 1; seed < PAIRS; seed++) {
		uint64_t was = seed;
		unsigned paths = below(40);
		struct state *held = random_state(20, paths), *s = random_state(30, paths + 3),
			     *ret;
		struct comparison *c = compare(s, held->kv, 1 + below(200));
		autobuf data = BUF_INIT, changed = BUF_INIT;

		read_all(c->frozen, &c->portion, 1 + below(100), &data);
		assert_int_equal(difference_apply(held, data.data, data.size, &ret, &changed, NULL),
				 0);
		assert_same(ret, s);
		for (size_t at = 0; at < changed.size; at += strlen(changed.data + at) + 1) {
			const struct kv_item *a = kv_get(held->kv, changed.data + at),
					     *b = kv_get(s->kv, changed.data + at);

			assert_true(a || b);
			assert_true(!a || !b || memcmp(a->hash, b->hash, SHA256_SIZE) != 0);
		}
		state_free(ret);
		comparison_free(c);
		state_free(held);
		state_free(s);
		seed = was;
	}
}

static void the_whole_is_the_encoded_state(void **state)
{
	(void)state;
	for (seed = 1; seed < PAIRS; seed++) {
		uint64_t was = seed;
		struct state *s = random_state(30, below(30));
		struct frozen *f = frozen_new(s);
		autobuf read = BUF_INIT, encoded = BUF_INIT;

		state_encode(s, &encoded);
		read_all(f, &f->whole, 1 + below(300), &read);
		assert_int_equal(read.size, encoded.size);
		assert_memory_equal(read.data, encoded.data, read.size);
		frozen_unref(f);
		state_free(s);
		seed = was;
	}
}

static void equal_states_differ_in_nothing(void **state)
{
	struct state *s = random_state(30, 30);
	struct comparison *c = compare(s, s->kv, 100);

	(void)state;
	assert_int_equal(c->deleted, 0);
	assert_int_equal(c->portion.count, 0);
	comparison_free(c);
	state_free(s);
}

/* It stays as it was, whatever happens to the state, and holds what it needs when that is gone. */
static void what_is_frozen_stays(void **state)
{
	struct store_op op = {.kind = STORE_DELETE, .path = "/a/1"};
	struct txn txn = {.ops = &op, .op_count = 1};
	autobuf before = BUF_INIT, after = BUF_INIT;
	struct state *s = state_new(50);
	struct store_result result;
	struct kv_request request;
	struct frozen *f;
	bool is_repeat;

	(void)state;
	seed = 7;
	for (unsigned i = 0; i < 8; i++)
		load(s->kv, i, 1);
	state_encode(s, &before);
	f = frozen_new(s);
	kv_apply(s->kv, 40, &txn, f->hash, NULL, NULL, &result, &request, &is_repeat);
	assert_null(kv_get(s->kv, "/a/1"));
	state_free(s);
	read_all(f, &f->whole, 64, &after);
	assert_int_equal(before.size, after.size);
	assert_memory_equal(before.data, after.data, before.size);
	frozen_unref(f);
}

static void a_damaged_difference_is_refused(void **state)
{
	struct state *held, *s, *ret = NULL;
	struct comparison *c;
	autobuf data = BUF_INIT;

	(void)state;
	seed = 11;
	held = random_state(20, 12);
	s = random_state(30, 8);
	c = compare(s, held->kv, 100);
	assert_true(c->deleted > 1);
	read_all(c->frozen, &c->portion, 4096, &data);
	for (size_t n = 0; n < data.size; n++) {
		autofree void *cut = xmemdup(data.data, n ? n : 1);

		assert_int_equal(difference_apply(held, cut, n, &ret, NULL, NULL), -ERR_CORRUPT);
	}
	data.data[0]++; /* one more deletion than there is */
	assert_int_equal(difference_apply(held, data.data, data.size, &ret, NULL, NULL),
			 -ERR_CORRUPT);
	assert_null(ret);
	comparison_free(c);
	state_free(held);
	state_free(s);
}

static void add_item(struct buf *list, const char *path)
{
	static const char rest[24];

	buf_add_text(list, path);
	buf_add(list, rest, sizeof(rest));
}

static bool takes(const struct buf *list, size_t size)
{
	struct state *s = random_state(30, 8);
	struct frozen *f = frozen_new(s);
	struct comparison *c = comparison_new(f);
	bool ok = comparison_take(c, list->data, size);

	comparison_free(c);
	frozen_unref(f);
	state_free(s);
	return ok;
}

static void a_damaged_list_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{"/a", "/a"}, {"/b", "/a"}, {"/a", "no path"}, {"/a", "/b/"}, {"/a", ""}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		autobuf list = BUF_INIT;

		add_item(&list, bad[i][0]);
		assert_true(takes(&list, list.size));
		for (size_t n = 1; n < list.size; n++)
			assert_false(takes(&list, n));
		add_item(&list, bad[i][1]);
		assert_false(takes(&list, list.size));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_makes_the_frozen_state_of_any_other),
		cmocka_unit_test(the_whole_is_the_encoded_state),
		cmocka_unit_test(equal_states_differ_in_nothing),
		cmocka_unit_test(what_is_frozen_stays),
		cmocka_unit_test(a_damaged_difference_is_refused),
		cmocka_unit_test(a_damaged_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
