/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the documents that clients get: {"data":…} or {"data":null,"errors":{…},"message":"…\n"}.
 * Owns the table from error codes to HTTP status. Pure; used on the core's loop. */
#include "agent/api/reply.h"

#include <string.h>

#define REASON_MAX 512

static const char content_type[] = "application/json;charset=UTF-8";
static const char verification_failed[] = "Parameter verification failed.";

/* Clients take 500 for "no such guest" and the like, 501 for a missing route only. */
static const int statuses[] = {
	[ERR_INVALID] = 400,   [ERR_AUTH] = 401,	[ERR_DENIED] = 403,
	[ERR_NOT_FOUND] = 500, [ERR_EXISTS] = 500,	[ERR_CONFLICT] = 500,
	[ERR_BUSY] = 500,      [ERR_TIMEOUT] = 504,	[ERR_UNAVAILABLE] = 500,
	[ERR_UNKNOWN] = 500,   [ERR_UNSUPPORTED] = 500, [ERR_LIMIT] = 500,
	[ERR_NO_SPACE] = 500,  [ERR_CORRUPT] = 500,	[ERR_CANCELLED] = 500,
	[ERR_IO] = 500,	       [ERR_INTERNAL] = 500,	[ERR_CROWDED] = 429,
};

int api_status_of(int err_code)
{
	if (err_code < 0)
		err_code = -err_code;
	size_t code = (size_t)err_code;
	return code < ARRAY_SIZE(statuses) && statuses[code] ? statuses[code] : 500;
}

/* First line of the message, without what may not stand in an HTTP status line. */
static void reply_head(struct reply *ret, int status, const char *message)
{
	char reason[REASON_MAX];
	size_t size = 0;
	for (; message[size] && message[size] != '\n' && size < sizeof(reason) - 1; size++) {
		unsigned char c = (unsigned char)message[size];
		reason[size] = c < ' ' || c == 0x7f ? ' ' : (char)c;
	}
	reason[size] = '\0';
	ret->status = (uint16_t)status;
	fields_set(&ret->head, "reason", reason);
	fields_set(&ret->head, "content-type", content_type);
}

void api_reply_data(struct reply *ret, struct buf *data, const struct fields *extra)
{
	if (data->size == strlen(API_ENVELOPE))
		buf_add_str(data, "null");
	for (size_t i = 0; i < extra->count; i++) {
		struct json j;
		buf_add_char(data, ',');
		json_init(&j, data);
		json_string(&j, extra->items[i].name);
		buf_add_char(data, ':');
		buf_add(data, extra->items[i].value, extra->items[i].size);
	}
	buf_add_char(data, '}');
	ret->body = *data;
	*data = BUF_INIT;
	reply_head(ret, 200, "OK");
}

static void errors_to_json(struct json *j, const struct fields *errors)
{
	json_key(j, "errors");
	json_object_begin(j);
	for (size_t i = 0; i < errors->count; i++)
		json_kv_string(j, errors->items[i].name, errors->items[i].value);
	json_object_end(j);
}

void api_reply_error(struct reply *ret, int status, const char *message,
		     const struct fields *errors)
{
	struct json j;
	json_init(&j, &ret->body);
	json_object_begin(&j);
	json_kv_null(&j, "data");
	if (errors && errors->count)
		errors_to_json(&j, errors);
	autobuf line = BUF_INIT;
	buf_add_str(&line, message);
	buf_add_char(&line, '\n');
	json_kv_string(&j, "message", buf_str(&line));
	json_object_end(&j);
	reply_head(ret, status, message);
}

void api_reply_err(struct reply *ret, const struct err *err)
{
	if (err->code == ERR_INVALID && err->field[0]) {
		autofields errors = FIELDS_INIT;
		fields_add(&errors, err->field, err->message);
		api_reply_error(ret, 400, verification_failed, &errors);
		return;
	}
	api_reply_error(ret, api_status_of(err->code), err->message, NULL);
}
