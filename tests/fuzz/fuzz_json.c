/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON: the parser on anything; the writer's strings, of anything, must parse. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <json-c/json.h>

#include "agent/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *o = NULL;
	autobuf out = BUF_INIT;
	struct json j;

	if (json_parse((const char *)data, size, 1 << 20, &o, NULL) == 0)
		json_object_put(o);
	json_init(&j, &out);
	json_string_n(&j, (const char *)data, size);
	o = NULL;
	if (size < 100000 && json_parse(buf_str(&out), out.size, 1 << 22, &o, NULL) < 0)
		abort();
	json_object_put(o);
	return 0;
}
