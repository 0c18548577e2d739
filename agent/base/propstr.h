/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Property strings: "virtio=AA:BB,bridge=vmbr0,firewall=1". The keys are a table of struct param;
 * one of them may be the default key, written without its name. */
#pragma once

#include "agent/base/fields.h"
#include "agent/base/param.h"

#define PROPSTR_SIZE_MAX 8192

/* Splits and checks every key; err->field is `field`. *ret gets (key, value) in the given order. */
int propstr_parse(const struct param *keys, const char *default_key, const char *field,
		  const char *text, struct fields *ret, struct err *err);
/* The canonical text: default key first and, where that can be read back, without its name; the others in table order. */
char *propstr_format(const struct param *keys, const char *default_key, const struct fields *f);
