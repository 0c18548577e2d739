/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node's certificate, read anew when its files change or on SIGHUP. A new pair is used once it
 * was read whole and its key and certificate belong together; until then the old one serves. */
#include "agent/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/inotify.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define CHAIN_MAX 8
#define FILE_MAX  (64u * 1024)

#define CERT_NAME "gate.pem"
#define KEY_NAME  "gate.key"

/* One certificate with its key. Handshakes in flight may still use an old one, and GnuTLS does not
 * say which: they are kept (a few KiB each, and new ones come a few times a year). */
struct pair {
	struct pair *older;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned count;
	gnutls_privkey_t key;
	struct buf cert_text; /* as read: equal text is not loaded again */
};

struct gate_tls {
	int dir;
	sd_event_source *watch;
};

/* What handshakes are served with. libmicrohttpd's callback has no context argument. */
static struct pair *newest;

static int read_name(int dir, const char *name, struct buf *ret, struct err *err)
{
	autofd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return err_errno(err, errno, "%s", name);
	return fd_read_all(fd, FILE_MAX, ret, err);
}

static void pair_free(struct pair *p)
{
	for (unsigned i = 0; i < p->count; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	if (p->key)
		gnutls_privkey_deinit(p->key);
	buf_fini(&p->cert_text);
	free(p);
}

static gnutls_datum_t datum(const struct buf *text)
{
	return (gnutls_datum_t){.data = (unsigned char *)text->data, .size = (unsigned)text->size};
}

static int import_chain(struct pair *p, struct err *err)
{
	unsigned count = CHAIN_MAX;
	gnutls_datum_t text = datum(&p->cert_text);
	int r = gnutls_pcert_list_import_x509_raw(p->chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);

	if (r < 0)
		return err_set(err, ERR_CORRUPT, CERT_NAME ": %s", gnutls_strerror(r));
	p->count = count;
	return 0;
}

static int import_key(struct pair *p, const struct buf *pem, struct err *err)
{
	gnutls_datum_t text = datum(pem);
	int r = gnutls_privkey_init(&p->key);

	if (r == 0)
		r = gnutls_privkey_import_x509_raw(p->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
	return r < 0 ? err_set(err, ERR_CORRUPT, KEY_NAME ": %s", gnutls_strerror(r)) : 0;
}

static bool belong_together(const struct pair *p)
{
	unsigned char a[32], b[32];
	size_t a_size = sizeof(a), b_size = sizeof(b);
	gnutls_pubkey_t own = NULL;
	bool is_equal;

	if (gnutls_pubkey_init(&own) < 0)
		return false;
	is_equal = gnutls_pubkey_import_privkey(own, p->key, 0, 0) == 0 &&
		   gnutls_pubkey_get_key_id(own, GNUTLS_KEYID_USE_SHA256, a, &a_size) == 0 &&
		   gnutls_pubkey_get_key_id(p->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, b,
					    &b_size) == 0 &&
		   a_size == b_size && memcmp(a, b, a_size) == 0;
	gnutls_pubkey_deinit(own);
	return is_equal;
}

static int pair_import(struct pair *p, int dir, struct err *err)
{
	autobuf pem = BUF_INIT;
	int r = import_chain(p, err);

	if (r < 0 || (r = read_name(dir, KEY_NAME, &pem, err)) < 0)
		return r;
	r = import_key(p, &pem, err);
	explicit_bzero(pem.data, pem.size);
	if (r == 0 && !belong_together(p))
		r = err_set(err, ERR_CORRUPT, KEY_NAME " is not the key of " CERT_NAME);
	return r;
}

static bool is_known(const struct buf *text)
{
	return newest && newest->cert_text.size == text->size &&
	       memcmp(newest->cert_text.data, text->data, text->size) == 0;
}

/* 1: a new pair is served, 0: nothing new. */
static int load(int dir, struct err *err)
{
	struct pair *p = xcalloc(1, sizeof(*p));
	int r = read_name(dir, CERT_NAME, &p->cert_text, err);

	if (r == 0 && is_known(&p->cert_text)) {
		pair_free(p);
		return 0;
	}
	if (r == 0)
		r = pair_import(p, dir, err);
	if (r < 0) {
		pair_free(p);
		return r;
	}
	p->older = newest;
	newest = p;
	return 1;
}

static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities,
		    int authority_count, const gnutls_pk_algorithm_t *algorithms,
		    int algorithm_count, gnutls_pcert_st **ret_chain, unsigned *ret_count,
		    gnutls_privkey_t *ret_key)
{
	(void)session;
	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	if (!newest)
		return -1;
	*ret_chain = newest->chain;
	*ret_count = newest->count;
	*ret_key = newest->key;
	return 0;
}

void *gate_tls_callback(void)
{
	return (void *)retrieve;
}

void gate_tls_reload(struct gate_tls *tls)
{
	struct err err = ERR_INIT;
	int r = load(tls->dir, &err);

	if (r < 0)
		log_warning("certificate: %s%s", err.message,
			    newest ? " (the old one serves)" : "");
	else if (r > 0)
		log_info("certificate loaded");
}

/* A file that is moved into place may get its group afterwards: IN_ATTRIB. */
static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	(void)source;
	if (event->len > 0 && (str_eq(event->name, CERT_NAME) || str_eq(event->name, KEY_NAME)))
		gate_tls_reload(userdata);
	return 0;
}

int gate_tls_new(sd_event *event, struct gate_tls **ret, struct err *err)
{
	autofree char *folder = path_join(path_state(), "tls");
	struct gate_tls *tls;
	autofd int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (dir < 0)
		return err_errno(err, errno, "%s", folder);
	tls = xcalloc(1, sizeof(*tls));
	r = sd_event_add_inotify(event, &tls->watch, folder,
				 IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB, on_change, tls);
	if (r < 0) {
		free(tls);
		return err_errno(err, -r, "watch %s", folder);
	}
	tls->dir = TAKE_FD(dir);
	load(tls->dir, NULL);
	*ret = tls;
	return 0;
}

int gate_tls_dir(const struct gate_tls *tls)
{
	return tls->dir;
}

bool gate_tls_is_ready(const struct gate_tls *tls)
{
	(void)tls;
	return newest != NULL;
}

void gate_tls_free(struct gate_tls *tls)
{
	if (!tls)
		return;
	sd_event_source_disable_unref(tls->watch);
	close(tls->dir);
	while (newest) {
		struct pair *p = newest;

		newest = p->older;
		pair_free(p);
	}
	free(tls);
}
