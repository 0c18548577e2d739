/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One relay. Private to relay*.c. */
#pragma once

#include "agent/gate/relay.h"
#include "agent/gate/takeover.h"
#include "agent/gate/websocket.h"

enum relay_state { RELAY_OPEN, RELAY_CLOSING, RELAY_LINGER };

struct relays {
	struct list all;
	unsigned count;
	struct gate *gate;
	usec_t ping_every;
};

struct relay {
	struct list node;
	struct relays *relays;
	enum relay_state state;
	struct MHD_UpgradeResponseHandle *urh;
	struct takeover tls;
	struct websocket *ws;
	int guest;		  /* -1: closed */
	char in[TAKEOVER_RECORD]; /* read from the viewer, not yet taken by ws */
	size_t in_at, in_size;
	usec_t heard_at; /* of the viewer's last sign, or when we did not listen */
	bool is_viewer_gone;
	bool wants_viewer_output; /* its socket is full */
	bool wants_guest_output;
	sd_event_source *viewer_io, *guest_io, *again, *timer;
};

/* relay_move.c: each returns whether it moved any bytes, and leaves in the relay what it could not do. */
bool relay_turn(struct relay *r); /* about a record each way */
bool relay_to_guest(struct relay *r);
bool relay_to_viewer(struct relay *r);
