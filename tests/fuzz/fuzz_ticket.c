/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tickets of all kinds and CSRF tokens: nothing that was not made with the key is accepted. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/auth/ticket.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t key[TICKET_KEY_SIZE];
	static const struct console_subject subject = {"a@pve", "/vms/101", 5900};
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	char userid[USERID_MAX];

	if (!key[0]) {
		random_bytes(key, sizeof(key));
		key[0] = 1;
	}
	if (ticket_verify(key, text, 0x68000000, userid) ||
	    csrf_verify(key, text, "a@pve", 0x68000000) ||
	    console_ticket_verify(key, text, &subject, 0x68000000))
		abort();
	return 0;
}
