/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `lodge-task unpack PPID RATE`: a step of a container's creation, in a process of its own so that what reads
 * hostile archives is not mapped into the container's monitor. Descriptor 0: the archive, 1: the task's
 * log, 2: one line "CODE message" on failure (enum err_code), 3: the root. RATE: bytes a second at most, 0: no bound. Ends with the
 * process PPID. */
#pragma once

/* argv after "unpack"; the exit code. */
int unpack_main(int argc, char **argv);
