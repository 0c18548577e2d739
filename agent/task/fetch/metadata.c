/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper url-metadata: what a server says of a file before it is fetched. */
#include "agent/base/json.h"
#include "agent/task/fetch/commands.h"
#include "agent/task/fetch/http.h"

#define TIMEOUT_S 4 /* the caller's own is little longer */

int helper_url_metadata(const struct fields *args, struct buf *out, struct err *err)
{
	struct http_answer answer;
	struct json j;
	const struct http_request request = {.url = fields_get(args, "url"),
					     .is_unverified = fields_find(args, "insecure") != NULL,
					     .is_head = true,
					     .timeout_s = TIMEOUT_S};
	if (!request.url)
		return err_field(err, "url", "property is missing and it is not optional");
	int r = http_fetch(&request, &answer, err);
	if (r < 0)
		return r;
	json_init(&j, out);
	json_object_begin(&j);
	if (answer.name[0])
		json_kv_string(&j, "filename", answer.name);
	if (answer.has_size)
		json_kv_uint(&j, "size", answer.size);
	if (answer.type[0])
		json_kv_string(&j, "mimetype", answer.type);
	json_object_end(&j);
	return 0;
}
