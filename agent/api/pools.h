/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the handlers of pools share, and how a guest that is being made comes into one. Core's loop. */
#pragma once

#include "agent/api/api.h"
#include "agent/auth/usercfg.h"

#define API_POOLID                                                                                 \
	{                                                                                          \
		.name = "poolid", .format = "pve-poolid", .text = "The pool."                      \
	}

/* Of calls that make a guest. */
#define API_POOL_PARAM                                                                             \
	{                                                                                          \
		.name = "pool", .optional = true, .format = "pve-poolid",                          \
		.text = "Pool it belongs to; rights on the pool are rights on it."                 \
	}

bool api_pool_is_visible(const struct api_request *req,
			 const struct cfg_pool *pool); /* Pool.Audit */

/* The parameter "pool" of a request that makes guest vmid: there must be such a pool. From here on api_check() lets
 * rights on the pool count as rights on the guest. Nothing is done without that parameter. */
int api_pool_joins(struct api_request *req, unsigned vmid, struct err *err);
/* As api_store(), of the configuration of a guest that joins: it is in the pool from the same step on. */
int api_pool_store(struct api_request *req, const struct store_txn *txn, api_then_fn next,
		   struct err *err);
/* The guest was not made after all: takes it out again with what txn removes. Says in the log when that fails. */
void api_pool_unstore(struct api_request *req, const struct store_txn *txn);
