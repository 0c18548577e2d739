/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Elements and texts of a document that libxml2 has read, by names without their namespaces. Pure. */
#pragma once

#include <stdbool.h>

#include <libxml/tree.h>

#define NODE_TEXT_MAX 1024

bool node_is(const xmlNode *node, const char *name); /* an element of that name */
/* This node or the first after it that has that name, or NULL; node may be NULL. */
const xmlNode *node_next(const xmlNode *node, const char *name);
const xmlNode *node_child(const xmlNode *node, const char *name);
/* The child element of `list` whose attribute `key` is `value`, or NULL. */
const xmlNode *node_find(const xmlNode *list, const char *element, const char *key,
			 const char *value);
/* The text of a child, or of an attribute, trimmed; "" where there is none or too much. */
void node_text(const xmlNode *node, const char *name, char ret[NODE_TEXT_MAX]);
void node_attribute(const xmlNode *node, const char *name, char ret[NODE_TEXT_MAX]);
