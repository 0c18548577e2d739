/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os-release(5) of a hostile root. Pure. */
#pragma once

#include <stddef.h>

#define OS_RELEASE_MAX (64 * 1024) /* bytes of the file that are looked at */

/* Only names as the format wants them: lower case, digits, '.', '_', '-'. Others count as absent. */
struct os_release {
	char id[32];	  /* "debian" */
	char like[128];	  /* "rhel fedora": close relatives, nearest first, separated by spaces */
	char version[32]; /* "12" */
};

/* Never fails: what cannot be read is "". Of a key that is there twice the last one counts. */
void os_release_parse(const char *text, size_t size, struct os_release *ret);
