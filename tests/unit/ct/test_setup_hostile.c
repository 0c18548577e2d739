/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Roots that want to hurt: at every path that is written lies something else. Nothing outside may change, nothing may
 * hang, and a start goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/setup.h"

static const char config_text[] =
	"hostname: web\nnameserver: 192.0.2.53\nsearchdomain: lan\ntimezone: Europe/Berlin\n"
	"net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.0.0.2/24,gw=10.0.0.1\n";

static const char *const signs[] = {
	"/usr/sbin/ifup",   "/usr/sbin/netplan",  "/usr/sbin/NetworkManager",
	"/usr/sbin/wicked", "/etc/init.d/net.lo", "/usr/lib/systemd/systemd-networkd"};

static const char *const paths[] = {
	"/etc",
	"/root",
	"/usr",
	"/sbin/init",
	"/bin/login",
	"/etc/hostname",
	"/etc/.lodge-new",
	"/etc/hosts",
	"/etc/resolv.conf",
	"/etc/localtime",
	"/etc/timezone",
	"/etc/os-release",
	"/usr/lib/os-release",
	"/usr/share/zoneinfo",
	"/usr/share/zoneinfo/Europe/Berlin",
	"/etc/machine-id",
	"/var/lib/dbus/machine-id",
	"/etc/passwd",
	"/etc/shadow",
	"/root/.ssh",
	"/root/.ssh/authorized_keys",
	"/etc/ssh/ssh_host_ed25519_key",
	"/etc/network",
	"/etc/network/interfaces",
	"/etc/network/.lodge-new",
	"/etc/netplan",
	"/etc/netplan/50-lodge.yaml",
	"/etc/systemd",
	"/etc/systemd/network",
	"/etc/systemd/network/eth0.network",
	"/etc/systemd/network/eth9.network",
	"/etc/systemd/system/multi-user.target.wants",
	"/etc/systemd/system/container-getty@.service.d/lodge.conf",
	"/lib/systemd/system/container-getty@.service",
	"/etc/NetworkManager/system-connections",
	"/etc/NetworkManager/system-connections/lodge-eth0.nmconnection",
	"/etc/NetworkManager/system-connections/lodge-eth9.nmconnection",
	"/etc/sysconfig/network",
	"/etc/sysconfig/network/ifcfg-eth0",
	"/etc/sysconfig/network/ifroute-eth0",
	"/etc/conf.d/net",
	"/etc/init.d/net.eth0",
	"/etc/runlevels/default",
	"/etc/runlevels/default/net.eth0",
};

struct world {
	char base[64];
	char *inside, *outside; /* base/root, base/outside */
	int root;
	struct task_ctx task;
	struct guest_config config;
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
	close(fd);
}

/* ---- traps: each puts something at a path outside of which nothing may change ---- */

static void link_absolute(const struct world *w, const char *path)
{
	autofree char *target = xasprintf("%s/victim", w->outside);

	assert_int_equal(symlink(target, path), 0);
}

static void link_folder(const struct world *w, const char *path)
{
	assert_int_equal(symlink(w->outside, path), 0);
}

static void link_new(const struct world *w, const char *path)
{
	autofree char *target = xasprintf("%s/made", w->outside);

	assert_int_equal(symlink(target, path), 0);
}

static void link_relative(const struct world *w, const char *path)
{
	autofree char *target =
		xasprintf("../../../../../../../../../../../../../..%s/victim", w->outside);

	assert_int_equal(symlink(target, path), 0);
}

static void link_proc(const struct world *w, const char *path)
{
	autofree char *target = xasprintf("/proc/self/root%s/victim", w->outside);

	assert_int_equal(symlink(target, path), 0);
}

static void link_loop(const struct world *w, const char *path)
{
	(void)w;
	assert_int_equal(symlink(strrchr(path, '/') + 1, path), 0);
}

static void fifo(const struct world *w, const char *path)
{
	(void)w;
	assert_int_equal(mkfifo(path, 0666), 0);
}

static void device(const struct world *w, const char *path)
{
	(void)w;
	if (mknod(path, S_IFCHR | 0666, makedev(1, 5)) != 0) /* zero: endless when read */
		fifo(w, path);
}

static void folder(const struct world *w, const char *path)
{
	autofree char *below = xasprintf("%s/full", path);

	(void)w;
	assert_int_equal(mkdir(path, 0755), 0);
	write_file(below, "x");
}

static void huge(const struct world *w, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)w;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, INT64_C(1) << 40), 0);
	close(fd);
}

static void hard_link(const struct world *w, const char *path)
{
	autofree char *target = xasprintf("%s/victim", w->outside);

	assert_int_equal(link(target, path), 0);
}

static void (*const traps[])(const struct world *w, const char *path) = {
	link_absolute, link_folder, link_new, link_relative, link_proc, link_loop,
	fifo,	       device,	    folder,   huge,	     hard_link,
};

/* ---- the world ---- */

static void make_parents(const char *path)
{
	autofree char *parent = xstrdup(path);

	*strrchr(parent, '/') = '\0';
	assert_int_equal(dir_make(parent, 0755, NULL), 0);
}

static void set_trap(struct world *w, size_t trap, const char *path)
{
	autofree char *full = xasprintf("%s%s", w->inside, path);

	make_parents(full);
	if (dir_remove_tree(full, NULL) < 0)
		unlink(full);
	traps[trap](w, full);
}

static void world_init(struct world *w, const char *sign)
{
	autofree char *victim = NULL, *zone = NULL;

	*w = (struct world){0};
	/* thousands of small trees: in memory where that is possible */
	strcpy(w->base, access("/dev/shm", W_OK) == 0 ? "/dev/shm/hostile-test-XXXXXX"
						      : "/tmp/hostile-test-XXXXXX");
	assert_non_null(mkdtemp(w->base));
	w->inside = xasprintf("%s/root", w->base);
	w->outside = xasprintf("%s/outside", w->base);
	victim = xasprintf("%s/victim", w->outside);
	zone = xasprintf("%s/usr/share/zoneinfo/Europe/Berlin", w->inside);
	make_parents(victim);
	write_file(victim, "root:x:victim\n");
	make_parents(zone);
	write_file(zone, "TZif2");
	autofree char *path = xasprintf("%s%s", w->inside, sign);
	make_parents(path);
	write_file(path, "");
	w->root = open(w->inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->root >= 0);
	assert_int_equal(guest_config_parse(config_text, sizeof(config_text) - 1, &w->config, NULL),
			 0);
}

static void world_fini(struct world *w)
{
	close(w->root);
	guest_config_fini(&w->config);
	assert_int_equal(dir_remove_tree(w->base, NULL), 0);
	free(w->inside);
	free(w->outside);
}

/* Only the victim is outside, as it was. */
static void check_outside(const struct world *w, const char *what)
{
	autofree char *victim = xasprintf("%s/victim", w->outside);
	autobuf text = BUF_INIT;
	DIR *dir = opendir(w->outside);
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' && !str_eq(e->d_name, "victim"))
			fail_msg("%s: %s was made outside", what, e->d_name);
	closedir(dir);
	assert_int_equal(file_read(victim, 4096, &text, NULL), 0);
	if (!str_eq(buf_str(&text), "root:x:victim\n"))
		fail_msg("%s: changed outside: %s", what, buf_str(&text));
}

static void run_all(struct world *w, const char *what)
{
	const struct ct_setup_credentials credentials = {"secret", "ssh-ed25519 AAAA x"};
	struct err err = ERR_INIT;

	if (ct_setup_settings(&w->task, w->root, &w->config, false, &err) < 0)
		fail_msg("%s: a start fails: %s", what, err.message);
	check_outside(w, what);
	(void)ct_setup_settings(&w->task, w->root, &w->config, true, &err);
	check_outside(w, what);
	(void)ct_setup_identity(&w->task, w->root, &err);
	check_outside(w, what);
	if (str_eq(what, "/etc/shadow") || str_eq(what, "/etc/passwd") ||
	    str_starts(what, "/root") || str_eq(what, "/etc"))
		(void)ct_setup_new(&w->task, w->root, &credentials, &err);
	check_outside(w, what);
}

static void nothing_outside_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(traps); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(paths); k++) {
			struct world w;

			alarm(60); /* a trap that holds us kills the test */
			world_init(&w, signs[(i + k) % ARRAY_SIZE(signs)]);
			set_trap(&w, i, paths[k]);
			run_all(&w, paths[k]);
			world_fini(&w);
		}
	}
	alarm(0);
}

/* The paths that belong to one writer alone, with that writer. */
static void each_writer(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(signs); s++) {
		for (size_t i = 0; i < ARRAY_SIZE(traps); i++) {
			for (size_t k = 0; k < ARRAY_SIZE(paths); k++) {
				struct world w;
				struct err err = ERR_INIT;

				if (!strstr(paths[k], "net") && !strstr(paths[k], "conf"))
					continue;
				alarm(60);
				world_init(&w, signs[s]);
				set_trap(&w, i, paths[k]);
				assert_int_equal(
					ct_setup_settings(&w.task, w.root, &w.config, false, &err),
					0);
				(void)ct_setup_settings(&w.task, w.root, &w.config, true, &err);
				check_outside(&w, paths[k]);
				world_fini(&w);
			}
		}
	}
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_outside_changes),
		cmocka_unit_test(each_writer),
	};

	/* the job's log of so many warnings is of no interest */
	if (!freopen("/dev/null", "w", stdout))
		return 1;
	cmocka_set_message_output(CM_OUTPUT_STDOUT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
