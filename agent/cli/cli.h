/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands of `lodge` share: one API call over the core's local socket, options, tables,
 * following a task. One process per invocation; runs as the caller, who must be root. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <json-c/json.h>

#include "agent/base/err.h"
#include "agent/base/fields.h"

/* The words of the command line after the command's name. */
struct cli {
	char **words; /* positional arguments, NULL-terminated */
	size_t word_count;
	struct fields options; /* --name value, --name=value, in order; a bare --name is "1" */
	bool wants_json;       /* --json: data as it came */
	bool no_wait;	       /* --no-wait: print the UPID, do not follow the task */
	int exit_code;	       /* of lodge, where the command went well */
};

struct cli_command {
	const char *name;
	const char *usage; /* words after "lodge NAME" */
	const char *text;  /* one line for the list of commands */
	int (*run)(struct cli *cli, struct err *err);
	/* API route whose parameters are the command's options: "POST /nodes/{node}/lxc"; or NULL */
	const char *route;
};

extern const struct cli_command cli_commands[]; /* ended by a NULL name */
const struct cli_command *cli_command_find(const char *name);

/* args.c: splits argv[2...]. Options that the CLI itself takes are removed from the list. */
int cli_args_parse(int argc, char **argv, struct cli *ret, struct err *err);
void cli_args_fini(struct cli *cli);
/* The word at index, or an error that shows the usage. */
int cli_word(const struct cli *cli, size_t index, const char *what, const char **ret,
	     struct err *err);

/* call.c: *ret is the "data" member (may be NULL for null); the caller puts it. An error reply
 * becomes err with the reply's text, one line for each wrong parameter. */
int cli_call(const char *verb, const char *path, const struct fields *params, int fd,
	     struct json_object **ret, struct err *err);
/* GET, with another member of the envelope beside data (NULL where it is not there). */
int cli_get_with(const char *path, const struct fields *params, const char *name,
		 struct json_object **ret, struct json_object **ret_member, struct err *err);
/* GET of a path that answers with a stream: its descriptor. With last_event_id ("": none yet) the stream can be
 * resumed, so the call is sent again when the connection breaks; NULL: it is not. */
int cli_stream(const char *path, const struct fields *params, const char *last_event_id,
	       int *ret_fd, struct err *err);
/* The same of a POST; it is sent once. */
int cli_stream_post(const char *path, const struct fields *params, int *ret_fd, struct err *err);
/* GET without parameters. */
int cli_get(struct json_object **ret, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static inline void json_putp(struct json_object **o)
{
	json_object_put(*o);
}
#define autojson __attribute__((cleanup(json_putp))) struct json_object
const char *cli_member(struct json_object *o, const char *key); /* as text, "" when absent */
int64_t cli_member_int(struct json_object *o, const char *key);

/* node.c */
int cli_node(char **ret, struct err *err); /* this node's name (heap) */
struct cli_guest {
	char *node;   /* heap */
	char kind[8]; /* "lxc" or "qemu" */
	unsigned vmid;
};
int cli_guest_find(const char *word, struct cli_guest *ret, struct err *err);
void cli_guest_fini(struct cli_guest *guest);
/* cmd_guest.c: a call of the guest with the options as its parameters; a task is followed. */
int cli_guest_call(struct cli *cli, const char *word, const char *verb, const char *below,
		   struct err *err);

/* table.c: columns as wide as their content, control characters replaced. */
struct cli_column {
	const char *title;
	const char *key; /* member of each row */
	enum { CLI_TEXT, CLI_BYTES, CLI_PERCENT, CLI_DURATION, CLI_TIME } kind;
};
void cli_table_print(FILE *out, const struct cli_column *columns, size_t count,
		     struct json_object *rows);
void cli_json_print(FILE *out, struct json_object *data);
/* Text of somebody else, of several lines, as a terminal may see it. */
void cli_text_add(struct buf *out, const char *text);
/* One value as a table shows it; for tests. */
void cli_format(struct buf *out, const struct cli_column *column, struct json_object *row);

/* follow.c: prints the task's log as it grows; 0 when it ended OK or with warnings. */
int cli_task_follow(const char *upid, struct err *err);
/* The same without its log. */
int cli_task_wait(const char *upid, struct err *err);
/* What to do with what a call returned: print it, as JSON if that is wanted; the task of a UPID is followed unless --no-wait. */
int cli_task_result(const struct cli *cli, struct json_object *upid, struct err *err);

/* cmd_events.c, for tests: one line of a stream of server-sent events. */
struct cli_event {
	struct buf id, type, data;
	struct buf last_id; /* of the last event that was complete */
};
bool cli_event_take_line(struct cli_event *event,
			 const char *line); /* true: the event is complete */
void cli_event_format(struct buf *out, struct cli_event *event, struct json_object *data);
void cli_event_fini(struct cli_event *event);
/* cmd_kvm.c: one line on KVM as GET /nodes/{node}/kvm describes it. */
void cli_kvm_describe(struct json_object *kvm, struct buf *out);

/* diff.c: appends the difference in the unified format, safe for a terminal; nothing if there is none. */
struct cli_text {
	const char *name, *text;
};
void cli_diff(struct buf *out, const struct cli_text *old, const struct cli_text *new);

/* the commands */
int cli_ls(struct cli *cli, struct err *err);
int cli_status(struct cli *cli, struct err *err);
int cli_kvm_check(struct cli *cli, struct err *err);
int cli_create(struct cli *cli, struct err *err);
int cli_start(struct cli *cli, struct err *err);
int cli_stop(struct cli *cli, struct err *err);
int cli_shutdown(struct cli *cli, struct err *err);
int cli_reboot(struct cli *cli, struct err *err);
int cli_startall(struct cli *cli, struct err *err);
int cli_stopall(struct cli *cli, struct err *err);
int cli_destroy(struct cli *cli, struct err *err);
int cli_suspend(struct cli *cli, struct err *err);
int cli_resume(struct cli *cli, struct err *err);
int cli_config(struct cli *cli, struct err *err);
int cli_snapshot(struct cli *cli, struct err *err);
int cli_rollback(struct cli *cli, struct err *err);
int cli_clone(struct cli *cli, struct err *err);
int cli_template(struct cli *cli, struct err *err);
int cli_resize(struct cli *cli, struct err *err);
int cli_move(struct cli *cli, struct err *err);
int cli_events(struct cli *cli, struct err *err);
int cli_console(struct cli *cli, struct err *err);
int cli_enter(struct cli *cli, struct err *err);
int cli_exec(struct cli *cli, struct err *err);
int cli_task(struct cli *cli, struct err *err);
int cli_history(struct cli *cli, struct err *err);
int cli_network(struct cli *cli, struct err *err);
int cli_config_diff(struct cli *cli, struct err *err);
int cli_revert(struct cli *cli, struct err *err);
int cli_store(struct cli *cli, struct err *err);
int cli_token(struct cli *cli, struct err *err);
int cli_passwd(struct cli *cli, struct err *err);
int cli_upload(struct cli *cli, struct err *err);
int cli_storage(struct cli *cli, struct err *err);
int cli_download(struct cli *cli, struct err *err);
int cli_raw_get(struct cli *cli, struct err *err);
int cli_raw_put(struct cli *cli, struct err *err);
int cli_raw_post(struct cli *cli, struct err *err);
int cli_raw_delete(struct cli *cli, struct err *err);
int cli_api(struct cli *cli, struct err *err);
int cli_help(struct cli *cli, struct err *err);
