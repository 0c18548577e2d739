/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node's certificates: names they are made for, and making them. Used by the helper tls-init. */
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/fields.h"

#define TLS_NAMES_MAX 64

struct tls_address {
	unsigned char bytes[16];
	unsigned size; /* 4 or 16 */
};

/* What the certificate must be valid for. */
struct tls_names {
	char *names[TLS_NAMES_MAX]; /* owned; the first is the node's */
	size_t names_count;
	struct tls_address addresses[TLS_NAMES_MAX];
	size_t addresses_count;
};

/* From the arguments name and address (repeated); without any, the host's own. */
int tls_names_collect(const struct fields *args, struct tls_names *ret, struct err *err);
void tls_names_fini(struct tls_names *names);
/* Does the certificate cover all of them? Names it has beyond them do no harm, so that a vanished
 * address does not change the fingerprint which clients may have pinned. */
bool tls_names_are_in(const struct tls_names *names, gnutls_x509_crt_t crt);

int tls_fail(struct err *err, int code, const char *what);
/* A new P-256 key. */
int tls_key_new(gnutls_x509_privkey_t *ret, struct err *err);
int tls_key_read(const char *path, gnutls_x509_privkey_t *ret, struct err *err);
int tls_key_pem(gnutls_x509_privkey_t key, struct buf *ret, struct err *err);
int tls_cert_read(const char *path, gnutls_x509_crt_t *ret, struct err *err);
int tls_cert_pem(gnutls_x509_crt_t crt, struct buf *ret, struct err *err);
int tls_cert_make_ca(gnutls_x509_privkey_t key, gnutls_x509_crt_t *ret, struct err *err);
int tls_cert_make_node(gnutls_x509_privkey_t key, const struct tls_names *names,
		       gnutls_x509_crt_t ca, gnutls_x509_privkey_t ca_key, gnutls_x509_crt_t *ret,
		       struct err *err);
/* Is it this key's, signed by this authority, valid for 30 more days? */
bool tls_cert_is_good(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, gnutls_x509_crt_t ca);
bool tls_cert_has_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key);
/* "AB:CD:…" of SHA-256. */
int tls_cert_fingerprint(gnutls_x509_crt_t crt, struct buf *ret, struct err *err);
