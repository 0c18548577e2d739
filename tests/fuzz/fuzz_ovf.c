/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OVF: what is taken stays within its bounds, and names what a volume may be called. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/task/import/ovf.h"
#include "storage/volid/volid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ovf_machine m;
	char keys[OVF_DISKS][16];
	if (ovf_parse((const char *)data, size, &m, NULL) < 0)
		return 0;
	if (m.disk_count > OVF_DISKS || m.nic_count > OVF_NICS || strlen(m.name) > 63)
		abort();
	for (size_t i = 0; i < m.disk_count; i++)
		if (volume_file_check(VOLUME_IMPORT, m.disks[i].file, NULL) < 0)
			abort();
	ovf_disk_keys(&m, keys);
	return 0;
}
