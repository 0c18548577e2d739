/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of system calls that are steps. Pure. */
#include "steps.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum kind {
	ALWAYS,
	OPENING, /* a step if it may make or cut the file */
	STREAM,	 /* with the same descriptor again it goes on */
	CONTROL, /* ioctl: those that change a file system or a device */
};

#define IN_JOB	1u
#define IN_CORE 2u
#define IN_ALL	(IN_JOB | IN_CORE)

static const struct step {
	long nr;
	const char *name;
	enum kind kind;
	unsigned where;
	int path; /* argument, -1: none */
} steps[] = {
	{SYS_openat, "openat", OPENING, IN_ALL, 1},
#ifdef SYS_open
	{SYS_open, "open", OPENING, IN_ALL, 0},
	{SYS_rename, "rename", ALWAYS, IN_ALL, 1},
	{SYS_unlink, "unlink", ALWAYS, IN_ALL, 0},
	{SYS_rmdir, "rmdir", ALWAYS, IN_ALL, 0},
	{SYS_mkdir, "mkdir", ALWAYS, IN_ALL, 0},
	{SYS_symlink, "symlink", ALWAYS, IN_JOB, 1},
	{SYS_link, "link", ALWAYS, IN_JOB, 1},
	{SYS_chmod, "chmod", ALWAYS, IN_JOB, 0},
	{SYS_chown, "chown", ALWAYS, IN_JOB, 0},
#endif
#ifdef SYS_vfork
	{SYS_fork, "fork", ALWAYS, IN_ALL, -1},
	{SYS_vfork, "vfork", ALWAYS, IN_ALL, -1},
#endif
	{SYS_clone, "clone", ALWAYS, IN_ALL, -1},
	{SYS_clone3, "clone3", ALWAYS, IN_ALL, -1},
	{SYS_renameat, "renameat", ALWAYS, IN_ALL, 3},
	{SYS_renameat2, "renameat2", ALWAYS, IN_ALL, 3},
	{SYS_unlinkat, "unlinkat", ALWAYS, IN_ALL, 1},
	{SYS_mkdirat, "mkdirat", ALWAYS, IN_ALL, 1},
	{SYS_mknodat, "mknodat", ALWAYS, IN_JOB, 1},
	{SYS_symlinkat, "symlinkat", ALWAYS, IN_JOB, 2},
	{SYS_linkat, "linkat", ALWAYS, IN_JOB, 3},
	{SYS_fchmodat, "fchmodat", ALWAYS, IN_JOB, 1},
	{SYS_fchownat, "fchownat", ALWAYS, IN_JOB, 1},
	{SYS_fchmod, "fchmod", ALWAYS, IN_JOB, -1},
	{SYS_fchown, "fchown", ALWAYS, IN_JOB, -1},
	{SYS_utimensat, "utimensat", STREAM, IN_JOB, -1},
	{SYS_fsetxattr, "fsetxattr", ALWAYS, IN_JOB, -1},
	{SYS_ftruncate, "ftruncate", ALWAYS, IN_JOB, -1},
	{SYS_fallocate, "fallocate", ALWAYS, IN_JOB, -1},
	{SYS_write, "write", STREAM, IN_JOB, -1},
	{SYS_writev, "writev", STREAM, IN_JOB, -1},
	{SYS_pwrite64, "pwrite64", STREAM, IN_ALL, -1},
	{SYS_copy_file_range, "copy_file_range", STREAM, IN_JOB, -1},
	{SYS_fsync, "fsync", ALWAYS, IN_ALL, -1},
	{SYS_fdatasync, "fdatasync", ALWAYS, IN_ALL, -1},
	{SYS_syncfs, "syncfs", ALWAYS, IN_JOB, -1},
	{SYS_ioctl, "ioctl", CONTROL, IN_JOB, -1},
	{SYS_mount, "mount", ALWAYS, IN_JOB, 1},
	{SYS_umount2, "umount2", ALWAYS, IN_JOB, 0},
	{SYS_move_mount, "move_mount", ALWAYS, IN_JOB, -1},
	{SYS_mount_setattr, "mount_setattr", ALWAYS, IN_JOB, -1},
	{SYS_unshare, "unshare", ALWAYS, IN_JOB, -1},
	{SYS_connect, "connect", ALWAYS, IN_JOB, -1},
	{SYS_sendmsg, "sendmsg", ALWAYS, IN_ALL, -1},
	{SYS_sendto, "sendto", ALWAYS, IN_ALL, -1},
	{SYS_recvmsg, "recvmsg", STREAM, IN_JOB, -1},
	{SYS_kill, "kill", ALWAYS, IN_JOB, -1},
	{SYS_execve, "execve", ALWAYS, IN_ALL, 0},
	{SYS_exit_group, "exit_group", ALWAYS, IN_JOB, -1},
};

static const struct step *find(uint64_t nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if ((uint64_t)steps[i].nr == nr)
			return &steps[i];
	return NULL;
}

static bool opens_to_make(const struct step_call *call)
{
	uint64_t flags = call->args[call->nr == SYS_openat ? 2 : 1];

	return (flags & (O_CREAT | O_TRUNC)) != 0;
}

/* 0x94 is btrfs and what it lent to others (clones of ranges), L is loop devices, f the flags of files. */
static bool controls_something(const struct step_call *call)
{
	unsigned type = (call->args[1] >> 8) & 0xff;

	return type == 0x94 || type == 'L' || call->args[1] == FS_IOC_SETFLAGS;
}

/* The core: what it writes to descriptors of its log is nobody's business. */
static bool is_step(const struct step *step, const struct step_memory *memory,
		    const struct step_call *call)
{
	switch (step->kind) {
	case OPENING:
		return opens_to_make(call);
	case CONTROL:
		return controls_something(call);
	case STREAM:
		return call->args[0] > 2 &&
		       !(memory->last_nr == call->nr && memory->last_fd == call->args[0]);
	default:
		return true;
	}
}

/* What writes here and there in a file may tear it in its midst: the 1st, 2nd, 4th, 8th, … time counts. */
static bool counts_in_child(struct step_memory *memory, const struct step_call *call, bool is_step)
{
	bool tears = call->nr == SYS_pwrite64;

	if (call->nr >= ARRAY_SIZE(memory->seen) || !(is_step || tears))
		return is_step;
	unsigned before = memory->seen[call->nr]++;

	return before == 0 || (tears && (before & (before + 1)) == 0);
}

const char *step_name(enum step_view view, struct step_memory *memory, const struct step_call *call)
{
	const struct step *step = find(call->nr);
	bool counts = step && (step->where & (view == STEPS_CORE ? IN_CORE : IN_JOB)) &&
		      is_step(step, memory, call);

	if (view == STEPS_CHILD && step)
		counts = counts_in_child(memory, call, counts);
	if (step) {
		memory->last_nr = call->nr;
		memory->last_fd = call->args[0];
	}
	return counts ? step->name : NULL;
}

int step_path(const struct step_call *call)
{
	const struct step *step = find(call->nr);

	return step ? step->path : -1;
}
