/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON schemas of what only the container routes return, as string literals. */
#pragma once

#include "agent/api/guest_routes.h"

/* Addition to the contract, whose own raw settings come into files by hand. */
#define CT_RAW_PARAM                                                                               \
	{                                                                                          \
		.name = "lxc", .optional = true, .has_max = true, .max = 65536,                    \
		.text = "Raw liblxc settings, lines lxc.KEY = VALUE; they replace all that there " \
			"are at the next start. Root only.",                                       \
	}

#define LXC_RETURNS_STATUS                                                                         \
	GUEST_RETURNS_STATUS(GUEST_OPT("swap", "integer") GUEST_OPT("maxswap", "integer"))

#define LXC_RETURNS_INTERFACES                                                                     \
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"   \
	"\"string\"},\"hwaddr\":{\"type\":\"string\"},\"hardware-address\":{\"type\":"             \
	"\"string\"}" GUEST_OPT("inet", "string")                                                  \
		GUEST_OPT("inet6", "string") ",\"ip-addresses\":{\"type\":"                        \
					     "\"array\",\"items\":{\"type\":\"object\","           \
					     "\"properties\":{\"ip-address\":{\"type\":"           \
					     "\"string\"},\"ip-address-type\":{\"type\":"          \
					     "\"string\"},\"prefix\":{\"type\":\"integer\"}"       \
					     "}}}}}}"
