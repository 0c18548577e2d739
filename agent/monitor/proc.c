/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading /proc and cgroup texts. */
#include "agent/monitor/proc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define TEXT_MAX (1024u * 1024)

static const char *next_line(const char *text)
{
	text = strchr(text, '\n');
	return text ? text + 1 : NULL;
}

uint64_t proc_value(const char *text, const char *key)
{
	size_t n = strlen(key);
	uint64_t v = 0;

	for (; text && *text; text = next_line(text))
		if (strncmp(text, key, n) == 0 && strchr(": \t", text[n]))
			return sscanf(text + n, "%*[: \t]%" SCNu64, &v) == 1 ? v : 0;
	return 0;
}

void proc_net_bytes(const char *text, uint64_t *ret_in, uint64_t *ret_out)
{
	*ret_in = *ret_out = 0;
	for (; text && *text; text = next_line(text)) {
		uint64_t in, out;
		char name[32];

		if (sscanf(text, " %31[^: ]: %" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			   name, &in, &out) != 3 ||
		    str_eq(name, "lo"))
			continue;
		*ret_in += in;
		*ret_out += out;
	}
}

/* user nice system idle iowait irq softirq steal (proc(5)); guest time is within user */
bool proc_cpu_ticks(const char *text, struct proc_cpu *ret)
{
	uint64_t v[8] = {0};

	if (sscanf(text,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) < 5)
		return false;
	*ret = (struct proc_cpu){
		.busy = v[0] + v[1] + v[2] + v[5] + v[6] + v[7], .idle = v[3], .wait = v[4]};
	return true;
}

/* The kernel lets idle and iowait go back now and then (proc(5)). */
static double grown(uint64_t last, uint64_t now)
{
	return now > last ? (double)(now - last) : 0;
}

bool proc_cpu_shares(const struct proc_cpu *last, const struct proc_cpu *now, double *ret_busy,
		     double *ret_wait)
{
	double busy = grown(last->busy, now->busy), wait = grown(last->wait, now->wait);
	double all = busy + wait + grown(last->idle, now->idle);

	if (all <= 0)
		return false;
	*ret_busy = busy / all;
	*ret_wait = wait / all;
	return true;
}

void proc_io_bytes(const char *text, uint64_t *ret_read, uint64_t *ret_written)
{
	*ret_read = *ret_written = 0;
	for (; text && *text; text = next_line(text)) {
		uint64_t a, b;
		char kind[8];

		if (sscanf(text, "%*u:%*u rbytes=%" SCNu64 " wbytes=%" SCNu64, &a, &b) == 2) {
			*ret_read += a;
			*ret_written += b;
		} else if (sscanf(text, "%*u:%*u %7s %" SCNu64, kind, &a) == 2) {
			if (str_eq(kind, "Read"))
				*ret_read += a;
			else if (str_eq(kind, "Write"))
				*ret_written += a;
		}
	}
}

/* is `controller` one of the comma-separated names in [at, at + n) */
static bool names_controller(const char *at, size_t n, const char *controller)
{
	autofree char *names = xstrndup(at, n);
	autostrv char **parts = str_split(names, ",");

	return controller[0] == '\0' ? n == 0 : strv_has(parts, controller);
}

char *proc_cgroup(const char *text, const char *controller)
{
	for (; text && *text; text = next_line(text)) {
		const char *names = strchr(text, ':'),
			   *path = names ? strchr(names + 1, ':') : NULL;
		const char *payload;
		size_t n;

		if (!path || !names_controller(names + 1, (size_t)(path - names - 1), controller))
			continue;
		path++;
		n = strcspn(path, "\n");
		payload = strstr(path, "/lxc.payload.");
		if (!payload || payload >= path + n)
			return NULL;
		return xstrndup(path, (size_t)(payload - path) + 1 + strcspn(payload + 1, "/\n"));
	}
	return NULL;
}

static bool read_path(struct buf *ret, const char *path)
{
	buf_clear(ret);
	return file_read(path, TEXT_MAX, ret, NULL) == 0 && ret->data;
}

bool proc_read(struct buf *ret, const char *fmt, ...)
{
	autofree char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	path = xvasprintf(fmt, ap);
	va_end(ap);
	return read_path(ret, path);
}

uint64_t proc_read_u64(const char *fmt, ...)
{
	autofree char *path = NULL;
	autobuf text = BUF_INIT;
	uint64_t v = 0;
	va_list ap;

	va_start(ap, fmt);
	path = xvasprintf(fmt, ap);
	va_end(ap);
	if (!read_path(&text, path) || sscanf(text.data, "%" SCNu64, &v) != 1)
		return 0;
	return v;
}
