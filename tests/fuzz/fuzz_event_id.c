/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Last-Event-ID: what is taken for an id reads back the same, and nothing else resumes a stream. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/core/event_log.h"

#define BOOT 0x0123abcdu
#define HEAD 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(const char *text)
{
	struct event_id id;
	autobuf again = BUF_INIT;

	if (!event_id_parse(text, &id))
		return;
	event_id_add(id, &again);
	/* only zeros in front of the number may differ */
	if (strncmp(buf_str(&again), text, 9) != 0 || strlen(text) < again.size)
		abort();
	const char *digits = text + 9 + strspn(text + 9, "0");
	if (strcmp(*digits ? digits : "0", buf_str(&again) + 9) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup(size ? (const char *)data : "", size);
	struct event_log *log = event_log_new(2, 10000);
	static const char *const names[HEAD] = {"a", "b", "c", "d", "e"};
	uint64_t seq = 0;

	check_form(text);
	for (size_t i = 0; i < HEAD; i++)
		event_log_put(log, EVENT_TYPE_CONFIG, names[i]);
	const char *reason = event_log_resume(log, BOOT, text, &seq);
	if (!reason &&
	    (strncmp(text, "0123abcd-", 9) != 0 || seq < event_log_lost(log) || seq > HEAD))
		abort();
	if (reason && seq != 0)
		abort();
	event_log_free(log);
	return 0;
}
