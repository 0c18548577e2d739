/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual machine's configuration as the XML of a libvirt domain. Pure: facts about the host and paths
 * of volumes are passed in. Trees are built with libxml2, which escapes every text. */
#pragma once

#include <libxml/tree.h>

#include "agent/base/buf.h"
#include "agent/guest/vm_process.h"
#include "agent/guest/vm_schema.h"

struct vm_domain {
	unsigned vmid;
	const struct vm_hardware *hw;
	const char *const *paths; /* of hw->drives, in their order; NULL for an empty CD drive */
	const char *const *bases; /* the same of what linked clones stand on; NULL for all others */
	const char *run_dir;	  /* where sockets of serial ports lie: "/run/lodge/vm" */
};

/* Host side of a network card: "tap101i0". */
void vm_tap_name(unsigned vmid, unsigned index, char ret[16]);
void vm_domain_format(const struct vm_domain *domain, struct buf *out);

/* domain_xml.c: small words for building trees; attributes are name, value, …, NULL. */
xmlNodePtr xml_add(xmlNodePtr parent, const char *name, ...) __attribute__((sentinel));
void xml_set(xmlNodePtr node, const char *name, const char *value);
void xml_setf(xmlNodePtr node, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
xmlNodePtr xml_text(xmlNodePtr parent, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* <address type='pci'>, on the board's own bus */
void xml_slot(xmlNodePtr device, unsigned slot);
/* Which device boots at which place. */
void xml_boot(xmlNodePtr device, const struct vm_hardware *hw, const char *key);

/* domain_drives.c, domain_cpu.c, domain_devices.c: parts of the tree */
void domain_add_drives(xmlNodePtr devices, const struct vm_domain *domain);
unsigned domain_iothreads(const struct vm_hardware *hw);
void domain_add_cpu(xmlNodePtr root, const struct vm_hardware *hw);
void domain_add_devices(xmlNodePtr devices, const struct vm_domain *domain);
