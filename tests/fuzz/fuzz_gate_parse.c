/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every parser of the gate on the same bytes. What they let through must fit into a call frame. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/frame.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_fit(struct fields *params)
{
	struct call call = CALL_INIT;
	autobuf frame = BUF_INIT;

	call.op = CALL_API;
	call.params = *params;
	for (size_t i = 0; i < params->count; i++)
		if (strlen(params->items[i].name) == 0 ||
		    strlen(params->items[i].value) != params->items[i].size)
			abort();
	if (params->count > FIELDS_COUNT_MAX)
		abort();
	if (frame_check_call(&call, NULL) == 0)
		frame_encode_call(1, &call, &frame);
}

static void run_list(int (*parse)(const char *, size_t, struct fields *, struct err *),
		     const char *text, size_t size)
{
	autofields f = FIELDS_INIT;
	struct err err = ERR_INIT;

	if (parse(text, size, &f, &err) == 0)
		must_fit(&f);
	else if (err.code != ERR_INVALID || err.message[0] == '\0')
		abort();
}

static void run_texts(const char *text)
{
	autofree char *path = NULL, *cookie = NULL, *ticket = NULL, *token = NULL;
	const char *query = NULL;
	struct err err = ERR_INIT;

	if (parse_target(text, &path, &query, &err) == 0 && path[0] != '/')
		abort();
	cookie = parse_cookie(text, "PVEAuthCookie");
	parse_authorization(text, &ticket, &token);
	if (ticket && token)
		abort();
	parse_content_type(text);
	parse_accepts_gzip(text);
	if (parse_is_ticket(text) && !str_starts(text, "PVE:"))
		abort();
	if (parse_path_is(text, "access/ticket") && !strstr(text, "access/"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");

	run_list(parse_form, (const char *)data, size);
	run_list(parse_json, (const char *)data, size);
	run_texts(text);
	return 0;
}
