/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a change: staged and in effect, waiting and confirmed, the snapshot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
	if (net_config_read_next(&config, &err) < 0 ||
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

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(staging),	       WITH(broken_file), WITH(waiting),
		WITH(nobodys_address), WITH(snapshots),	  WITH(equal_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
