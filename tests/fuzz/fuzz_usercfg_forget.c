/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest taken out of /user.cfg as text: where the text parses, the result is what the model makes of it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/auth/text/usercfg_forget.h"
#include "agent/auth/usercfg.h"

#define VMID 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	autousercfg *cfg = NULL, *again = NULL;
	autobuf rest = BUF_INIT, wanted = BUF_INIT, got = BUF_INIT;

	(void)usercfg_forget_guest(text, size, VMID, false, &rest);
	if (usercfg_parse(text, size, &cfg, NULL) < 0)
		return 0;
	(void)usercfg_forget_path(cfg, "/vms/100");
	usercfg_format(cfg, &wanted);
	if (usercfg_parse(buf_str(&rest), rest.size, &again, NULL) < 0)
		abort();
	usercfg_format(again, &got);
	if (got.size != wanted.size || memcmp(got.data, wanted.data, got.size) != 0)
		abort();
	return 0;
}
