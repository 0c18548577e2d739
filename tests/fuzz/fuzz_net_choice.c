/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stored network choice: whatever parses, reads back from its own text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_choice choice, back;
	autobuf text = BUF_INIT;

	if (net_choice_parse((const char *)data, size, &choice, NULL) < 0)
		return 0;
	net_choice_format(&choice, &text);
	if (net_choice_parse(text.data, text.size, &back, NULL) < 0 ||
	    strcmp(back.bridge, choice.bridge) != 0 || back.is_nat != choice.is_nat)
		abort();
	return 0;
}
