/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start writes into a root, and what of it stays the admin's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"
#include "agent/guest/ct/section.h"
#include "agent/guest/ct/setup.h"

#define FILE_MAX (32u * 1024 * 1024)

struct world {
	char base[64];
	int root;
	struct guest_config config;
	struct task_ctx task;
};

static int set_up(void **state)
{
	static const char text[] = "hostname: web\nnameserver: 192.0.2.1\n";
	struct world *w = xcalloc(1, sizeof(*w));

	strcpy(w->base, "/tmp/setup-test-XXXXXX");
	assert_non_null(mkdtemp(w->base));
	w->root = open(w->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->root >= 0);
	assert_int_equal(guest_config_parse(text, strlen(text), &w->config, NULL), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	close(w->root);
	assert_int_equal(dir_remove_tree(w->base, NULL), 0);
	guest_config_fini(&w->config);
	free(w);
	return 0;
}

static void put(struct world *w, const char *path, const void *data, size_t size)
{
	assert_int_equal(rootdir_write(w->root, path, data, size, 0644, NULL), 0);
}

static void put_text(struct world *w, const char *path, const char *text)
{
	put(w, path, text, strlen(text));
}

static char *get(struct world *w, const char *path)
{
	autobuf text = BUF_INIT;

	assert_int_equal(rootdir_read(w->root, path, FILE_MAX, &text, NULL), 0);
	return buf_steal(&text);
}

static void start(struct world *w)
{
	struct err err = ERR_INIT;

	if (ct_setup_settings(&w->task, w->root, &w->config, false, &err) < 0)
		fail_msg("%s", err.message);
}

static void absent_files_are_made(void **state)
{
	struct world *w = *state;

	start(w);
	autofree char *hosts = get(w, "/etc/hosts"), *resolv = get(w, "/etc/resolv.conf");
	assert_non_null(strstr(hosts, "127.0.1.1 web\n"));
	assert_string_equal(resolv, CT_SECTION_BEGIN "nameserver 192.0.2.1\n" CT_SECTION_END);
}

static void marked_files_follow(void **state)
{
	struct world *w = *state;

	put_text(w, "/etc/resolv.conf", CT_SETUP_MARK "nameserver 192.0.2.9\n");
	start(w);
	autofree char *resolv = get(w, "/etc/resolv.conf");
	assert_non_null(strstr(resolv, "192.0.2.1"));
}

static void other_files_stay(void **state)
{
	struct world *w = *state;
	char link[64];

	put_text(w, "/etc/resolv.conf", "nameserver 192.0.2.9\n");
	start(w);
	autofree char *resolv = get(w, "/etc/resolv.conf");
	assert_string_equal(resolv, "nameserver 192.0.2.9\n");
	/* What a resolver inside makes at its start is not there yet. */
	assert_int_equal(rootdir_remove(w->root, "/etc/resolv.conf", NULL), 0);
	assert_int_equal(rootdir_link(w->root, "/etc/resolv.conf", "../run/stub.conf", NULL), 0);
	start(w);
	rootdir_read_link(w->root, "/etc/resolv.conf", link, sizeof(link));
	assert_string_equal(link, "../run/stub.conf");
}

static void large_hosts_are_kept(void **state)
{
	static const char line[] = "0.0.0.0 blocked.example\n";
	struct world *w = *state;
	autobuf large = BUF_INIT;

	while (large.size < 3 * 1024 * 1024)
		buf_add_str(&large, line);
	put(w, "/etc/hosts", large.data, large.size);
	start(w);
	autofree char *hosts = get(w, "/etc/hosts");
	assert_memory_equal(hosts, large.data, large.size);
	assert_string_equal(hosts + large.size, CT_SECTION_BEGIN "127.0.1.1 web\n" CT_SECTION_END);
}

static void unreadable_hosts_are_left_alone(void **state)
{
	static const char odd[] = "127.0.0.1 a\0\n127.0.0.1 b\n";
	struct world *w = *state;
	autobuf huge = BUF_INIT, after = BUF_INIT;

	put(w, "/etc/hosts", odd, sizeof(odd) - 1);
	start(w);
	assert_int_equal(rootdir_read(w->root, "/etc/hosts", FILE_MAX, &after, NULL), 0);
	assert_int_equal(after.size, sizeof(odd) - 1);
	while (huge.size < 20 * 1024 * 1024)
		buf_add_str(&huge, "0.0.0.0 a-long-name-of-a-blocked-host.example\n");
	put(w, "/etc/hosts", huge.data, huge.size);
	start(w);
	autofree char *hosts = get(w, "/etc/hosts");
	assert_string_equal(hosts, buf_str(&huge));
	assert_int_equal(w->task.warnings, 2);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(absent_files_are_made),
		WITH(marked_files_follow),
		WITH(other_files_stay),
		WITH(large_hosts_are_kept),
		WITH(unreadable_hosts_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
