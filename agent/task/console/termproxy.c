/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parser of what a viewer of a terminal sends. Pure.
 *
 *   LOGIN --\n--> FRAME --'0'--> LENGTH' --:--> LENGTH --:--> DATA --(all)--> FRAME
 *                       --'1'--> SIZE'   --:--> COLS --:--> ROWS --:--> FRAME
 *                       --'2'--> FRAME */
#include "agent/task/console/termproxy.h"

#include <string.h>

enum state { LOGIN, FRAME, COLON_LENGTH, LENGTH, DATA, COLON_COLS, COLS, ROWS };

void termproxy_init(struct termproxy *p)
{
	*p = (struct termproxy){.state = LOGIN};
}

static int bad(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "the viewer sent what is no terminal frame: %s", what);
}

static int step_login(struct termproxy *p, char c, struct termproxy_event *ret, struct err *err)
{
	if (c == '\n') {
		p->line[p->line_size] = '\0';
		p->state = FRAME;
		*ret = (struct termproxy_event){
			.kind = TERMPROXY_LOGIN, .data = p->line, .size = p->line_size};
		return 1;
	}
	if (p->line_size == sizeof(p->line) - 1)
		return bad(err, "its first line is too long");
	p->line[p->line_size++] = c;
	return 0;
}

static int step_frame(struct termproxy *p, char c, struct termproxy_event *ret, struct err *err)
{
	switch (c) {
	case '0':
		p->state = COLON_LENGTH;
		return 0;
	case '1':
		p->state = COLON_COLS;
		return 0;
	case '2':
		*ret = (struct termproxy_event){.kind = TERMPROXY_PING};
		return 1;
	default:
		return bad(err, "unknown kind");
	}
}

static int step_colon(struct termproxy *p, char c, struct err *err)
{
	if (c != ':')
		return bad(err, "no ':' behind the kind");
	p->state = p->state == COLON_LENGTH ? LENGTH : COLS;
	p->numbers[0] = p->numbers[1] = p->digits = 0;
	return 0;
}

/* 1: the number is complete. */
static int take_digit(struct termproxy *p, char c, unsigned *number, unsigned max, struct err *err)
{
	if (c == ':')
		return p->digits > 0 ? 1 : bad(err, "a number is missing");
	if (c < '0' || c > '9')
		return bad(err, "not a number");
	*number = *number * 10 + (unsigned)(c - '0');
	p->digits++;
	if (*number > max || p->digits > 8)
		return bad(err, "a number is too large");
	return 0;
}

static int step_length(struct termproxy *p, char c, struct err *err)
{
	int r = take_digit(p, c, &p->numbers[0], TERMPROXY_DATA_MAX, err);

	if (r <= 0)
		return r;
	p->left = p->numbers[0];
	p->state = p->left ? DATA : FRAME;
	return 0;
}

static int step_side(struct termproxy *p, char c, struct termproxy_event *ret, struct err *err)
{
	unsigned at = p->state == COLS ? 0 : 1;
	int r = take_digit(p, c, &p->numbers[at], TERMPROXY_SIDE_MAX, err);

	if (r <= 0)
		return r;
	p->digits = 0;
	p->state = at == 0 ? ROWS : FRAME;
	if (at == 0 || p->numbers[0] == 0 || p->numbers[1] == 0)
		return 0; /* a window that is hidden has no size */
	*ret = (struct termproxy_event){
		.kind = TERMPROXY_SIZE, .cols = p->numbers[0], .rows = p->numbers[1]};
	return 1;
}

static int step(struct termproxy *p, char c, struct termproxy_event *ret, struct err *err)
{
	switch ((enum state)p->state) {
	case LOGIN:
		return step_login(p, c, ret, err);
	case FRAME:
		return step_frame(p, c, ret, err);
	case COLON_LENGTH:
	case COLON_COLS:
		return step_colon(p, c, err);
	case LENGTH:
		return step_length(p, c, err);
	case COLS:
	case ROWS:
		return step_side(p, c, ret, err);
	case DATA:
		break;
	}
	return 0;
}

static size_t take_data(struct termproxy *p, const char *data, size_t size,
			struct termproxy_event *ret)
{
	size_t here = size < p->left ? size : p->left;

	p->left -= here;
	if (p->left == 0)
		p->state = FRAME;
	*ret = (struct termproxy_event){.kind = TERMPROXY_DATA, .data = data, .size = here};
	return here;
}

int termproxy_next(struct termproxy *p, const char *input, size_t size, size_t *ret_used,
		   struct termproxy_event *ret, struct err *err)
{
	size_t used = 0;

	while (used < size) {
		if (p->state == DATA) {
			used += take_data(p, input + used, size - used, ret);
			*ret_used = used;
			return 1;
		}
		int r = step(p, input[used++], ret, err);

		if (r != 0) {
			*ret_used = used;
			return r;
		}
	}
	*ret_used = used;
	return 0;
}
