/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else of this host sets an interface up: both would write over each other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* "systemd-networkd", "NetworkManager", "/etc/network/interfaces", or NULL: nobody that is known. Reads small
 * files of the host only. */
const char *net_other_owner(const char *name);
/* Does a text in the language of /etc/network/interfaces set this interface up? Pure. */
bool net_interfaces_name(const char *text, const char *name);
