/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job kvmcheck: is KVM usable here? /dev/kvm may be there, answer, and still hang every guest; so a small
 * machine is started from Lodge's own ISO and has to say that it is ready. It has no disk, no network and no
 * privileges, is nice, and is killed with the job or at the deadline, whichever comes first. No guest is
 * touched. */
#include "agent/task/host/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/kvm_record.h"
#include "agent/task/host/kvm_verdict.h"
#include "agent/task/internal.h"

#define QEMU	      "/usr/bin/qemu-system-x86_64"
#define CACHE	      "/var/cache/lodge" /* as make-iso.sh has it; nobody but root writes there */
#define IMAGE	      "lodge.iso"
#define MEMORY	      "128" /* MiB */
#define ADDRESS_SPACE (4ull << 30)
#define OUTPUT_MAX    (64u * 1024)
#define ERRORS_MAX    4096u
#define KILL_PATIENCE (2 * USEC_PER_SEC)

struct machine {
	pid_t pid;
	int pidfd, out, errors;
	usec_t started, deadline;
	struct buf said, complained;
};

static void drain(int *fd, struct buf *to, size_t max)
{
	char chunk[4096];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		closep(fd);
		*fd = -1;
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		chunk[i] = chunk[i] ? chunk[i] : ' ';
	buf_add(to, chunk, (size_t)n < max - to->size ? (size_t)n : max - to->size);
}

static int start(const char *image, struct machine *m, struct err *err)
{
	autofree char *drive =
		xasprintf("if=ide,index=2,media=cdrom,readonly=on,format=raw,file=%s", image);
	/* setpriv ends it with this job, even one that was killed */
	const char *const argv[] = {
		"/usr/bin/setpriv",
		"--pdeathsig",
		"KILL",
		"--no-new-privs",
		"--inh-caps=-all",
		"--bounding-set=-all",
		"--",
		QEMU,
		"-nodefaults",
		"-no-user-config",
		"-display",
		"none",
		"-vga",
		"none",
		"-monitor",
		"none",
		"-serial",
		"stdio",
		"-no-reboot",
		"-machine",
		"pc,accel=kvm",
		"-cpu",
		"host",
		"-smp",
		"1",
		"-m",
		MEMORY,
		"-boot",
		"d",
		"-drive",
		drive,
		"-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
		NULL};
	int out[2] = {-1, -1}, errors[2] = {-1, -1}, r;

	m->started = clock_monotonic();
	m->deadline = m->started + KVM_CHECK_TIMEOUT;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		r = err_errno(err, errno, "pipe");
	else
		r = exec_spawn(&(struct exec_spawn){.argv = argv,
						    .stdin_fd = -1,
						    .stdout_fd = out[1],
						    .stderr_fd = errors[1]},
			       &m->pid, err);
	closep(&out[1]);
	closep(&errors[1]);
	m->out = out[0];
	m->errors = errors[0];
	if (r == 0)
		m->pidfd = (int)syscall(SYS_pidfd_open, m->pid, 0);
	return r;
}

static bool is_ready(struct machine *m)
{
	return strstr(buf_str(&m->said), KVM_READY_LINE) != NULL;
}

/* Until it is ready, ends, is late, or the job is cancelled. True: it has ended and was not yet reaped. */
static bool watch(struct machine *m)
{
	for (;;) {
		struct pollfd p[] = {{.fd = m->out, .events = POLLIN},
				     {.fd = m->errors, .events = POLLIN},
				     {.fd = m->pidfd, .events = POLLIN},
				     {.fd = task_cancel_fd(), .events = POLLIN}};

		if (poll(p, ARRAY_SIZE(p), clock_left_ms(m->deadline)) == 0 || task_is_cancelled())
			return false;
		if (p[0].revents)
			drain(&m->out, &m->said, OUTPUT_MAX);
		if (p[1].revents)
			drain(&m->errors, &m->complained, ERRORS_MAX);
		if (is_ready(m))
			return false;
		if (p[2].revents && !p[0].revents && !p[1].revents)
			return true;
		if (clock_left_ms(m->deadline) == 0)
			return false;
	}
}

/* Its process group dies. One that hangs in the kernel even then is left behind, as waiting for it would hang
 * this job as well. */
static int reap(struct machine *m, bool has_ended)
{
	struct pollfd ended = {.fd = m->pidfd, .events = POLLIN};
	usec_t deadline = clock_monotonic() + KILL_PATIENCE;
	int status = 0;

	if (!has_ended)
		kill(-m->pid, SIGKILL);
	while (poll(&ended, 1, clock_left_ms(deadline)) < 0 && errno == EINTR)
		;
	if (waitpid(m->pid, &status, WNOHANG) != m->pid)
		task_log("warning: the test machine (pid %d) does not die", (int)m->pid);
	return status;
}

static void machine_fini(struct machine *m)
{
	closep(&m->pidfd);
	closep(&m->out);
	closep(&m->errors);
	buf_fini(&m->said);
	buf_fini(&m->complained);
}

/* What is inherited by the machine: little of the processor, bounded memory, no core file. */
static void be_modest(void)
{
	const struct rlimit memory = {ADDRESS_SPACE, ADDRESS_SPACE}, none = {0, 0};

	setpriority(PRIO_PROCESS, 0, 10);
	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_CORE, &none);
}

static int boot(const char *image, struct kvm_record *record, struct err *err)
{
	struct machine m = {.pidfd = -1, .out = -1, .errors = -1};
	struct kvm_run run = {0};
	enum kvm_verdict verdict = KVM_UNDECIDED;
	int r;

	be_modest();
	if ((r = start(image, &m, err)) == 0) {
		run.has_ended = watch(&m);
		run.elapsed = clock_monotonic() - m.started;
		run.was_ready = is_ready(&m);
		run.status = reap(&m, run.has_ended);
		run.errors = buf_str(&m.complained);
		verdict = kvm_verdict(&run, record->reason, sizeof(record->reason));
	}
	machine_fini(&m);
	if (r < 0 || (r = task_check_cancelled(err)) < 0)
		return r;
	if (verdict == KVM_UNDECIDED)
		return err_set(err, ERR_UNAVAILABLE, "KVM could not be tested: %s", record->reason);
	record->is_usable = verdict == KVM_USABLE;
	return 0;
}

static char *image_path(void)
{
	const char *cache = secure_getenv("LODGE_CACHE_DIR");

	return path_join(cache && cache[0] == '/' ? cache : CACHE, IMAGE);
}

static int test(struct kvm_record *record, struct err *err)
{
	autofree char *image = image_path();
	autofd int device = open(KVM_DEVICE, O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (device < 0) {
		snprintf(record->reason, sizeof(record->reason), KVM_DEVICE " %s",
			 errno == ENOENT ? "is not there" : "cannot be opened");
		return 0;
	}
	if (access(QEMU, X_OK) != 0)
		return err_set(err, ERR_NOT_FOUND,
			       "KVM could not be tested: " QEMU " is not installed");
	if (access(image, R_OK) != 0)
		return err_set(
			err, ERR_NOT_FOUND,
			"KVM could not be tested: there is no test image %s; '%s/lodge-make-iso' "
			"makes it",
			image, path_libexec());
	task_log("starting a test machine, which has %d s",
		 (int)(KVM_CHECK_TIMEOUT / USEC_PER_SEC));
	return boot(image, record, err);
}

static int keep(const struct task_ctx *task, const struct kvm_record *record, struct err *err)
{
	autofree char *entry = xasprintf("/nodes/%s/kvm", task->node);
	autofree char *file = path_join(path_state(), KVM_RECORD_FILE);
	struct task_txn *txn = task_txn_new(task->user);
	autobuf text = BUF_INIT;
	int r;

	kvm_record_format(record, &text);
	task_txn_put(txn, entry, text.data, text.size);
	r = task_txn_commit(txn, err);
	task_txn_free(txn);
	return r < 0 ? r : file_write_atomic(file, text.data, text.size, 0644, err);
}

int job_kvmcheck(struct task_ctx *task, struct err *err)
{
	struct kvm_record record = {.tested = clock_wall() / USEC_PER_SEC};
	int r;

	str_copy(record.kernel, sizeof(record.kernel), kvm_kernel_release());
	if ((r = test(&record, err)) < 0 || (r = keep(task, &record, err)) < 0)
		return r;
	if (record.is_usable)
		task_log("KVM is usable: %s", record.reason);
	else
		task_log("KVM is not usable: %s; " KVM_REMEDY, record.reason);
	return 0;
}
