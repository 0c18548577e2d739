/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Responses without length: what comes out of a stream socket of the core becomes the body, until it
 * ends. The connection is suspended while there is nothing to hand on, and watched meanwhile for a
 * client that leaves, so that a stream without events costs nothing. While the client does not read,
 * the socket is not read either: the core sees it full, and decides. */
#pragma once

#include "agent/gate/gate.h"

#include <microhttpd.h>

#define GATE_EVENT_STREAMS 256

struct event_streams;

struct event_streams *event_streams_new(struct gate *gate);
/* Ends all. Before libmicrohttpd is stopped, whose responses own them. */
void event_streams_stop(struct event_streams *streams);
void event_streams_free(struct event_streams *streams); /* after it was stopped */
bool event_streams_is_full(const struct event_streams *streams);
/* fd is taken over. NULL: out of some resource. */
struct MHD_Response *event_stream_response(struct event_streams *streams,
					   struct MHD_Connection *connection, int fd);
