/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error object: caller-owned, fixed size, last argument of every function that can fail.
 * A failing function returns a negative error code, fills the object once and leaves its ret_
 * outputs alone; callers add context with err_prefix() while unwinding. Only edges log. */
#pragma once

#include <stddef.h>

enum err_code {
	ERR_INVALID = 1, /* bad input; `field` may name the parameter */
	ERR_AUTH,	 /* credential refused */
	ERR_DENIED,	 /* known user, missing privilege */
	ERR_NOT_FOUND,
	ERR_EXISTS,
	ERR_CONFLICT, /* digest or precondition does not match */
	ERR_BUSY,     /* locked, or in the wrong state for this */
	ERR_TIMEOUT,
	ERR_UNAVAILABLE, /* the peer (core, libvirtd, quorum) is not there; certainly not done */
	ERR_UNKNOWN,	 /* outcome cannot be known */
	ERR_UNSUPPORTED, /* feature not available here; the message says why */
	ERR_LIMIT,	 /* a named bound was passed */
	ERR_NO_SPACE,
	ERR_CORRUPT, /* stored or received data fails its check */
	ERR_CANCELLED,
	ERR_IO,	      /* a system call failed; errnum is set */
	ERR_INTERNAL, /* a bug, or something no user can act on */
	ERR_CROWDED,  /* too many ask for the same at this moment; the same again may do later */
	ERR_LAST = ERR_CROWDED, /* for those who read a code that another process wrote */
};

#define ERR_MESSAGE_MAX 1024
#define ERR_FIELD_MAX	64

struct err {
	int code;		       /* enum err_code; 0 = no error */
	int errnum;		       /* errno at the failure, or 0 */
	char field[ERR_FIELD_MAX];     /* parameter that is wrong, or "" */
	char message[ERR_MESSAGE_MAX]; /* one line, for the user; truncated, never overflows */
};

#define ERR_INIT ((struct err){0})

/* All return -code, so that `return err_set(...)` reads well. err may be NULL (then only the code
 * travels). The text is one line: control characters are replaced by spaces. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* As err_set, with ": " and strerror(errnum) appended. ENOSPC and EDQUOT become ERR_NO_SPACE,
 * ENOENT ERR_NOT_FOUND, EEXIST ERR_EXISTS, ETIMEDOUT ERR_TIMEOUT, all others ERR_IO. */
int err_errno(struct err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* ERR_INVALID for one parameter. */
int err_field(struct err *err, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "context: " before the message. Returns -err->code (-ERR_INTERNAL if err is NULL or unset). */
int err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Stable lower-case name of a code ("not found"), for logs. */
const char *err_name(int code);
