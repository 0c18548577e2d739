/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper tls-init: what it makes, keeps, renews, and heals after a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/task/host/helper.h"
#include "agent/task/host/tls.h"

static char state_path[64];

static int setup(void **state)
{
	(void)state;
	autofree char *tls = xasprintf("%s/tls", state_path);
	return dir_remove_tree(tls, NULL);
}

/* Runs it, and returns "CA CERTIFICATE" as it answered. */
static void run(const char *name, const char *address, const char *expected_ca,
		const char *expected_crt)
{
	autofields args = FIELDS_INIT;
	autobuf out = BUF_INIT;
	struct err err = ERR_INIT;
	fields_add(&args, "name", name);
	fields_add(&args, "address", address);
	if (helper_tls_init(&args, &out, &err) < 0)
		fail_msg("%s", err.message);
	autofree char *expected =
		xasprintf("{\"ca\":\"%s\",\"certificate\":\"%s\"", expected_ca, expected_crt);
	if (strncmp(buf_str(&out), expected, strlen(expected)) != 0)
		fail_msg("%s, expected %s", buf_str(&out), expected);
}

static char *file_path(const char *name)
{
	return path_join(path_state(), "tls/%s", name);
}

static void file_text(const char *name, struct buf *ret)
{
	autofree char *path = file_path(name);
	buf_clear(ret);
	assert_int_equal(file_read(path, 1 << 20, ret, NULL), 0);
}

static void assert_mode(const char *name, mode_t mode)
{
	struct stat st;
	autofree char *path = file_path(name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void remove_file(const char *name)
{
	autofree char *path = file_path(name);
	assert_int_equal(unlink(path), 0);
}

static void test_created(void **state)
{
	gnutls_x509_crt_t crt, ca;
	gnutls_x509_privkey_t key;
	unsigned bits, critical = 0, is_ca = 1;
	(void)state;
	run("node-1", "192.0.2.7", "created", "created");
	assert_mode("ca.key", 0600);
	assert_mode("ca.pem", 0644);
	assert_mode("gate.key", 0640);
	assert_mode("gate.pem", 0640);
	assert_mode("", 0750);
	autofree char *crt_path = file_path("gate.pem");
	autofree char *ca_path = file_path("ca.pem");
	autofree char *key_path = file_path("gate.key");
	assert_int_equal(tls_cert_read(crt_path, &crt, NULL), 0);
	assert_int_equal(tls_cert_read(ca_path, &ca, NULL), 0);
	assert_int_equal(tls_key_read(key_path, &key, NULL), 0);
	assert_true(tls_cert_is_good(crt, key, ca));
	assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, &bits), GNUTLS_PK_ECDSA);
	assert_int_equal(bits, 256);
	assert_true(gnutls_x509_crt_check_hostname(crt, "node-1"));
	assert_true(gnutls_x509_crt_check_hostname(crt, "localhost"));
	assert_true(gnutls_x509_crt_check_hostname(crt, "192.0.2.7"));
	assert_true(gnutls_x509_crt_check_hostname(crt, "127.0.0.1"));
	assert_false(gnutls_x509_crt_check_hostname(crt, "node-2"));
	assert_true(gnutls_x509_crt_get_basic_constraints(crt, &critical, &is_ca, NULL) >= 0);
	assert_int_equal(is_ca, 0);
	assert_int_equal(gnutls_x509_crt_get_ca_status(ca, &critical), 1);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_privkey_deinit(key);
}

static void test_kept(void **state)
{
	autobuf before = BUF_INIT, after = BUF_INIT;
	(void)state;
	run("node-1", "192.0.2.7", "created", "created");
	file_text("gate.pem", &before);
	run("node-1", "192.0.2.7", "kept", "kept");
	run("node-1", "127.0.0.1", "kept", "kept"); /* an address that vanished */
	file_text("gate.pem", &after);
	assert_string_equal(buf_str(&before), buf_str(&after));
}

static void test_renewed(void **state)
{
	autobuf ca = BUF_INIT, key = BUF_INIT, crt = BUF_INIT, now = BUF_INIT;
	(void)state;
	run("node-1", "192.0.2.7", "created", "created");
	file_text("ca.pem", &ca);
	file_text("gate.key", &key);
	file_text("gate.pem", &crt);
	run("node-1", "192.0.2.8", "kept", "renewed");
	run("node-2", "192.0.2.8", "kept", "renewed");
	file_text("ca.pem", &now);
	assert_string_equal(buf_str(&ca), buf_str(&now));
	file_text("gate.key", &now);
	assert_string_equal(buf_str(&key), buf_str(&now));
	file_text("gate.pem", &now);
	assert_string_not_equal(buf_str(&crt), buf_str(&now));
}

/* A certificate with 20 days left, put in the place of the real one. */
static void test_expiring(void **state)
{
	gnutls_x509_crt_t ca, crt;
	gnutls_x509_privkey_t ca_key, key;
	struct tls_names names;
	autofields args = FIELDS_INIT;
	autobuf pem = BUF_INIT;
	(void)state;
	run("node-1", "192.0.2.7", "created", "created");
	autofree char *ca_path = file_path("ca.pem");
	autofree char *ca_key_path = file_path("ca.key");
	autofree char *key_path = file_path("gate.key");
	autofree char *crt_path = file_path("gate.pem");
	assert_int_equal(tls_cert_read(ca_path, &ca, NULL), 0);
	assert_int_equal(tls_key_read(ca_key_path, &ca_key, NULL), 0);
	assert_int_equal(tls_key_read(key_path, &key, NULL), 0);
	fields_add(&args, "name", "node-1");
	fields_add(&args, "address", "192.0.2.7");
	assert_int_equal(tls_names_collect(&args, &names, NULL), 0);
	for (int days = 20; days <= 40; days += 20) {
		assert_int_equal(tls_cert_make_node(key, &names, ca, ca_key, &crt, NULL), 0);
		gnutls_x509_crt_set_expiration_time(crt, time(NULL) + days * 86400L);
		gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0);
		buf_clear(&pem);
		assert_int_equal(tls_cert_pem(crt, &pem, NULL), 0);
		assert_int_equal(file_write_atomic(crt_path, pem.data, pem.size, 0640, NULL), 0);
		gnutls_x509_crt_deinit(crt);
		run("node-1", "192.0.2.7", "kept", days < 30 ? "renewed" : "kept");
	}
	tls_names_fini(&names);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(key);
}

static void test_healed(void **state)
{
	(void)state;
	run("node-1", "192.0.2.7", "created", "created");
	remove_file("gate.pem");
	run("node-1", "192.0.2.7", "kept", "created");
	remove_file("gate.key"); /* the certificate is another key's now */
	run("node-1", "192.0.2.7", "kept", "renewed");
	autofree char *path = file_path("gate.pem");
	assert_int_equal(file_write_atomic(path, "junk", 4, 0640, NULL), 0);
	run("node-1", "192.0.2.7", "kept", "created");
	remove_file("ca.pem"); /* a crash between the authority's key and its certificate */
	run("node-1", "192.0.2.7", "created", "renewed");
}

/* Nothing is made up when the authority's key is not here, and a damaged authority is not replaced.
 */
static void test_refused(void **state)
{
	autofields args = FIELDS_INIT;
	autobuf out = BUF_INIT, before = BUF_INIT, after = BUF_INIT;
	struct err err = ERR_INIT;
	(void)state;
	run("node-1", "192.0.2.7", "created", "created");
	remove_file("ca.key");
	run("node-1", "192.0.2.7", "kept", "kept");
	file_text("gate.pem", &before);
	fields_add(&args, "name", "node-2");
	assert_int_equal(helper_tls_init(&args, &out, &err), -ERR_UNAVAILABLE);
	file_text("gate.pem", &after);
	assert_string_equal(buf_str(&before), buf_str(&after));
	autofree char *path = file_path("ca.pem");
	assert_int_equal(file_write_atomic(path, "junk", 4, 0644, NULL), 0);
	err = ERR_INIT;
	assert_int_equal(helper_tls_init(&args, &out, &err), -ERR_CORRUPT);
	file_text("ca.pem", &after);
	assert_string_equal(buf_str(&after), "junk");
	fields_add(&args, "address", "1.2.3");
	err = ERR_INIT;
	assert_int_equal(helper_tls_init(&args, &out, &err), -ERR_INVALID);
	assert_string_equal(err.field, "address");
}

static void test_own_names(void **state)
{
	autofields args = FIELDS_INIT;
	autobuf out = BUF_INIT;
	(void)state;
	assert_int_equal(helper_tls_init(&args, &out, NULL), 0);
	buf_clear(&out);
	assert_int_equal(helper_tls_init(&args, &out, NULL), 0);
	assert_non_null(strstr(buf_str(&out), "\"certificate\":\"kept\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_created, setup),
		cmocka_unit_test_setup(test_kept, setup),
		cmocka_unit_test_setup(test_renewed, setup),
		cmocka_unit_test_setup(test_expiring, setup),
		cmocka_unit_test_setup(test_healed, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_own_names, setup),
	};
	strcpy(state_path, "/tmp/lodge-tls-XXXXXX");
	if (!mkdtemp(state_path))
		return 1;
	setenv("LODGE_STATE_DIR", state_path, 1);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	dir_remove_tree(state_path, NULL);
	return r;
}
