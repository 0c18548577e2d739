/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a node's KVM test, from and to text. */
#include "agent/guest/kvm_record.h"

#include <inttypes.h>
#include <sys/utsname.h>

#include "agent/base/str.h"
#include "agent/guest/config.h"

static void copy_text(char *to, size_t size, const struct guest_config *config, const char *key)
{
	const char *value = guest_config_get(config, key);

	str_copy(to, size, value ? value : "");
}

int kvm_record_parse(const char *text, size_t size, struct kvm_record *ret, struct err *err)
{
	struct guest_config config __attribute__((cleanup(guest_config_fini))) = {0};
	struct kvm_record record = {0};
	const char *tested;
	int r;

	if (size > KVM_RECORD_MAX)
		return err_set(err, ERR_LIMIT, "a KVM test's record of %zu bytes", size);
	if ((r = guest_config_parse(text, size, &config, err)) < 0)
		return r;
	if (!str_to_bool(guest_config_get(&config, "usable"), &record.is_usable))
		return err_set(err, ERR_CORRUPT, "a KVM test's record does not say 'usable'");
	copy_text(record.reason, sizeof(record.reason), &config, "reason");
	copy_text(record.kernel, sizeof(record.kernel), &config, "kernel");
	tested = guest_config_get(&config, "tested");
	if (tested)
		str_to_u64(tested, &record.tested);
	*ret = record;
	return 0;
}

void kvm_record_format(const struct kvm_record *record, struct buf *out)
{
	buf_addf(out, "usable: %d\n", record->is_usable);
	if (record->reason[0])
		buf_addf(out, "reason: %s\n", record->reason);
	buf_addf(out, "tested: %" PRIu64 "\n", record->tested);
	if (record->kernel[0])
		buf_addf(out, "kernel: %s\n", record->kernel);
}

const char *kvm_kernel_release(void)
{
	static struct utsname name;

	if (!name.release[0] && uname(&name) < 0)
		return "";
	return name.release;
}

bool kvm_record_is_outdated(const struct kvm_record *record)
{
	return !str_eq(record->kernel, kvm_kernel_release());
}
