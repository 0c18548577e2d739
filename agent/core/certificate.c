/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps a copy of the gate's certificate. Runs on the core's loop. */
#include "agent/core/certificate.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define CERTIFICATE_MAX (256 * 1024)
#define BEGIN_LINE	"-----BEGIN CERTIFICATE-----"
#define END_LINE	"-----END CERTIFICATE-----"

struct certificate {
	struct buf pem;
	char fingerprint[3 * SHA256_SIZE]; /* of pem's first certificate */
	struct stat seen;		   /* of the file that pem is from */
};

struct certificate *certificate_new(void)
{
	return xcalloc(1, sizeof(struct certificate));
}

void certificate_free(struct certificate *certificate)
{
	if (!certificate)
		return;
	buf_fini(&certificate->pem);
	free(certificate);
}

void certificate_filter(const char *text, struct buf *out)
{
	const char *begin, *end;

	for (; (begin = strstr(text, BEGIN_LINE)) && (end = strstr(begin, END_LINE)); text = end) {
		end += strlen(END_LINE);
		buf_add(out, begin, (size_t)(end - begin));
		buf_add_char(out, '\n');
	}
}

/* The bytes of the first certificate of a PEM text. */
static bool decode_first(const char *text, struct buf *ret)
{
	const char *at = strstr(text, BEGIN_LINE), *end = at ? strstr(at, END_LINE) : NULL;
	autobuf body = BUF_INIT;

	if (!end)
		return false;
	for (at += strlen(BEGIN_LINE); at < end; at++) {
		if (*at != '\n' && *at != '\r')
			buf_add_char(&body, *at);
	}
	return base64_decode(buf_str(&body), body.size, ret);
}

static void make_fingerprint(const char *pem, char ret[3 * SHA256_SIZE])
{
	autobuf der = BUF_INIT;
	uint8_t hash[SHA256_SIZE];

	ret[0] = '\0';
	if (!decode_first(pem, &der))
		return;
	digest_sha256(der.data, der.size, hash);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(ret + 3 * i, 4, "%02X%s", hash[i], i + 1 < SHA256_SIZE ? ":" : "");
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A file that cannot be read now is tried again by the next call; until then the old one is shown. */
static void look(struct certificate *certificate)
{
	autofree char *path = path_join(path_state(), "tls/gate.pem");
	autobuf text = BUF_INIT;
	struct stat now;

	if (stat(path, &now) < 0 || is_same(&now, &certificate->seen) ||
	    file_read(path, CERTIFICATE_MAX, &text, NULL) < 0)
		return;
	buf_clear(&certificate->pem);
	certificate_filter(buf_str(&text), &certificate->pem);
	make_fingerprint(buf_str(&certificate->pem), certificate->fingerprint);
	certificate->seen = now;
}

const char *certificate_pem(struct certificate *certificate)
{
	look(certificate);
	return buf_str(&certificate->pem);
}

const char *certificate_fingerprint(struct certificate *certificate)
{
	look(certificate);
	return certificate->fingerprint;
}
