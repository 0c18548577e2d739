/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The domain as a whole. Pure. */
#include "agent/guest/vm/domain.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

void vm_tap_name(unsigned vmid, unsigned index, char ret[16])
{
	snprintf(ret, 16, "tap%ui%u", vmid, index);
}

static bool is_windows(const struct vm_hardware *hw)
{
	return hw->ostype[0] == 'w';
}

static void add_os(xmlNodePtr root, const struct vm_hardware *hw)
{
	xmlNodePtr os = xml_add(root, "os", NULL);
	xmlNodePtr type = xml_text(os, "type", "hvm");

	xml_set(type, "arch", "x86_64");
	xml_set(type, "machine", hw->machine);
	if (str_starts(hw->vga, "serial"))
		xml_add(os, "bios", "useserial", "yes", NULL);
	xml_add(os, "smbios", "mode", "sysinfo", NULL);
}

static void add_sysinfo(xmlNodePtr root, const struct vm_smbios *smbios)
{
	xmlNodePtr system =
		xml_add(xml_add(root, "sysinfo", "type", "smbios", NULL), "system", NULL);
	const struct {
		const char *name, *value;
	} entries[] = {{"manufacturer", smbios->manufacturer[0] ? smbios->manufacturer : "Lodge"},
		       {"product", smbios->product[0] ? smbios->product : "Virtual Machine"},
		       {"version", smbios->version},
		       {"serial", smbios->serial},
		       {"uuid", smbios->uuid},
		       {"sku", smbios->sku},
		       {"family", smbios->family}};

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		if (entries[i].value[0])
			xml_set(xml_text(system, "entry", "%s", entries[i].value), "name",
				entries[i].name);
	}
}

static void add_features(xmlNodePtr root, const struct vm_hardware *hw)
{
	xmlNodePtr features = xml_add(root, "features", NULL);

	if (hw->acpi)
		xml_add(features, "acpi", NULL);
	xml_add(features, "apic", NULL);
	if (!is_windows(hw) || !hw->kvm)
		return;
	xmlNodePtr hyperv = xml_add(features, "hyperv", "mode", "custom", NULL);

	xml_add(hyperv, "relaxed", "state", "on", NULL);
	xml_add(hyperv, "vapic", "state", "on", NULL);
	xml_add(hyperv, "spinlocks", "state", "on", "retries", "8191", NULL);
}

static void add_clock(xmlNodePtr root, const struct vm_hardware *hw)
{
	xmlNodePtr clock =
		xml_add(root, "clock", "offset", is_windows(hw) ? "localtime" : "utc", NULL);

	xml_add(clock, "timer", "name", "rtc", "tickpolicy", "catchup", NULL);
	xml_add(clock, "timer", "name", "pit", "tickpolicy", "delay", NULL);
	xml_add(clock, "timer", "name", "hpet", "present", "no", NULL);
}

static void add_all(xmlNodePtr root, const struct vm_domain *domain)
{
	const struct vm_hardware *hw = domain->hw;
	unsigned iothreads = domain_iothreads(hw);
	char name[VM_DOMAIN_NAME_SIZE];

	vm_domain_name(domain->vmid, name);
	xml_set(root, "type", hw->kvm ? "kvm" : "qemu");
	xml_text(root, "name", "%s", name);
	if (hw->smbios.uuid[0])
		xml_text(root, "uuid", "%s", hw->smbios.uuid);
	xml_set(xml_text(root, "memory", "%llu", (unsigned long long)(hw->memory >> 10)), "unit",
		"KiB");
	xml_set(xml_text(root, "vcpu", "%u", hw->sockets * hw->cores), "placement", "static");
	if (iothreads)
		xml_text(root, "iothreads", "%u", iothreads);
	add_sysinfo(root, &hw->smbios);
	add_os(root, hw);
	add_features(root, hw);
	domain_add_cpu(root, hw);
	add_clock(root, hw);
	xml_text(root, "on_poweroff", "destroy");
	xml_text(root, "on_reboot", "restart");
	xml_text(root, "on_crash", "destroy");
	domain_add_devices(xml_add(root, "devices", NULL), domain);
}

void vm_domain_format(const struct vm_domain *domain, struct buf *out)
{
	xmlDocPtr doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNodePtr root = doc ? xmlNewNode(NULL, (const xmlChar *)"domain") : NULL;
	xmlChar *text = NULL;
	int size = 0;

	if (!root)
		abort();
	xmlDocSetRootElement(doc, root);
	add_all(root, domain);
	xmlDocDumpFormatMemory(doc, &text, &size, 1);
	if (!text)
		abort();
	buf_add(out, text, (size_t)size);
	xmlFree(text);
	xmlFreeDoc(doc);
}
