/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every start of the core sees to: first configuration, HTTPS certificate, guests' network. */
#pragma once

#include "agent/core/core.h"

/* Writes /storage.cfg if there is none; core->is_storage_first until it is there. */
void setup_storage(struct core *core);
/* Makes or renews the gate's certificate; the gate waits for it by itself. */
void setup_tls(struct core *core);
/* Brings the guests' network up; done (may be NULL) is called when it is, or has failed (logged). */
void setup_network(struct core *core, void (*done)(struct core *core));
