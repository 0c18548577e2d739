/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's state and load as the API shows them, for lists and status/current. Pure. */
#pragma once

#include "agent/base/json.h"
#include "agent/core/facts.h"
#include "agent/guest/guest.h"

struct guest_status {
	const struct guest_kind_ops *ops;
	unsigned vmid;
	const struct guest_config *config; /* NULL: unreadable */
	const struct guest_fact *fact;
	unsigned node_cpus; /* shown for a guest without a limit */
	usec_t now;	    /* monotonic */
	bool with_ha;	    /* status/current has it and the notices, lists have neither */
};

void guest_status_write(const struct guest_status *status, struct json *j);
/* reason, exit-code, exit-signal of a stopped one, where they are known; inside an object. */
void guest_end_write(const struct guest_fact *fact, struct json *j);
