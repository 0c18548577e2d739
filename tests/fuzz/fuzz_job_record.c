/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files about jobs may be torn: records and status lines. What decodes must survive a round trip.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/job_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_status(const uint8_t *data, size_t size)
{
	autostatus status = {0};

	if (size > 0 && job_status_parse((const char *)data, size, &status, NULL) == 0 &&
	    (!status.text || strlen(status.text) > JOB_EXIT_TEXT_MAX || strchr(status.text, '\n')))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autorecord record = {0};
	autorecord again = {0};
	autobuf text = BUF_INIT;

	try_status(data, size);
	if (job_record_decode(data, size, &record, NULL) < 0)
		return 0;
	job_record_encode(&record, &text);
	if (job_record_decode(text.data, text.size, &again, NULL) < 0)
		abort();
	if (again.guest != record.guest || again.program != record.program ||
	    !str_eq(again.command, record.command) || !str_eq(again.undo, record.undo))
		abort();
	return 0;
}
