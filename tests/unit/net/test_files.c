/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a change: staged and in effect, waiting and confirmed, the snapshot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/net/change.h"

static char base[64];

static int set_up(void **state)
{
	autofree char *etc = NULL, *run = NULL, *folder = NULL;

	(void)state;
	strcpy(base, "/tmp/net-files-XXXXXX");
	assert_non_null(mkdtemp(base));
	etc = xasprintf("%s/etc", base);
	run = xasprintf("%s/run", base);
	folder = xasprintf("%s/network", run);
	assert_int_equal(setenv("LODGE_ETC_DIR", etc, 1) | setenv("LODGE_RUN_DIR", run, 1), 0);
	return dir_make(folder, 0700, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	return dir_remove_tree(base, NULL);
}

static void stage(const char *name, const char *cidr)
{
	autonetconfig config = NET_CONFIG_INIT;
	autofields params = FIELDS_INIT;
	struct err err = ERR_INIT;

	fields_add(&params, "type", "bridge");
	fields_add(&params, "cidr", cidr);
	if (net_config_read_next(&config, NULL, &err) < 0 ||
	    net_config_set(&config, name, false, &params, &err) < 0 ||
	    net_config_write_staged(&config, &err) < 0)
		fail_msg("%s", err.message);
}

static void changes_are(const char *wanted)
{
	autobuf text = BUF_INIT;

	assert_int_equal(net_config_changes(&text, NULL), 0);
	if (!*wanted)
		assert_string_equal(buf_str(&text), "");
	else
		assert_non_null(strstr(buf_str(&text), wanted));
}

static void staging(void **state)
{
	autonetconfig config = NET_CONFIG_INIT;
	autobuf text = BUF_INIT;

	(void)state;
	changes_are("");
	stage("vmbr1", "10.0.0.1/24");
	changes_are("+bridge: vmbr1");
	assert_int_equal(net_config_read(false, &config, NULL, NULL), 0);
	assert_int_equal(config.count, 0);
	assert_int_equal(net_config_read(true, &config, &text, NULL), 0);
	assert_int_equal(config.count, 1);
	/* a newer change is not lost when an older one is committed */
	stage("vmbr2", "10.0.2.1/24");
	assert_int_equal(net_config_commit(text.data, text.size, NULL), 0);
	changes_are("+bridge: vmbr2");
	net_config_revert(NULL);
	changes_are("");
	/* back to what is in effect: nothing is staged */
	stage("vmbr1", "10.0.0.2/24");
	changes_are("-\tcidr 10.0.0.1/24");
	stage("vmbr1", "10.0.0.1/24");
	changes_are("");
}

static void write_config(const char *name, const char *cidr)
{
	autofree char *path = path_join(path_etc(), "network/%s", name);
	autofree char *text = xasprintf("bridge: vmbr1\n\tcidr %s\n", cidr);
	autofree char *folder = path_join(path_etc(), "network");

	assert_int_equal(dir_make(folder, 0755, NULL), 0);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

/* The administrator changes the address to 10.0.0.2, and back. */
static void edit_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		autofd int lock = -1;

		assert_int_equal(net_config_lock(&lock, NULL), 0);
		stage("vmbr1", "10.0.0.2/24");
		closep(&lock);
		lock = -1;
		assert_int_equal(net_config_lock(&lock, NULL), 0);
		net_config_revert(NULL);
	}
}

/* Neither file ever is without an interface: nor is what is read. */
static void edits_while_reading(void **state)
{
	pid_t pid;

	(void)state;
	write_config("interfaces", "10.0.0.1/24");
	pid = fork();
	if (pid == 0)
		edit_for_ever();
	for (int i = 0; i < 5000; i++) {
		autonetconfig config = NET_CONFIG_INIT;
		autobuf text = BUF_INIT;

		assert_int_equal(net_config_read_next(&config, &text, NULL), 0);
		assert_int_equal(config.count, 1);
		assert_non_null(strstr(buf_str(&text), "cidr 10.0.0."));
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* An edit by another process, under the lock: `first` is done when this returns, `then` a while later, in which whoever
 * does not wait for the lock goes wrong. */
static pid_t edit_elsewhere(void (*first)(void), void (*then)(void))
{
	int ends[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		autofd int lock = -1;

		assert_int_equal(net_config_lock(&lock, NULL), 0);
		first();
		assert_int_equal(write(ends[1], "", 1), 1);
		usleep(300000);
		then();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	close(ends[0]);
	return pid;
}

static void edit_succeeds(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void take_staged_away(void)
{
	autofree char *staged = path_join(path_etc(), "network/interfaces.new");

	assert_int_equal(file_remove(staged, NULL), 0);
}

static void write_staged(void)
{
	write_config("interfaces.new", "10.0.0.3/24");
}

/* A change reads what is there once the edit is done. */
static void edit_before_change(void **state)
{
	struct net_change change;
	struct err err = ERR_INIT;

	(void)state;
	write_config("interfaces", "10.0.0.1/24");
	write_config("interfaces.new", "10.0.0.2/24");
	pid_t pid = edit_elsewhere(take_staged_away, write_staged);

	if (net_change_begin(&change, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(net_iface_get(&change.old.items[0], "cidr"), "10.0.0.1/24");
	assert_string_equal(net_iface_get(&change.new.items[0], "cidr"), "10.0.0.3/24");
	net_change_end(&change);
	edit_succeeds(pid);
}

/* The change to 10.0.0.2 waits when the interface is put back to 10.0.0.1: confirmed or not, that is kept. */
static void edit_back_during_change(void **state)
{
	static const char new[] = "bridge: vmbr1\n\tcidr 10.0.0.2/24\n";
	autofree char *staged = path_join(path_etc(), "network/interfaces.new");
	int lock = -1;

	(void)state;
	write_config("interfaces", "10.0.0.1/24");
	write_config("interfaces.new", "10.0.0.2/24");
	assert_int_equal(net_change_lock(&lock, NULL), 0);
	assert_true(net_change_is_under_way());
	stage("vmbr1", "10.0.0.1/24");
	changes_are("");
	assert_int_equal(net_config_commit(new, strlen(new), NULL), 0);
	changes_are("+\tcidr 10.0.0.1/24");
	closep(&lock);
	assert_false(net_change_is_under_way());
	/* nothing under way: what is in effect is not staged */
	stage("vmbr1", "10.0.0.2/24");
	changes_are("");
	assert_int_equal(access(staged, F_OK), -1);
}

static void nothing(void)
{
}

static void stage_another(void)
{
	changes_are("-\tcidr 10.0.0.1/24");
	changes_are("+\tcidr 10.0.0.2/24");
	stage("vmbr1", "10.0.0.3/24");
}

/* Comparing and dropping what is staged is one step: it waits for an edit that is on its way. */
static void commit_waits_for_edit(void **state)
{
	static const char new[] = "bridge: vmbr1\n\tcidr 10.0.0.2/24\n";

	(void)state;
	write_config("interfaces", "10.0.0.1/24");
	write_config("interfaces.new", "10.0.0.2/24");
	pid_t pid = edit_elsewhere(nothing, stage_another);

	assert_int_equal(net_config_commit(new, strlen(new), NULL), 0);
	edit_succeeds(pid);
	changes_are("-\tcidr 10.0.0.2/24");
	changes_are("+\tcidr 10.0.0.3/24");
}

/* What could not be read again is refused, and what was there stays. */
static void too_large(void **state)
{
	char comment[4097];
	int r = 0;

	(void)state;
	memset(comment, '%', sizeof(comment) - 1); /* three characters in the file */
	comment[sizeof(comment) - 1] = '\0';
	for (int i = 1; r == 0 && i < NET_IFACES_MAX; i++) {
		autofree char *name = xasprintf("vmbr%d", i);
		autonetconfig config = NET_CONFIG_INIT;
		autofields params = FIELDS_INIT;
		struct err err = ERR_INIT;

		fields_add(&params, "type", "bridge");
		fields_add(&params, "comments", comment);
		fields_add(&params, "comments6", comment);
		assert_int_equal(net_config_read_next(&config, NULL, NULL), 0);
		assert_int_equal(net_config_set(&config, name, true, &params, NULL), 0);
		r = net_config_write_staged(&config, &err);
		assert_true(r == 0 || strstr(err.message, "larger than 256 KiB"));
	}
	assert_int_equal(r, -ERR_LIMIT);
	changes_are("+bridge: vmbr10");
}

static void broken_file(void **state)
{
	autofree char *path = xasprintf("%s/etc/network/interfaces", base);
	autonetconfig config = NET_CONFIG_INIT;
	struct err err = ERR_INIT;

	(void)state;
	stage("vmbr1", "10.0.0.1/24");
	net_config_revert(NULL);
	assert_int_equal(file_write_atomic(path, "nonsense\n", 9, 0644, NULL), 0);
	assert_int_equal(net_config_read(false, &config, NULL, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.message, "network/interfaces: cannot read 'nonsense'"));
}

static void waiting(void **state)
{
	struct net_waiting w, other = {.upid = "another"};
	usec_t soon = clock_monotonic() + 50 * USEC_PER_MSEC;
	int ends[2];
	pid_t pid;

	(void)state;
	assert_false(net_waiting_read(&w));
	assert_int_equal(net_waiting_write("UPID:a", "192.0.2.9", "admin@pve", NULL), 0);
	assert_true(net_waiting_read(&w));
	assert_string_equal(w.upid, "UPID:a");
	assert_string_equal(w.peer, "192.0.2.9");
	assert_string_equal(w.user, "admin@pve");
	assert_true(w.since > 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(net_waiting_await("UPID:a", soon, ends[0], NULL), -ERR_TIMEOUT);
	/* what confirmed another one does not count */
	assert_int_equal(net_waiting_confirm(&other, NULL), 0);
	soon = clock_monotonic() + 50 * USEC_PER_MSEC;
	assert_int_equal(net_waiting_await("UPID:a", soon, ends[0], NULL), -ERR_TIMEOUT);
	pid = fork();
	if (pid == 0)
		_exit(net_waiting_confirm(&w, NULL) < 0);
	assert_int_equal(
		net_waiting_await("UPID:a", clock_monotonic() + 20 * USEC_PER_SEC, ends[0], NULL),
		0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	net_waiting_clear();
	assert_false(net_waiting_read(&w));
	close(ends[1]); /* its other end becomes readable */
	assert_int_equal(
		net_waiting_await("UPID:a", clock_monotonic() + 20 * USEC_PER_SEC, ends[0], NULL),
		-ERR_CANCELLED);
	close(ends[0]);
}

static void nobodys_address(void **state)
{
	struct net_waiting w;

	(void)state;
	assert_int_equal(net_waiting_write("UPID:a", "", "root@pam", NULL), 0);
	assert_true(net_waiting_read(&w));
	assert_string_equal(w.peer, "-");
	assert_false(net_waiting_parse("a\nb\nc\nd\n", 8, &w));
	assert_false(net_waiting_parse("a\n1\nc\n", 6, &w));
}

static void snapshots(void **state)
{
	static const char text[] =
		"links 21\n[{\"ifname\":\"eth0\"}]\n\n\nroutes4 2\n[]\nroutes6 0\n\n"
		"old 0\n\nnew 14\nbridge: vmbr1\n\n";
	struct net_change change = {.lock = -1};
	autobuf in = BUF_INIT, out = BUF_INIT;

	(void)state;
	buf_add_str(&in, text);
	assert_int_equal(net_snapshot_parse(&in, &change, NULL), 0);
	assert_int_equal(change.before.link_count, 1);
	assert_true(strv_has(change.names, "vmbr1"));
	net_snapshot_format(&change, &out);
	assert_string_equal(buf_str(&out), text);
	net_change_end(&change);
	/* cut anywhere it is none */
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		struct net_change part = {.lock = -1};
		autobuf cut = BUF_INIT;

		buf_add(&cut, text, size);
		assert_int_equal(net_snapshot_parse(&cut, &part, NULL), -ERR_CORRUPT);
		net_change_end(&part);
	}
}

static int write_snapshot(const char *text)
{
	autofree char *path = path_join(path_run(), "network/snapshot");

	return file_write_atomic(path, text, strlen(text), 0600, NULL);
}

/* Both texts are what is in effect: that says nothing of whether it was confirmed. */
static void equal_texts(void **state)
{
	static const char text[] =
		"links 21\n[{\"ifname\":\"eth0\"}]\n\n\nroutes4 2\n[]\nroutes6 0\n\n"
		"old 0\n\nnew 0\n\n";
	struct net_change change = {.lock = -1};
	autobuf in = BUF_INIT, out = BUF_INIT;
	autofree char *confirmed = xasprintf("%sconfirmed\n", text);
	const char *outcome;

	(void)state;
	buf_add_str(&in, confirmed);
	assert_int_equal(net_snapshot_parse(&in, &change, NULL), 0);
	assert_true(change.is_confirmed);
	net_snapshot_format(&change, &out);
	assert_string_equal(buf_str(&out), confirmed);
	net_change_end(&change);

	assert_int_equal(write_snapshot(text), 0);
	assert_int_equal(net_change_undo(&outcome, NULL), 0);
	assert_string_equal(outcome, "the state before it is back");
	assert_int_equal(write_snapshot(confirmed), 0);
	assert_int_equal(net_change_undo(&outcome, NULL), 0);
	assert_string_equal(outcome, "it was confirmed and is finished");
}

static void boot_is(const char *file, bool is_there)
{
	autofree char *path = path_join(path_run(), "network/%s", file);

	assert_int_equal(access(path, F_OK) == 0, is_there);
}

static void boot_lacks(const char *links)
{
	autonetlacks lacks = NET_LACKS_INIT;
	struct err err = ERR_INIT;

	if (net_boot_apply(&lacks, &err) < 0)
		fail_msg("%s", err.message);
	assert_string_equal(buf_str(&lacks.links), links);
	assert_true((lacks.warnings.size > 0) == (*links != '\0'));
}

/* A node whose network nobody configures gets no folder for that. */
static void boot_without_a_configuration(void **state)
{
	autofree char *folder = path_join(path_etc(), "network");

	(void)state;
	boot_lacks("");
	boot_is("applied", true);
	assert_int_equal(access(folder, F_OK), -1);
}

/* Of interfaces that no machine has: nothing of the kernel's state is changed. */
static void boot_without_a_link(void **state)
{
	static const char config[] =
		"eth: lodge-no1\n\tautostart 1\n\neth: lodge-no2\n\tautostart 1\n";
	autofree char *path = path_join(path_etc(), "network/interfaces");
	autofree char *missing = path_join(path_run(), "network/missing");

	(void)state;
	write_config("interfaces", "10.0.0.1/24");
	assert_int_equal(file_write_atomic(path, config, strlen(config), 0644, NULL), 0);
	assert_false(net_boot_has_link());
	boot_lacks("lodge-no1\nlodge-no2\n");
	boot_is("applied", false);
	boot_is("missing", true);
	assert_false(net_boot_has_link());
	boot_lacks("lodge-no1\nlodge-no2\n"); /* still said */
	/* one that has come */
	assert_int_equal(file_write_atomic(missing, "lodge-no1\nlo\n", 13, 0600, NULL), 0);
	assert_true(net_boot_has_link());
	boot_lacks("lodge-no1\nlodge-no2\n");
	/* none is lacking: that was it for this boot */
	write_config("interfaces", "10.0.0.1/24");
	boot_lacks("");
	boot_is("applied", true);
	boot_is("missing", false);
	assert_int_equal(file_write_atomic(path, config, strlen(config), 0644, NULL), 0);
	boot_lacks("");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(staging),
		WITH(edits_while_reading),
		WITH(edit_before_change),
		WITH(edit_back_during_change),
		WITH(commit_waits_for_edit),
		WITH(too_large),
		WITH(broken_file),
		WITH(waiting),
		WITH(nobodys_address),
		WITH(snapshots),
		WITH(equal_texts),
		WITH(boot_without_a_link),
		WITH(boot_without_a_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
