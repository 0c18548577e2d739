/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What handlers of guests of any kind share: which guest a request means, what state and lock it is
 * in, and how its jobs are started. The kind follows from the route's path. Core's loop only. */
#pragma once

#include "agent/api/api.h"
#include "agent/core/guests.h"
#include "agent/guest/guest.h"
#include "agent/guest/update.h"

struct guest_target {
	const struct guest_kind_ops *ops;
	const struct guest *guest;     /* borrowed until the loop goes on */
	const struct guest_fact *fact; /* never NULL */
	unsigned vmid;
};

const struct guest_kind_ops *guest_request_ops(const struct api_request *req);
enum guest_kind guest_request_kind(const struct guest_kind_ops *ops);
/* The guest {vmid} of this kind on this node, with a readable configuration. */
int guest_request_target(const struct api_request *req, struct guest_target *ret, struct err *err);
/* root@pam itself, not one of its tokens. */
bool guest_request_is_root(const struct api_request *req);
/* With "skiplock", which is root's alone, any lock passes. */
int guest_request_check_lock(const struct api_request *req, const struct guest_target *target,
			     const char *allowed, struct err *err);
/* The same, if it is not locked; with "skiplock", which is root's alone, its lock is not looked at, and args (NULL: they
 * are not asked for) tell the job so. */
int guest_request_unlocked(const struct api_request *req, struct guest_target *ret,
			   struct fields *args, struct err *err);
/* The parameter `name` is the digest of config, or was not given; else ERR_CONFLICT. */
int guest_request_check_digest(const struct api_request *req, const char *name,
			       const struct guest_config *config, struct err *err);
/* Stores the changed configuration of the target, if nobody changed it meanwhile; then the reply is null. */
int guest_request_store(struct api_request *req, const struct guest_target *target,
			const struct guest_config *config, struct err *err);
/* ERR_BUSY "CT is locked (create)" unless the lock is `allowed` (may be NULL). */
int guest_target_check_lock(const struct guest_target *target, const char *allowed,
			    struct err *err);
bool guest_target_is_running(const struct guest_target *target); /* or paused */
/* Is a change of its configuration one of a guest that runs? Also while that is not known, or a job starts it: what it
 * reads may be older. */
bool guest_target_may_run(const struct api_request *req, const struct guest_target *target);
/* The request's parameters that are configuration keys of its kind; appends. */
void guest_request_config_fields(const struct api_request *req, struct fields *ret);

struct guest_job {
	const struct guest_kind_ops *ops;
	unsigned vmid;
	const char *verb; /* "start": vzstart */
	const char *type; /* of the task; NULL: as the command */
	unsigned id;	  /* that the task shows; 0: vmid */
	unsigned other;	  /* a second guest that it works on, 0: none */
	const char *undo; /* whole command or NULL */
	const struct fields *args;
	bool is_awaited; /* the reply is null, once the job has ended well */
};
/* Starts the job; its UPID becomes the data of the reply. 0, API_LATER when awaited, or an error. */
int guest_request_job(struct api_request *req, const struct guest_job *job, struct err *err);
