/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One entry of a list of templates: what its values may be, and what they are for a machine. Pure. */
#include "storage/catalog/internal.h"

#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "storage/volid/volid.h"

static const struct {
	const char *arch, *machine;
} machines[] = {
	{"amd64", "x86_64"}, {"arm64", "aarch64"},   {"armhf", "armv7l"},
	{"i386", "i686"},    {"ppc64el", "ppc64le"}, {"riscv64", "riscv64"},
};

const char *catalog_machine(const char *arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (str_eq(machines[i].arch, arch))
			return machines[i].machine;
	return arch;
}

const char *catalog_arch(const char *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (str_eq(machines[i].machine, machine))
			return machines[i].arch;
	return machine;
}

const char *catalog_entry_get(const struct catalog_entry *entry, const char *key)
{
	return fields_get(&entry->keys, key);
}

static bool is_disabled(const struct catalog_entry *entry)
{
	bool value = false;
	return str_to_bool(catalog_entry_get(entry, "disable") ?: "0", &value) && value;
}

bool catalog_entry_is_for(const struct catalog_entry *entry, const char *arch)
{
	const char *archs = catalog_entry_get(entry, "architectures");
	if (is_disabled(entry) || !archs)
		return !is_disabled(entry);
	autostrv char **words = str_split(archs, " \t");
	return strv_has(words, arch);
}

static void fill_in(struct buf *out, const char *text, const char *arch)
{
	for (const char *c = text; *c;) {
		const char *rest = str_after(c, "{arch}");
		if (rest)
			buf_add_str(out, arch);
		else if ((rest = str_after(c, "{machine}")))
			buf_add_str(out, catalog_machine(arch));
		else
			buf_add_char(out, *(rest = c)), rest++;
		c = rest;
	}
}

char *catalog_entry_text(const struct catalog_entry *entry, const char *key, const char *arch)
{
	autobuf out = BUF_INIT;
	const char *text = catalog_entry_get(entry, key);
	if (!text)
		return NULL;
	fill_in(&out, text, arch);
	(void)buf_str(&out);
	return buf_steal(&out);
}

/* -- what the values may be -------------------------------------------------------------------- */

static bool is_web(const char *text)
{
	return str_starts(text, "http://") || str_starts(text, "https://");
}

static int check_file(const struct catalog_entry *entry, const char *value, struct err *err)
{
	autofree char *file = catalog_entry_text(entry, "file", "amd64");
	(void)value;
	int r = volume_file_check(VOLUME_VZTMPL, file, err);
	if (r < 0 && err)
		str_copy(err->field, sizeof(err->field), "file");
	return r;
}

static int check_web(const struct catalog_entry *entry, const char *value, struct err *err)
{
	(void)entry;
	return is_web(value) ? 0 : err_field(err, "url", "'%.100s' is no URL", value);
}

/* They become arguments of a program: neither options nor what a shell would take apart. */
static int check_make(const struct catalog_entry *entry, const char *value, struct err *err)
{
	static const char *const makers[] = {"busybox", "debian", "ubuntu"};
	autostrv char **words = str_split(value, " \t");
	size_t count = strv_count(words);
	(void)entry;
	for (size_t i = 0; count > 0 && i < ARRAY_SIZE(makers); i++)
		if (str_eq(makers[i], words[0]) && count == (i == 0 ? 1u : 2u) &&
		    (i == 0 || str_is_ident(words[1])))
			return 0;
	return err_field(err, "make",
			 "'%.100s' is none of 'busybox', 'debian SUITE', 'ubuntu SUITE'", value);
}

static int check_path(const struct catalog_entry *entry, const char *value, struct err *err)
{
	(void)entry;
	return value[0] == '/' ? 0 : err_field(err, "keyring", "'%.100s' is no path", value);
}

static int check_flag(const struct catalog_entry *entry, const char *value, struct err *err)
{
	bool flag;
	(void)entry;
	return str_to_bool(value, &flag) ? 0 : err_field(err, "disable", "is 1 or 0");
}

static int check_sum(const struct catalog_entry *entry, const char *value, struct err *err)
{
	autostrv char **words = str_split(value, " \t");
	size_t digits = strv_count(words) == 2 ? catalog_sum_digits(words[0]) : 0;
	(void)entry;
	if (digits == 0)
		return err_field(err, "sum", "is 'sha256' or 'sha512', then a checksum or a URL");
	if (str_starts(words[1], "https://"))
		return 0;
	if (str_starts(words[1], "http://"))
		return err_field(err, "sum", "a checksum is fetched by https alone");
	if (!catalog_sum_is_hex(words[1], digits) || words[1][digits])
		return err_field(err, "sum", "expected %zu hexadecimal digits or a URL", digits);
	return 0;
}

int catalog_entry_sum(const struct catalog_entry *entry, const char *arch, const char **ret_kind,
		      char **ret_rest, struct err *err)
{
	autofree char *text = catalog_entry_text(entry, "sum", arch);
	int r = text ? check_sum(entry, text, err) : err_field(err, "sum", "is missing");
	if (r < 0)
		return r;
	autostrv char **words = str_split(text, " \t");
	*ret_kind = str_eq(words[0], "sha256") ? "sha256" : "sha512";
	*ret_rest = xstrdup(words[1]);
	return 0;
}

static const struct {
	const char *name;
	int (*check)(const struct catalog_entry *entry, const char *value, struct err *err);
} keys[] = {
	{"file", check_file},	 {"os", NULL},
	{"version", NULL},	 {"headline", NULL},
	{"description", NULL},	 {"section", NULL},
	{"disable", check_flag}, {"architectures", NULL},
	{"make", check_make},	 {"mirror", check_web},
	{"keyring", check_path}, {"url", check_web},
	{"sum", check_sum},
};

static int check_value(const struct catalog_entry *entry, const struct field *f, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!str_eq(keys[i].name, f->name))
			continue;
		int r = keys[i].check ? keys[i].check(entry, f->value, err) : 0;
		if (r < 0 && err)
			str_copy(err->field, sizeof(err->field), f->name);
		return r;
	}
	return err_field(err, f->name, "unknown key '%.64s'", f->name);
}

int catalog_entry_check(const struct catalog_entry *entry, struct err *err)
{
	bool is_made = catalog_entry_get(entry, "make"), has_url = catalog_entry_get(entry, "url");
	int r = 0;
	for (size_t i = 0; r == 0 && i < entry->keys.count; i++)
		r = check_value(entry, &entry->keys.items[i], err);
	if (r == 0 && is_disabled(entry))
		return 0; /* takes another one away, and says no more */
	if (r == 0 && !catalog_entry_get(entry, "file"))
		r = err_field(err, "file", "is missing");
	if (r == 0 && is_made == has_url)
		r = err_field(err, "make", "either make or url is needed");
	if (r == 0 && has_url && !catalog_entry_get(entry, "sum"))
		r = err_field(err, "sum", "is missing: what is downloaded is checked");
	if (r < 0)
		err_prefix(err, "[%s]: %s", entry->name, err && err->field[0] ? err->field : "");
	return r;
}
