/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lodge-gate --sandbox-probe WHAT ARGUMENT: enters the sandbox, tries one thing, and says on stdout
 * "refused ERRNO", "refused signal N" or "DONE". In test builds (LODGE_TEST_HOOKS) only. */
#pragma once

#include <stdbool.h>

#ifdef LODGE_TEST_HOOKS
bool probe_is_wanted(int argc, char **argv);
int probe_main(int argc, char **argv);
#else
static inline bool probe_is_wanted(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return false;
}
static inline int probe_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 1;
}
#endif
