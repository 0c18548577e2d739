/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /user.cfg without the rights on a guest: what could be read can still be, nothing of the guest is in it, and a second
 * look finds nothing. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/auth/text/acl_forget.h"
#include "agent/auth/usercfg.h"
#include "agent/base/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autobuf rest = BUF_INIT, again = BUF_INIT;
	autousercfg *before = NULL, *after = NULL;
	bool could_read = usercfg_parse((const char *)data, size, &before, NULL) == 0;

	acl_forget_guest((const char *)data, size, 101, &rest);
	if (rest.size > size || acl_forget_guest(buf_str(&rest), rest.size, 101, &again))
		abort();
	if (!could_read)
		return 0;
	if (usercfg_parse(buf_str(&rest), rest.size, &after, NULL) < 0 ||
	    map_get(after->acl, "/vms/101"))
		abort();
	return 0;
}
