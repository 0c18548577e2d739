/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gate with a fake core behind it, each in a process of its own, without the sandbox; and a small
 * HTTPS client that sees the bytes as they are on the wire. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/base/fd.h"
#include "agent/gate/gate.h"
#include "tests/unit/gate/fake_core.h"

/* of the gates that are started from now on */
static unsigned fixture_per_address = 64;
static usec_t fixture_ping_every;
static usec_t fixture_upload_fields;

struct fixture {
	char folder[64];
	uint16_t port;
	int core_listen;
	pid_t core, gate;
};

static inline void fixture_write(const char *folder, const char *name, const void *data,
				 size_t size)
{
	autofree char *path = path_join(folder, "%s", name);

	assert_int_equal(file_write_atomic(path, data, size, 0644, NULL), 0);
}

/* A self-signed certificate; CN tells one from the other. */
static inline void fixture_certificate(const struct fixture *f, const char *name)
{
	autofree char *folder = path_join(f->folder, "tls");
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t text;
	time_t now = time(NULL);

	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
				     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
				      (unsigned)strlen(name));
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_activation_time(crt, now - 60);
	gnutls_x509_crt_set_expiration_time(crt, now + 3600);
	gnutls_x509_crt_set_key(crt, key);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text);
	fixture_write(folder, "gate.key", text.data, text.size);
	gnutls_free(text.data);
	gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text);
	fixture_write(folder, "gate.pem", text.data, text.size);
	gnutls_free(text.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static inline uint16_t fixture_free_port(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
	socklen_t size = sizeof(a);
	autofd int fd = socket(AF_INET6, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	return ntohs(a.sin6_port);
}

/* In a child: sockets of this process's clients are not held open by it. */
static inline void fixture_close_but(int fd)
{
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
}

static inline void fixture_core_start(struct fixture *f)
{
	f->core = fork();
	if (f->core == 0) {
		fixture_close_but(f->core_listen);
		_exit(fake_core_run(f->core_listen) < 0);
	}
}

static inline void fixture_core_stop(struct fixture *f)
{
	kill(f->core, SIGKILL);
	waitpid(f->core, NULL, 0);
	f->core = 0;
}

static inline void fixture_gate_main(const struct fixture *f, int ready)
{
	struct gate_options options = {.listen = "::",
				       .port = f->port,
				       .per_address = fixture_per_address,
				       .ping_every = fixture_ping_every,
				       .upload_fields = fixture_upload_fields};
	struct gate gate = {.webui_fd = -1};
	struct err err = ERR_INIT;
	autofree char *core = path_join(path_run(), "%s", GATE_SOCKET);

	if (gate_open(&gate, &options, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		_exit(1);
	}
	close(ready);
	gate_run(&gate, core, &err);
	gate_close(&gate);
	exit(0); /* so that leaks are told */
}

static inline void fixture_gate_start(struct fixture *f)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	f->gate = fork();
	if (f->gate == 0) {
		fixture_close_but(ready[1]);
		fixture_gate_main(f, ready[1]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	autofree char *tls = NULL, *webui = NULL;
	struct err err = ERR_INIT;

	signal(SIGPIPE,
	       SIG_IGN); /* a test that ends by it would leave the processes of the fixture */
	strcpy(f->folder, "/tmp/lodge-gate-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	setenv("LODGE_STATE_DIR", f->folder, 1);
	setenv("LODGE_RUN_DIR", f->folder, 1);
	setenv("LODGE_SHARE_DIR", f->folder, 1);
	tls = path_join(f->folder, "tls");
	webui = path_join(f->folder, "webui");
	assert_int_equal(dir_make(tls, 0755, NULL), 0);
	assert_int_equal(dir_make(webui, 0755, NULL), 0);
	fixture_write(webui, "index.html", "<p>here</p>", 11);
	fixture_certificate(f, "first");
	f->port = fixture_free_port();
	f->core_listen = fake_core_listen(&err);
	assert_true(f->core_listen >= 0);
	fixture_core_start(f);
	fixture_gate_start(f);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	int status = 0;

	kill(f->gate, SIGTERM);
	waitpid(f->gate, &status, 0);
	if (f->core)
		fixture_core_stop(f);
	close(f->core_listen);
	dir_remove_tree(f->folder, NULL);
	free(f);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}

/* ---- the client ---- */

struct client {
	int fd;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t credentials;
	struct buf in;
};

struct response {
	unsigned status;
	char reason[512];
	char *head; /* all lines */
	char *body;
	size_t size;
};

/* from: an address in host byte order. */
static inline void client_open_as(struct client *c, const struct fixture *f, in_addr_t from,
				  const char *priorities)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
	int on = 1, r;

	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	to.sin_port = htons(f->port);
	assert_int_equal(bind(c->fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	gnutls_certificate_allocate_credentials(&c->credentials);
	gnutls_init(&c->tls, GNUTLS_CLIENT);
	gnutls_priority_set_direct(c->tls, priorities, NULL);
	gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->credentials);
	gnutls_transport_set_int(c->tls, c->fd);
	gnutls_handshake_set_timeout(c->tls, 20000);
	do
		r = gnutls_handshake(c->tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	assert_int_equal(r, 0);
}

static inline void client_open_with(struct client *c, const struct fixture *f,
				    const char *priorities)
{
	client_open_as(c, f, INADDR_LOOPBACK, priorities);
}

static inline void client_open_from(struct client *c, const struct fixture *f, in_addr_t from)
{
	client_open_as(c, f, from, "NORMAL");
}

static inline void client_open(struct client *c, const struct fixture *f)
{
	client_open_with(c, f, "NORMAL");
}

static inline void client_close(struct client *c)
{
	gnutls_deinit(c->tls);
	gnutls_certificate_free_credentials(c->credentials);
	close(c->fd);
	buf_fini(&c->in);
}

static inline void client_send(struct client *c, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = gnutls_record_send(c->tls, at, size);

		assert_true(n > 0);
		at += n;
		size -= (size_t)n;
	}
}

static inline void client_ask(struct client *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "GET /x": adds the version, a Host and the empty line. Further header lines may follow the target. */
static inline void client_ask(struct client *c, const char *fmt, ...)
{
	autofree char *text = NULL;
	autofree char *all = NULL;
	char *lines;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	lines = strstr(text, "\r\n");
	if (lines)
		*lines = '\0';
	all = xasprintf("%s HTTP/1.1\r\nHost: here\r\n%s%s\r\n", text, lines ? lines + 2 : "",
			lines ? "\r\n" : "");
	client_send(c, all, strlen(all));
}

/* false: end of file. Waits at most 20 s. */
static inline bool client_more(struct client *c)
{
	char part[16384];
	ssize_t n;

	gnutls_record_set_timeout(c->tls, 20000);
	do
		n = gnutls_record_recv(c->tls, part, sizeof(part));
	while (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
	if (n <= 0)
		return false;
	buf_add(&c->in, part, (size_t)n);
	return true;
}

static inline void response_fini(struct response *r)
{
	free(r->head);
	free(r->body);
}

static inline bool client_read(struct client *c, struct response *ret)
{
	const char *end, *length;

	memset(ret, 0, sizeof(*ret));
	while (!(end = strstr(buf_str(&c->in), "\r\n\r\n")))
		if (!client_more(c))
			return false;
	ret->head = xstrndup(c->in.data, (size_t)(end - c->in.data) + 2);
	assert_int_equal(sscanf(ret->head, "HTTP/1.1 %u %511[^\r]", &ret->status, ret->reason), 2);
	length = strstr(ret->head, "Content-Length: ");
	ret->size = length ? strtoull(length + 16, NULL, 10) : 0;
	buf_drop_front(&c->in, strlen(ret->head) + 2);
	while (c->in.size < ret->size)
		if (!client_more(c))
			return false;
	ret->body = xmalloc(ret->size + 1);
	if (ret->size)
		memcpy(ret->body, c->in.data, ret->size);
	ret->body[ret->size] = '\0';
	buf_drop_front(&c->in, ret->size);
	return true;
}

#define autoresponse __attribute__((cleanup(response_fini))) struct response

/* ---- asking the fake core, through the gate ---- */

static inline uint64_t ask_number(const struct fixture *f, const char *path)
{
	struct client c;
	autoresponse r = {0};

	client_open(&c, f);
	client_ask(&c, "GET /api2/json%s", path);
	assert_true(client_read(&c, &r));
	client_close(&c);
	assert_int_equal(r.status, 200);
	return strtoull(r.body + strlen("{\"data\":"), NULL, 10);
}

/* Fails when it takes longer than a minute. */
static inline void wait_for_number(const struct fixture *f, const char *path, uint64_t wanted)
{
	usec_t deadline = clock_monotonic() + 60 * USEC_PER_SEC;

	while (ask_number(f, path) != wanted)
		assert_true(clock_monotonic() < deadline);
}
