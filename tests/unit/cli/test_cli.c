/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: options, and what tables make of values. */
#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/base/mem.h"
#include "agent/cli/console.h"

#define PARSE(cli, ...)                                                                            \
	({                                                                                         \
		const char *argv_[] = {"lodge", "x", __VA_ARGS__, NULL};                           \
		cli_args_parse((int)ARRAY_SIZE(argv_) - 1, (char **)argv_, cli, &err);             \
	})

static void words_and_options(void **state)
{
	struct err err = ERR_INIT;
	struct cli cli;

	(void)state;
	assert_int_equal(PARSE(&cli, "101", "--memory", "512", "--start",
			       "--net0=name=eth0,bridge=b", "--json", "rest"),
			 0);
	assert_int_equal(cli.word_count, 2);
	assert_string_equal(cli.words[1], "rest");
	assert_string_equal(fields_get(&cli.options, "memory"), "512");
	assert_string_equal(fields_get(&cli.options, "start"), "1");
	assert_string_equal(fields_get(&cli.options, "net0"), "name=eth0,bridge=b");
	assert_true(cli.wants_json);
	assert_null(fields_get(&cli.options, "json"));
	cli_args_fini(&cli);
}

static void two_dashes_end_the_options(void **state)
{
	struct err err = ERR_INIT;
	struct cli cli;

	(void)state;
	assert_int_equal(PARSE(&cli, "--", "--memory"), 0);
	assert_string_equal(cli.words[0], "--memory");
	assert_int_equal(cli.options.count, 0);
	cli_args_fini(&cli);
}

static void wrong_options_are_refused(void **state)
{
	struct err err = ERR_INIT;
	struct cli cli;

	(void)state;
	assert_int_equal(PARSE(&cli, "--=x"), -ERR_INVALID);
}

/* What the CLI has no use for is a parameter of the call: the core says that it does not know it. */
static void other_options_are_passed_on(void **state)
{
	struct err err = ERR_INIT;
	struct cli cli;

	(void)state;
	assert_int_equal(PARSE(&cli, "--timeout-call", "never"), 0);
	assert_string_equal(fields_get(&cli.options, "timeout-call"), "never");
	cli_args_fini(&cli);
}

static void values_for_people(void **state)
{
	static const struct {
		const char *json;
		struct cli_column column;
		const char *text;
	} cases[] = {
		{"{\"a\":1536}", {"", "a", CLI_BYTES}, "1.5 KiB"},
		{"{\"a\":17}", {"", "a", CLI_BYTES}, "17 B"},
		{"{\"a\":0.256}", {"", "a", CLI_PERCENT}, "25.6 %"},
		{"{\"a\":90061}", {"", "a", CLI_DURATION}, "1d 01:01:01"},
		{"{\"a\":\"x\\u001b[31my\"}", {"", "a", CLI_TEXT}, "x?[31my"},
		{"{\"b\":1}", {"", "a", CLI_TEXT}, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autojson *row = json_tokener_parse(cases[i].json);
		autobuf text = BUF_INIT;

		cli_format(&text, &cases[i].column, row);
		assert_string_equal(buf_str(&text), cases[i].text);
	}
}

/* What a guest's owner or template wrote does not drive the terminal of the one who reads it. */
/* A console that says nothing does not hold the user; a window that changes its size is no reason to end. */
static void a_silent_console_can_be_left(void **state)
{
	static const int sent[] = {SIGWINCH, SIGINT};
	struct escape escape = {.key = -1};
	struct err err = ERR_INIT;
	bool has_left = false;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	struct console c = {.fd = ends[0], .login = xstrdup("root@pam:T\n")};
	int signals = console_signals(true, &err);

	assert_true(signals >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(sent); i++)
		raise(sent[i]);
	assert_int_equal(console_terminal(&c, &escape, signals, &has_left, &err), -ERR_CANCELLED);
	console_fini(&c);
	close(ends[1]);
	close(signals);
}

static void control_characters_are_shown_as_such(void **state)
{
	autobuf text = BUF_INIT;

	(void)state;
	cli_text_add(&text, "a\033[2Jb\r\n\tc\x7f \xc2\x9b"
			    "31m \xc3\xa9 \xc2\xa0");
	assert_string_equal(buf_str(&text), "a?[2Jb?\n\tc? ?31m \xc3\xa9 \xc2\xa0");
}

/* What is typed, with ^] as the escape key; Q: the user leaves there, ?: help. */
static void escape_keys(void **state)
{
	static const struct {
		const char *typed, *guest;
		enum escape_act last;
	} cases[] = {
		{"ls\r", "ls\r", ESCAPE_NONE},	     {"\x1dq", "", ESCAPE_QUIT},
		{"a\x1d.", "a", ESCAPE_QUIT},	     {"\x1d", "", ESCAPE_NONE},
		{"\x1d\x1dq", "\x1dq", ESCAPE_NONE}, {"\x1dx", "", ESCAPE_HELP},
		{"\x1d?q", "q", ESCAPE_NONE},	     {"q", "q", ESCAPE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct escape e;
		enum escape_act act = ESCAPE_NONE;
		autobuf guest = BUF_INIT;

		assert_int_equal(escape_parse("^]", &e, NULL), 0);
		for (const char *c = cases[i].typed; *c; c++)
			act = escape_step(&e, (unsigned char)*c, &guest);
		assert_string_equal(buf_str(&guest), cases[i].guest);
		assert_int_equal(act, cases[i].last);
	}
}

static void escape_names(void **state)
{
	static const struct {
		const char *text;
		int key;
	} cases[] = {{"^]", 0x1d}, {"^a", 1},  {"^A", 1},   {"^_", 0x1f},
		     {"~", '~'},   {"^", '^'}, {"none", -1}};
	static const char *const wrong[] = {"", "^1", "^]x", "ctrl-a", "nones"};
	struct escape e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(escape_parse(cases[i].text, &e, NULL), 0);
		assert_int_equal(e.key, cases[i].key);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(escape_parse(wrong[i], &e, NULL), -ERR_INVALID);
}

/* Without an escape key everything is the guest's. */
static void no_escape_key(void **state)
{
	struct escape e;
	autobuf guest = BUF_INIT;

	(void)state;
	assert_int_equal(escape_parse("none", &e, NULL), 0);
	for (unsigned c = 1; c < 256; c++)
		assert_int_equal(escape_step(&e, (unsigned char)c, &guest), ESCAPE_NONE);
	assert_int_equal(guest.size, 255);
}

static void frames_of_what_is_typed(void **state)
{
	autobuf out = BUF_INIT;

	(void)state;
	console_frame("a\0b", 3, &out);
	assert_int_equal(out.size, 7);
	assert_memory_equal(out.data, "0:3:a\0b", 7);
}

static void every_command_is_found(void **state)
{
	(void)state;
	for (const struct cli_command *c = cli_commands; c->name; c++)
		assert_ptr_equal(cli_command_find(c->name), c);
	assert_null(cli_command_find("nonsense"));
}

/* Feeds lines; returns what the last complete event looks like. */
static void events_as_lines(void **state)
{
	static const struct {
		const char *lines[6];
		const char *shown, *last_id;
	} cases[] = {
		{{"retry: 1000", "", ": ", ""}, NULL, ""},
		{{"id: b-1", "event: sync", "data: {\"reason\":\"new\"}", ""},
		 "sync        new",
		 "b-1"},
		{{"id: b-2", "event: guest",
		  "data: "
		  "{\"id\":\"lxc/100\",\"name\":\"a\\u001bb\",\"status\":\"running\",\"cpu\":0.5,"
		  "\"mem\":1024}",
		  ""},
		 "guest       lxc/100  a?b  running  CPU 50.0 %  memory 1.0 KiB",
		 "b-2"},
		{{"id: b-3", "event: config", "data: {\"path\":\"/x.cfg\",\"version\":7}", ""},
		 "config      /x.cfg  version 7",
		 "b-3"},
		{{"id: b-4", "event: news", "data: {\"x\":1}", ""}, "news      ", "b-4"},
		/* cut off in the middle: it does not count as seen */
		{{"id: b-5", "event: sync", "data: {\"reason\":\"new\"}"}, NULL, "b-4"},
	};
	struct cli_event event = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_complete = false;

		for (const char *const *line = cases[i].lines; *line; line++)
			is_complete |= cli_event_take_line(&event, *line);
		assert_int_equal(is_complete, cases[i].shown != NULL);
		assert_string_equal(buf_str(&event.last_id), cases[i].last_id);
		if (is_complete) {
			autojson *data = json_tokener_parse(buf_str(&event.data));
			autobuf text = BUF_INIT;

			cli_event_format(&text, &event, data);
			assert_string_equal(buf_str(&text), cases[i].shown);
		}
		buf_clear(&event.data);
	}
	cli_event_fini(&event);
}

static void kvm_in_one_line(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"{}", "KVM: not tested yet; 'lodge kvm-check' does it"},
		{"{\"usable\":1,\"reason\":\"ready\",\"tested\":1700000000,\"kernel\":\"6.1\","
		 "\"outdated\":0}",
		 "KVM: usable: ready (tested 2023-11-14 22:13:20)"},
		{"{\"usable\":0,\"reason\":\"a\\u001bb\",\"tested\":1700000000,\"kernel\":\"6.1\","
		 "\"outdated\":1,\"remedy\":\"pray\"}",
		 "KVM: not usable: a?b (tested 2023-11-14 22:13:20 under kernel 6.1, another one "
		 "runs "
		 "now: test again with 'lodge kvm-check'); remedy: pray"},
	};

	(void)state;
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autojson *kvm = json_tokener_parse(cases[i].json);
		autobuf got = BUF_INIT;

		cli_kvm_describe(kvm, &got);
		assert_string_equal(buf_str(&got), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_options),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(other_options_are_passed_on),
		cmocka_unit_test(values_for_people),
		cmocka_unit_test(every_command_is_found),
		cmocka_unit_test(escape_keys),
		cmocka_unit_test(escape_names),
		cmocka_unit_test(no_escape_key),
		cmocka_unit_test(frames_of_what_is_typed),
		cmocka_unit_test(a_silent_console_can_be_left),
		cmocka_unit_test(control_characters_are_shown_as_such),
		cmocka_unit_test(events_as_lines),
		cmocka_unit_test(kvm_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
