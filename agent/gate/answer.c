/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queueing the answer of a request: headers, format, compression, body. */
#include "agent/gate/request.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <zlib.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/gate/event_stream.h"
#include "agent/gate/relay.h"
#include "agent/gate/upgrade.h"

#define GZIP_MIN 1024
#define GZIP_MAX (16u * 1024 * 1024)
#define WRAP_MAX (64u * 1024 * 1024)
#define LARGE	 (256u * 1024)

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (value)
		MHD_add_response_header(response, name, value);
}

static void add_headers(const struct request *r, struct MHD_Response *response)
{
	static const char csp[] =
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
		"data:; connect-src 'self'; font-src 'self'; form-action 'none'; "
		"frame-ancestors 'none'; base-uri 'none'";

	add_header(response, "Content-Type", r->content_type);
	add_header(response, "Server", "lodge");
	add_header(response, "X-Content-Type-Options", "nosniff");
	if (r->is_static) {
		add_header(response, "Content-Security-Policy", csp);
		add_header(response, "X-Frame-Options", "DENY");
		add_header(response, "Referrer-Policy", "no-referrer");
		add_header(response, "Cache-Control", "no-cache");
		add_header(response, "ETag", r->etag);
	} else if (r->stream_fd >= 0) {
		/* proxies in between must hand on at once, and as it is */
		add_header(response, "Cache-Control", "no-cache, no-transform");
		add_header(response, "X-Accel-Buffering", "no");
	} else {
		add_header(response, "Cache-Control", "no-cache");
		add_header(response, "Pragma", "no-cache");
	}
	if (r->status == 426) {
		add_header(response, "Upgrade", "websocket");
		add_header(response, "Sec-WebSocket-Version", HANDSHAKE_VERSION);
	}
}

/* windowBits 15 + 16: a gzip header instead of zlib's (zlib.h, deflateInit2) */
static bool compress_into(struct buf *out, const void *data, size_t size)
{
	z_stream z = {0};
	bool done;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	buf_reserve(out, deflateBound(&z, size));
	z.next_in = (Bytef *)data;
	z.avail_in = (uInt)size;
	z.next_out = (Bytef *)out->data;
	z.avail_out = (uInt)(out->capacity - 1);
	done = deflate(&z, Z_FINISH) == Z_STREAM_END;
	out->size = z.total_out;
	deflateEnd(&z);
	return done;
}

static bool compress_fd(struct buf *out, int fd, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	bool done;

	if (data == MAP_FAILED)
		return false;
	done = compress_into(out, data, size);
	munmap(data, size);
	return done;
}

static void compress_answer(struct request *r, bool *ret_is_gzip)
{
	struct stat st;
	size_t size = r->answer.size;
	autobuf out = BUF_INIT;
	bool done;

	if (r->answer_fd >= 0)
		size = fstat(r->answer_fd, &st) == 0 ? (size_t)st.st_size : 0;
	r->was_large = size > LARGE;
	if (!r->accepts_gzip || r->is_static || size <= GZIP_MIN || size > GZIP_MAX)
		return;
	done = r->answer_fd >= 0 ? compress_fd(&out, r->answer_fd, size)
				 : compress_into(&out, r->answer.data, size);
	if (!done)
		return;
	if (r->answer_fd >= 0) {
		close(r->answer_fd);
		r->answer_fd = -1;
	}
	buf_fini(&r->answer);
	r->answer = out;
	out = BUF_INIT;
	*ret_is_gzip = true;
}

/* The format of the contract's own web UI: always 200, the outcome is a member of the document,
 * which is not parsed but opened at its first brace. */
static void wrap_extjs(struct request *r)
{
	bool is_ok = r->status >= 200 && r->status < 300;
	autobuf out = BUF_INIT;

	if (r->answer_fd >= 0 && fd_memfd_read(r->answer_fd, WRAP_MAX, &r->answer, NULL) == 0) {
		close(r->answer_fd);
		r->answer_fd = -1;
	}
	if (r->answer.size < 3 || r->answer.data[0] != '{')
		return;
	buf_addf(&out, "{\"success\":%d,", is_ok);
	if (!is_ok)
		buf_addf(&out, "\"status\":%u,", r->status);
	buf_add(&out, r->answer.data + 1, r->answer.size - 1);
	buf_fini(&r->answer);
	r->answer = out;
	out = BUF_INIT;
	r->status = 200;
	xreplace(&r->reason, NULL);
}

struct mapping {
	void *data;
	size_t size;
};

static void mapping_free(void *cls)
{
	struct mapping *m = cls;

	munmap(m->data, m->size);
	free(m);
}

/* libmicrohttpd reads a file in pieces of 4 KiB, each a TLS record of its own; memory goes out in pieces
 * as large as a record can be. Only for what cannot shrink under our feet. */
static struct MHD_Response *response_from_memfd(int fd, size_t size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct MHD_Response *response;
	struct mapping *m;
	void *data;

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || size == 0)
		return NULL;
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	*m = (struct mapping){.data = data, .size = size};
	response =
		MHD_create_response_from_buffer_with_free_callback_cls(size, data, mapping_free, m);
	if (!response)
		mapping_free(m);
	return response;
}

static struct MHD_Response *response_from_fd(struct request *r)
{
	struct MHD_Response *response;
	struct stat st;

	if (fstat(r->answer_fd, &st) < 0)
		return NULL;
	response = response_from_memfd(r->answer_fd, (size_t)st.st_size);
	if (response)
		return response;
	return MHD_create_response_from_fd64((uint64_t)st.st_size, TAKE_FD(r->answer_fd));
}

static struct MHD_Response *make_response(struct request *r)
{
	size_t size = r->answer.size;

	if (r->answer_fd >= 0)
		return response_from_fd(r);
	return MHD_create_response_from_buffer(size, buf_steal(&r->answer), MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result queue(struct request *r, struct MHD_Response *response)
{
	enum MHD_Result queued;

	reason_set(r->status, r->reason);
	queued = MHD_queue_response(r->connection, r->status, response);
	MHD_destroy_response(response);
	r->state = REQUEST_QUEUED;
	return queued;
}

static enum MHD_Result queue_document(struct request *r)
{
	bool is_gzip = false;
	struct MHD_Response *response;

	if (r->is_extjs)
		wrap_extjs(r);
	compress_answer(r, &is_gzip);
	response = make_response(r);
	if (!response)
		return MHD_NO;
	add_headers(r, response);
	if (is_gzip) {
		add_header(response, "Content-Encoding", "gzip");
		add_header(response, "Vary", "Accept-Encoding");
	}
	return queue(r, response);
}

static enum MHD_Result queue_stream(struct request *r)
{
	struct MHD_Response *response;

	if (r->status == 101)
		return upgrade_queue(r);
	response = event_stream_response(r->gate->event_streams, r->connection, r->stream_fd);
	if (response)
		add_headers(r, response);
	r->stream_fd = -1;
	return response ? queue(r, response) : MHD_NO;
}

enum MHD_Result request_queue(struct request *r)
{
	const struct gate *gate = r->gate;
	bool is_full = r->status == 101 ? relays_is_full(gate->relays)
					: event_streams_is_full(gate->event_streams);

	if (r->stream_fd >= 0 && is_full) {
		close(TAKE_FD(r->stream_fd));
		request_fail(r, 503, "too many streams are open");
	}
	return r->stream_fd >= 0 ? queue_stream(r) : queue_document(r);
}
