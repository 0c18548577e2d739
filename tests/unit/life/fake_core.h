/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core for jobs, in a process of its own: it keeps values, and can say something else than what it did. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/conn.h"
#include "agent/base/fd.h"
#include "agent/base/map.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/core/remote.h"
#include "tests/unit/serve_calls.h"

struct value {
	struct buf text;
	uint64_t version;
};

static struct {
	struct map *values;
	uint64_t version;
	const char *lie_on; /* text of a value: its change is made */
	uint16_t lies[3];   /* and answered with these, one after the other */
	unsigned told;
	const char *appear_on,
		*appears; /* with a value that has this text comes a file, of somebody else */
	char id[64];	  /* of the change that was made already */
	const char *
		late_on; /* text of a value: its change is refused, and comes before the next one all the same */
	struct fields late;
} core;

static void set(const char *path, const char *text, size_t size)
{
	struct value *value = map_get(core.values, path);

	if (!value)
		map_put(core.values, path, value = xcalloc(1, sizeof(*value)));
	buf_clear(&value->text);
	buf_add(&value->text, text, size);
	value->version = ++core.version;
}

static void free_value(void *data)
{
	struct value *value = data;

	buf_fini(&value->text);
	free(value);
}

static void unset(const char *path)
{
	struct value *value = map_remove(core.values, path);

	if (value)
		free_value(value);
}

static uint16_t get(const struct call *call, struct reply *reply)
{
	struct value *value = map_get(core.values, fields_get(&call->head, "path"));

	if (!value)
		return 404;
	fields_addf(&reply->head, "version", "%llu", (unsigned long long)value->version);
	buf_add(&reply->body, value->text.data, value->text.size);
	return 200;
}

static bool is_refused(const struct field *f)
{
	const char *path = strchr(f->value, ' ') + 1;
	struct value *value = map_get(core.values, path);

	return !value || value->version != strtoull(f->value, NULL, 10);
}

static void make_appear(void)
{
	autofree char *folder =
		xstrndup(core.appears, (size_t)(strrchr(core.appears, '/') - core.appears));

	if (dir_make(folder, 0755, NULL) < 0 ||
	    file_write_atomic(core.appears, "theirs", 6, 0600, NULL) < 0)
		abort();
	core.appear_on = NULL;
}

static bool put_all(const struct fields *params)
{
	bool is_lied = false;

	for (size_t i = 0; i < params->count; i++)
		if (str_eq(params->items[i].name, REMOTE_REQUIRE) && is_refused(&params->items[i]))
			return false;
	for (size_t i = 0; i < params->count; i++) {
		const struct field *f = &params->items[i];
		const char *end = strchr(f->value, '\n');

		if (str_eq(f->name, REMOTE_DELETE))
			unset(f->value);
		if (!str_eq(f->name, REMOTE_PUT))
			continue;
		autofree char *path = xstrndup(f->value, (size_t)(end - f->value));

		if (core.appear_on && strstr(end, core.appear_on))
			make_appear();
		is_lied |= core.lie_on && strstr(end, core.lie_on);
		set(path, end + 1, f->size - (size_t)(end + 1 - f->value));
	}
	if (!is_lied)
		core.id[0] = '\0';
	return true;
}

static bool is_to_be_late(const struct fields *params)
{
	for (size_t i = 0; core.late_on && i < params->count; i++)
		if (str_eq(params->items[i].name, REMOTE_PUT) &&
		    strstr(params->items[i].value, core.late_on))
			return true;
	return false;
}

static uint16_t transact(const struct call *call)
{
	const char *id = fields_get(&call->head, "id");
	bool is_again = str_eq(id, core.id);

	str_copy(core.id, sizeof(core.id), id);
	if (core.late.count) {
		put_all(&core.late);
		fields_fini(&core.late);
		core.late = (struct fields)FIELDS_INIT;
	}
	if (is_to_be_late(&call->params)) {
		fields_copy(&core.late, &call->params);
		core.late_on = NULL;
		return 500;
	}
	if (!is_again && !put_all(&call->params))
		return 409;
	if (core.id[0] && core.told < ARRAY_SIZE(core.lies) && core.lies[core.told])
		return core.lies[core.told++];
	return 200;
}

static void answer(struct call *call, struct reply *reply)
{
	reply->status = call->op == CALL_STORE_GET ? get(call, reply) : transact(call);
}

static pid_t start_core(void)
{
	autofree char *path = path_join(path_run(), CORE_SOCKET);
	int fd = -1;

	assert_int_equal(conn_listen(path, 0600, getuid(), getgid(), &fd, NULL), 0);
	pid_t pid = fork();
	if (pid == 0)
		serve_calls(fd, answer);
	close(fd);
	return pid;
}

static inline void stop_core(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
