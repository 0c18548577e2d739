/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One client of libvncserver, by a poll loop of our own. Its blocking reads and writes are why this is a thread. */
#include "agent/task/vncterm/server.h"

#include <errno.h>
#include <poll.h>
#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/task/vncterm/draw.h"
#include "agent/task/vncterm/server_input.h"

#define BYTES_PER_PIXEL 4
#define FRAME_TIME	(20 * USEC_PER_MSEC) /* between two updates */
#define GREET_WAIT	(10 * USEC_PER_SEC)  /* for the viewer to shake hands */
#define GREET_WAIT_MS	10000
#define VIEWER_WAIT_MS	3600000		   /* for one that does not read, such as a laptop asleep */
#define LAST_WAIT	(2 * USEC_PER_SEC) /* for a viewer to ask for the last screen */

struct running {
	struct server *server;
	rfbScreenInfoPtr screen;
	rfbClientPtr client; /* NULL once it has gone */
	struct canvas canvas;
	struct grid drawn, next;
	usec_t frame_at; /* not before */
	usec_t greet_by;
	usec_t end; /* the session is over: the last screen is seen by then; 0: it is not */
};

/* -- the screen ----------------------------------------------------------------------------------- */

static void on_drawn(unsigned x, unsigned y, unsigned width, unsigned height, void *ctx)
{
	struct running *r = ctx;

	rfbMarkRectAsModified(r->screen, (int)x, (int)y, (int)(x + width), (int)(y + height));
}

/* The newest of it; whatever was in between nobody has seen. */
static void draw(struct running *r)
{
	struct session *s = r->server->session;
	usec_t now = clock_monotonic();

	if (now < r->frame_at)
		return;
	session_lock(s);
	bool has_changed = screen_take(s->screen, &r->next);
	bool has_rung = screen_take_bell(s->screen);

	session_unlock(s);
	if (has_rung)
		rfbSendBell(r->screen);
	if (!has_changed)
		return;
	draw_changes(&r->canvas, r->server->font, &r->drawn, &r->next, on_drawn, r);
	struct grid drawn = r->drawn;

	r->drawn = r->next;
	r->next = drawn;
	r->frame_at = now + FRAME_TIME;
}

static uint32_t *new_pixels(unsigned width, unsigned height)
{
	return xcalloc((size_t)width * height, sizeof(uint32_t));
}

static int on_resize(int width, int height, int count, struct rfbExtDesktopScreen *layout,
		     rfbClientPtr client)
{
	struct running *r = client->screen->screenData;
	uint32_t *before = r->canvas.pixels;

	(void)layout;
	if (count != 1)
		return rfbExtDesktopSize_InvalidScreenLayout;
	if (width < (int)SERVER_WIDTH_MIN || width > (int)SERVER_WIDTH_MAX ||
	    height < (int)SERVER_HEIGHT_MIN || height > (int)SERVER_HEIGHT_MAX)
		return rfbExtDesktopSize_OutOfResources;
	r->canvas.width = (unsigned)width;
	r->canvas.height = (unsigned)height;
	r->canvas.pixels = new_pixels(r->canvas.width, r->canvas.height);
	rfbNewFramebuffer(r->screen, (char *)r->canvas.pixels, width, height, 8, 3,
			  BYTES_PER_PIXEL);
	free(before);
	grid_fini(&r->drawn); /* all of it is drawn again */
	r->frame_at = 0;
	session_resize(r->server->session, r->canvas.width / FONT_WIDTH,
		       r->canvas.height / FONT_HEIGHT);
	return rfbExtDesktopSize_Success;
}

/* -- life ----------------------------------------------------------------------------------------- */

static int make_screen(struct running *r, struct err *err)
{
	struct server *server = r->server;
	rfbScreenInfoPtr screen;

	rfbLogEnable(0);
	screen = rfbGetScreen(NULL, NULL, (int)server->width, (int)server->height, 8, 3,
			      BYTES_PER_PIXEL);
	if (!screen)
		return err_set(err, ERR_INTERNAL, "no VNC screen");
	r->screen = screen;
	r->canvas = (struct canvas){.pixels = new_pixels(server->width, server->height),
				    .width = server->width,
				    .height = server->height,
				    .red = screen->serverFormat.redShift,
				    .green = screen->serverFormat.greenShift,
				    .blue = screen->serverFormat.blueShift};
	screen->frameBuffer = (char *)r->canvas.pixels;
	screen->screenData = r;
	screen->desktopName = server->name;
	screen->port = screen->ipv6port = -1;
	screen->autoPort = FALSE;
	screen->httpDir = NULL;
	screen->deferUpdateTime = 0;
	screen->maxClientWait = GREET_WAIT_MS;
	screen->setDesktopSizeHook = on_resize;
	server_input_hooks(screen, server->session);
	return 0;
}

static int begin(struct running *r, struct err *err)
{
	int e = make_screen(r, err);

	if (e < 0)
		return e;
	r->client = rfbNewClient(r->screen, r->server->viewer);
	if (!r->client)
		return err_set(err, ERR_UNAVAILABLE, "the viewer left");
	r->greet_by = clock_monotonic() + GREET_WAIT;
	return 0;
}

static void finish(struct running *r)
{
	if (r->client) {
		rfbCloseClient(r->client);
		rfbClientConnectionGone(r->client);
	}
	if (r->screen)
		rfbScreenCleanup(r->screen);
	free(r->canvas.pixels);
	grid_fini(&r->drawn);
	grid_fini(&r->next);
}

/* -- the loop ------------------------------------------------------------------------------------- */

static bool is_over(struct session *s)
{
	session_lock(s);
	bool is = s->is_over;

	session_unlock(s);
	return is;
}

static bool is_greeted(const struct running *r)
{
	return r->client->state == RFB_NORMAL;
}

/* All that there is was sent. */
static bool is_up_to_date(const struct running *r)
{
	return is_greeted(r) && !FB_UPDATE_PENDING(r->client);
}

static int time_left(const struct running *r, bool has_news)
{
	usec_t next = 0;
	const usec_t times[] = {r->end, is_greeted(r) ? 0 : r->greet_by,
				is_greeted(r) && has_news ? r->frame_at + 1 : 0};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (times[i] && (next == 0 || times[i] < next))
			next = times[i];
	return next ? clock_left_ms(next) + 1 : -1;
}

static void read_viewer(struct running *r)
{
	rfbProcessClientMessage(r->client);
	if (r->client->sock >= 0)
		r->screen->maxClientWait = is_greeted(r) ? VIEWER_WAIT_MS : GREET_WAIT_MS;
}

/* 1: go on. */
static int turn(struct running *r, bool *has_news, struct err *err)
{
	struct session *s = r->server->session;
	struct pollfd fds[2] = {{.fd = r->client->sock, .events = POLLIN},
				{.fd = s->for_viewer, .events = POLLIN}};

	if (r->end == 0 && is_over(s))
		r->end = clock_monotonic() + LAST_WAIT;
	if (poll(fds, 2, time_left(r, *has_news)) < 0 && errno != EINTR)
		return err_errno(err, errno, "poll");
	if (fds[1].revents) {
		session_drain(s->for_viewer);
		*has_news = true;
	}
	if (fds[0].revents & POLLIN)
		read_viewer(r);
	else if (fds[0].revents & (POLLHUP | POLLERR))
		return 0;
	if (r->client->sock < 0)
		return 0;
	if (!is_greeted(r))
		return clock_left_ms(r->greet_by) > 0
			       ? r->end == 0
			       : err_set(err, ERR_TIMEOUT,
					 "the viewer did not shake hands within 10 s");
	if (clock_monotonic() >= r->frame_at)
		*has_news = false;
	draw(r);
	rfbUpdateClient(r->client);
	return r->client->sock >= 0 &&
	       (r->end == 0 || (clock_left_ms(r->end) > 0 && (*has_news || !is_up_to_date(r))));
}

void server_run(struct server *server)
{
	struct running running = {.server = server};
	bool has_news = true;
	int r = begin(&running, &server->err);

	if (r == 0)
		r = 1;
	while (r > 0)
		r = turn(&running, &has_news, &server->err);
	finish(&running);
	session_wake(server->session->has_left);
}
