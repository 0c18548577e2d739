/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/takeover.h"

#include <errno.h>
#include <gnutls/socket.h>
#include <sys/socket.h>

#include "agent/base/log.h"
#include "agent/gate/gate.h"

#define DRAIN_READS 8 /* before others get their turn */

/* One thread; the pull function has no argument that could say who asks. */
static bool is_reading;

static ssize_t on_pull(gnutls_transport_ptr_t transport, void *data, size_t size)
{
	if (!is_reading) {
		errno = EAGAIN;
		return -1;
	}
	return recv((int)(intptr_t)transport, data, size, MSG_DONTWAIT);
}

bool takeover_init(struct takeover *t, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *session =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	gnutls_session_t tls = session ? session->tls_session : NULL;
	const union MHD_ConnectionInfo *socket =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (!tls || !socket)
		return false;
	/* Records that the kernel opens never pass the pull function. GnuTLS has this off unless the system's
	 * configuration says otherwise (3.7.3 and later). */
	if (gnutls_transport_is_ktls_enabled(tls)) {
		log_warning("no consoles: GnuTLS gives its connections to the kernel (ktls)");
		return false;
	}
	*t = (struct takeover){.session = tls, .fd = socket->connect_fd};
	/* the transport's pointer is and stays the descriptor */
	gnutls_transport_set_int(tls, t->fd);
	gnutls_transport_set_pull_function(tls, on_pull);
	gate_socket_stays(t->fd);
	return true;
}

static bool is_retry(ssize_t n)
{
	return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
}

bool takeover_has_left(const struct takeover *t)
{
	return gnutls_record_check_pending(t->session) > 0;
}

ssize_t takeover_read(struct takeover *t, void *data)
{
	ssize_t n;

	is_reading = true;
	n = gnutls_record_recv(t->session, data, TAKEOVER_RECORD);
	is_reading = false;
	/* After an alert there may be more, which the socket tells: who sends nothing else must not keep
	 * us here. */
	if (is_retry(n) || n == GNUTLS_E_WARNING_ALERT_RECEIVED)
		return -EAGAIN;
	if (n == GNUTLS_E_PREMATURE_TERMINATION)
		return 0;
	return n < 0 ? -EIO : n;
}

ssize_t takeover_write(struct takeover *t, const void *data, size_t size)
{
	ssize_t n;

	if (t->unsent > 0) {
		n = gnutls_record_send(t->session, NULL, 0);
	} else {
		if (size > TAKEOVER_RECORD)
			size = TAKEOVER_RECORD;
		n = gnutls_record_send(t->session, data, size);
	}
	if (is_retry(n)) {
		t->unsent = size;
		return -EAGAIN;
	}
	t->unsent = 0;
	return n <= 0 ? -EIO : n;
}

void takeover_bye(struct takeover *t)
{
	gnutls_bye(t->session, GNUTLS_SHUT_WR);
	shutdown(t->fd, SHUT_WR);
}

bool takeover_drain(struct takeover *t)
{
	char rest[TAKEOVER_RECORD];
	ssize_t n = 1;

	for (int i = 0; n > 0 && i < DRAIN_READS; i++)
		n = recv(t->fd, rest, sizeof(rest), MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}
