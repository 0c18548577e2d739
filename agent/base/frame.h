/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames: what the processes of a node say to each other over SOCK_STREAM Unix sockets.
 *
 * Header, 16 bytes, little-endian: u32 payload length, u8 type, u8 descriptors, u8 version (1),
 * u8 zero, u64 request id. Calls of both sides are multiplexed; ids are the caller's and count up.
 *
 *   call    u32 deadline in ms (0: none), u16 op, fields head, fields params
 *   reply   u16 status, u8 body kind (0 inline, 1 memfd in the last descriptor), fields head, body
 *   cancel  empty; the callee may still reply, the caller ignores it
 *   event   u16 op, fields head, fields params; never answered
 *
 * At most FRAME_FDS_MAX descriptors travel with a frame, attached to its first byte. Anything that
 * does not parse closes the connection. */
#pragma once

#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

#define FRAME_HEADER_SIZE 16
#define FRAME_VERSION	  1
#define FRAME_PAYLOAD_MAX (4u * 1024 * 1024)
#define FRAME_FDS_MAX	  4
#define FRAME_BODY_INLINE (64u * 1024) /* larger reply bodies go through a sealed memfd */
#define FRAME_CALLS_MAX	  1024	       /* in flight on one connection, each direction */

enum frame_type { FRAME_CALL = 1, FRAME_REPLY, FRAME_CANCEL, FRAME_EVENT };

/* Operations of calls and events. A peer that does not serve an op answers status 501. */
enum call_op {
	CALL_API = 1,	  /* API request. head: verb, path, peer (address), source (gate|cli),
			     ticket, csrf, token (raw credentials, as the client sent them),
			     upgrade (websocket: a valid handshake; raw: the caller takes
			     descriptors), upload (bytes at most: the file of an upload comes in
			     as a stream, whose socket is in the reply), last-event-id; params: query and body. Reply: HTTP
			     status, head: reason, content-type; body: the ready document. Or a
			     stream socket instead of a body: status 101, content-type "websocket",
			     or 200 with its content type */
	CALL_STORE_GET,	  /* jobs: head path. Reply 200, head version; body: the value.
			     404 when absent */
	CALL_STORE_TXN,	  /* jobs: see cluster/store.h; params in order: see agent/core/remote.h */
	CALL_GUEST_STATE, /* jobs and hooks: head vmid, kind, state, and facts of EVENT_GUEST */
	CALL_UPLOAD,	  /* cli: head volid, user params of the upload; descriptor 0 the source */
	CALL_GUEST_JOB, /* jobs: head vmid, verb (start|shutdown), user, request (asked again with the
			     same one the first job is answered), mark (agent/core/guest_mark.h, may be
			     absent); params: the job's arguments. Starts a job on a guest of this node,
			     if the user may now. Reply 200, head upid; 409: it is another guest; 202:
			     ask again */
	CALL_GUEST_END,	  /* jobs: head vmid. Reply 200, head state, and where they are known
			     reason, exit_code, exit_signal (agent/core/facts.h) */
	EVENT_GUEST = 64, /* monitor: one guest's facts (agent/core/facts.h names the fields) */
	EVENT_NODE,	  /* monitor: the node's facts */
	EVENT_LISTED, /* monitor: all guests [kind: lxc|qemu; none: both] were listed; those not seen
			     since HELLO or LISTING are stopped */
	EVENT_HELLO,  /* monitor: connected; what the core knew of guests is now unknown */
	EVENT_NET,    /* monitor: Lodge's table or dnsmasq vanished, or a late interface came */
	EVENT_LISTING = 72, /* monitor: a list of that kind begins, each living guest follows */
	EVENT_UNLISTED,	    /* monitor: libvirtd does not answer: guests of that kind are unknown */
	EVENT_LOOK,	    /* to the monitor: a job does not know what became of guest [vmid] */
};

struct frame {
	enum frame_type type;
	uint64_t id;
	int fds[FRAME_FDS_MAX]; /* owned; -1 where none */
	unsigned fd_count;
};

/* An outgoing or incoming call or event. */
struct call {
	uint16_t op;
	uint32_t deadline_ms;
	struct fields head;
	struct fields params;
	int fds[FRAME_FDS_MAX]; /* owned by the call; -1 where none */
	unsigned fd_count;
};

struct reply {
	uint16_t status;    /* HTTP status codes, for internal ops as well */
	struct fields head; /* "message": error text for internal ops */
	struct buf body;    /* inline body, or empty */
	int body_fd;	    /* sealed memfd with the body, or -1; owned */
	int fd;		    /* one passed descriptor, or -1; owned */
};

#define CALL_INIT  ((struct call){.fds = {-1, -1, -1, -1}})
#define REPLY_INIT ((struct reply){.body_fd = -1, .fd = -1})

void call_fini(struct call *call);
void reply_fini(struct reply *reply);

/* ERR_LIMIT for a call or event that the peer would have to refuse as malformed. */
int frame_check_call(const struct call *call, struct err *err);
/* Appends header and payload to out. Descriptors are sent by the connection. */
void frame_encode_call(uint64_t id, const struct call *call, struct buf *out);
void frame_encode_event(const struct call *event, struct buf *out);
void frame_encode_cancel(uint64_t id, struct buf *out);
/* Bodies over FRAME_BODY_INLINE are moved to a memfd; *ret_fds gets the descriptors to send
 * (borrowed from reply). */
int frame_encode_reply(uint64_t id, struct reply *reply, struct buf *out,
		       int ret_fds[FRAME_FDS_MAX], unsigned *ret_count, struct err *err);

/* Pure decoders, fuzzed. The header decoder returns 0, or -ERR_CORRUPT. */
struct frame_header {
	uint32_t length;
	enum frame_type type;
	unsigned fd_count;
	uint64_t id;
};
int frame_decode_header(const void *data /* FRAME_HEADER_SIZE bytes */, struct frame_header *ret,
			struct err *err);
int frame_decode_call(const void *payload, size_t size, struct call *ret, struct err *err);
int frame_decode_event(const void *payload, size_t size, struct call *ret, struct err *err);
/* fds: the descriptors that came with the frame; taken over on success. */
int frame_decode_reply(const void *payload, size_t size, int *fds, unsigned fd_count,
		       struct reply *ret, struct err *err);
