/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation that aborts on failure, ownership helpers and cleanup attributes. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t count, size_t size); /* checks count * size for overflow */
char *xstrdup(const char *s);			     /* NULL stays NULL */
char *xstrndup(const char *s, size_t size);
void *xmemdup(const void *p, size_t size);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
/* frees *slot and stores a copy of s */
void xreplace(char **slot, const char *s);

static inline void freep(void *p)
{
	free(*(void **)p);
}
#define autofree __attribute__((cleanup(freep)))

/* Hands the value out and leaves NULL (or -1 for descriptors) behind. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) *take_ = &(p);                                                       \
		__typeof__(p) value_ = *take_;                                                     \
		*take_ = NULL;                                                                     \
		value_;                                                                            \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int *take_ = &(fd);                                                                \
		int value_ = *take_;                                                               \
		*take_ = -1;                                                                       \
		value_;                                                                            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* the struct that holds member `field`, from a pointer to it */
#define CONTAINER_OF(ptr, type, field) ((type *)((char *)(ptr) - offsetof(type, field)))
