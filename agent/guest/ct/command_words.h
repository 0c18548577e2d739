/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a container's first command. Pure. */
#pragma once

/* Separated by blanks; quotes, of both kinds, keep blanks and the other kind; there is no escape. An open quote ends with
 * the line. NULL-terminated, for strv_free(); NULL: no word. */
char **ct_command_words(const char *line);
