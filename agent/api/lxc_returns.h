/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON schemas of what the container routes return, as string literals. */
#pragma once

#include "agent/base/mem.h"

#define LXC_RETURNS_INDEX                                                                          \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"subdir\":"           \
	"{\"type\":\"string\"}}}}"

#define LXC_OPT(name, type) ",\"" name "\":{\"type\":\"" type "\",\"optional\":1}"

#define LXC_RETURNS_STATUS                                                                         \
	"{\"type\":\"object\",\"properties\":{\"vmid\":{\"type\":\"integer\"},\"status\":"         \
	"{\"type\":\"string\",\"enum\":[\"stopped\",\"running\",\"unknown\"]}"                     \
	LXC_OPT("type", "string") LXC_OPT("name", "string") LXC_OPT("template", "boolean")         \
	LXC_OPT("tags", "string") LXC_OPT("lock", "string") LXC_OPT("cpu", "number")               \
	LXC_OPT("cpus", "number") LXC_OPT("mem", "integer") LXC_OPT("maxmem", "integer")           \
	LXC_OPT("swap", "integer") LXC_OPT("maxswap", "integer") LXC_OPT("disk", "integer")        \
	LXC_OPT("maxdisk", "integer") LXC_OPT("diskread", "integer")                               \
	LXC_OPT("diskwrite", "integer") LXC_OPT("netin", "integer") LXC_OPT("netout", "integer")   \
	LXC_OPT("uptime", "integer") LXC_OPT("pid", "integer") LXC_OPT("ha", "object") "}}"

#define LXC_RETURNS_PENDING                                                                        \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"key\":{\"type\":"    \
	"\"string\"}" LXC_OPT("value", "string") LXC_OPT("pending", "string")                      \
	LXC_OPT("delete", "integer") "}}}"

#define LXC_RETURNS_INTERFACES                                                                     \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"   \
	"\"string\"},\"hwaddr\":{\"type\":\"string\"},\"hardware-address\":{\"type\":\"string\"}"  \
	LXC_OPT("inet", "string") LXC_OPT("inet6", "string") ",\"ip-addresses\":{\"type\":"        \
	"\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"ip-address\":{\"type\":"       \
	"\"string\"},\"ip-address-type\":{\"type\":\"string\"},\"prefix\":{\"type\":\"integer\"}"  \
	"}}}}}}"
