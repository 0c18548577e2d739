/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names and addresses under which clients reach this node. Helper processes. */
#include "agent/task/host/tls.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

void tls_names_fini(struct tls_names *names)
{
	for (size_t i = 0; i < names->names_count; i++)
		free(names->names[i]);
	*names = (struct tls_names){0};
}

static bool name_is_valid(const char *name)
{
	size_t size = strlen(name);
	if (size == 0 || size > 253 || name[0] == '.' || name[0] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
	       size;
}

static void add_name(struct tls_names *names, const char *name)
{
	for (size_t i = 0; i < names->names_count; i++)
		if (str_eq(names->names[i], name))
			return;
	if (names->names_count < TLS_NAMES_MAX && name_is_valid(name))
		names->names[names->names_count++] = xstrdup(name);
}

static void add_address(struct tls_names *names, const void *bytes, unsigned size)
{
	struct tls_address *all = names->addresses;
	for (size_t i = 0; i < names->addresses_count; i++)
		if (all[i].size == size && memcmp(all[i].bytes, bytes, size) == 0)
			return;
	if (names->addresses_count == TLS_NAMES_MAX)
		return;
	struct tls_address *a = &all[names->addresses_count++];
	a->size = size;
	memcpy(a->bytes, bytes, size);
}

static bool add_address_text(struct tls_names *names, const char *text)
{
	unsigned char bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1)
		add_address(names, bytes, 4);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		add_address(names, bytes, 16);
	else
		return false;
	return true;
}

/* Link-local addresses need a scope, which a certificate cannot carry. */
static void add_interface(struct tls_names *names, const struct sockaddr *address)
{
	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;
		add_address(names, &in->sin_addr, 4);
	} else if (address && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;
		if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
			add_address(names, &in6->sin6_addr, 16);
	}
}

static void add_host(struct tls_names *names)
{
	char host[256] = "";
	struct ifaddrs *all = NULL;
	if (gethostname(host, sizeof(host) - 1) == 0)
		add_name(names, host);
	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		add_interface(names, i->ifa_addr);
	freeifaddrs(all);
}

int tls_names_collect(const struct fields *args, struct tls_names *ret, struct err *err)
{
	struct tls_names names = {0};
	for (size_t i = 0; i < args->count; i++) {
		const struct field *f = &args->items[i];
		bool is_bad = false;
		if (str_eq(f->name, "name")) {
			is_bad = !name_is_valid(f->value);
			add_name(&names, f->value);
		} else if (str_eq(f->name, "address")) {
			is_bad = !add_address_text(&names, f->value);
		}
		if (is_bad) {
			tls_names_fini(&names);
			return err_field(err, f->name, "bad %s '%.100s'", f->name, f->value);
		}
	}
	if (names.names_count + names.addresses_count == 0)
		add_host(&names);
	add_name(&names, "localhost");
	add_address_text(&names, "127.0.0.1");
	add_address_text(&names, "::1");
	*ret = names;
	return 0;
}

static bool cert_has(gnutls_x509_crt_t crt, unsigned kind, const void *value, size_t size)
{
	unsigned char found[256];
	for (unsigned i = 0; i < 4 * TLS_NAMES_MAX; i++) {
		size_t found_size = sizeof(found);
		unsigned found_kind;
		int r = gnutls_x509_crt_get_subject_alt_name2(crt, i, found, &found_size,
							      &found_kind, NULL);
		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
		if (r >= 0 && found_kind == kind && found_size == size &&
		    memcmp(found, value, size) == 0)
			return true;
	}
	return false;
}

bool tls_names_are_in(const struct tls_names *names, gnutls_x509_crt_t crt)
{
	for (size_t i = 0; i < names->names_count; i++)
		if (!cert_has(crt, GNUTLS_SAN_DNSNAME, names->names[i], strlen(names->names[i])))
			return false;
	for (size_t i = 0; i < names->addresses_count; i++)
		if (!cert_has(crt, GNUTLS_SAN_IPADDRESS, names->addresses[i].bytes,
			      names->addresses[i].size))
			return false;
	return true;
}
