/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a guest's configuration: refused, or read, written, and read back to the same text.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/guest/config.h"
#include "agent/guest/guest.h"
#include "agent/guest/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_config config, again;
	struct err err = ERR_INIT;
	autobuf first = BUF_INIT, second = BUF_INIT, shown = BUF_INIT;
	struct guest_shape shape;
	struct json j;

	if (guest_config_parse((const char *)data, size, &config, &err) < 0)
		return 0;
	guest_config_format(&config, &first);
	json_init(&j, &shown);
	guest_config_write(&guest_kind_ct, &config, false, &j);
	guest_kind_ct.shape(&config, &shape);
	guest_config_fini(&config);
	/* percent-encoding may make a description, and only that, longer than what may be read */
	if (guest_config_parse(first.data ? first.data : "", first.size, &again, &err) < 0) {
		must(memchr(data, '#', size) != NULL && size > 32 * 1024);
		return 0;
	}
	guest_config_format(&again, &second);
	guest_config_fini(&again);
	must(first.size == second.size);
	must(first.size == 0 || memcmp(first.data, second.data, first.size) == 0);
	return 0;
}
