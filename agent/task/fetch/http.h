/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request to the outside, by libcurl: http and https alone, few redirects, never from https to http,
 * no more than a few minutes without a byte. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

struct http_request {
	const char *url;
	bool is_unverified; /* the certificate is not looked at */
	bool is_head;
	unsigned timeout_s; /* for all of it; 0: none */
	/* Body as it comes; a negative result ends the transfer and is its result. */
	int (*on_data)(void *ctx, const void *data, size_t size, struct err *err);
	/* Once, before the first byte; size 0: unknown. May be NULL. */
	int (*on_size)(void *ctx, uint64_t size, struct err *err);
	bool (*is_stopped)(void); /* asked at least once a second; may be NULL */
	void *ctx;
};

struct http_answer {
	char type[128]; /* content type without its parameters, or "" */
	char name
		[256]; /* of the file: what the server calls it, or the last part of the URL, or "" */
	bool has_size;
	uint64_t size;
};

int http_fetch(const struct http_request *request, struct http_answer *ret, struct err *err);
/* A URL as it may be told: without the name and the password before its host. Heap. Pure. */
char *http_url_shown(const char *url);
/* The name in a Content-Disposition header, without folders; "" if there is none. Pure. */
void http_disposition_name(const char *header, char *ret, size_t size);
/* The last part of a URL's path, decoded. Pure. */
void http_url_name(const char *url, char *ret, size_t size);
