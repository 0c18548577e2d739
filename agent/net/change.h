/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing the network of the node, and what makes that reversible. Blocking; runs in helper and job processes as
 * root.
 *
 * A change holds the lock "lock" in path_run()/network from its beginning to its end, and its snapshot lies there
 * from before the first command until the new configuration is the one in effect:
 *
 *	no snapshot		nothing was changed, or all of it is finished
 *	snapshot, old text	the change is under way, unconfirmed or dead: undoing goes back to the snapshot
 *	snapshot, new text	it was confirmed: undoing goes forward to the new configuration
 *
 * Where both texts are the same (only the kernel's state is to change) the snapshot itself says that it was confirmed.
 *
 * The folder lies in memory, as the kernel's state does: after a boot there is nothing to undo, and the
 * configuration in effect is applied. */
#pragma once

#include "agent/net/plan.h"

struct net_change {
	int lock; /* descriptor or -1 */
	struct net_facts facts;
	struct net_state before, after;
	struct net_config old, new;
	struct buf old_text, new_text;
	char **names;
	bool has_snapshot; /* it was left */
	bool is_confirmed; /* in the snapshot, of equal texts alone */
	bool was_deaf
		[2]; /* the gateway (IPv4, IPv6) did not answer before: it says nothing afterwards */
};

/* The lock itself: ERR_BUSY while another change is under way. Takes the configuration's lock for a moment, so not to
 * be called by who has that. Descriptor; closing it lets go. */
int net_change_lock(int *ret_fd, struct err *err);
/* Is there one that has read the configuration? Asked under the configuration's lock, the answer holds until that is
 * let go. */
bool net_change_is_under_way(void);

/* ERR_BUSY while another change is under way. */
int net_change_begin(struct net_change *change, struct err *err);
void net_change_end(struct net_change *change); /* lets go of the lock */
/* What the change will do, line by line as ip takes it; nothing to do: no lines. */
void net_change_describe(const struct net_change *change, struct buf *out);
/* Leaves the snapshot, then changes. On failure some of it may have been done: go back. */
int net_change_forward(struct net_change *change, struct err *err);
/* Has the node lost what it had: a default route, a gateway that answered? */
int net_change_check(const struct net_change *change, struct err *err);
int net_change_commit(struct net_change *change, struct err *err); /* from here on it is kept */
int net_change_back(struct net_change *change, struct err *err);
/* After a change that died: brings the node to one end of it. ret_outcome: "" where nothing was to be done. */
int net_change_undo(const char **ret_outcome, struct err *err);

/* A snapshot's file. Pure. On failure the change is to be ended all the same. */
void net_snapshot_format(const struct net_change *change, struct buf *out);
int net_snapshot_parse(struct buf *in, struct net_change *ret, struct err *err);

/* Makes the kernel's state the wanted one, as far as names go. */
int net_change_to(const struct net_state *wanted, char *const *names, struct err *err);

/* ---- boot ---- */

/* Once a boot: the configuration in effect, as far as it can be. While interfaces are missing it is not done: their
 * names are in path_run()/network/missing, and the next call tries again if one of them has come. Nothing while a
 * change is under way. */
int net_boot_apply(struct net_lacks *lacks, struct err *err);
/* The same, and waits for interfaces that come late, some seconds. */
int net_boot_apply_and_wait(struct net_lacks *lacks, struct err *err);
void net_boot_done(void);
/* The other side: has one of the missing come? A small file in memory. */
bool net_boot_has_link(void);

/* ---- waiting for the caller ---- */

/* Says in path_run()/network/waiting that the change of this task, made for peer and user, waits. */
int net_waiting_write(const char *upid, const char *peer, const char *user, struct err *err);
void net_waiting_clear(void);
/* 0 confirmed; ERR_TIMEOUT at the (monotonic) deadline, ERR_CANCELLED when cancel_fd becomes readable. */
int net_waiting_await(const char *upid, usec_t deadline, int cancel_fd, struct err *err);

/* The other side, on the core's loop: small files in memory only. */
struct net_waiting {
	char upid[512], peer[64], user[256];
	uint64_t since; /* wall clock, seconds */
};
bool net_waiting_read(struct net_waiting *ret);
bool net_waiting_parse(const char *text, size_t size, struct net_waiting *ret);
int net_waiting_confirm(const struct net_waiting *waiting, struct err *err);
