/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP reason phrase. libmicrohttpd (0.9.75, 1.0) has no call for it, but asks two public
 * functions of its own for the phrase while it builds a header; defined in this program they take
 * the place of the library's. It builds the header of a queued answer before it turns to anything
 * else, so the phrase is set right before the answer is queued, and serves once: errors that the
 * library answers by itself (a malformed request, say) never show the phrase of another client's
 * answer. */
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
	{101, "Switching Protocols"},
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
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

void reason_set(unsigned status, const char *text)
{
	size_t n = 0;

	/* all of it: a length that belongs to another phrase must not read leftovers */
	memset(phrase, 0, sizeof(phrase));
	for (; text && *text && *text != '\n' && n + 1 < sizeof(phrase); text++)
		phrase[n++] = (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text;
	phrase_status = n ? status : 0;
}

static const char *standard_phrase(unsigned status)
{
	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		if (standard[i].status == status)
			return standard[i].phrase;
	return "Unknown";
}

/* Flag bits of the library's own are above the status. */
static bool is_ours(unsigned code)
{
	return phrase_status != 0 && phrase_status == (code & 0xffff);
}

const char *MHD_get_reason_phrase_for(unsigned int code)
{
	if (!is_ours(code))
		return standard_phrase(code & 0xffff);
	phrase_status = 0;
	return phrase;
}

/* Asked first, then the text. */
size_t MHD_get_reason_phrase_len_for(unsigned int code)
{
	return strlen(is_ours(code) ? phrase : standard_phrase(code & 0xffff));
}
