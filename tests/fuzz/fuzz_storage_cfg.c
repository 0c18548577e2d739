/* SPDX-License-Identifier: GPL-2.0-or-later */
/* storage.cfg: what parses must format to a text that parses to the same text; the rules name a key of what they
 * refuse. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "storage/volid/storage_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct storage_cfg cfg, again;
	autobuf one = BUF_INIT, two = BUF_INIT;
	if (storage_cfg_parse((const char *)data, size, &cfg, NULL) < 0)
		return 0;
	storage_cfg_format(&cfg, &one);
	for (size_t i = 0; i < cfg.count; i++) {
		struct err err = ERR_INIT;
		if (storage_rules_check(&cfg.items[i], &err) < 0 && !err.field[0])
			abort();
		if (storage_rules_check_place(&cfg, &cfg.items[i], "/var/lib/lodge", &err) == 0 &&
		    strstr(storage_def_get(&cfg.items[i], "path"), "/../"))
			abort();
	}
	if (storage_cfg_parse(buf_str(&one), one.size, &again, NULL) < 0)
		abort();
	storage_cfg_format(&again, &two);
	if (strcmp(buf_str(&one), buf_str(&two)) != 0)
		abort();
	storage_cfg_fini(&cfg);
	storage_cfg_fini(&again);
	return 0;
}
