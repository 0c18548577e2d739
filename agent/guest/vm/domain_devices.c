/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything of a domain that is no drive: network cards, serial ports, graphics, agent. Pure. */
#include <stdio.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/domain.h"

#define SLOT_BALLOON 0x03
#define SLOT_NET     0x12 /* net0: the guest calls it ens18 */
#define NET_SLOTS    6	  /* net0 to net5 have a slot of their own */

static void add_net(xmlNodePtr devices, const struct vm_domain *domain, const struct vm_net *net)
{
	xmlNodePtr interface = xml_add(devices, "interface", "type", "bridge", NULL);
	char tap[16], key[16];

	snprintf(key, sizeof(key), "net%u", net->index);
	vm_tap_name(domain->vmid, net->index, tap);
	xml_add(interface, "mac", "address", net->macaddr, NULL);
	xml_add(interface, "source", "bridge", net->bridge, NULL);
	xml_add(interface, "target", "dev", tap, NULL);
	xml_add(interface, "model", "type", net->model, NULL);
	if (net->queues > 1)
		xml_setf(xml_add(interface, "driver", "name", "vhost", NULL), "queues", "%u",
			 net->queues);
	if (net->mtu)
		xml_setf(xml_add(interface, "mtu", NULL), "size", "%u", net->mtu);
	if (net->link_down)
		xml_add(interface, "link", "state", "down", NULL);
	xml_boot(interface, domain->hw, key);
	if (net->index < NET_SLOTS && !vm_is_q35(domain->hw))
		xml_slot(interface, SLOT_NET + net->index);
}

static void add_serials(xmlNodePtr devices, const struct vm_domain *domain)
{
	for (unsigned i = 0; i < VM_SERIALS_MAX; i++) {
		if (!domain->hw->serial[i])
			continue;
		autofree char *path = vm_serial_path(domain->run_dir, domain->vmid, i);
		xmlNodePtr serial = xml_add(devices, "serial", "type", "unix", NULL);

		xml_add(serial, "source", "mode", "bind", "path", path, NULL);
		xml_setf(xml_add(serial, "target", NULL), "port", "%u", i);
	}
}

static void add_agent(xmlNodePtr devices)
{
	xmlNodePtr channel = xml_add(devices, "channel", "type", "unix", NULL);

	xml_add(channel, "source", "mode", "bind", NULL);
	xml_add(channel, "target", "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
}

/* The screen listens nowhere: viewers get a descriptor from libvirt. */
static void add_screen(xmlNodePtr devices, const struct vm_hardware *hw)
{
	xmlNodePtr graphics = xml_add(devices, "graphics", "type", "vnc", NULL);
	xmlNodePtr model = xml_add(xml_add(devices, "video", NULL), "model", "type",
				   str_eq(hw->vga, "std") ? "vga" : hw->vga, NULL);

	xml_add(graphics, "listen", "type", "none", NULL);
	if (hw->vga_memory && !str_eq(hw->vga, "virtio"))
		xml_setf(model, "vram", "%u", hw->vga_memory * 1024);
}

static void add_input(xmlNodePtr devices, const struct vm_hardware *hw)
{
	bool has_tablet = hw->tablet && vm_has_screen(hw);
	const char *usb = vm_is_q35(hw) ? "qemu-xhci" : "piix3-uhci";

	xml_add(devices, "controller", "type", "usb", "index", "0", "model",
		has_tablet ? usb : "none", NULL);
	if (has_tablet)
		xml_add(devices, "input", "type", "tablet", "bus", "usb", NULL);
}

void domain_add_devices(xmlNodePtr devices, const struct vm_domain *domain)
{
	const struct vm_hardware *hw = domain->hw;

	domain_add_drives(devices, domain);
	add_input(devices, hw);
	for (size_t i = 0; i < hw->net_count; i++)
		add_net(devices, domain, &hw->nets[i]);
	add_serials(devices, domain);
	if (hw->has_agent)
		add_agent(devices);
	if (vm_has_screen(hw))
		add_screen(devices, hw);
	else
		xml_add(xml_add(devices, "video", NULL), "model", "type", "none", NULL);
	xmlNodePtr balloon =
		xml_add(devices, "memballoon", "model", hw->has_balloon ? "virtio" : "none", NULL);

	if (hw->has_balloon && !vm_is_q35(hw))
		xml_slot(balloon, SLOT_BALLOON);
}
