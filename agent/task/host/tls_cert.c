/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and certificates by GnuTLS: ECDSA P-256, SHA-256. Helper processes; writes no file. */
#include "agent/task/host/tls.h"

#include <gnutls/crypto.h>
#include <string.h>
#include <time.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"

#define DAY	     (24L * 3600)
#define CA_LIFE	     (3650 * DAY)
#define NODE_LIFE    (730 * DAY) /* some browsers refuse more than 825 days */
#define RENEW_BEFORE (30 * DAY)
#define SKEW	     DAY /* clocks of clients that are behind */
#define PEM_MAX	     (256 * 1024)

int tls_fail(struct err *err, int code, const char *what)
{
	return err_set(err, ERR_INTERNAL, "%s: %s", what, gnutls_strerror(code));
}

int tls_key_new(gnutls_x509_privkey_t *ret, struct err *err)
{
	gnutls_x509_privkey_t key;
	int r = gnutls_x509_privkey_init(&key);
	if (r < 0)
		return tls_fail(err, r, "make a key");
	r = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (r < 0) {
		gnutls_x509_privkey_deinit(key);
		return tls_fail(err, r, "make a key");
	}
	*ret = key;
	return 0;
}

int tls_key_read(const char *path, gnutls_x509_privkey_t *ret, struct err *err)
{
	autobuf text = BUF_INIT;
	gnutls_x509_privkey_t key;
	int r = file_read(path, PEM_MAX, &text, err);
	if (r < 0)
		return r;
	gnutls_datum_t pem = {(unsigned char *)text.data, (unsigned)text.size};
	r = gnutls_x509_privkey_init(&key);
	if (r < 0)
		return tls_fail(err, r, path);
	r = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_memset(text.data, 0, text.size);
	if (r < 0) {
		gnutls_x509_privkey_deinit(key);
		return err_set(err, ERR_CORRUPT, "%s: %s", path, gnutls_strerror(r));
	}
	*ret = key;
	return 0;
}

int tls_key_pem(gnutls_x509_privkey_t key, struct buf *ret, struct err *err)
{
	gnutls_datum_t pem;
	int r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
						  &pem);
	if (r < 0)
		return tls_fail(err, r, "write a key");
	buf_add(ret, pem.data, pem.size);
	gnutls_memset(pem.data, 0, pem.size);
	gnutls_free(pem.data);
	return 0;
}

int tls_cert_read(const char *path, gnutls_x509_crt_t *ret, struct err *err)
{
	autobuf text = BUF_INIT;
	gnutls_x509_crt_t crt;
	int r = file_read(path, PEM_MAX, &text, err);
	if (r < 0)
		return r;
	gnutls_datum_t pem = {(unsigned char *)text.data, (unsigned)text.size};
	r = gnutls_x509_crt_init(&crt);
	if (r < 0)
		return tls_fail(err, r, path);
	r = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	if (r < 0) {
		gnutls_x509_crt_deinit(crt);
		return err_set(err, ERR_CORRUPT, "%s: %s", path, gnutls_strerror(r));
	}
	*ret = crt;
	return 0;
}

int tls_cert_pem(gnutls_x509_crt_t crt, struct buf *ret, struct err *err)
{
	gnutls_datum_t pem;
	int r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
	if (r < 0)
		return tls_fail(err, r, "write a certificate");
	buf_add(ret, pem.data, pem.size);
	gnutls_free(pem.data);
	return 0;
}

/* What every certificate has: version 3, random serial, life, key, key id, subject. */
static int set_common(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name, long life)
{
	unsigned char serial[16], id[64];
	size_t id_size = sizeof(id);
	time_t now = time(NULL);
	random_bytes(serial, sizeof(serial));
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and not shortened */
	int r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (r >= 0)
		r = gnutls_x509_crt_set_activation_time(crt, now - SKEW);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + life);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, key);
	if (r >= 0)
		r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &id_size);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, id_size);
	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
						  "Lodge", 5);
	if (r >= 0)
		r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
						  (unsigned)strlen(name));
	return r;
}

static int fill_ca(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	int r = set_common(crt, key, "Lodge cluster CA", CA_LIFE);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt,
						  GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
	if (r >= 0)
		r = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	return r;
}

static int set_names(gnutls_x509_crt_t crt, const struct tls_names *names)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < names->names_count; i++)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, names->names[i],
							 (unsigned)strlen(names->names[i]),
							 GNUTLS_FSAN_APPEND);
	for (size_t i = 0; r >= 0 && i < names->addresses_count; i++)
		r = gnutls_x509_crt_set_subject_alt_name(
			crt, GNUTLS_SAN_IPADDRESS, names->addresses[i].bytes,
			names->addresses[i].size, GNUTLS_FSAN_APPEND);
	return r;
}

static int set_issuer_id(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca)
{
	unsigned char id[64];
	size_t size = sizeof(id);
	int r = gnutls_x509_crt_get_subject_key_id(ca, id, &size, NULL);
	return r < 0 ? 0 : gnutls_x509_crt_set_authority_key_id(crt, id, size);
}

/* Nodes are servers to clients, and clients to each other. */
static int fill_node(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
		     const struct tls_names *names, gnutls_x509_crt_t ca,
		     gnutls_x509_privkey_t ca_key)
{
	char subject[65]; /* the bound of a common name */
	strncpy(subject, names->names[0], sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	int r = set_common(crt, key, subject, NODE_LIFE);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
	if (r >= 0)
		r = set_names(crt, names);
	if (r >= 0)
		r = set_issuer_id(crt, ca);
	if (r >= 0)
		r = gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0);
	return r;
}

int tls_cert_make_ca(gnutls_x509_privkey_t key, gnutls_x509_crt_t *ret, struct err *err)
{
	gnutls_x509_crt_t crt;
	int r = gnutls_x509_crt_init(&crt);
	if (r < 0)
		return tls_fail(err, r, "make the authority");
	r = fill_ca(crt, key);
	if (r < 0) {
		gnutls_x509_crt_deinit(crt);
		return tls_fail(err, r, "make the authority");
	}
	*ret = crt;
	return 0;
}

int tls_cert_make_node(gnutls_x509_privkey_t key, const struct tls_names *names,
		       gnutls_x509_crt_t ca, gnutls_x509_privkey_t ca_key, gnutls_x509_crt_t *ret,
		       struct err *err)
{
	gnutls_x509_crt_t crt;
	int r = gnutls_x509_crt_init(&crt);
	if (r < 0)
		return tls_fail(err, r, "make the certificate");
	r = fill_node(crt, key, names, ca, ca_key);
	if (r < 0) {
		gnutls_x509_crt_deinit(crt);
		return tls_fail(err, r, "make the certificate");
	}
	*ret = crt;
	return 0;
}

bool tls_cert_has_key(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char a[64], b[64];
	size_t a_size = sizeof(a), b_size = sizeof(b);
	return gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_size) >= 0 &&
	       gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &b_size) >= 0 &&
	       a_size == b_size && memcmp(a, b, a_size) == 0;
}

bool tls_cert_is_good(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, gnutls_x509_crt_t ca)
{
	unsigned status = 0;
	time_t now = time(NULL);
	return tls_cert_has_key(crt, key) && gnutls_x509_crt_verify(crt, &ca, 1, 0, &status) >= 0 &&
	       status == 0 && gnutls_x509_crt_get_expiration_time(crt) > now + RENEW_BEFORE;
}

int tls_cert_fingerprint(gnutls_x509_crt_t crt, struct buf *ret, struct err *err)
{
	unsigned char sum[32];
	size_t size = sizeof(sum);
	int r = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, sum, &size);
	if (r < 0)
		return tls_fail(err, r, "fingerprint");
	for (size_t i = 0; i < size; i++)
		buf_addf(ret, "%s%02X", i ? ":" : "", sum[i]);
	return 0;
}
