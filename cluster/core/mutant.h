/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that can be broken on purpose, one at a time, to show that the simulator sees it, and which scripted schedule
 * shows what the rule is for. Only a build with LODGE_MUTANTS holds them: elsewhere MUTANT() is false and the compiler
 * drops it. */
#pragma once

/* Two of them break more than one rule at once, because none of these alone is seen:
 * - ACCEPT_WITHOUT_PROMISE: accepting does not raise the promise; acknowledgements do not wait for it; nobody compares it
 *   with what was seen. With the first alone nobody acknowledges any more; with the first two, whoever acknowledged in
 *   epoch e is taken for a disk gone back in time, because its promise is below e, and leaves before anything is lost.
 * - ACK_AFTER_PROMISE: a promise compares a position that leaves out what is queued to the disk; an acknowledgement is
 *   said below the promise. Who counts what is queued promises only to somebody who has it, whose epoch goes on from it;
 *   who holds back the acknowledgement has said nothing that the promise could contradict.
 *
 * X(NAME, text, invariant of tests/sim that must catch it, test of tests/unit/cluster that must fail) */
#define MUTANTS(X)                                                                                 \
	X(ACK_BEFORE_SYNC, "acknowledges before its disk has synced", MAJORITY,                    \
	  acknowledges_once_it_is_on_disk)                                                         \
	X(PROMISE_IN_MEMORY, "a promise is kept in memory only", EPOCH,                            \
	  a_promise_outlives_the_process)                                                          \
	X(PROMISE_BEFORE_SYNC, "a promise is said before it is on disk", EPOCH,                    \
	  a_promise_is_said_once_it_is_on_disk)                                                    \
	X(EPOCH_RESUMED, "a restarted leader goes on in its old epoch", EPOCH,                     \
	  a_restarted_leader_makes_no_entries_in_its_old_epoch)                                    \
	X(CLAIM_RESUMED, "a restarted claimant claims its epoch again", EPOCH,                     \
	  an_epoch_is_led_by_one_process)                                                          \
	X(ACCEPT_WITHOUT_PROMISE,                                                                  \
	  "accepting does not raise the promise, and nobody asks for that", COMMITTED,             \
	  accepting_raises_the_promise_in_the_same_transaction)                                    \
	X(ACK_AFTER_PROMISE,                                                                       \
	  "acknowledges below its promise, which looked at synced entries only", COMMITTED,        \
	  a_promise_takes_no_acknowledgement_along)                                                \
	X(LOWER_APPEND, "accepts entries of an epoch below its promise", LEFT,                     \
	  what_is_below_the_promise_is_refused)                                                    \
	X(PROMISE_LOWER, "promises a claimant with a lower position", COMMITTED,                   \
	  a_shorter_log_is_promised_nothing)                                                       \
	X(COMMIT_OLD_EPOCH, "commits an entry of an older epoch by counting", COMMITTED,           \
	  what_is_committed_is_in_every_later_leaders_log)                                         \
	X(COMMIT_UNVERIFIED, "commits what was not verified against the leader", COMMITTED,        \
	  what_is_not_verified_is_not_committed)                                                   \
	X(CUT_BY_SHORTER, "a shorter APPEND cuts what follows", MAJORITY,                          \
	  a_shorter_or_repeated_append_cuts_nothing)                                               \
	X(POSITION_BY_INDEX, "positions are compared by index only", COMMITTED,                    \
	  a_longer_log_of_a_lower_epoch_is_promised_nothing)                                       \
	X(ACK_BY_NODE, "acknowledgements are counted by node id alone", MAJORITY,                  \
	  an_old_incarnation_does_not_count)                                                       \
	X(LEARNER_COUNTED, "learners count as voters", MAJORITY, a_learner_does_not_count)         \
	X(TWO_CHANGES, "voters change again before the last change is committed", COMMITTED,       \
	  a_list_waits_for_the_one_before)                                                         \
	X(CHANGE_BEFORE_BARRIER, "voters change before the leader's barrier is committed",         \
	  COMMITTED, lists_that_follow_each_other_meet)                                            \
	X(APPEND_UNCHECKED, "entries are accepted behind any previous entry", COMMITTED,           \
	  another_previous_entry_is_not_joined)                                                    \
	X(SPEAK_BEFORE_OPENING, "speaks before the opening sync", LEFT,                            \
	  nothing_is_said_before_the_opening_sync)                                                 \
	X(LATE_SNAPSHOT, "installs a snapshot of an epoch below the promise", MEASURE,             \
	  a_snapshot_of_a_lower_epoch_is_refused)                                                  \
	X(OLD_SNAPSHOT, "installs a snapshot below its committed index", READS,                    \
	  a_snapshot_below_what_is_committed_is_dropped)                                           \
	X(SNAPSHOT_WITHOUT_REQUESTS, "a snapshot leaves out the requests", STATE,                  \
	  a_snapshot_holds_requests_and_voters)                                                    \
	X(SNAPSHOT_WITHOUT_VOTERS, "a snapshot leaves out the voters", STATE,                      \
	  a_snapshot_holds_requests_and_voters)                                                    \
	X(DIFFERENCE_WITHOUT_DELETIONS, "a difference deletes nothing, and nobody looks", STATE,   \
	  a_difference_is_put_together_with_what_is_here)                                          \
	X(DIFFERENCE_UNCHECKED, "what a difference makes is not checked by its digest", STATE,     \
	  a_wrong_difference_is_dropped_and_the_whole_asked_for)                                   \
	X(DIFFERENCE_OTHER_BASE, "a difference from an earlier state, and nobody looks", STATE,    \
	  a_list_is_made_anew_when_the_state_has_changed)                                          \
	X(NO_QUORUM_AFTER_SEND, "says not sent after it was sent", ANSWER,                         \
	  what_was_appended_is_unknown_until_it_is_applied)                                        \
	X(NO_REQUESTS, "a repeated request is executed again", ONCE,                               \
	  a_repeated_request_happens_once)                                                         \
	X(FIRST_RENEWED, "a retry renews the first index of its request", ONCE,                    \
	  what_may_be_forgotten_is_not_executed_again)                                             \
	X(ANSWER_BEFORE_COMMIT, "answers once it is on the leader's own disk", MAJORITY,           \
	  answers_once_a_majority_has_it)                                                          \
	X(NO_BARRIER, "a leader appends no barrier", LIVENESS,                                     \
	  the_barrier_brings_in_what_was_left)                                                     \
	X(NO_TIMER, "nothing is tried again", LIVENESS, what_is_lost_is_sent_again)                \
	X(CLAIM_ABOVE_AT_ONCE, "a deposed leader claims above at once, without a round", LIVENESS, \
	  a_higher_promise_stops_it_and_starts_a_round)                                            \
	X(MUTE_AFTER_FAILED_SYNC, "goes on after a failed sync", MAJORITY,                         \
	  a_failed_sync_is_the_end_and_says_so_first)                                              \
	X(ROLLED_BACK_ACCEPTED, "a disk gone back in time is believed", COMMITTED,                 \
	  a_disk_gone_back_in_time_is_found_out)                                                   \
	X(FORK_IGNORED, "messages of another fork are believed", FORK,                             \
	  forks_and_clusters_do_not_mix)                                                           \
	X(APPLY_BEFORE_SYNC, "applies what is not on its own disk", READS,                         \
	  applies_what_is_on_its_own_disk_only)                                                    \
	X(LEVEL_UNCHECKED, "raises the rules without asking the voters", LEFT,                     \
	  rules_are_raised_once_all_voters_know_them)                                              \
	X(ADMIT_ANY_LEVEL, "a learner becomes a voter whatever rules it knows", LEFT,              \
	  who_does_not_know_the_rules_becomes_no_voter)                                            \
	X(REMOVED_COUNTS, "a leader that removed itself counts itself", MAJORITY,                  \
	  a_leader_that_removed_itself_does_not_count_itself)                                      \
	X(ELIGIBLE_BY_NEWEST, "a leader that removed itself never claims again", LIVENESS,         \
	  who_removed_itself_may_still_claim)                                                      \
	X(MEASURE_BY_POSITION, "the end of the log is taken for what never goes back", LEFT,       \
	  a_log_that_gets_shorter_has_not_gone_back)                                               \
	X(FETCH_FROM_END, "catch-up asks from the end of the own log", IDLE,                       \
	  catch_up_goes_on_from_what_is_verified)                                                  \
	X(GIVEN_UP_APPENDED, "a request that was given up is appended later", ANSWER,              \
	  a_given_up_request_is_not_appended_later)                                                \
	X(SAME_EPOCH_STRANGER, "who was not promised the epoch is not followed", LIVENESS,         \
	  who_was_promised_nothing_may_lead)                                                       \
	X(EARLY_INSTALL, "acknowledges a snapshot before it is on disk", LEFT,                     \
	  a_snapshot_is_acknowledged_once_it_is_on_disk)

/* Those that random schedules hardly ever meet; the second of each pair of rules that back each other up is among them.
 * X(NAME, text, test of tests/unit/cluster that must fail) */
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
	X(PROMISE_REPEATED, "a promise is repeated to another process of the same member",         \
	  a_promise_is_given_once)                                                                 \
	X(PROMISE_OF_BEFORE, "a promise to an earlier process of the member counts",               \
	  a_promise_to_an_earlier_process_is_void)                                                 \
	X(RANK_BY_OWN_LIST, "only voters of the own list may go first",                            \
	  who_is_ahead_goes_first_whatever_the_list)                                               \
	X(CLAIM_PUT_OFF, "each round puts off the claim that the one before has planned",          \
	  who_is_behind_claims_in_the_end)                                                         \
	X(ALONE_UNASKED, "the only voter asks nobody, although there is a group",                  \
	  one_voter_in_a_group_asks_first)                                                         \
	X(HEARD_IGNORED, "what others have acknowledged is not asked for",                         \
	  what_others_acknowledge_is_asked_for)                                                    \
	X(ROUND_DOUBLED, "a round waits longer for having failed",                                 \
	  a_round_does_not_wait_longer_for_having_failed)                                          \
	X(KIND_SKIPPED, "an entry of an unknown kind is dropped with its message",                 \
	  an_entry_of_the_future_ends_it)

enum mutant {
	MUTANT_NONE,
#define X(name, ...) MUTANT_##name,
	MUTANTS(X) MUTANTS_SCRIPTED(X)
#undef X
		MUTANT_COUNT,
};

#ifdef LODGE_MUTANTS
#define MUTANT(r, name) ((r)->options.mutant == MUTANT_##name)
#else
#define MUTANT(r, name) (false)
#endif
