/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration and a change, separated by a line "---": lines "+key=value", "-key", "=key" and
 * "!" (running). What results must be readable, and merging must leave nothing waiting. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/update.h"

#define SEPARATOR "\n---\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	struct fields set;
	struct buf deleted, reverted;
	bool is_running;
};

static void input_line(struct input *in, char *line)
{
	char *equals = strchr(line, '=');

	if (line[0] == '+' && equals) {
		*equals = '\0';
		fields_add(&in->set, line + 1, equals + 1);
	} else if (line[0] == '-') {
		buf_addf(&in->deleted, "%s,", line + 1);
	} else if (line[0] == '=') {
		buf_addf(&in->reverted, "%s,", line + 1);
	} else if (line[0] == '!') {
		in->is_running = true;
	}
}

static void check(struct guest_config *config)
{
	struct guest_config back;
	autobuf text = BUF_INIT;
	struct err err = ERR_INIT;

	guest_config_format(config, &text);
	if (guest_config_parse(text.data ? text.data : "", text.size, &back, &err) < 0)
		abort();
	guest_config_fini(&back);
	config_pending_merge(config);
	if (guest_config_section(config, "PENDING"))
		abort();
}

static void change(struct guest_config *config, const char *script)
{
	autostrv char **lines = str_split(script, "\n");
	struct input in = {0};
	struct err err = ERR_INIT;

	for (size_t i = 0; lines[i] && in.set.count < 64; i++)
		input_line(&in, lines[i]);
	guest_config_update(&guest_kind_ct, config,
			    &(struct guest_update){.set = &in.set,
						   .delete_list = buf_str(&in.deleted),
						   .revert_list = buf_str(&in.reverted),
						   .is_running = in.is_running},
			    &err);
	check(config);
	fields_fini(&in.set);
	buf_fini(&in.deleted);
	buf_fini(&in.reverted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_config config;
	struct err err = ERR_INIT;

	if (size > 64 * 1024)
		return 0;
	autofree char *text = xstrndup((const char *)data, size);
	char *script = strstr(text, SEPARATOR);

	if (!script)
		return 0;
	script[1] = '\0';
	if (guest_config_parse(text, strlen(text), &config, &err) == 0) {
		change(&config, script + strlen(SEPARATOR));
		guest_config_fini(&config);
	}
	return 0;
}
