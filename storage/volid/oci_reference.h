/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of container images in registries: "[HOST[:PORT]/]NAME[/NAME…][:TAG]". Pure. */
#pragma once

#include <stdbool.h>

#include "agent/base/err.h"

#define OCI_REFERENCE_MAX 512

/* With a tag, or without one; as the contract has both. The error names "reference". */
int oci_reference_check(const char *text, bool has_tag, struct err *err);
/* "debian_12.tar" of "docker.io/library/debian:12", heap; the reference has a tag. */
char *oci_reference_file(const char *text);
