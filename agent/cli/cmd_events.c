/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command events: follows the stream of what changes, across restarts of the core. */
#include "agent/cli/cli.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define EVENT_MAX   (1024u * 1024)
#define PAUSE_MS    200 /* before the next connection, so that no fault makes this loop busy */
#define MEMBERS_MAX 6

static const struct {
	const char *type;
	struct cli_column members[MEMBERS_MAX]; /* the title stands before the value */
} shown[] = {
	{"guest",
	 {{"", "id", CLI_TEXT},
	  {"", "name", CLI_TEXT},
	  {"", "status", CLI_TEXT},
	  {"CPU", "cpu", CLI_PERCENT},
	  {"memory", "mem", CLI_BYTES},
	  {"lock", "lock", CLI_TEXT}}},
	{"guest-gone", {{"", "id", CLI_TEXT}}},
	{"node",
	 {{"", "id", CLI_TEXT},
	  {"", "status", CLI_TEXT},
	  {"CPU", "cpu", CLI_PERCENT},
	  {"memory", "mem", CLI_BYTES}}},
	{"task",
	 {{"", "type", CLI_TEXT},
	  {"", "id", CLI_TEXT},
	  {"by", "user", CLI_TEXT},
	  {"", "status", CLI_TEXT},
	  {"", "upid", CLI_TEXT}}},
	{"config", {{"", "path", CLI_TEXT}, {"version", "version", CLI_TEXT}}},
	{"sync", {{"", "reason", CLI_TEXT}}},
};

static void set(struct buf *buf, const char *value)
{
	buf_clear(buf);
	buf_add_str(buf, value);
}

bool cli_event_take_line(struct cli_event *event, const char *line)
{
	const char *value;

	if ((value = str_after(line, "id: ")))
		set(&event->id, value);
	else if ((value = str_after(line, "event: ")))
		set(&event->type, value);
	else if ((value = str_after(line, "data: ")))
		set(&event->data, value);
	if (line[0] != '\0' || event->data.size == 0)
		return false;
	set(&event->last_id, buf_str(&event->id));
	return true;
}

void cli_event_fini(struct cli_event *event)
{
	buf_fini(&event->id);
	buf_fini(&event->type);
	buf_fini(&event->data);
	buf_fini(&event->last_id);
}

static void add_members(struct buf *out, const struct cli_column *members, struct json_object *data)
{
	for (size_t i = 0; i < MEMBERS_MAX && members[i].key; i++) {
		autobuf text = BUF_INIT;

		cli_format(&text, &members[i], data);
		if (text.size == 0)
			continue;
		buf_addf(out, "  %s%s%s", members[i].title, members[i].title[0] ? " " : "",
			 buf_str(&text));
	}
}

void cli_event_format(struct buf *out, struct cli_event *event, struct json_object *data)
{
	const char *type = buf_str(&event->type);

	buf_addf(out, "%-10s", type);
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (str_eq(shown[i].type, type))
			add_members(out, shown[i].members, data);
}

static void print_json(struct cli_event *event, struct json_object *data)
{
	autojson *line = json_object_new_object();
	int64_t now = (int64_t)(clock_wall() / USEC_PER_SEC);

	json_object_object_add(line, "time", json_object_new_int64(now));
	json_object_object_add(line, "id", json_object_new_string(buf_str(&event->id)));
	json_object_object_add(line, "event", json_object_new_string(buf_str(&event->type)));
	json_object_object_add(line, "data", json_object_get(data));
	puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void print_text(struct cli_event *event, struct json_object *data)
{
	autobuf line = BUF_INIT;
	char stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &tm);
	cli_event_format(&line, event, data);
	printf("%s  %s\n", stamp, buf_str(&line));
}

static int show(const struct cli *cli, struct cli_event *event, struct err *err)
{
	autojson *data = NULL;
	int r = json_parse(event->data.data, event->data.size, EVENT_MAX, &data, err);

	if (r < 0)
		return err_prefix(err, "event");
	if (cli->wants_json)
		print_json(event, data);
	else
		print_text(event, data);
	buf_clear(&event->data);
	return fflush(stdout) == 0 ? 0 : err_set(err, ERR_IO, "the output cannot be written");
}

/* To the end of one stream. An event that ends in the middle comes again. */
static int follow(const struct cli *cli, FILE *stream, struct cli_event *event, struct err *err)
{
	autofree char *line = NULL;
	size_t capacity = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = getline(&line, &capacity, stream)) > 0 && line[n - 1] == '\n') {
		line[n - 1] = '\0';
		if (cli_event_take_line(event, line))
			r = show(cli, event, err);
	}
	buf_clear(&event->data);
	return r;
}

static int connect_and_follow(const struct cli *cli, struct cli_event *event, struct err *err)
{
	FILE *stream;
	int fd, r = cli_stream("/cluster/events", &cli->options, buf_str(&event->last_id), &fd,
			       err);

	if (r < 0)
		return r;
	stream = fdopen(fd, "r");
	if (!stream) {
		close(fd);
		return err_set(err, ERR_INTERNAL, "no stream");
	}
	r = follow(cli, stream, event, err);
	fclose(stream);
	return r;
}

int cli_events(struct cli *cli, struct err *err)
{
	struct cli_event event = {0};
	int r;

	while ((r = connect_and_follow(cli, &event, err)) == 0)
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	cli_event_fini(&event);
	return r;
}
