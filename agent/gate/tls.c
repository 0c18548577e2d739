/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node's certificate: loaded at start (waiting until the core made it), loaded again when the file
 * changes. The one in use stays until its successor was read whole. */
#include "agent/gate/gate.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"

#define CHAIN_MAX 4
#define FILE_MAX  (64u * 1024)
#define WAIT_MS	  100

struct gate_tls {
	sd_event_source *watch;
};

/* What handshakes are served with. libmicrohttpd's callback has no context argument. */
static struct {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned count;
	gnutls_privkey_t key;
} current;

static int read_file(const char *name, struct buf *ret, struct err *err)
{
	autofree char *path = path_join(path_state(), "tls/%s", name);

	return file_read(path, FILE_MAX, ret, err);
}

static int import(gnutls_pcert_st *chain, unsigned *count, gnutls_privkey_t key, struct err *err)
{
	autobuf cert = BUF_INIT, pem = BUF_INIT;
	gnutls_datum_t data;
	int r;

	if ((r = read_file("gate.pem", &cert, err)) < 0 || (r = read_file("gate.key", &pem, err)) < 0)
		return r;
	data = (gnutls_datum_t){.data = (unsigned char *) cert.data, .size = (unsigned) cert.size};
	r = gnutls_pcert_list_import_x509_raw(chain, count, &data, GNUTLS_X509_FMT_PEM, 0);
	if (r < 0)
		return err_set(err, ERR_CORRUPT, "gate.pem: %s", gnutls_strerror(r));
	data = (gnutls_datum_t){.data = (unsigned char *) pem.data, .size = (unsigned) pem.size};
	r = gnutls_privkey_import_x509_raw(key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero(pem.data, pem.size);
	return r < 0 ? err_set(err, ERR_CORRUPT, "gate.key: %s", gnutls_strerror(r)) : 0;
}

static void drop_current(void)
{
	for (unsigned i = 0; i < current.count; i++)
		gnutls_pcert_deinit(&current.chain[i]);
	if (current.key)
		gnutls_privkey_deinit(current.key);
	memset(&current, 0, sizeof(current));
}

static int load(struct err *err)
{
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned count = CHAIN_MAX;
	gnutls_privkey_t key;
	int r;

	memset(chain, 0, sizeof(chain));
	if (gnutls_privkey_init(&key) < 0)
		return err_set(err, ERR_INTERNAL, "out of memory");
	r = import(chain, &count, key, err);
	if (r < 0) {
		gnutls_privkey_deinit(key);
		return r;
	}
	drop_current();
	memcpy(current.chain, chain, sizeof(chain));
	current.count = count;
	current.key = key;
	return 0;
}

static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
		    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_chain,
		    unsigned *ret_count, gnutls_privkey_t *ret_key)
{
	(void) session;
	(void) authorities;
	(void) authority_count;
	(void) algorithms;
	(void) algorithm_count;
	if (current.count == 0)
		return -1;
	*ret_chain = current.chain;
	*ret_count = current.count;
	*ret_key = current.key;
	return 0;
}

void *gate_tls_callback(void)
{
	return (void *) retrieve;
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	struct err err = ERR_INIT;

	(void) source;
	(void) userdata;
	if (event->len == 0 || strcmp(event->name, "gate.pem") != 0)
		return 0;
	if (load(&err) < 0)
		log_error("keeping the old certificate: %s", err.message);
	else
		log_info("loaded the new certificate");
	return 0;
}

/* At the very first start the core is just making it. */
static int wait_and_load(struct err *err)
{
	usec_t deadline = clock_monotonic() + 60 * USEC_PER_SEC;
	int r;

	while ((r = load(err)) < 0 && clock_left_ms(deadline) > 0)
		nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
	return r < 0 ? err_prefix(err, "TLS certificate") : 0;
}

int gate_tls_new(struct gate *gate, struct gate_tls **ret, struct err *err)
{
	autofree char *folder = path_join(path_state(), "tls");
	struct gate_tls *tls;
	int r = wait_and_load(err);

	if (r < 0)
		return r;
	tls = xcalloc(1, sizeof(*tls));
	r = sd_event_add_inotify(gate->event, &tls->watch, folder, IN_MOVED_TO | IN_CLOSE_WRITE, on_change,
				 tls);
	if (r < 0)
		log_warning("the certificate's folder is not watched: a new one is used after a restart");
	*ret = tls;
	return 0;
}

void gate_tls_free(struct gate_tls *tls)
{
	if (!tls)
		return;
	sd_event_source_disable_unref(tls->watch);
	drop_current();
	free(tls);
}
