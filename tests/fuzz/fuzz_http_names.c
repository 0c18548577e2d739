/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File names that servers send: bounded, without folders. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/task/fetch/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	char name[256];

	memset(name, 'x', sizeof(name));
	http_disposition_name(text, name, sizeof(name));
	if (!memchr(name, '\0', sizeof(name)) || strchr(name, '/'))
		abort();
	memset(name, 'x', sizeof(name));
	http_url_name(text, name, sizeof(name));
	if (!memchr(name, '\0', sizeof(name)) || strchr(name, '/'))
		abort();
	return 0;
}
