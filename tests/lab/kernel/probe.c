/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the kernel, inside of a container, for what no shell can ask. Static; prints "ok" or the error.
 *
 *   probe keyctl               the number of the session's keyring
 *   probe fuse FOLDER          a FUSE file system there, as fusermount makes it; nobody serves it
 *   probe subvolume FOLDER     a subvolume of btrfs named "sub" in it, by either call; with bits that the kernel ignores
 *   probe send ADDRESS MIB     TCP to port 5001 there, once somebody listens
 *   probe receive MIB          one connection on port 5001: prints its milliseconds, if all came
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PORT  5001
#define TRIES 200 /* to connect, 50 ms each */
#define LIMIT 60  /* seconds of a transfer */

static char chunk[64 * 1024];

static int done(long r)
{
	puts(r < 0 ? strerror(errno) : "ok");
	return r < 0;
}

static int ask_keyctl(char **argv)
{
	(void)argv;
	return done(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3 /* of the session */, 1));
}

static int mount_fuse(char **argv)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return done(-1);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	return done(mount("probe", argv[0], "fuse.probe", MS_NOSUID | MS_NODEV, options));
}

static int make_subvolume(char **argv)
{
	struct btrfs_ioctl_vol_args args = {.name = "sub"};
	struct btrfs_ioctl_vol_args_v2 args_v2 = {.name = "sub"};
	int fd = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return done(-1);
	if (syscall(SYS_ioctl, fd, BTRFS_IOC_SUBVOL_CREATE, &args) == 0 ||
	    syscall(SYS_ioctl, fd, BTRFS_IOC_SUBVOL_CREATE | 1ul << 32, &args) == 0)
		return done(0);
	return done(syscall(SYS_ioctl, fd, BTRFS_IOC_SUBVOL_CREATE_V2, &args_v2));
}

static int connect_to(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	inet_pton(AF_INET, address, &to.sin_addr);
	for (int i = 0; i < TRIES; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
			return fd;
		close(fd);
		poll(NULL, 0, 50);
	}
	return -1;
}

static int send_all(char **argv)
{
	long left = atol(argv[1]) << 20;
	int fd = connect_to(argv[0]);

	while (fd >= 0 && left > 0) {
		ssize_t n =
			write(fd, chunk, left < (long)sizeof(chunk) ? (size_t)left : sizeof(chunk));

		if (n < 0)
			return done(-1);
		left -= n;
	}
	return done(fd);
}

static int accept_one(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0 || listen(fd, 1) != 0)
		return -1;
	return accept(fd, NULL, NULL);
}

static int receive_all(char **argv)
{
	struct timespec from, to;
	int fd = accept_one();
	long got = 0;
	ssize_t n = fd;

	clock_gettime(CLOCK_MONOTONIC, &from);
	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
		got += n;
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (n < 0 || got != atol(argv[0]) << 20) {
		fprintf(stderr, "%ld bytes came\n", got);
		return 1;
	}
	printf("%ld\n",
	       (long)(to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
	return 0;
}

static const struct {
	const char *name;
	int words;
	int (*run)(char **argv);
} questions[] = {
	{"keyctl", 0, ask_keyctl},
	{"fuse", 1, mount_fuse},
	{"subvolume", 1, make_subvolume},
	{"send", 2, send_all},
	{"receive", 1, receive_all},
};

int main(int argc, char **argv)
{
	alarm(LIMIT);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (argc > 1 && strcmp(argv[1], questions[i].name) == 0 &&
		    argc == questions[i].words + 2)
			return questions[i].run(argv + 2);
	return 2;
}
