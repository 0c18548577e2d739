/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks lodge-task what an image says: the job itself never reads what others made. Runs in jobs. */
#include "agent/guest/ct/image.h"

#include <signal.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/cursor.h"
#include "agent/base/exec.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define READ_TIMEOUT (120 * USEC_PER_SEC)

static int ask(const char *path, struct fields *ret, struct err *err)
{
	autofree char *program = path_join(path_libexec(), "lodge-task");
	const char *const argv[] = {program, "image-config", path, NULL};
	struct exec_result result = {0};
	const struct exec_run run = {.argv = argv, .deadline = clock_monotonic() + READ_TIMEOUT};
	int r = exec_run(&run, &result, err);

	if (r == 0) {
		struct cursor c = cursor_on(result.output.data, result.output.size);

		r = fields_decode(&c, ret, err);
	}
	exec_result_fini(&result);
	return r;
}

int ct_image_config(struct task_ctx *task, const char *path, struct guest_config *config,
		    struct err *err)
{
	static const char *const keys[][2] = {
		{"entrypoint", "entrypoint"},
		{"env", "env"},
		{"uid", "lxc.init.uid"},
		{"gid", "lxc.init.gid"},
	};
	autofields image = FIELDS_INIT;
	int r;

	/* only a plain tar is one: nobody else's creation waits for the question */
	if (!str_ends(path, ".tar"))
		return 0;
	r = ask(path, &image, err);
	if (r < 0)
		return err_prefix(err, "template");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = fields_get(&image, keys[i][0]);

		if (value && !guest_config_get(config, keys[i][1])) {
			guest_config_set(config, keys[i][1], value);
			task_log("%s from the image: %s", keys[i][1], value);
		}
	}
	for (size_t i = 0; i < image.count; i++)
		if (str_eq(image.items[i].name, "note"))
			task_warn(task, "%s", image.items[i].value);
	return 0;
}

/* The end of the word that begins here: its own quote, or white space. */
static const char *word_end(const char *word)
{
	const char *quote = *word == '"' || *word == '\'' ? strchr(word + 1, *word) : NULL;

	return quote && (quote[1] == '\0' || quote[1] == ' ' || quote[1] == '\t')
		       ? quote + 1
		       : word + strcspn(word, " \t");
}

char **ct_command_words(const char *line)
{
	char **words = xcalloc(1, sizeof(*words));
	size_t count = 0;

	for (line += strspn(line, " \t"); *line; line += strspn(line, " \t")) {
		const char *end = word_end(line);
		bool is_quoted = end > line + 1 && end[-1] == *line && strchr("\"'", *line);

		words = xrealloc(words, count + 2, sizeof(*words));
		words[count++] = is_quoted ? xstrndup(line + 1, (size_t)(end - line) - 2)
					   : xstrndup(line, (size_t)(end - line));
		words[count] = NULL;
		line = end;
	}
	return words;
}

int ct_halt_signal(const struct guest_config *config, enum ct_init init)
{
	const char *program = guest_config_get(config, "entrypoint");
	const char *rest = str_after(program ?: "/sbin/init", "/sbin/init");

	return rest && (*rest == '\0' || *rest == ' ') ? ct_init_halt_signal(init) : SIGTERM;
}
