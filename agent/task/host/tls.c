/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper tls-init: the cluster's authority and this node's certificate for HTTPS, in the state
 * folder's tls/. An authority that is there is never replaced; the node's key outlives renewals.
 * Every file is written whole or not at all, keys before the certificates that belong to them, so
 * that a crash at any point is healed by the next run. */
#include "agent/task/host/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/task/host/helper.h"

struct tls_state {
	struct tls_names names;
	gnutls_x509_privkey_t ca_key, key; /* ca_key NULL: not on this node */
	gnutls_x509_crt_t ca, crt;
	gid_t gate_group;
	const char *ca_did, *crt_did; /* "created", "renewed", "kept" */
};

static void state_fini(struct tls_state *s)
{
	tls_names_fini(&s->names);
	if (s->ca_key)
		gnutls_x509_privkey_deinit(s->ca_key);
	if (s->key)
		gnutls_x509_privkey_deinit(s->key);
	if (s->ca)
		gnutls_x509_crt_deinit(s->ca);
	if (s->crt)
		gnutls_x509_crt_deinit(s->crt);
}

static int write_for_gate(const struct tls_state *s, const char *name, const struct buf *text,
			  struct err *err)
{
	autofree char *path = path_join(path_state(), "tls/%s", name);
	int r = file_write_atomic(path, text->data, text->size, 0640, err);
	if (r < 0)
		return r;
	if (chown(path, 0, s->gate_group) < 0 && geteuid() == 0)
		return err_errno(err, errno, "chown %s", path);
	return 0;
}

static int write_private(const char *name, const struct buf *text, mode_t mode, struct err *err)
{
	autofree char *path = path_join(path_state(), "tls/%s", name);
	return file_write_atomic(path, text->data, text->size, mode, err);
}

/* Reads a key, or makes and writes one. is_shared: the gate reads it. */
static int key_load(const struct tls_state *s, const char *name, bool is_shared,
		    gnutls_x509_privkey_t *ret, struct err *err)
{
	autofree char *path = path_join(path_state(), "tls/%s", name);
	autobuf pem = BUF_INIT;
	struct err why = ERR_INIT;
	int r = tls_key_read(path, ret, &why);
	if (r != -ERR_NOT_FOUND) {
		if (r < 0 && err)
			*err = why;
		return r;
	}
	gnutls_x509_privkey_t key;
	r = tls_key_new(&key, err);
	if (r < 0)
		return r;
	r = tls_key_pem(key, &pem, err);
	if (r == 0)
		r = is_shared ? write_for_gate(s, name, &pem, err)
			      : write_private(name, &pem, 0600, err);
	if (pem.size > 0)
		gnutls_memset(pem.data, 0, pem.size);
	if (r < 0)
		gnutls_x509_privkey_deinit(key);
	else
		*ret = key;
	return r;
}

static int ca_create(struct tls_state *s, struct err *err)
{
	autobuf pem = BUF_INIT;
	int r = key_load(s, "ca.key", false, &s->ca_key, err);
	if (r == 0)
		r = tls_cert_make_ca(s->ca_key, &s->ca, err);
	if (r == 0)
		r = tls_cert_pem(s->ca, &pem, err);
	if (r == 0)
		r = write_private("ca.pem", &pem, 0644, err);
	if (r == 0)
		s->ca_did = "created";
	return r;
}

/* A node may have the authority without its key: then it can check, not sign. */
static int ca_load(struct tls_state *s, struct err *err)
{
	autofree char *path = path_join(path_state(), "tls/ca.pem");
	autofree char *key_path = path_join(path_state(), "tls/ca.key");
	struct err why = ERR_INIT;
	int r = tls_cert_read(path, &s->ca, &why);
	if (r == -ERR_NOT_FOUND)
		return ca_create(s, err);
	if (r == 0) {
		r = tls_key_read(key_path, &s->ca_key, &why);
		r = r == -ERR_NOT_FOUND ? 0 : r;
	}
	if (r == 0 && s->ca_key && !tls_cert_has_key(s->ca, s->ca_key))
		r = err_set(&why, ERR_CORRUPT, "%s does not belong to %s", key_path, path);
	if (r < 0 && err)
		*err = why;
	s->ca_did = "kept";
	return r;
}

static int crt_create(struct tls_state *s, struct err *err)
{
	autobuf pem = BUF_INIT;
	if (!s->ca_key)
		return err_set(
			err, ERR_UNAVAILABLE,
			"the node's certificate must be renewed, but the key of the cluster's "
			"authority is not on this node");
	int r = tls_cert_make_node(s->key, &s->names, s->ca, s->ca_key, &s->crt, err);
	if (r == 0)
		r = tls_cert_pem(s->crt, &pem, err);
	if (r == 0)
		r = tls_cert_pem(s->ca, &pem,
				 err); /* the chain, for clients that pin the authority */
	return r < 0 ? r : write_for_gate(s, "gate.pem", &pem, err);
}

static int crt_load(struct tls_state *s, struct err *err)
{
	autofree char *path = path_join(path_state(), "tls/gate.pem");
	int r = key_load(s, "gate.key", true, &s->key, err);
	if (r < 0)
		return r;
	bool was_there = tls_cert_read(path, &s->crt, NULL) == 0;
	if (was_there && tls_cert_is_good(s->crt, s->key, s->ca) &&
	    tls_names_are_in(&s->names, s->crt)) {
		s->crt_did = "kept";
		return 0;
	}
	if (was_there)
		gnutls_x509_crt_deinit(s->crt);
	s->crt = NULL;
	s->crt_did = was_there ? "renewed" : "created";
	return crt_create(s, err);
}

/* The folder, locked against a second run until the descriptor closes. */
static int folder_lock(const struct tls_state *s, int *ret_fd, struct err *err)
{
	autofree char *path = path_join(path_state(), "tls");
	int r = dir_make(path, 0750, err);
	if (r < 0)
		return r;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fchown(fd, 0, s->gate_group) < 0 && geteuid() == 0) ||
	    flock(fd, LOCK_EX) < 0) {
		r = err_errno(err, errno, "folder %s", path);
		closep(&fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int answer(const struct tls_state *s, struct buf *out, struct err *err)
{
	autobuf fingerprint = BUF_INIT;
	struct json j;
	int r = tls_cert_fingerprint(s->crt, &fingerprint, err);
	if (r < 0)
		return r;
	json_init(&j, out);
	json_object_begin(&j);
	json_kv_string(&j, "ca", s->ca_did);
	json_kv_string(&j, "certificate", s->crt_did);
	json_kv_string(&j, "fingerprint", buf_str(&fingerprint));
	json_object_end(&j);
	return 0;
}

int helper_tls_init(const struct fields *args, struct buf *out, struct err *err)
{
	struct tls_state s = {0};
	autofd int lock = -1;
	const struct passwd *gate = getpwnam(GATE_USER);
	s.gate_group = gate ? gate->pw_gid : 0; /* without that user the gate is not installed */
	int r = tls_names_collect(args, &s.names, err);
	if (r == 0)
		r = folder_lock(&s, &lock, err);
	if (r == 0)
		r = ca_load(&s, err);
	if (r == 0)
		r = crt_load(&s, err);
	if (r == 0)
		r = answer(&s, out, err);
	state_fini(&s);
	return r;
}
