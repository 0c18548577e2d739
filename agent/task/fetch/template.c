/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job apldownload: a template of the node's lists becomes content of a storage, made here or downloaded. What is
 * downloaded has a checksum, which stands in the list or comes by https. */
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/fetch/commands.h"
#include "agent/task/fetch/http.h"
#include "agent/task/host/templates.h"
#include "storage/template/template.h"

#define SUMS_MAX     (1024u * 1024)
#define SUMS_TIMEOUT 120u /* s */

static int on_sums(void *ctx, const void *data, size_t size, struct err *err)
{
	struct buf *sums = ctx;
	if (size > SUMS_MAX - sums->size)
		return err_set(err, ERR_LIMIT, "the list of checksums is larger than %u bytes",
			       SUMS_MAX);
	buf_add(sums, data, size);
	return 0;
}

static int fetch_sum(const char *url, const char *kind, const char *file, char ret[129],
		     struct err *err)
{
	autobuf sums = BUF_INIT;
	struct http_answer answer;
	const struct http_request request = {.url = url,
					     .timeout_s = SUMS_TIMEOUT,
					     .on_data = on_sums,
					     .is_stopped = task_is_cancelled,
					     .ctx = &sums};
	task_log("checksum from %s", url);
	int r = http_fetch(&request, &answer, err);
	if (r == 0)
		r = catalog_sum_find(buf_str(&sums), sums.size, kind, file, ret, err);
	return r < 0 ? err_prefix(err, "checksum") : 0;
}

/* In the list of checksums the file has the name that it has on the server. */
static int find_sum(const struct catalog_entry *entry, const char *url, const char **ret_kind,
		    char ret[129], struct err *err)
{
	autofree char *rest = NULL;
	char name[256];
	int r = catalog_entry_sum(entry, template_arch(), ret_kind, &rest, err);
	if (r < 0)
		return r;
	if (!str_starts(rest, "https://"))
		return str_copy(ret, 129, rest) ? 0 : err_field(err, "sum", "is too long");
	http_url_name(url, name, sizeof(name));
	return fetch_sum(rest, *ret_kind, name, ret, err);
}

static int download(struct task_ctx *task, const struct catalog_entry *entry, const char *file,
		    struct err *err)
{
	autofree char *url = catalog_entry_text(entry, "url", template_arch());
	const char *kind;
	char sum[129];
	int r = find_sum(entry, url, &kind, sum, err);
	if (r < 0)
		return r;
	fields_set(&task->args, "content", "vztmpl");
	fields_set(&task->args, "filename", file);
	fields_set(&task->args, "url", url);
	fields_set(&task->args, "checksum", sum);
	fields_set(&task->args, "checksum-algorithm", kind);
	return download_run(task, err);
}

int apldownload_run(struct task_ctx *task, struct err *err)
{
	autocatalog catalog = CATALOG_INIT;
	const struct catalog_entry *entry;
	autofree char *file = xstrdup(fields_get(&task->args, "template"));
	templates_load(&catalog);
	int r = templates_find(&catalog, file, &entry, err);
	if (r < 0)
		return r;
	return catalog_entry_get(entry, "url") ? download(task, entry, file, err)
					       : template_make(&task->args, entry, file, err);
}
