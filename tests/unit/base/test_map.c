/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordered map against a plain sorted array, and the intrusive list. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/list.h"
#include "agent/base/map.h"
#include "agent/base/mem.h"

#define MANY 100000

static void key_of(unsigned i, char ret[32])
{
	snprintf(ret, 32, "/nodes/n%u/lxc/%06u.conf", i % 3, i * 7919u % MANY);
}

static void test_many(void **state)
{
	struct map *m = map_new();
	const char *key = NULL, *before = "";
	size_t seen = 0;
	char text[32];

	(void)state;
	for (uintptr_t i = 0; i < MANY; i++) {
		key_of((unsigned)i, text);
		assert_null(map_put(m, text, (void *)(i + 1)));
	}
	assert_int_equal(map_size(m), MANY);
	for (void *v = map_first(m, NULL, &key); v; v = map_next(m, key, &key)) {
		assert_true(strcmp(before, key) < 0);
		before = key;
		seen++;
	}
	assert_int_equal(seen, MANY);
	for (uintptr_t i = 0; i < MANY; i += 2) {
		key_of((unsigned)i, text);
		assert_ptr_equal(map_remove(m, text), (void *)(i + 1));
		assert_null(map_remove(m, text));
	}
	assert_int_equal(map_size(m), MANY / 2);
	for (uintptr_t i = 0; i < MANY; i++) {
		key_of((unsigned)i, text);
		assert_ptr_equal(map_get(m, text), i % 2 ? (void *)(i + 1) : NULL);
	}
	map_free(m, NULL);
}

static void test_ranges(void **state)
{
	char one[] = "1", two[] = "2", three[] = "3";
	struct map *m = map_new();
	const char *key = NULL;

	(void)state;
	assert_null(map_first(m, NULL, &key));
	assert_null(map_put(m, "b", one));
	assert_null(map_put(m, "d", two));
	assert_string_equal(map_put(m, "b", three), "1");
	assert_string_equal(map_first(m, "a", &key), "3");
	assert_string_equal(key, "b");
	assert_string_equal(map_first(m, "b", NULL), "3");
	assert_string_equal(map_next(m, "b", &key), "2");
	assert_string_equal(map_next(m, "c", &key), "2");
	assert_null(map_next(m, "d", &key));
	assert_null(map_first(m, "e", &key));
	map_free(m, NULL);
	map_free(NULL, NULL);
}

static void test_change_while_walking(void **state)
{
	struct map *m = map_new();
	const char *key = NULL;
	unsigned seen = 0;

	(void)state;
	for (const char *k = "abcdefgh"; *k; k++)
		map_put(m, (char[]){*k, '\0'}, xstrdup(k));
	for (void *v = map_first(m, NULL, &key); v; seen++) {
		autofree char *here = xstrdup(key);

		free(map_remove(m, here));
		v = map_next(m, here, &key);
	}
	assert_int_equal(seen, 8);
	assert_int_equal(map_size(m), 0);
	map_put(m, "x", xstrdup("freed by the map"));
	map_free(m, free);
}

struct item {
	int n;
	struct list node;
};

static void test_list(void **state)
{
	struct item items[4];
	struct list head;
	int sum = 0;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	for (int i = 0; i < 4; i++) {
		items[i].n = i;
		list_append(&head, &items[i].node);
	}
	LIST_FOREACH(&head, it, struct item, node)
	{
		sum = sum * 10 + it->n;
		if (it->n % 2)
			list_remove(&it->node);
	}
	assert_int_equal(sum, 123);
	sum = 0;
	LIST_FOREACH(&head, it, struct item, node)
	sum = sum * 10 + it->n;
	assert_int_equal(sum, 2);
	list_remove(&items[1].node); /* again */
	list_remove(&items[0].node);
	list_remove(&items[2].node);
	assert_true(list_is_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_change_while_walking),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
