/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps a copy of the gate's certificate. Runs on the core's loop. */
#include "agent/core/certificate.h"

#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"

#define CERTIFICATE_MAX (256 * 1024)
#define BEGIN_LINE	"-----BEGIN CERTIFICATE-----"
#define END_LINE	"-----END CERTIFICATE-----"

struct certificate {
	struct buf pem;
	struct stat seen; /* of the file that pem is from */
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

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

const char *certificate_pem(struct certificate *certificate)
{
	autofree char *path = path_join(path_state(), "tls/gate.pem");
	autobuf text = BUF_INIT;
	struct stat now;

	if (stat(path, &now) < 0 || is_same(&now, &certificate->seen))
		return buf_str(&certificate->pem);
	if (file_read(path, CERTIFICATE_MAX, &text, NULL) == 0) {
		buf_clear(&certificate->pem);
		certificate_filter(buf_str(&text), &certificate->pem);
		certificate->seen = now;
	}
	return buf_str(&certificate->pem);
}
