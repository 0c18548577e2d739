/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The version of the API contract that Lodge speaks; clients switch features on by it. */
#pragma once

#define API_CONTRACT_RELEASE "9.1"
#define API_CONTRACT_VERSION "9.1.1"
#define API_CONTRACT_REPOID  "6c6f646765" /* hexadecimal by contract: "lodge" */
