/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that can be broken on purpose, one at a time, to show that the simulator sees it. Only a build with
 * LODGE_MUTANTS holds them: elsewhere MUTANT() is false and the compiler drops it. */
#pragma once

/* X(NAME, text, invariant of tests/sim that must catch it) */
#define MUTANTS(X)                                                                                 \
	X(ACK_BEFORE_SYNC, "acknowledges before its disk has synced", MAJORITY)                    \
	X(PROMISE_IN_MEMORY, "a promise is kept in memory only", EPOCH)                            \
	X(PROMISE_BEFORE_SYNC, "a promise is said before it is on disk", EPOCH)                    \
	X(EPOCH_RESUMED, "a restarted leader goes on in its old epoch", EPOCH)                     \
	X(CLAIM_RESUMED, "a restarted claimant claims its epoch again and is believed", EPOCH)     \
	X(ACCEPT_WITHOUT_PROMISE, "accepting does not raise the promise", COMMITTED)               \
	X(ACK_AFTER_PROMISE,                                                                       \
	  "acknowledges below its promise, which looked at synced entries only", COMMITTED)        \
	X(LOWER_APPEND, "accepts entries of an epoch below its promise", LEFT)                     \
	X(PROMISE_LOWER, "promises a claimant with a lower position", COMMITTED)                   \
	X(COMMIT_OLD_EPOCH, "commits an entry of an older epoch by counting", COMMITTED)           \
	X(COMMIT_UNVERIFIED, "commits what was not verified against the leader", COMMITTED)        \
	X(CUT_BY_SHORTER, "a shorter APPEND cuts what follows", MAJORITY)                          \
	X(POSITION_BY_INDEX, "positions are compared by index only", COMMITTED)                    \
	X(ACK_BY_NODE, "acknowledgements are counted by node id alone", MAJORITY)                  \
	X(LEARNER_COUNTED, "learners count as voters", MAJORITY)                                   \
	X(TWO_CHANGES, "voters change again before the last change is committed", COMMITTED)       \
	X(CHANGE_BEFORE_BARRIER, "voters change before the leader's barrier is committed",         \
	  COMMITTED)                                                                               \
	X(APPEND_UNCHECKED, "entries are accepted behind any previous entry", COMMITTED)           \
	X(SPEAK_BEFORE_OPENING, "speaks before the opening sync", LEFT)                            \
	X(LATE_SNAPSHOT, "installs a snapshot of an epoch below the promise", MEASURE)             \
	X(OLD_SNAPSHOT, "installs a snapshot below its committed index", READS)                    \
	X(SNAPSHOT_WITHOUT_REQUESTS, "a snapshot leaves out the requests", STATE)                  \
	X(SNAPSHOT_WITHOUT_VOTERS, "a snapshot leaves out the voters", STATE)                      \
	X(DIFFERENCE_WITHOUT_DELETIONS, "a difference deletes nothing, and nobody looks", STATE)   \
	X(DIFFERENCE_UNCHECKED, "what a difference makes is not checked by its digest", STATE)     \
	X(DIFFERENCE_OTHER_BASE, "a difference from an earlier state, and nobody looks", STATE)    \
	X(NO_QUORUM_AFTER_SEND, "says not sent after it was sent", ANSWER)                         \
	X(NO_REQUESTS, "a repeated request is executed again", ONCE)                               \
	X(FIRST_RENEWED, "a retry renews the first index of its request", ONCE)                    \
	X(ANSWER_BEFORE_COMMIT, "answers once it is on the leader's own disk", MAJORITY)           \
	X(NO_BARRIER, "a leader appends no barrier", LIVENESS)                                     \
	X(NO_TIMER, "nothing is tried again", LIVENESS)                                            \
	X(CLAIM_ABOVE_AT_ONCE, "a deposed leader claims above at once, without a round", LIVENESS) \
	X(MUTE_AFTER_FAILED_SYNC, "goes on after a failed sync", MAJORITY)                         \
	X(ROLLED_BACK_ACCEPTED, "a disk gone back in time is believed", COMMITTED)                 \
	X(FORK_IGNORED, "messages of another fork are believed", FORK)                             \
	X(APPLY_BEFORE_SYNC, "applies what is not on its own disk", READS)                         \
	X(LEVEL_UNCHECKED, "raises the rules without asking the voters", LEFT)                     \
	X(ADMIT_ANY_LEVEL, "a learner becomes a voter whatever rules it knows", LEFT)              \
	X(REMOVED_COUNTS, "a leader that removed itself counts itself", MAJORITY)                  \
	X(ELIGIBLE_BY_NEWEST, "a leader that removed itself never claims again", LIVENESS)         \
	X(MEASURE_BY_POSITION, "the end of the log is taken for what never goes back", LEFT)       \
	X(FETCH_FROM_END, "catch-up asks from the end of the own log", IDLE)                       \
	X(GIVEN_UP_APPENDED, "a request that was given up is appended later", ANSWER)              \
	X(SAME_EPOCH_STRANGER, "who was not promised the epoch is not followed", LIVENESS)         \
	X(EARLY_INSTALL, "acknowledges a snapshot before it is on disk", LEFT)

/* Those that random schedules hardly ever meet. X(NAME, text, test of tests/unit/cluster that must fail) */
#define MUTANTS_SCRIPTED(X)                                                                        \
	X(COMMITTED_WITHOUT_EPOCH, "what STATE tells as committed binds to no epoch",              \
	  a_stale_leader_is_no_contradiction)                                                      \
	X(FETCH_ONCE, "a lost answer to FETCH waits for the timer",                                \
	  a_lost_answer_is_asked_for_again_under_load)                                             \
	X(DEPOSED_AT_ONCE, "a leader deposed before its first commit claims again at once",        \
	  who_is_deposed_before_its_first_commit_lets_others_try)                                  \
	X(START_UNSEEN, "the start number is not part of what was seen",                           \
	  a_disk_of_an_earlier_start_is_found_out)                                                 \
	X(THAW_IGNORED, "a thawed leader goes on", a_thaw_stops_it_until_a_round_is_over)          \
	X(COPY_IGNORED, "a copy of the own database is heard",                                     \
	  a_copy_of_the_database_is_found_out)                                                     \
	X(KIND_SKIPPED, "an entry of an unknown kind is dropped with its message",                 \
	  an_entry_of_the_future_ends_it)

enum mutant {
	MUTANT_NONE,
#define X(name, text, by) MUTANT_##name,
	MUTANTS(X) MUTANTS_SCRIPTED(X)
#undef X
		MUTANT_COUNT,
};

#ifdef LODGE_MUTANTS
#define MUTANT(r, name) ((r)->options.mutant == MUTANT_##name)
#else
#define MUTANT(r, name) (false)
#endif
