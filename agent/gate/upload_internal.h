/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An upload inside of the gate: the request's side (upload.c), the job's side (upload_send.c), and how many
 * there may be (upload_slots.c). */
#pragma once

#include "agent/gate/multipart.h"
#include "agent/gate/upload.h"

struct uploads {
	struct list all;
	unsigned accepted; /* of them, by the core */
	usec_t fields_within;
	struct gate *gate;
};

struct upload {
	struct list node;
	struct uploads *uploads;
	struct request *r;
	struct multipart *parser;
	struct fields fields;
	struct buf value; /* of the field that comes in */
	char *name;
	char *path, *query; /* of the call */
	struct buf out;	    /* frames that the job has not taken yet */
	int fd;		    /* to the job, -1: not yet, or it wants no more */
	sd_event_source *room;
	sd_event_source *deadline; /* of the fields; NULL from the file on */
	uint64_t size;		   /* what the head announced, 0: unknown */
	bool is_suspended;
	bool has_file, is_in_file, is_ended;
	bool is_accepted;
	struct err failure; /* found while the core was being asked */
};

/* -- the job's side: frames wait in u->out, at most one piece of the body ------------------------ */

/* Takes fd. */
int upload_send_begin(struct upload *u, int fd);
/* Sends what waits; if not all of it goes, the connection stays suspended until it does. */
void upload_send(struct upload *u);
/* The job ended, or never came: what else comes in is thrown away. */
void upload_send_stop(struct upload *u);

void upload_resume(struct upload *u); /* if it is suspended */

/* -- how many ---------------------------------------------------------------------------------------- */

/* 0, or ERR_CROWDED: not one more of this address can be accepted now. */
int upload_check_room(const struct request *r, struct err *err);
/* Answers the request if there may not be another one now. */
bool upload_may_start(struct request *r);
