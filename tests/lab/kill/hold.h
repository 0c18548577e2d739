/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that are held by ptrace, their steps counted, and the kill before one of them. */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "steps.h"

#define TRACEES_MAX 256

struct tracee {
	pid_t tid; /* 0: free */
	bool is_leader;
	bool is_exiting;
	struct step_memory memory;
};

struct hold {
	const char *folder;
	char label[32];
	bool is_core;
	bool has_begun; /* the program was executed */
	long step;
	char how[8];
	pid_t core;
	struct tracee tracees[TRACEES_MAX];
	long count;
	char victims[32]; /* whom the kill hit, for the report; "": nobody yet */
	FILE *names;	  /* one line a step */
};

_Noreturn void die(const char *what);
/* Takes hold of a thread; has it stop once, from when on its calls are reported. */
void hold_seize(struct hold *hold, pid_t tid);
/* Until all are gone, or released by hold_release(), or the kill, which ends this process. Reports. */
void hold_follow(struct hold *hold);
void hold_release(void); /* in a signal's handler */
/* FOLDER/WHAT-LABEL appears as a whole; body may be NULL. */
void hold_write(const struct hold *hold, const char *what, const char *head, FILE *body);
