/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things lie on a node. LODGE_STATE_DIR, LODGE_RUN_DIR, LODGE_LIBEXEC_DIR, LODGE_SHARE_DIR and
 * LODGE_ETC_DIR override the five roots (tests run a core in a folder of their own). */
#pragma once

const char *path_state(void); /* /var/lib/lodge: db/, local/ (storage "local"), tasks/, tls/ */
const char *path_run(void);   /* /run/lodge: core.sock, gate.sock, jobs/, guests/, ct/ */
const char *
path_libexec(void); /* /usr/libexec/lodge: lodged, lodge-gate, lodge-monitor, lodge-task… */
const char *path_share(void); /* /usr/share/lodge: webui/ */
const char *path_etc(void);   /* /etc/lodge: network/ */

/* Joins below a root into a heap string: path_join(path_run(), "jobs/%s", name). */
char *path_join(const char *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define CORE_SOCKET "core.sock" /* root only, 0600: CLI, jobs, hooks, monitor */
#define GATE_SOCKET "gate.sock" /* root:lodge 0660: CALL_API from the gate, nothing else */
#define GATE_USER   "lodge"
