/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is at the other end of a connection. Pure. */
#pragma once

#include <sys/socket.h>

#include "agent/base/address.h"

#define PEER_TEXT_SIZE 64

/* The address as text, without port and zone; IPv4 that IPv6 carries as IPv4. Anything else, NULL too: "". */
void peer_text(const struct sockaddr *address, char ret[PEER_TEXT_SIZE]);
