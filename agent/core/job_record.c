/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encoding of job records and status lines. Pure; what it reads was written by root's processes,
 * but may be torn or old: bounded, checked, fuzzed. */
#include "agent/core/job_record.h"

#include <string.h>

#include "agent/base/cursor.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/core/job_status.h"

#define GUEST_MAX 999999999u

static const char *const program_names[] = {
	[JOB_HOST] = "lodge-task",	  [JOB_CT] = "lodge-task-ct",
	[JOB_VM] = "lodge-task-vm",	  [JOB_CONSOLE] = "lodge-task-console",
	[JOB_FETCH] = "lodge-task-fetch",
};

static const char *const secret_args[] = {"password", "ssh-public-keys", "secret", "token"};

const char *job_program_name(enum job_program program)
{
	return program_names[program];
}

bool job_arg_is_secret(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_args); i++)
		if (str_eq(name, secret_args[i]) || str_ends(name, secret_args[i]))
			return true;
	return false;
}

void job_record_encode(const struct job_record *r, struct buf *out)
{
	autofields f = FIELDS_INIT;

	fields_add(&f, "boot", r->boot);
	fields_add(&f, "serial", r->serial[0] ? r->serial : NULL);
	fields_add(&f, "program", job_program_name(r->program));
	fields_add(&f, "command", r->command);
	fields_add(&f, "undo", r->undo);
	fields_add(&f, "after", r->after);
	fields_add(&f, "type", r->type);
	fields_add(&f, "id", r->id);
	fields_add(&f, "user", r->user);
	if (r->guest)
		fields_addf(&f, "guest", "%u", r->guest);
	if (r->other)
		fields_addf(&f, "other", "%u", r->other);
	for (size_t i = 0; i < r->args.count && f.count < FIELDS_COUNT_MAX; i++) {
		const struct field *arg = &r->args.items[i];
		autofree char *name = xasprintf("arg.%s", arg->name);

		if (!job_arg_is_secret(arg->name) && strlen(name) < FIELDS_NAME_MAX)
			fields_add_n(&f, name, arg->value, arg->size);
	}
	fields_encode(&f, out);
}

static int take_program(const char *name, enum job_program *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(program_names); i++) {
		if (!str_eq(name, program_names[i]))
			continue;
		*ret = (enum job_program)i;
		return 0;
	}
	return err_set(err, ERR_CORRUPT, "job record: unknown program");
}

static int take_serial(const char *text, char ret[JOB_SERIAL_SIZE], struct err *err)
{
	uint64_t half;

	if (!text)
		return 0;
	if (strlen(text) != JOB_SERIAL_SIZE - 1 || !str_hex_to_u64(text, 16, &half) ||
	    !str_hex_to_u64(text + 16, 16, &half))
		return err_set(err, ERR_CORRUPT, "job record: bad serial");
	memcpy(ret, text, JOB_SERIAL_SIZE);
	return 0;
}

static int take_guest(const char *text, unsigned *ret, struct err *err)
{
	uint64_t guest = 0;

	if (text && (!str_to_u64(text, &guest) || guest > GUEST_MAX))
		return err_set(err, ERR_CORRUPT, "job record: bad guest");
	*ret = (unsigned)guest;
	return 0;
}

static void take_texts(const struct fields *f, struct job_record *r)
{
	const struct {
		const char *name;
		char **slot;
	} texts[] = {{"boot", &r->boot},   {"command", &r->command}, {"undo", &r->undo},
		     {"after", &r->after}, {"type", &r->type},	     {"id", &r->id},
		     {"user", &r->user}};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		xreplace(texts[i].slot, fields_get(f, texts[i].name));
	for (size_t i = 0; i < f->count; i++) {
		const char *name = str_after(f->items[i].name, "arg.");

		if (name)
			fields_add_n(&r->args, name, f->items[i].value, f->items[i].size);
	}
}

int job_record_decode(const void *data, size_t size, struct job_record *ret, struct err *err)
{
	autofields f = FIELDS_INIT;
	autorecord record = {0};
	struct cursor c = cursor_on(data, size);
	int r = fields_decode(&c, &f, err);

	if (r < 0)
		return err_prefix(err, "job record");
	if ((r = take_program(fields_get(&f, "program"), &record.program, err)) < 0 ||
	    (r = take_serial(fields_get(&f, "serial"), record.serial, err)) < 0 ||
	    (r = take_guest(fields_get(&f, "guest"), &record.guest, err)) < 0 ||
	    (r = take_guest(fields_get(&f, "other"), &record.other, err)) < 0)
		return r;
	take_texts(&f, &record);
	if (!record.command || !record.boot)
		return err_set(err, ERR_CORRUPT, "job record: command or boot id missing");
	*ret = record;
	record = (struct job_record){0};
	return 0;
}

void job_record_fini(struct job_record *r)
{
	free(r->boot);
	free(r->command);
	free(r->undo);
	free(r->after);
	free(r->type);
	free(r->id);
	free(r->user);
	fields_fini(&r->args);
	*r = (struct job_record){0};
}

static bool is_undo_due(const char *rest, size_t size)
{
	return size == strlen(JOB_STATUS_UNDO) && memcmp(rest, JOB_STATUS_UNDO, size) == 0;
}

int job_status_parse(const char *text, size_t size, struct job_status *ret, struct err *err)
{
	const char *end = memchr(text, '\n', size);
	const char *space = end ? memchr(text, ' ', (size_t)(end - text)) : NULL;
	uint64_t end_time;

	if (!space || space + 1 == end)
		return err_set(err, ERR_CORRUPT, "status file is incomplete");
	autofree char *number = xstrndup(text, (size_t)(space - text));
	if (!str_to_u64(number, &end_time))
		return err_set(err, ERR_CORRUPT, "status file has no end time");
	size_t length = (size_t)(end - space - 1);
	if (length > JOB_EXIT_TEXT_MAX)
		length = JOB_EXIT_TEXT_MAX;
	char *line = xstrndup(space + 1, length);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	*ret = (struct job_status){.end = end_time,
				   .text = line,
				   .is_unfinished =
					   is_undo_due(end + 1, size - (size_t)(end + 1 - text))};
	return 0;
}
