/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short texts in archives of strangers. Job processes only. */
#pragma once

#include <archive.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

/* ERR_CORRUPT, with libarchive's words. */
int archive_fail(struct archive *a, struct err *err);
/* Appends the data of the entry that the archive stands at. ERR_LIMIT: more than `max` bytes. */
int archive_text(struct archive *a, size_t max, struct buf *ret, struct err *err);
