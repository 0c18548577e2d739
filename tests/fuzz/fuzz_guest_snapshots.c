/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any configuration with snapshots, of both kinds: listed, one more made, gone back to, deleted, copied, without losing a
 * volume's name; what comes out can be read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/clone.h"
#include "agent/guest/snapshots.h"
#include "agent/guest/underway.h"
#include "agent/guest/volumes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AUTOCONFIG struct guest_config __attribute__((cleanup(guest_config_fini)))

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Every volume that the main section named is named by it still. */
static void same_volumes(const struct guest_kind_ops *ops, const struct guest_config *before,
			 const struct guest_config *after)
{
	autofree struct guest_volume *volumes = NULL;
	size_t count = 0;

	if (guest_volumes(ops, &before->sections[0], &volumes, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		must(guest_volume_is_named(ops, after, "", volumes[i].volid));
}

static void can_be_read(const struct guest_config *config, size_t size)
{
	struct guest_config again;
	autobuf text = BUF_INIT;

	guest_config_format(config, &text);
	if (guest_config_parse(buf_str(&text), text.size, &again, NULL) < 0)
		must(size > 16 * 1024 || config->count > 100 ||
		     config->sections[0].keys.count > 250); /* the bounds of what may be read */
	else
		guest_config_fini(&again);
}

static void values(const struct guest_section *section)
{
	for (size_t i = 0; i < section->keys.count; i++) {
		autofree char *same = guest_volume_value(section->keys.items[i].value, NULL, 0);
		autofree char *other = guest_volume_value(section->keys.items[i].value,
							  "local:101/vm-101-disk-0.raw", 4096);

		must(same != NULL);
		must(strstr(other, ",size=4K") != NULL);
	}
}

static void live(const struct guest_kind_ops *ops, const struct guest_config *config, size_t size)
{
	const struct guest_clone clone = {.vmid = 101};
	AUTOCONFIG work = {0};
	AUTOCONFIG copy = {0};
	struct guest_underway underway;
	autobuf shown = BUF_INIT;
	struct json j;

	guest_config_copy(&work, config);
	json_init(&j, &shown);
	guest_snapshots_write(config, true, &j);
	(void)guest_underway_find(config, &underway);
	values(&work.sections[0]);
	if (guest_clone_config(ops, config, &clone, &copy, NULL) == 0)
		must(copy.count == 1 && !guest_config_get(&copy, "lock"));
	if (guest_snapshot_begin(&work, "fuzzed", "a\nb", 1, NULL) < 0)
		return;
	guest_snapshot_commit(&work, "fuzzed");
	can_be_read(&work, size);
	guest_config_delete(&work, "rootfs");
	guest_config_delete(&work, "scsi0");
	if (guest_snapshot_restore(ops, &work, "fuzzed", NULL) == 0)
		same_volumes(ops, config, &work);
	for (size_t i = config->count; i-- > 1;) {
		AUTOCONFIG back = {0};

		guest_config_copy(&back, config);
		if (guest_section_is_snapshot(&config->sections[i]) &&
		    guest_snapshot_restore(ops, &back, config->sections[i].name, NULL) == 0)
			same_volumes(ops, config, &back);
		guest_snapshot_remove(&back, config->sections[i].name);
	}
	guest_snapshot_remove(&work, "fuzzed");
	must(!guest_snapshot_find(&work, "fuzzed"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTOCONFIG config = {0};

	if (size > 64 * 1024 || guest_config_parse((const char *)data, size, &config, NULL) < 0)
		return 0;
	live(&guest_kind_ct, &config, size);
	live(&guest_kind_vm, &config, size);
	return 0;
}
