/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP reason phrase. libmicrohttpd (0.9.75, 1.0) has no call for it, but asks two of its own public
 * functions for the phrase while it builds a header; defined in this program they take the place
 * of the library's. The phrase of our answer is set right before it is queued: the header is
 * built in the same pass over that connection. Errors that libmicrohttpd makes by itself get the
 * standard phrases. */
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "agent/base/mem.h"
#include "agent/gate/request.h"

#define PHRASE_MAX 512

static _Thread_local char phrase[PHRASE_MAX];
static _Thread_local unsigned phrase_status;

static const struct {
	unsigned status;
	const char *phrase;
} standard[] = {
	{100, "Continue"},
	{200, "OK"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{411, "Length Required"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
	{596, "Broken Connection"},
};

void reason_set(unsigned status, const char *text)
{
	size_t n = 0;

	for (; text && *text && *text != '\n' && n + 1 < sizeof(phrase); text++)
		phrase[n++] = (unsigned char) *text < 0x20 || *text == 0x7f ? ' ' : *text;
	phrase[n] = '\0';
	phrase_status = n ? status : 0;
}

void reason_clear(void)
{
	phrase_status = 0;
}

const char *MHD_get_reason_phrase_for(unsigned int code)
{
	code &= 0xffff; /* flag bits of the library's own */
	if (phrase_status == code && code != 0)
		return phrase;
	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		if (standard[i].status == code)
			return standard[i].phrase;
	return "Unknown";
}

size_t MHD_get_reason_phrase_len_for(unsigned int code)
{
	return strlen(MHD_get_reason_phrase_for(code));
}
