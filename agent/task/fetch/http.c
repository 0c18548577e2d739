/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP by libcurl's easy interface. Blocking; job and helper processes only. */
#include "agent/task/fetch/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/digest.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define REDIRECTS_MAX	5L
#define CONNECT_TIMEOUT 20L
#define STALL_TIMEOUT	120L /* s with less than a byte a second */
#define HEADER_MAX	8192

struct transfer {
	const struct http_request *request;
	struct http_answer answer;
	CURL *curl;
	struct err err;
	bool has_begun;
};

/* "attachment; filename=\"a b.iso\"" and the like; the plain form alone. */
void http_disposition_name(const char *header, char *ret, size_t size)
{
	const char *at = strcasestr(header, "filename=");
	ret[0] = '\0';
	if (!at || (at > header && !strchr("; \t", at[-1])))
		return;
	at += strlen("filename=");
	size_t n = *at == '"' ? strcspn(++at, "\"") : strcspn(at, "; \t\r\n");
	autofree char *name = xstrndup(at, n);
	const char *slash = strrchr(name, '/');
	if (!str_copy(ret, size, slash ? slash + 1 : name))
		ret[0] = '\0';
}

void http_url_name(const char *url, char *ret, size_t size)
{
	const char *host = strstr(url, "://");
	autobuf name = BUF_INIT;
	ret[0] = '\0';
	if (!host)
		return;
	autofree char *path = xstrndup(host + 3, strcspn(host + 3, "?#"));
	const char *slash = strrchr(path, '/');
	if (slash && url_decode(slash + 1, strlen(slash + 1), false, &name) &&
	    !strchr(buf_str(&name), '/') && !str_copy(ret, size, buf_str(&name)))
		ret[0] = '\0';
}

/* The host begins behind the last '@' before its path. */
char *http_url_shown(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *begin = scheme ? scheme + 3 : url;
	const char *host = begin;
	for (const char *c = begin; *c && !strchr("/?#", *c); c++)
		if (*c == '@')
			host = c + 1;
	return xasprintf("%.*s%s", (int)(begin - url), url, host);
}

static size_t on_header(char *data, size_t unit, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t size = unit * count;
	autofree char *line = xstrndup(data, size < HEADER_MAX ? size : HEADER_MAX);
	if (str_starts(line, "HTTP/"))
		t->answer = (struct http_answer){0}; /* the next one of a chain of redirects */
	else if (strncasecmp(line, "content-disposition:", 20) == 0)
		http_disposition_name(line + 20, t->answer.name, sizeof(t->answer.name));
	return size;
}

static int begin(struct transfer *t)
{
	curl_off_t size = -1;
	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
	t->has_begun = true;
	return t->request->on_size ? t->request->on_size(t->request->ctx,
							 size > 0 ? (uint64_t)size : 0, &t->err)
				   : 0;
}

static size_t on_data(char *data, size_t unit, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	if (!t->has_begun && begin(t) < 0)
		return 0;
	if (t->request->on_data &&
	    t->request->on_data(t->request->ctx, data, unit * count, &t->err) < 0)
		return 0;
	return unit * count;
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
		       curl_off_t up_now)
{
	const struct transfer *t = ctx;
	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	return t->request->is_stopped && t->request->is_stopped();
}

static void set_options(struct transfer *t, char error[CURL_ERROR_SIZE])
{
	const struct http_request *request = t->request;
	bool is_https = strncasecmp(request->url, "https:", 6) == 0;
	CURL *c = t->curl;
	curl_easy_setopt(c, CURLOPT_URL, request->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)request->timeout_s);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, request->is_unverified ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, request->is_unverified ? 0L : 2L);
	curl_easy_setopt(c, CURLOPT_NOBODY, request->is_head ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "Lodge/" LODGE_VERSION);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L * 1024);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
}

static void read_answer(struct transfer *t)
{
	curl_off_t size = -1;
	const char *type = NULL;
	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type);
	t->answer.has_size = size >= 0;
	t->answer.size = size > 0 ? (uint64_t)size : 0;
	if (type) {
		autofree char *plain = xstrndup(type, strcspn(type, "; \t"));
		str_copy(t->answer.type, sizeof(t->answer.type), plain);
	}
	if (!t->answer.name[0])
		http_url_name(t->request->url, t->answer.name, sizeof(t->answer.name));
}

static int judge(const struct transfer *t, CURLcode code, const char *error, struct err *err)
{
	long status = 0;
	if (code == CURLE_OK)
		return 0;
	if (t->err.code) {
		if (err)
			*err = t->err;
		return -t->err.code;
	}
	autofree char *url = http_url_shown(t->request->url);
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ERR_CANCELLED, "interrupted by signal");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "'%.300s': %s", url, error);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return err_set(err, ERR_UNAVAILABLE, "'%.300s': the server answered %ld", url,
			       status);
	return err_set(err, ERR_UNAVAILABLE, "'%.300s': %s", url,
		       error[0] ? error : curl_easy_strerror(code));
}

int http_fetch(const struct http_request *request, struct http_answer *ret, struct err *err)
{
	struct transfer t = {.request = request};
	char error[CURL_ERROR_SIZE] = "";
	curl_global_init(CURL_GLOBAL_DEFAULT);
	t.curl = curl_easy_init();
	if (!t.curl)
		return err_set(err, ERR_INTERNAL, "libcurl does not start");
	set_options(&t, error);
	CURLcode code = curl_easy_perform(t.curl);
	int r = judge(&t, code, error, err);
	if (r == 0) {
		read_answer(&t);
		*ret = t.answer;
	}
	curl_easy_cleanup(t.curl);
	return r;
}
