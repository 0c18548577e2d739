/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session between a guest and a viewer that are sockets here: what is printed is drawn, what is typed arrives, a
 * viewer that does not read or stops in the middle of a message holds nobody up, and both ends end it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/task/vncterm/server.h"
#include "tiny_font.h"

#define WIDTH  80u
#define HEIGHT 35u /* two rows and a margin */
#define WAIT   10000

struct run {
	int guest, viewer, ends; /* our ends */
	int server_viewer;	 /* a copy of the server's */
	struct session session;
	struct server server;
	struct font font;
	struct buf file;
	pthread_t pump, thread;
	int pumped;
};

static void *pump_main(void *ctx)
{
	struct run *run = ctx;

	run->pumped = session_pump(&run->session, NULL);
	return NULL;
}

static void *server_main(void *ctx)
{
	server_run(ctx);
	return NULL;
}

static void begin(struct run *run)
{
	int guest[2], viewer[2];

	memset(run, 0, sizeof(*run));
	signal(SIGPIPE, SIG_IGN);
	tiny_font_make(&run->file);
	assert_int_equal(font_parse(run->file.data, run->file.size, &run->font, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, guest), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, viewer), 0);
	run->guest = guest[0];
	run->viewer = viewer[0];
	run->server_viewer = dup(viewer[1]);
	run->ends = eventfd(0, EFD_CLOEXEC);
	run->session = (struct session){.terminal = guest[1], .ends = run->ends};
	assert_int_equal(
		session_init(&run->session, WIDTH / FONT_WIDTH, HEIGHT / FONT_HEIGHT, NULL), 0);
	run->server = (struct server){.session = &run->session,
				      .font = &run->font,
				      .viewer = viewer[1],
				      .width = WIDTH,
				      .height = HEIGHT,
				      .name = "test"};
	assert_int_equal(pthread_create(&run->pump, NULL, pump_main, run), 0);
	assert_int_equal(pthread_create(&run->thread, NULL, server_main, &run->server), 0);
}

static void finish(struct run *run)
{
	pthread_join(run->thread, NULL);
	assert_int_equal(run->pumped, 0);
	close(run->session.terminal);
	session_fini(&run->session);
	close(run->guest);
	close(run->viewer);
	close(run->server_viewer);
	close(run->ends);
	buf_fini(&run->file);
}

/* Both threads must end by themselves. */
static void end(struct run *run)
{
	pthread_join(run->pump, NULL);
	finish(run);
}

static void take(int fd, void *ret, size_t size)
{
	for (size_t at = 0; at < size;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		assert_int_equal(poll(&p, 1, WAIT), 1);
		ssize_t n = read(fd, (char *)ret + at, size - at);

		assert_true(n > 0);
		at += (size_t)n;
	}
}

static void give(int fd, const void *data, size_t size)
{
	assert_int_equal(fd_write_all(fd, data, size, NULL), 0);
}

static void shake_hands(struct run *run)
{
	char text[64];
	static const unsigned char format[] = {0, 0,   0, 0,   32, 24, 0, 1, 0, 255,
					       0, 255, 0, 255, 16, 8,  0, 0, 0, 0};
	static const unsigned char raw_only[] = {2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x11};

	take(run->viewer, text, 12);
	assert_memory_equal(text, "RFB 003.008\n", 12);
	give(run->viewer, "RFB 003.008\n", 12);
	take(run->viewer, text, 2);
	assert_memory_equal(text, "\1\1", 2); /* None is all there is */
	give(run->viewer, "\1", 1);
	take(run->viewer, text, 4);
	assert_memory_equal(text, "\0\0\0\0", 4);
	give(run->viewer, "\1", 1);
	take(run->viewer, text, 28);
	assert_memory_equal(text, "\0\120\0\43", 4);
	assert_memory_equal(text + 20, "\0\0\0\4test", 8);
	give(run->viewer, format, sizeof(format));
	give(run->viewer, raw_only, sizeof(raw_only));
}

static void ask(struct run *run, bool more)
{
	const unsigned char request[] = {3, more, 0, 0, 0, 0, 0, WIDTH, 0, HEIGHT};

	give(run->viewer, request, sizeof(request));
}

/* One update into the pixels; the cursor's shape is passed over. */
static void take_update(struct run *run, uint32_t *pixels)
{
	unsigned char head[12];

	take(run->viewer, head, 4);
	assert_int_equal(head[0], 0);
	for (unsigned n = (unsigned)head[2] << 8 | head[3]; n > 0; n--) {
		take(run->viewer, head, 12);
		unsigned x = head[1], y = head[3], w = head[5], h = head[7];
		autofree uint32_t *part = xcalloc((size_t)w * h + 1, sizeof(*part));

		take(run->viewer, part, (size_t)w * h * 4);
		if (head[8] == 0xff) {
			autofree char *mask = xcalloc((w + 7) / 8 * h, 1);

			take(run->viewer, mask, (size_t)((w + 7) / 8) * h);
			continue;
		}
		for (unsigned row = 0; row < h; row++)
			memcpy(pixels + (size_t)(y + row) * WIDTH + x, part + (size_t)row * w,
			       w * 4);
	}
}

static uint32_t pixel_of_cell(const uint32_t *pixels, unsigned col, unsigned row)
{
	return pixels[(row * FONT_HEIGHT + 13) * WIDTH + col * FONT_WIDTH + 1];
}

/* Asks until a cell's pixel has the colour. */
static void await_colour(struct run *run, unsigned col, unsigned row, uint32_t rgb)
{
	static uint32_t pixels[WIDTH * HEIGHT];

	memset(pixels, 0, sizeof(pixels));
	ask(run, false);
	take_update(run, pixels);
	while (pixel_of_cell(pixels, col, row) != rgb) {
		ask(run, true);
		take_update(run, pixels);
	}
}

static void press(struct run *run, unsigned char key)
{
	const unsigned char down[] = {4, 1, 0, 0, 0, 0, 0, key}, up[] = {4, 0, 0, 0, 0, 0, 0, key};

	give(run->viewer, down, sizeof(down));
	give(run->viewer, up, sizeof(up));
}

#define RED "\033[38;2;255;1;2m"

static void test_draws_and_types(void **state)
{
	struct run run;
	char typed[2];

	(void)state;
	begin(&run);
	give(run.guest, RED "  L", strlen(RED) + 3); /* before there is a viewer */
	shake_hands(&run);
	await_colour(&run, 2, 0, 0xff0102);
	press(&run, 'a');
	press(&run, 'b');
	take(run.guest, typed, 2);
	assert_memory_equal(typed, "ab", 2);
	give(run.guest, "\r\nL", 3);
	await_colour(&run, 0, 1, 0xff0102);
	shutdown(run.viewer, SHUT_WR);
	end(&run);
	assert_int_equal(run.server.err.code, 0);
}

/* What the guest prints must be read all the time: the writes below would never end. */
static void print_much(struct run *run)
{
	static char data[65536];

	memset(data, 'x', sizeof(data));
	for (unsigned i = 0; i < 64; i++) /* also under sanitizers a matter of seconds */
		give(run->guest, data, sizeof(data));
	give(run->guest, "\033[2J\033[H" RED "L", strlen("\033[2J\033[H" RED "L"));
}

static void test_viewer_does_not_read(void **state)
{
	struct run run;

	(void)state;
	begin(&run);
	shake_hands(&run);
	for (unsigned i = 0; i < 200; i++) /* more than the socket takes */
		ask(&run, false);
	print_much(&run);
	for (unsigned i = 0; i < 200; i++) {
		static uint32_t pixels[WIDTH * HEIGHT];

		take_update(&run, pixels);
	}
	await_colour(&run, 0, 0, 0xff0102);
	shutdown(run.viewer, SHUT_RDWR);
	end(&run);
}

static void test_half_a_message(void **state)
{
	struct run run;

	(void)state;
	begin(&run);
	shake_hands(&run);
	give(run.viewer, "\4\1\0", 3);
	print_much(&run);
	give(run.viewer, "\0\0\0\0q", 5);
	char typed;

	take(run.guest, &typed, 1);
	assert_int_equal(typed, 'q');
	await_colour(&run, 0, 0, 0xff0102);
	give(run.viewer, "\4\1\0", 3);
	session_wake(run.ends); /* over: the thread that waits is woken by the stream's end */
	pthread_join(run.pump, NULL);
	shutdown(run.server_viewer, SHUT_RDWR);
	finish(&run);
}

static void test_guest_ends(void **state)
{
	struct run run;
	char rest;

	(void)state;
	begin(&run);
	shake_hands(&run);
	await_colour(&run, 5, 1, 0);
	ask(&run, true);
	give(run.guest, RED "L", strlen(RED) + 1);
	shutdown(run.guest, SHUT_WR);
	static uint32_t pixels[WIDTH * HEIGHT];

	while (pixel_of_cell(pixels, 0, 0) != 0xff0102) {
		take_update(&run, pixels); /* the last words are seen */
		if (pixel_of_cell(pixels, 0, 0) != 0xff0102)
			ask(&run, true);
	}
	close(run.server_viewer); /* or the end would not be seen here */
	run.server_viewer = -1;
	struct pollfd p = {.fd = run.viewer, .events = POLLIN};

	assert_int_equal(poll(&p, 1, WAIT), 1);
	assert_int_equal(read(run.viewer, &rest, 1), 0);
	run.server_viewer = dup(run.viewer);
	end(&run);
}

static void key(struct run *run, bool is_down, unsigned keysym)
{
	const unsigned char event[] = {
		4, is_down, 0, 0, 0, 0, (unsigned char)(keysym >> 8), (unsigned char)keysym};

	give(run->viewer, event, sizeof(event));
}

/* Far more than the guest's socket and the buffer before it hold. */
static void paste_much(struct run *run)
{
	static char text[1000000];
	const unsigned size = sizeof(text);
	const unsigned char cut[] = {6,
				     0,
				     0,
				     0,
				     (unsigned char)(size >> 24),
				     (unsigned char)(size >> 16),
				     (unsigned char)(size >> 8),
				     (unsigned char)size};

	memset(text, 'p', sizeof(text));
	give(run->viewer, cut, sizeof(cut));
	give(run->viewer, text, sizeof(text));
	key(run, true, 0xffe1);
	key(run, true, 0xff63);
	key(run, false, 0xff63);
	key(run, false, 0xffe1);
}

/* A guest that does not read what was pasted is seen, and can be told to stop. */
static void test_guest_does_not_read(void **state)
{
	struct run run;
	char typed = 'p';

	(void)state;
	begin(&run);
	shake_hands(&run);
	paste_much(&run);
	for (unsigned i = 0; i < 1000; i++)
		press(&run, 'k');
	give(run.guest, RED "L", strlen(RED) + 1);
	await_colour(&run, 0, 0, 0xff0102);
	key(&run, true, 0xffe3);
	press(&run, 'c');
	key(&run, false, 0xffe3);
	ask(&run, false);
	static uint32_t pixels[WIDTH * HEIGHT];

	take_update(&run, pixels); /* so that all of it was taken before the guest reads */
	while (typed == 'p')
		take(run.guest, &typed, 1);
	assert_int_equal(typed, 3); /* and none of the keys before it */
	press(&run, 'z');
	take(run.guest, &typed, 1);
	assert_int_equal(typed, 'z');
	shutdown(run.viewer, SHUT_RDWR);
	end(&run);
}

static void *print_main(void *ctx)
{
	static char data[65536];
	const int *guest = ctx;

	memset(data, 'x', sizeof(data));
	while (send(*guest, data, sizeof(data), MSG_NOSIGNAL) > 0)
		continue;
	return NULL;
}

/* A guest that never stops printing is ended all the same, whether its output is being read or rested from. */
static void test_ends_while_guest_prints(void **state)
{
	struct run run;
	struct timespec by;
	pthread_t printer;

	(void)state;
	begin(&run);
	shake_hands(&run);
	assert_int_equal(pthread_create(&printer, NULL, print_main, &run.guest), 0);
	await_colour(&run, 5, 1, 0);
	session_wake(run.ends);
	clock_gettime(CLOCK_REALTIME, &by);
	by.tv_sec += WAIT / 1000;
	assert_int_equal(pthread_timedjoin_np(run.pump, NULL, &by), 0);
	shutdown(run.session.terminal, SHUT_RDWR);
	pthread_join(printer, NULL);
	shutdown(run.viewer, SHUT_RDWR);
	finish(&run);
}

static void test_no_rfb(void **state)
{
	struct run run;

	(void)state;
	begin(&run);
	give(run.viewer, "GARBAGE GARBAGE GARBAGE\n", 24);
	end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_draws_and_types),
		cmocka_unit_test(test_viewer_does_not_read),
		cmocka_unit_test(test_half_a_message),
		cmocka_unit_test(test_guest_ends),
		cmocka_unit_test(test_ends_while_guest_prints),
		cmocka_unit_test(test_guest_does_not_read),
		cmocka_unit_test(test_no_rfb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
