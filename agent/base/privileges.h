/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Becoming somebody who may do nothing: for processes that root starts and that read what strangers send. */
#pragma once

#include <pwd.h>

#include "agent/base/err.h"

/* Another uid and gid, no groups, no capabilities, none to get back, no core dumps. pw: whom to become, NULL:
 * nobody else. Not to be undone; before threads are made. */
int privileges_drop(const struct passwd *pw, struct err *err);
