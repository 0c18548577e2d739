/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The allow-list of system calls: what libmicrohttpd, GnuTLS, sd-event and malloc use once
 * everything is open. Everything else fails with EPERM; what no honest code in here could ever want
 * ends the process. */
#include "agent/gate/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/mem.h"

#define ALLOW(name)                                                                                \
	{                                                                                          \
		SCMP_SYS(name), SCMP_ACT_ALLOW                                                     \
	}
#define KILL(name)                                                                                 \
	{                                                                                          \
		SCMP_SYS(name), SCMP_ACT_KILL_PROCESS                                              \
	}

static const struct {
	int call;
	uint32_t action;
} plain[] = {
	ALLOW(read),
	ALLOW(readv),
	ALLOW(pread64),
	ALLOW(write),
	ALLOW(writev),
	ALLOW(close),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW(sendto),
	ALLOW(sendmsg),
	ALLOW(accept4),
	ALLOW(connect),
	ALLOW(shutdown),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(getsockopt),
	ALLOW(setsockopt),
	ALLOW(poll),
	ALLOW(ppoll),
	ALLOW(epoll_wait),
	ALLOW(epoll_pwait),
	ALLOW(epoll_pwait2),
	ALLOW(epoll_ctl),
	ALLOW(timerfd_settime),
	ALLOW(signalfd4),
	ALLOW(inotify_rm_watch),
	ALLOW(openat2),
	ALLOW(fstat),
	ALLOW(newfstatat),
	ALLOW(statx),
	ALLOW(lseek),
	ALLOW(fcntl),
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(brk),
	ALLOW(futex),
	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(getrandom),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getrusage),
	ALLOW(sched_yield),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),
	ALLOW(exit),
	ALLOW(exit_group),
	KILL(execve),
	KILL(execveat),
	KILL(ptrace),
	KILL(process_vm_readv),
	KILL(process_vm_writev),
	KILL(mount),
	KILL(umount2),
	KILL(pivot_root),
	KILL(bpf),
	KILL(keyctl),
	KILL(add_key),
	KILL(request_key),
	KILL(init_module),
	KILL(finit_module),
	KILL(delete_module),
	KILL(kexec_load),
	KILL(perf_event_open),
	KILL(userfaultfd),
	KILL(io_uring_setup),
	KILL(unshare),
	KILL(setns),
};

static int add_plain(scmp_filter_ctx ctx)
{
	int r = 0;

	/* negative numbers: not on this architecture */
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(plain); i++)
		if (plain[i].call >= 0)
			r = seccomp_rule_add(ctx, plain[i].action, plain[i].call, 0);
	return r;
}

/* Those that depend on an argument. */
static int add_limited(scmp_filter_ctx ctx)
{
	const struct {
		int call;
		struct scmp_arg_cmp when;
	} limited[] = {
		/* the way back to a restarted core */
		{SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)},
		/* libmicrohttpd makes one for each upgraded connection */
		{SCMP_SYS(socketpair), SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)},
		/* the certificate */
		{SCMP_SYS(openat),
		 SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)},
		{SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		{SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		/* abort() */
		{SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0)},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(limited); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, limited[i].call, 1, limited[i].when);
	return r;
}

int sandbox_seccomp(struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!ctx)
		return err_set(err, ERR_INTERNAL, "seccomp: out of memory");
	r = add_plain(ctx);
	if (r == 0)
		r = add_limited(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? err_errno(err, -r, "seccomp") : 0;
}
