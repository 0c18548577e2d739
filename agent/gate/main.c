/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-gate: HTTPS in front of the core. Opens what it needs, gives up every privilege, serves. */
#include <malloc.h>

#include "agent/base/log.h"
#include "agent/gate/gate.h"
#include "agent/gate/probe.h"
#include "agent/gate/sandbox.h"

#define MMAP_THRESHOLD (128 * 1024) /* fixed: large answers go back to the system when freed */

static int serve(struct gate *gate, const struct gate_options *options, struct err *err)
{
	const char *core_path = NULL;
	int r = gate_open(gate, options, err);

	if (r == 0) {
		struct sandbox sandbox = {
			.user = options->user,
			.readable = {gate->webui_fd, gate_tls_dir(gate->tls)},
		};

		r = sandbox_enter(&sandbox, &core_path, err);
	}
	return r < 0 ? r : gate_run(gate, core_path, err);
}

int main(int argc, char **argv)
{
	struct gate gate = {.webui_fd = -1};
	struct gate_options options;
	struct err err = ERR_INIT;
	int r;

	log_open("lodge-gate");
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
	if (probe_is_wanted(argc, argv))
		return probe_main(argc, argv);
	r = gate_options_parse(argc, argv, &options, &err);
	if (r == 0)
		r = serve(&gate, &options, &err);
	if (r < 0)
		log_error("%s", err.message);
	gate_close(&gate);
	return r < 0 ? 1 : 0;
}
