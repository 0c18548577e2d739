/* SPDX-License-Identifier: GPL-2.0-or-later */
/* URL decoding and base64: what decodes, encodes back to a text that decodes to the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_url(const char *text, size_t size, bool plus_is_space)
{
	autobuf out = BUF_INIT, encoded = BUF_INIT, again = BUF_INIT;

	if (!url_decode(text, size, plus_is_space, &out)) {
		if (out.size != 0)
			abort();
		return;
	}
	if (strlen(buf_str(&out)) != out.size)
		abort(); /* a NUL came through */
	url_encode(buf_str(&out), &encoded);
	if (!url_decode(buf_str(&encoded), encoded.size, plus_is_space, &again) ||
	    again.size != out.size || strcmp(buf_str(&again), buf_str(&out)) != 0)
		abort();
}

static void try_base64(const char *text, size_t size)
{
	autobuf out = BUF_INIT, encoded = BUF_INIT;

	if (!base64_decode(text, size, &out))
		return;
	base64_encode(buf_str(&out), out.size, &encoded);
	if (encoded.size != size || memcmp(buf_str(&encoded), text, size) != 0)
		abort(); /* two texts for the same bytes */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_url(text, size, true);
	try_url(text, size, false);
	try_base64(text, size);
	return 0;
}
