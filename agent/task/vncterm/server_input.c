/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From libvncserver's callbacks to the session's screen. The viewer's thread is the only one with a VNC server, so
 * that the session is the thread's. */
#include "agent/task/vncterm/server_input.h"

#include "agent/base/buf.h"
#include "agent/task/vncterm/font.h"

static _Thread_local struct session *session;

/* What changed on the screen by it (a view that was scrolled) is drawn in the same turn. */
static void done(void)
{
	session_unlock(session);
	session_wake(session->for_guest);
	session_wake(session->for_viewer);
}

static void on_key(rfbBool is_down, rfbKeySym keysym, rfbClientPtr client)
{
	(void)client;
	session_lock(session);
	screen_key(session->screen, keysym, is_down);
	done();
}

static void on_keys_released(rfbClientPtr client)
{
	(void)client;
	session_lock(session);
	screen_release_keys(session->screen);
	done();
}

static void on_pointer(int buttons, int x, int y, rfbClientPtr client)
{
	rfbDefaultPtrAddEvent(buttons, x, y, client);
	if (x < 0 || y < 0)
		return;
	session_lock(session);
	screen_pointer(session->screen, (unsigned)x / FONT_WIDTH, (unsigned)y / FONT_HEIGHT,
		       (unsigned)buttons);
	done();
}

static void clip(const char *text, size_t size)
{
	session_lock(session);
	screen_clip(session->screen, text, size);
	done();
}

static void on_utf8_text(char *text, int size, rfbClientPtr client)
{
	(void)client;
	if (size > 0)
		clip(text, (size_t)size);
}

/* What clients without a newer clipboard send is Latin-1. */
static void on_latin1_text(char *text, int size, rfbClientPtr client)
{
	autobuf utf8 = BUF_INIT;

	(void)client;
	for (int i = 0; i < size && utf8.size < SCREEN_CLIP_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80)
			buf_add_char(&utf8, (char)(0xc0 | c >> 6));
		buf_add_char(&utf8, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
	}
	clip(utf8.data, utf8.size);
}

void server_input_hooks(rfbScreenInfoPtr screen, struct session *of)
{
	session = of;
	screen->kbdAddEvent = on_key;
	screen->kbdReleaseAllKeys = on_keys_released;
	screen->ptrAddEvent = on_pointer;
	screen->setXCutText = on_latin1_text;
#ifdef LIBVNCSERVER_HAVE_LIBZ
	screen->setXCutTextUTF8 = on_utf8_text;
#else
	(void)on_utf8_text;
#endif
}
