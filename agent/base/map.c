/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordered map: a treap whose priorities are hashes of the keys, so that its shape depends on
 * its content alone. */
#include "agent/base/map.h"

#include <stdint.h>
#include <string.h>

#include "agent/base/mem.h"

struct node {
	struct node *left, *right;
	void *value;
	uint64_t priority;
	char key[];
};

struct map {
	struct node *root;
	size_t size;
};

/* FNV-1a, then a finalizer so that near keys get far priorities */
static uint64_t priority_of(const char *key)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3u;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	return h ^ h >> 33;
}

struct map *map_new(void)
{
	return xcalloc(1, sizeof(struct map));
}

/* Turns the tree into a list to the right while it goes: no recursion, whatever its shape. */
static void node_free(struct node *n, void (*free_value)(void *))
{
	while (n) {
		struct node *next = n->left;

		if (next) {
			n->left = next->right;
			next->right = n;
		} else {
			next = n->right;
			if (free_value)
				free_value(n->value);
			free(n);
		}
		n = next;
	}
}

void map_free(struct map *map, void (*free_value)(void *))
{
	if (!map)
		return;
	node_free(map->root, free_value);
	free(map);
}

size_t map_size(const struct map *map)
{
	return map->size;
}

static struct node *find(const struct map *map, const char *key)
{
	struct node *n = map->root;

	while (n) {
		int c = strcmp(key, n->key);

		if (c == 0)
			return n;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

void *map_get(const struct map *map, const char *key)
{
	struct node *n = find(map, key);

	return n ? n->value : NULL;
}

/* everything below `key` to *left, the rest to *right; key itself is not in n */
static void split(struct node *n, const char *key, struct node **left, struct node **right)
{
	while (n) {
		if (strcmp(n->key, key) < 0) {
			*left = n;
			left = &n->right;
			n = n->right;
		} else {
			*right = n;
			right = &n->left;
			n = n->left;
		}
	}
	*left = *right = NULL;
}

void *map_put(struct map *map, const char *key, void *value)
{
	struct node *n = find(map, key), **at = &map->root;
	size_t length = strlen(key);

	if (n) {
		void *before = n->value;

		n->value = value;
		return before;
	}
	n = xcalloc(1, sizeof(*n) + length + 1);
	memcpy(n->key, key, length + 1);
	n->value = value;
	n->priority = priority_of(key);
	while (*at && (*at)->priority >= n->priority)
		at = strcmp(key, (*at)->key) < 0 ? &(*at)->left : &(*at)->right;
	split(*at, key, &n->left, &n->right);
	*at = n;
	map->size++;
	return NULL;
}

static struct node *merge(struct node *left, struct node *right)
{
	struct node *root = NULL, **at = &root;

	while (left && right) {
		if (left->priority >= right->priority) {
			*at = left;
			at = &left->right;
			left = left->right;
		} else {
			*at = right;
			at = &right->left;
			right = right->left;
		}
	}
	*at = left ? left : right;
	return root;
}

void *map_remove(struct map *map, const char *key)
{
	struct node **at = &map->root, *n;
	void *value;
	int c;

	while ((n = *at) && (c = strcmp(key, n->key)) != 0)
		at = c < 0 ? &n->left : &n->right;
	if (!n)
		return NULL;
	value = n->value;
	*at = merge(n->left, n->right);
	free(n);
	map->size--;
	return value;
}

/* the smallest key that is > from, or >= with or_equal */
static void *least(const struct map *map, const char *from, int or_equal, const char **ret_key)
{
	struct node *n = map->root, *best = NULL;

	while (n) {
		int c = from ? strcmp(n->key, from) : 1;

		if (c > 0 || (c == 0 && or_equal)) {
			best = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	if (!best)
		return NULL;
	if (ret_key)
		*ret_key = best->key;
	return best->value;
}

void *map_first(const struct map *map, const char *from, const char **ret_key)
{
	return least(map, from, 1, ret_key);
}

void *map_next(const struct map *map, const char *after, const char **ret_key)
{
	return least(map, after, 0, ret_key);
}
