/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes of the sandbox: each tries one thing that a captured gate would try. Linked into the test
 * build of lodge-gate only. */
#include "agent/gate/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/err.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/gate/gate.h"
#include "agent/gate/sandbox.h"

/* The descriptor of a folder outside of the new root is how a captured gate gets out of it. */
static int webui = -1;

#define UP "../../../../../../../../../../../.."

static char *from_outside(const char *path)
{
	return xasprintf(UP "%s", path);
}

static int open_as(const char *path, uint64_t flags)
{
	autofree char *relative = from_outside(path);
	struct open_how how = {.flags = flags, .mode = flags & O_CREAT ? 0666 : 0};

	return (int)syscall(SYS_openat2, webui, relative, &how, sizeof(how));
}

static int try_read(const char *path)
{
	return open_as(path, O_RDONLY);
}

static int try_write(const char *path)
{
	return open_as(path, O_WRONLY);
}

static int try_create(const char *path)
{
	return open_as(path, O_WRONLY | O_CREAT);
}

static int try_read_absolute(const char *path)
{
	return open(path, O_RDONLY);
}

static int try_exec(const char *path)
{
	autofree char *relative = from_outside(path);
	char *const argv[] = {(char *)path, NULL};

	/* its exit status 0 is the success */
	return (int)syscall(SYS_execveat, webui, relative, argv, environ, 0);
}

static int try_fork(const char *arg)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)arg;
	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int try_ptrace(const char *arg)
{
	(void)arg;
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

/* A folder inside of the new root; whoever asks takes it down again. */
static int try_mount(const char *folder)
{
	return mount("none", folder, "tmpfs", 0, NULL);
}

static int try_setuid(const char *arg)
{
	(void)arg;
	return setuid(0);
}

static int try_chdir(const char *arg)
{
	(void)arg;
	return fchdir(webui);
}

static int try_exec_memory(const char *arg)
{
	(void)arg;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static int try_socket(const char *arg)
{
	return socket(atoi(arg), SOCK_DGRAM, 0);
}

static int try_tcp(const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_port = htons((uint16_t)atoi(port));
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int connect_unix(const char *path, size_t size)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(to.sun_path, path, size);
	return fd < 0 ? -1
		      : connect(fd, (struct sockaddr *)&to,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
}

static int try_unix(const char *path)
{
	return connect_unix(path, strlen(path));
}

static int try_abstract(const char *name)
{
	autofree char *path = xasprintf("@%s", name);
	size_t size = strlen(path);

	path[0] = '\0';
	return connect_unix(path, size);
}

static int try_kill(const char *pid)
{
	return kill((pid_t)atoi(pid), 0);
}

static const struct probe {
	const char *name;
	int (*try)(const char *arg);
} probes[] = {
	{"read", try_read},
	{"read-absolute", try_read_absolute},
	{"write", try_write},
	{"create", try_create},
	{"exec", try_exec},
	{"fork", try_fork},
	{"ptrace", try_ptrace},
	{"mount", try_mount},
	{"setuid", try_setuid},
	{"chdir", try_chdir},
	{"exec-memory", try_exec_memory},
	{"socket", try_socket},
	{"tcp", try_tcp},
	{"unix", try_unix},
	{"abstract", try_abstract},
	{"kill", try_kill},
};

bool probe_is_wanted(int argc, char **argv)
{
	return argc >= 3 && str_eq(argv[1], "--sandbox-probe");
}

static int enter(struct err *err)
{
	autofree char *folder = path_join(path_share(), "webui");
	const char *user = getenv("LODGE_GATE_TEST_USER"), *core_path;
	struct sandbox sandbox = {.user = user ? user : GATE_USER};

	webui = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (webui < 0)
		return err_errno(err, errno, "%s", folder);
	sandbox.readable[0] = webui;
	sandbox.readable[1] = -1;
	return sandbox_enter(&sandbox, &core_path, err);
}

/* In the child; exit status 0 for DONE, else the errno. */
static int attempt(const struct probe *probe, const char *arg)
{
	struct err err = ERR_INIT;

	if (enter(&err) < 0) {
		log_error("%s", err.message);
		return 255;
	}
	errno = 0;
	return probe->try(arg) >= 0 ? 0 : errno;
}

static int run(const struct probe *probe, const char *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(attempt(probe, arg));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 1;
	if (WIFSIGNALED(status))
		printf("refused signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 255)
		return 1;
	else if (WEXITSTATUS(status) != 0)
		printf("refused %s\n", strerrorname_np(WEXITSTATUS(status)));
	else
		puts("DONE");
	return 0;
}

int probe_main(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (str_eq(probes[i].name, argv[2]))
			return run(&probes[i], argc > 3 ? argv[3] : "");
	log_error("no probe '%s'", argv[2]);
	return 1;
}
