/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for building XML trees. Pure. */
#include <stdarg.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/vm/domain.h"

#define X(text) ((const xmlChar *)(text))

void xml_set(xmlNodePtr node, const char *name, const char *value)
{
	if (!xmlNewProp(node, X(name), X(value)))
		abort(); /* out of memory, as everywhere */
}

void xml_setf(xmlNodePtr node, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	autofree char *value = xvasprintf(fmt, ap);
	va_end(ap);
	xml_set(node, name, value);
}

xmlNodePtr xml_add(xmlNodePtr parent, const char *name, ...)
{
	xmlNodePtr node = xmlNewChild(parent, NULL, X(name), NULL);
	const char *attribute;
	va_list ap;

	if (!node)
		abort();
	va_start(ap, name);
	while ((attribute = va_arg(ap, const char *)))
		xml_set(node, attribute, va_arg(ap, const char *));
	va_end(ap);
	return node;
}

xmlNodePtr xml_text(xmlNodePtr parent, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	autofree char *value = xvasprintf(fmt, ap);
	va_end(ap);
	xmlNodePtr node = xmlNewTextChild(parent, NULL, X(name), X(value));

	if (!node)
		abort();
	return node;
}

void xml_slot(xmlNodePtr device, unsigned slot)
{
	xmlNodePtr address =
		xml_add(device, "address", "type", "pci", "domain", "0x0000", "bus", "0x00", NULL);

	xml_setf(address, "slot", "0x%02x", slot);
	xml_set(address, "function", "0x0");
}

void xml_boot(xmlNodePtr device, const struct vm_hardware *hw, const char *key)
{
	for (unsigned i = 0; hw->boot[i][0]; i++) {
		if (str_eq(hw->boot[i], key))
			xml_setf(xml_add(device, "boot", NULL), "order", "%u", i + 1);
	}
}
