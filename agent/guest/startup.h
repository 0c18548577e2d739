/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's place in the order of starts: "startup: order=1,up=30,down=60". Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/guest/config.h"

#define GUEST_ORDER_LAST UINT32_MAX

struct guest_startup {
	bool on_boot;	/* start with the node */
	uint32_t order; /* small ones first; GUEST_ORDER_LAST when none is given */
	uint32_t up;	/* seconds to wait before the next guest starts; 0 unless given */
	uint32_t down;	/* seconds to wait for its shutdown; 0: not given */
};

/* What does not parse counts as not given: a node must come up. */
void guest_startup_read(const struct guest_config *config, struct guest_startup *ret);
/* For sorting: by order, then by vmid. */
int guest_startup_compare(const struct guest_startup *a, unsigned vmid_a,
			  const struct guest_startup *b, unsigned vmid_b);
