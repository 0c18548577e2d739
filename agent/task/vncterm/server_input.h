/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the viewer does: keys, pointer, clipboard. Called by libvncserver in the server's thread. */
#pragma once

#include <rfb/rfb.h>

#include "agent/task/vncterm/session.h"

/* The screen's clients lead to the session from then on. */
void server_input_hooks(rfbScreenInfoPtr screen, struct session *session);
