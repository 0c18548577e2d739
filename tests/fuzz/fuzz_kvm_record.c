/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as the record of a KVM test: refused, or read, written, and read back to the same record. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/guest/kvm_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kvm_record record = {0}, again = {0};
	autobuf text = BUF_INIT;

	if (kvm_record_parse((const char *)data, size, &record, NULL) < 0)
		return 0;
	must(strlen(record.reason) < sizeof(record.reason) &&
	     strlen(record.kernel) < sizeof(record.kernel));
	kvm_record_format(&record, &text);
	/* a text cut in the middle of a character is none that may be read again */
	if (kvm_record_parse(text.data, text.size, &again, NULL) < 0)
		return 0;
	must(record.is_usable == again.is_usable && record.tested == again.tested);
	return 0;
}
