/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as the configuration of a virtual machine: what it is accepted as makes a well-formed domain. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <libxml/parser.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/guest.h"
#include "agent/guest/vm/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format(const struct vm_hardware *hw)
{
	const char *paths[VM_DRIVES_MAX] = {0};
	autobuf out = BUF_INIT;

	for (size_t i = 0; i < hw->drive_count; i++)
		paths[i] = hw->drives[i].volid[0] ? hw->drives[i].volid : NULL;
	vm_domain_format(
		&(struct vm_domain){
			.vmid = 101, .hw = hw, .paths = paths, .bases = paths, .run_dir = "/run"},
		&out);
	xmlDocPtr doc = xmlReadMemory(buf_str(&out), (int)out.size, "domain.xml", NULL,
				      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

	if (!doc)
		abort();
	xmlFreeDoc(doc);
}

/* A stored drive or card is stored the same again. */
static void complete_twice(const struct guest_config *config)
{
	for (size_t i = 0; i < config->sections[0].keys.count; i++) {
		const struct field *f = &config->sections[0].keys.items[i];
		autofields once = FIELDS_INIT, twice = FIELDS_INIT;

		fields_add(&once, f->name, f->value);
		if (guest_kind_vm.change_complete(config, &once, NULL) < 0)
			continue;
		fields_copy(&twice, &once);
		if (guest_kind_vm.change_complete(config, &twice, NULL) < 0 ||
		    !str_eq(once.items[0].value, twice.items[0].value))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_config config;
	struct vm_hardware hw;
	struct guest_shape shape;

	if (size > 64 * 1024 || guest_config_parse((const char *)data, size, &config, NULL) < 0)
		return 0;
	guest_kind_vm.shape(&config, &shape);
	complete_twice(&config);
	if (guest_kind_vm.check(&config, NULL) == 0) {
		if (vm_hardware_read(&config, &hw, NULL) < 0)
			abort();
		format(&hw);
		vm_hardware_fini(&hw);
	}
	if (vm_config_complete(&config, NULL, NULL) == 0 && guest_kind_vm.check(&config, NULL) < 0)
		abort();
	guest_config_fini(&config);
	return 0;
}
