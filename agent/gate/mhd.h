/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where versions of libmicrohttpd differ: 0.9.75 (Debian 12), 1.0 (Debian 13). */
#pragma once

#include <microhttpd.h>

/* Everything runs in one thread; from 1.0 on it can be told so, and then takes no locks and has no pipe to
 * wake itself. */
#if MHD_VERSION >= 0x01000000
#define MHD_FLAGS_ONE_THREAD MHD_USE_NO_THREAD_SAFETY
#else
#define MHD_FLAGS_ONE_THREAD MHD_NO_FLAG
#endif
