/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relays between a viewer's WebSocket and the stream socket of a guest's console. Each has bounded
 * buffers and reads a side only while the other one takes what comes of it, so that a side which does
 * not read stops the other one, and nothing else. */
#pragma once

#include "agent/gate/gate.h"

#include <microhttpd.h>

#define GATE_RELAYS 256

struct relays;

struct relays *relays_new(struct gate *gate, const struct gate_options *options);
void relays_free(struct relays *relays); /* closes all with 1001, without waiting for anybody */
bool relays_is_full(const struct relays *relays);

struct relay_start {
	struct MHD_Connection *connection; /* valid until the relay closed it by urh */
	struct MHD_UpgradeResponseHandle *urh;
	int guest_fd;	   /* taken over */
	const void *early; /* what the viewer sent already */
	size_t early_size;
};
/* Takes the upgraded connection over. */
void relay_start(struct relays *relays, const struct relay_start *start);
