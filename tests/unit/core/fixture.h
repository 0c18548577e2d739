/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of its own for state, run and programs, and a job program made of shell. Included by one test
 * file each; runs as whoever runs the tests. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define FIXTURE_PATIENCE (20 * USEC_PER_SEC)

static char fixture_dir[64];

/* hold: until something is written to the fifo; die: no status; stubborn: ignores SIGTERM */
static const char fixture_program[] =
	"#!/bin/sh\n"
	"cd \"$LODGE_STATE_DIR\"\n"
	"case \"$1 $2\" in\n"
	"'hold '|'hold-start '|'hold-reboot ') read line <fifo ;;\n"
	"'die ') exit 7 ;;\n"
	"'undo ') cat >undo-args; echo undone >>undone; read line <fifo ;;\n"
	"'say ') echo \"a line\" ;;\n"
	"'passed ') cat <&3 >passed ;;\n"
	"'helper echo') cat ;;\n"
	"'helper refuse') echo '1 size value is too large'; exit 1 ;;\n"
	"'helper crowd') echo '18 - too many at this moment'; exit 1 ;;\n"
	"'helper mumble') echo nonsense; exit 1 ;;\n"
	"'helper crash') kill -9 $$ ;;\n"
	"'helper hang'|'helper oci-hang') exec sleep 1000 ;;\n"
	"'helper flood') exec cat /dev/zero ;;\n"
	"'helper storage-status') echo '{\"active\":1,\"total\":100,\"used\":40,\"avail\":60}' ;;\n"
	"'helper net-apply') echo net >>net-applied; echo '{}' ;;\n"
	"'helper tls-init') echo tls >>tls-made; echo '{}' ;;\n"
	"esac\n";

static inline char *fixture_path(const char *name)
{
	return xasprintf("%s/%s", fixture_dir, name);
}

static inline void fixture_write(const char *name, const char *text, mode_t mode)
{
	autofree char *path = fixture_path(name);
	autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
}

/* "" when there is no such file. */
static inline char *fixture_read(const char *name)
{
	autofree char *path = fixture_path(name);
	autobuf text = BUF_INIT;

	if (file_read(path, 1 << 20, &text, NULL) < 0)
		return xstrdup("");
	buf_str(&text);
	return buf_steal(&text);
}

static inline bool fixture_exists(const char *name)
{
	autofree char *path = fixture_path(name);

	return access(path, F_OK) == 0;
}

static inline void fixture_make(void)
{
	static const char *const variables[] = {"LODGE_STATE_DIR", "LODGE_RUN_DIR",
						"LODGE_LIBEXEC_DIR"};

	strcpy(fixture_dir, "/tmp/lodge-core-test-XXXXXX");
	assert_non_null(mkdtemp(fixture_dir));
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		setenv(variables[i], fixture_dir, 1);
	setenv("LODGE_NODE", "alpha", 1);
	fixture_write("lodge-task", fixture_program, 0755);
	fixture_write("lodge-task-ct", fixture_program, 0755);
	autofree char *fifo = fixture_path("fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
}

static inline void fixture_remove(void)
{
	struct err err = ERR_INIT;

	assert_int_equal(dir_remove_tree(fixture_dir, &err), 0);
}

/* Lets this process open `count` more descriptors; -1: as many as before. */
static inline void fixture_allow_descriptors(int count)
{
	static struct rlimit before;
	struct rlimit limit;
	int next = dup(STDIN_FILENO);

	close(next);
	if (before.rlim_cur == 0)
		getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	if (count >= 0)
		limit.rlim_cur = (rlim_t)(next + count);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Lets one process that reads the fifo go on. */
static inline void fixture_release(void)
{
	autofree char *path = fixture_path("fifo");
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\n", 1), 1);
}

/* Runs the loop until is_done says so; fails the test when it takes too long. */
static inline void fixture_run_until(sd_event *event, bool (*is_done)(void *), void *ctx)
{
	usec_t deadline = clock_monotonic() + FIXTURE_PATIENCE;

	while (!is_done(ctx)) {
		assert_true(clock_monotonic() < deadline);
		assert_true(sd_event_run(event, 20 * USEC_PER_MSEC) >= 0);
	}
}
