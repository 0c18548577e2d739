/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written into each distribution, whole, against golden/NAME.txt. LODGE_GOLDEN_UPDATE=1 writes those anew: look
 * at the difference before you commit it. */
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
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/setup.h"

#define NAMES_MAX 64

/* Three interfaces, all that one can be: static with gateways, by DHCP and router, of the admin's own. */
static const char everything[] =
	"hostname: web\nnameserver: 192.0.2.53 2001:db8::53\nsearchdomain: example.org "
	"lan\ntimezone: "
	"Europe/Berlin\n"
	"net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.0.0.2/24,gw=10.0.0.1,"
	"ip6=2001:db8::2/64,gw6=2001:db8::1,mtu=1400\n"
	"net1: name=eth1,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,ip=dhcp,ip6=auto\n"
	"net2: name=eth2,bridge=vmbr0,hwaddr=BC:24:11:00:00:03,ip=manual,ip6=manual\n";

/* Gateways beyond the network of their addresses, as some hosters have them. */
static const char outside[] =
	"hostname: web\nnameserver: 192.0.2.53\nsearchdomain: lan\n"
	"net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=203.0.113.7/32,gw=198.51.100.1,"
	"ip6=2001:db8:1::2/64,gw6=fe80::1\n"
	"net1: name=eth1,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,ip=10.1.0.2/24,"
	"ip6=2001:db8:2::2/64,gw6=2001:db8:3::1\n";

static const char dhcp[] =
	"hostname: web.example.org\nnameserver: 192.0.2.53\nsearchdomain: lan\n"
	"net0: name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=dhcp,ip6=dhcp\n";

/* What such a system has before anything is written: its name, and paths, "path=content" or "path>link". */
static const struct {
	const char *name, *os_release;
	const char *files[12];
} systems[] = {
	{"debian",
	 "ID=debian\nVERSION_ID=\"12\"\n",
	 {"/usr/sbin/ifup=", "/usr/lib/systemd/systemd-networkd=", "/etc/timezone=Etc/UTC\n",
	  "/etc/network/interfaces=source /etc/network/interfaces.d/*\nauto eth0\niface eth0 inet "
	  "dhcp\n",
	  "/etc/hosts=127.0.0.1 localhost\n127.0.1.1 template\n10.0.0.9 kept\n"}},
	{"ubuntu",
	 "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n",
	 {"/usr/sbin/netplan=", "/usr/lib/systemd/systemd-networkd=",
	  "/etc/netplan/10-lxc.yaml=network: {}\n",
	  "/etc/resolv.conf>../run/systemd/resolve/stub-resolv.conf"}},
	{"alpine",
	 "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.21.0\n",
	 {"/sbin/ifup>/bin/busybox", "/etc/init.d/networking=", "/etc/runlevels/boot/hostname="}},
	{"fedora", "ID=fedora\nVERSION_ID=42\n", {"/usr/sbin/NetworkManager="}},
	{"rocky", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", {"/usr/sbin/NetworkManager="}},
	{"arch",
	 "ID=arch\n",
	 {"/usr/lib/systemd/systemd-networkd=", "/lib>usr/lib",
	  "/usr/lib/systemd/system/systemd-networkd.service="}},
	{"opensuse",
	 "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
	 {"/usr/sbin/wicked=", "/etc/sysconfig/network/config="}},
	{"tumbleweed", "ID=\"opensuse-tumbleweed\"\n", {"/usr/sbin/NetworkManager="}},
	{"gentoo",
	 "ID=gentoo\n",
	 {"/etc/init.d/net.lo=", "/etc/runlevels/default/sshd=", "/etc/timezone=UTC\n"}},
	{"devuan", "ID=devuan\nID_LIKE=debian\n", {"/sbin/ifup="}},
	{"unknown", "ID=haiku\n", {"/etc/motd=hello\n"}},
};

static const struct {
	const char *name, *config;
} cases[] = {{"everything", everything}, {"outside", outside}, {"dhcp", dhcp}};

struct world {
	char base[64];
	int root;
	struct task_ctx task;
};

static void put(struct world *w, const char *line)
{
	size_t length = strcspn(line, "=>");
	autofree char *path = xstrndup(line, length);
	const char *rest = line + length + 1;
	int r = line[length] == '>' ? rootdir_link(w->root, path, rest, NULL)
				    : rootdir_write(w->root, path, rest, strlen(rest), 0644, NULL);

	assert_int_equal(r, 0);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	strcpy(w->base, "/tmp/golden-test-XXXXXX");
	assert_non_null(mkdtemp(w->base));
	w->root = open(w->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->root >= 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	close(w->root);
	assert_int_equal(dir_remove_tree(w->base, NULL), 0);
	free(w);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t names_in(const char *path, char *ret[NAMES_MAX])
{
	DIR *dir = opendir(path);
	struct dirent *e;
	size_t count = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) && count < NAMES_MAX)
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			ret[count++] = xstrdup(e->d_name);
	closedir(dir);
	qsort(ret, count, sizeof(*ret), by_name);
	return count;
}

/* Everything below a folder: names, modes, links, texts. */
static void dump(const char *base, const char *below, struct buf *out)
{
	autofree char *path = xasprintf("%s%s", base, below);
	char *names[NAMES_MAX], link[512];
	struct stat st;
	ssize_t n;

	assert_int_equal(lstat(path, &st), 0);
	if (S_ISDIR(st.st_mode)) {
		size_t count = names_in(path, names);

		for (size_t i = 0; i < count; i++) {
			autofree char *next = xasprintf("%s/%s", below, names[i]);

			dump(base, next, out);
			free(names[i]);
		}
	} else if (S_ISLNK(st.st_mode)) {
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		buf_addf(out, "==== %s -> %s\n", below, link);
	} else {
		buf_addf(out, "==== %s %o\n", below, (unsigned)(st.st_mode & 07777));
		assert_int_equal(file_read(path, 1 << 20, out, NULL), 0);
	}
}

static char *golden_path(const char *system, const char *name)
{
	autofree char *here = xstrdup(__FILE__);

	*strrchr(here, '/') = '\0';
	return xasprintf("%s/golden/%s-%s.txt", here, system, name);
}

static void compare(const char *path, struct buf *got)
{
	autobuf expected = BUF_INIT;

	if (getenv("LODGE_GOLDEN_UPDATE")) {
		assert_int_equal(file_write_atomic(path, got->data, got->size, 0644, NULL), 0);
		return;
	}
	assert_int_equal(file_read(path, 1 << 20, &expected, NULL), 0);
	assert_string_equal(buf_str(got), buf_str(&expected));
}

static void setup(struct world *w, const char *text, bool is_new)
{
	struct guest_config config;
	struct err err = ERR_INIT;

	assert_int_equal(guest_config_parse(text, strlen(text), &config, NULL), 0);
	if (ct_setup_settings(&w->task, w->root, &config, is_new, &err) < 0)
		fail_msg("%s", err.message);
	guest_config_fini(&config);
}

static void fill(struct world *w, size_t system)
{
	put(w, "/usr/share/zoneinfo/Europe/Berlin=TZif2");
	rootdir_write(w->root, "/etc/os-release", systems[system].os_release,
		      strlen(systems[system].os_release), 0644, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(systems[system].files) && systems[system].files[i]; i++)
		put(w, systems[system].files[i]);
}

static void each_distribution(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
			autofree char *path = golden_path(systems[i].name, cases[k].name);
			autobuf etc = BUF_INIT, again = BUF_INIT;
			struct world *w;

			set_up((void **)&w);
			fill(w, i);
			setup(w, cases[k].config, true);
			dump(w->base, "/etc", &etc);
			compare(path, &etc);
			/* a start writes the same once more, so nothing */
			setup(w, cases[k].config, false);
			dump(w->base, "/etc", &again);
			assert_string_equal(buf_str(&again), buf_str(&etc));
			tear_down((void **)&w);
		}
	}
}

static void ostype_wins(void **state)
{
	struct world *w = *state;
	autofree char *text = xasprintf("ostype: ubuntu\n%s", dhcp);

	put(w, "/etc/os-release=ID=debian\n");
	put(w, "/usr/sbin/ifup=");
	put(w, "/usr/sbin/netplan=");
	setup(w, text, true);
	assert_true(rootdir_exists(w->root, "/etc/netplan/50-lodge.yaml"));
	assert_false(rootdir_exists(w->root, "/etc/network/interfaces"));
}

static void unmanaged_is_left_alone(void **state)
{
	struct world *w = *state;
	autofree char *text = xasprintf("ostype: unmanaged\n%s", everything);
	autobuf before = BUF_INIT, after = BUF_INIT;

	fill(w, 0);
	dump(w->base, "", &before);
	setup(w, text, true);
	setup(w, text, false);
	dump(w->base, "", &after);
	assert_string_equal(buf_str(&after), buf_str(&before));
}

static void what_the_user_wrote_stays(void **state)
{
	static const char line[] = "\n# mine\nauto dummy0\niface dummy0 inet manual\n";
	struct world *w = *state;
	autobuf text = BUF_INIT, after = BUF_INIT;

	fill(w, 0);
	setup(w, everything, true);
	assert_int_equal(rootdir_read(w->root, "/etc/network/interfaces", 1 << 16, &text, NULL), 0);
	buf_add_str(&text, line);
	rootdir_write(w->root, "/etc/network/interfaces", text.data, text.size, 0644, NULL);
	setup(w, dhcp, false);
	assert_int_equal(rootdir_read(w->root, "/etc/network/interfaces", 1 << 16, &after, NULL),
			 0);
	assert_true(str_ends(buf_str(&after), line));
	assert_non_null(strstr(buf_str(&after), "iface eth0 inet dhcp"));
	assert_null(strstr(buf_str(&after), "10.0.0.2"));
	/* without the marks all of it is the user's */
	put(w, "/etc/network/interfaces=auto lo\niface lo inet loopback\n");
	setup(w, everything, false);
	buf_clear(&after);
	assert_int_equal(rootdir_read(w->root, "/etc/network/interfaces", 1 << 16, &after, NULL),
			 0);
	assert_string_equal(buf_str(&after), "auto lo\niface lo inet loopback\n");
}

static void files_of_gone_interfaces_go(void **state)
{
	struct world *w = *state;

	put(w, "/etc/os-release=ID=\"opensuse-leap\"\n");
	put(w, "/usr/sbin/wicked=");
	setup(w, everything, true);
	put(w, "/etc/sysconfig/network/ifcfg-mine=STARTMODE='auto'\n");
	setup(w, dhcp, false);
	assert_true(rootdir_exists(w->root, "/etc/sysconfig/network/ifcfg-eth0"));
	assert_false(rootdir_exists(w->root, "/etc/sysconfig/network/ifcfg-eth1"));
	assert_false(rootdir_exists(w->root, "/etc/sysconfig/network/ifroute-eth2"));
	assert_true(rootdir_exists(w->root, "/etc/sysconfig/network/ifcfg-mine"));
}

static void time_zones(void **state)
{
	static const struct {
		const char *zone, *link;
		unsigned warnings;
	} zones[] = {
		{"Europe/Berlin", "../usr/share/zoneinfo/Europe/Berlin", 0},
		{"Mars/Olympus", "", 1},
		{"../../../etc/shadow", "", 1},
		{"Europe/../../x", "", 1},
		{"Europe/Berlin/", "", 1},
	};
	struct world *w = *state;
	char link[256];

	put(w, "/usr/share/zoneinfo/Europe/Berlin=TZif2");
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		autofree char *text = xasprintf("timezone: %s\n", zones[i].zone);

		rootdir_remove(w->root, "/etc/localtime", NULL);
		w->task.warnings = 0;
		setup(w, text, false);
		rootdir_read_link(w->root, "/etc/localtime", link, sizeof(link));
		assert_string_equal(link, zones[i].link);
		assert_int_equal(w->task.warnings, zones[i].warnings);
	}
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_distribution), WITH(ostype_wins),
		WITH(unmanaged_is_left_alone),	     WITH(what_the_user_wrote_stays),
		WITH(files_of_gone_interfaces_go),   WITH(time_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
