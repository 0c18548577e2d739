/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error object. */
#include "agent/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"

static const char *const names[] = {
	[0] = "no error",
	[ERR_INVALID] = "invalid",
	[ERR_AUTH] = "not authenticated",
	[ERR_DENIED] = "denied",
	[ERR_NOT_FOUND] = "not found",
	[ERR_EXISTS] = "exists",
	[ERR_CONFLICT] = "conflict",
	[ERR_BUSY] = "busy",
	[ERR_TIMEOUT] = "timeout",
	[ERR_UNAVAILABLE] = "unavailable",
	[ERR_UNKNOWN] = "outcome unknown",
	[ERR_UNSUPPORTED] = "unsupported",
	[ERR_LIMIT] = "limit",
	[ERR_NO_SPACE] = "no space",
	[ERR_CORRUPT] = "corrupt",
	[ERR_CANCELLED] = "cancelled",
	[ERR_IO] = "I/O error",
	[ERR_INTERNAL] = "internal",
	[ERR_CROWDED] = "crowded",
};

const char *err_name(int code)
{
	if (code < 0)
		code = -code;
	return (size_t)code < ARRAY_SIZE(names) && names[code] ? names[code] : "unknown code";
}

static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

static void fill(struct err *err, int code, int errnum, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static void fill(struct err *err, int code, int errnum, const char *fmt, va_list ap)
{
	err->code = code;
	err->errnum = errnum;
	err->field[0] = '\0';
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	one_line(err->message);
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	struct err made; /* the arguments may point into *err */
	va_list ap;

	if (!err)
		return -(int)code;
	va_start(ap, fmt);
	fill(&made, (int)code, 0, fmt, ap);
	va_end(ap);
	*err = made;
	return -(int)code;
}

static int code_of_errno(int errnum)
{
	static const struct {
		int errnum;
		int code;
	} codes[] = {
		{ENOSPC, ERR_NO_SPACE}, {EDQUOT, ERR_NO_SPACE},	  {ENOENT, ERR_NOT_FOUND},
		{EEXIST, ERR_EXISTS},	{ETIMEDOUT, ERR_TIMEOUT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].errnum == errnum)
			return codes[i].code;
	return ERR_IO;
}

int err_errno(struct err *err, int errnum, const char *fmt, ...)
{
	int code = code_of_errno(errnum);
	char reason[128];
	struct err made;
	size_t n;
	va_list ap;

	if (!err)
		return -code;
	va_start(ap, fmt);
	fill(&made, code, errnum, fmt, ap);
	va_end(ap);
	n = strlen(made.message);
	snprintf(made.message + n, sizeof(made.message) - n, ": %s",
		 strerror_r(errnum, reason, sizeof(reason)));
	*err = made;
	return -code;
}

int err_field(struct err *err, const char *field, const char *fmt, ...)
{
	struct err made;
	va_list ap;

	if (!err)
		return -ERR_INVALID;
	va_start(ap, fmt);
	fill(&made, ERR_INVALID, 0, fmt, ap);
	va_end(ap);
	snprintf(made.field, sizeof(made.field), "%s", field);
	one_line(made.field);
	*err = made;
	return -ERR_INVALID;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char text[ERR_MESSAGE_MAX + ERR_MESSAGE_MAX / 2 + 3];
	size_t n;
	va_list ap;

	if (!err || err->code == 0)
		return -ERR_INTERNAL;
	va_start(ap, fmt);
	vsnprintf(text, ERR_MESSAGE_MAX / 2, fmt, ap); /* the cause must stay visible */
	va_end(ap);
	one_line(text);
	n = strlen(text);
	memcpy(text + n, ": ", 2);
	memcpy(text + n + 2, err->message, ERR_MESSAGE_MAX);
	memcpy(err->message, text, ERR_MESSAGE_MAX - 1);
	err->message[ERR_MESSAGE_MAX - 1] = '\0';
	return -err->code;
}
