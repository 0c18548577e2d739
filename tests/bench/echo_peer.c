/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plain TLS echo server, one connection after the other: echo_peer PORT CERTIFICATE KEY. The least that an
 * echo over GnuTLS costs, beside which figure_echo.py puts the gate's WebSockets. */
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	a.sin_port = htons((uint16_t)port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8) < 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void echo(gnutls_session_t tls)
{
	static char data[16384];
	ssize_t n;

	while ((n = gnutls_record_recv(tls, data, sizeof(data))) != 0)
		if (n > 0 ? gnutls_record_send(tls, data, (size_t)n) < 0
			  : gnutls_error_is_fatal((int)n))
			return;
}

static void serve(int fd, gnutls_certificate_credentials_t credentials)
{
	gnutls_session_t tls;
	int on = 1, r;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	gnutls_init(&tls, GNUTLS_SERVER);
	gnutls_set_default_priority(tls);
	gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(tls, fd);
	do
		r = gnutls_handshake(tls);
	while (r < 0 && !gnutls_error_is_fatal(r));
	if (r == 0)
		echo(tls);
	gnutls_deinit(tls);
	close(fd);
}

int main(int argc, char **argv)
{
	gnutls_certificate_credentials_t credentials;
	int fd;

	if (argc != 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	gnutls_certificate_allocate_credentials(&credentials);
	if (gnutls_certificate_set_x509_key_file(credentials, argv[2], argv[3],
						 GNUTLS_X509_FMT_PEM) < 0)
		return 1;
	fd = listen_on(atoi(argv[1]));
	for (;;)
		serve(accept(fd, NULL, NULL), credentials);
}
