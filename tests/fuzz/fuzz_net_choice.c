/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stored network choice: whatever parses, reads back from its own text. And what ip says of routes: a network that
 * overlaps none of them is a choice. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/net/net.h"

#include <json-c/json.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_routes(const char *data, size_t size)
{
	struct net_choice choice = {.bridge = "vmbr0", .is_nat = true}, back;
	autofree char *text = xstrndup(data, size);
	struct json_object *routes = NULL;
	autobuf out = BUF_INIT;

	if (net_routes_parse(text, strlen(text), &routes, NULL) < 0)
		return;
	if (net_free_prefix(routes, choice.prefix)) {
		net_choice_format(&choice, &out);
		if (net_choice_parse(out.data, out.size, &back, NULL) < 0)
			abort();
	}
	json_object_put(routes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_choice choice, back;
	autobuf text = BUF_INIT;

	try_routes((const char *)data, size);
	if (net_choice_parse((const char *)data, size, &choice, NULL) < 0)
		return 0;
	net_choice_format(&choice, &text);
	if (net_choice_parse(text.data, text.size, &back, NULL) < 0 ||
	    strcmp(back.bridge, choice.bridge) != 0 || back.is_nat != choice.is_nat)
		abort();
	return 0;
}
