/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON schemas of what the routes of virtual machines return, as string literals. */
#pragma once

#include "agent/base/mem.h"

#define QEMU_RETURNS_INDEX                                                                         \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"subdir\":"           \
	"{\"type\":\"string\"}}}}"

#define QEMU_RETURNS_UPID "{\"type\":\"string\"}"

#define QEMU_OPT(name, type) ",\"" name "\":{\"type\":\"" type "\",\"optional\":1}"

#define QEMU_RETURNS_STATUS                                                                        \
	"{\"type\":\"object\",\"properties\":{\"vmid\":{\"type\":\"integer\"},\"status\":"         \
	"{\"type\":\"string\",\"enum\":[\"stopped\",\"running\",\"unknown\"]}"                     \
	QEMU_OPT("type", "string") QEMU_OPT("name", "string") QEMU_OPT("template", "boolean")      \
	QEMU_OPT("tags", "string") QEMU_OPT("lock", "string") QEMU_OPT("cpu", "number")            \
	QEMU_OPT("cpus", "number") QEMU_OPT("mem", "integer") QEMU_OPT("maxmem", "integer")        \
	QEMU_OPT("disk", "integer") QEMU_OPT("maxdisk", "integer") QEMU_OPT("diskread", "integer") \
	QEMU_OPT("diskwrite", "integer") QEMU_OPT("netin", "integer")                              \
	QEMU_OPT("netout", "integer") QEMU_OPT("uptime", "integer") QEMU_OPT("pid", "integer")     \
	QEMU_OPT("qmpstatus", "string") QEMU_OPT("agent", "boolean")                               \
	QEMU_OPT("serial", "boolean") QEMU_OPT("ha", "object") "}}"

#define QEMU_RETURNS_PENDING                                                                       \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"key\":{\"type\":"    \
	"\"string\"}" QEMU_OPT("value", "string") QEMU_OPT("pending", "string")                    \
	QEMU_OPT("delete", "integer") "}}}"
