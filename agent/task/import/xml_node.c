/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/task/import/xml_node.h"

#include <string.h>

#include "agent/base/str.h"

bool node_is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

const xmlNode *node_next(const xmlNode *node, const char *name)
{
	while (node && !node_is(node, name))
		node = node->next;
	return node;
}

const xmlNode *node_child(const xmlNode *node, const char *name)
{
	return node ? node_next(node->children, name) : NULL;
}

/* Text of a node, trimmed; "" where there is none or too much. */
static void take(xmlChar *text, char ret[NODE_TEXT_MAX])
{
	const char *start = text ? (const char *)text : "";
	start += strspn(start, " \t\r\n");
	size_t size = strlen(start);
	while (size > 0 && strchr(" \t\r\n", start[size - 1]))
		size--;
	ret[0] = '\0';
	if (size < NODE_TEXT_MAX) {
		memcpy(ret, start, size);
		ret[size] = '\0';
	}
	xmlFree(text);
}

void node_text(const xmlNode *node, const char *name, char ret[NODE_TEXT_MAX])
{
	const xmlNode *found = node_child(node, name);
	take(found ? xmlNodeGetContent(found) : NULL, ret);
}

void node_attribute(const xmlNode *node, const char *name, char ret[NODE_TEXT_MAX])
{
	const xmlAttr *at = node->properties;
	while (at && strcmp((const char *)at->name, name) != 0)
		at = at->next;
	take(at ? xmlNodeGetContent((const xmlNode *)at) : NULL, ret);
}

const xmlNode *node_find(const xmlNode *list, const char *element, const char *key,
			 const char *value)
{
	char text[NODE_TEXT_MAX];
	const xmlNode *node = node_child(list, element);
	for (; node; node = node_next(node->next, element)) {
		node_attribute(node, key, text);
		if (*text && str_eq(text, value))
			return node;
	}
	return NULL;
}
