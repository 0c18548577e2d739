/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ordered map from string to pointer (byte order of keys), so that iteration is the same on every
 * node and prefixes are ranges. Keys are copied; values belong to the caller. O(log n). */
#pragma once

#include <stddef.h>

struct map;

struct map *map_new(void);
void map_free(struct map *map, void (*free_value)(void *)); /* free_value may be NULL */
size_t map_size(const struct map *map);
void *map_get(const struct map *map, const char *key); /* NULL if absent */
/* Returns the value that was replaced, or NULL. value must not be NULL. */
void *map_put(struct map *map, const char *key, void *value);
/* Returns the removed value, or NULL. */
void *map_remove(struct map *map, const char *key);
/* The first entry with key >= from (NULL: the first of all), or > from with map_next. *ret_key is
 * borrowed until that entry is removed. NULL at the end. Changing the map between calls is fine. */
void *map_first(const struct map *map, const char *from, const char **ret_key);
void *map_next(const struct map *map, const char *after, const char **ret_key);
