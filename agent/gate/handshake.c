/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/handshake.h"

#include <string.h>
#include <strings.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/origin.h"

#define KEY_SIZE   16 /* decoded */
#define KEY_LENGTH 24
#define GUID	   "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

typedef int (*compare_fn)(const char *a, const char *b, size_t size);

static bool list_has(const char *list, const char *token, compare_fn compare)
{
	size_t length = strlen(token);

	while (list && *list) {
		size_t n;

		list += strspn(list, ", \t");
		n = strcspn(list, ", \t");
		if (n == length && compare(list, token, n) == 0)
			return true;
		list += n;
	}
	return false;
}

bool handshake_is_wanted(const char *upgrade)
{
	return list_has(upgrade, "websocket", strncasecmp);
}

static bool is_key(const char *text)
{
	autobuf key = BUF_INIT;

	return text && strlen(text) == KEY_LENGTH && base64_decode(text, KEY_LENGTH, &key) &&
	       key.size == KEY_SIZE;
}

static void make_accept(const char *key, char ret[HANDSHAKE_ACCEPT_SIZE])
{
	autofree char *text = xasprintf("%s" GUID, key);
	autobuf out = BUF_INIT;
	uint8_t digest[SHA1_SIZE];

	digest_sha1(text, strlen(text), digest);
	base64_encode(digest, sizeof(digest), &out);
	str_copy(ret, HANDSHAKE_ACCEPT_SIZE, buf_str(&out));
}

int handshake_check(const struct handshake *h, struct handshake_answer *ret, struct err *err)
{
	if (!str_eq(h->http, "HTTP/1.1"))
		return err_set(err, ERR_INVALID, "a WebSocket handshake needs HTTP/1.1");
	if (!handshake_is_wanted(h->upgrade))
		return err_set(err, ERR_INVALID, "header Upgrade must be websocket");
	if (!list_has(h->connection, "upgrade", strncasecmp))
		return err_set(err, ERR_INVALID, "header Connection must have Upgrade");
	if (!str_eq(h->version, HANDSHAKE_VERSION))
		return err_set(err, ERR_UNSUPPORTED,
			       "header Sec-WebSocket-Version must be " HANDSHAKE_VERSION);
	if (!is_key(h->key))
		return err_set(err, ERR_INVALID,
			       "header Sec-WebSocket-Key must be %d bytes in base64", KEY_SIZE);
	/* a browser sends cookies along with any page's handshake, and says only here whose page it is */
	if (h->origin && !origin_is_own(h->origin, h->host))
		return err_set(err, ERR_DENIED,
			       "a page of another origin must not open a WebSocket here");
	make_accept(h->key, ret->accept);
	ret->is_binary = list_has(h->protocols, HANDSHAKE_PROTOCOL, strncmp);
	return 0;
}
