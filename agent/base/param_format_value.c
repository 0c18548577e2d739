/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Named formats of sizes, paths and small languages. Pure. */
#include "agent/base/param_format.h"

#include <stdint.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/param.h"
#include "agent/base/propstr.h"
#include "agent/base/str.h"

/* not empty; no white space, no control characters */
static bool has_no_blank(const char *s)
{
	if (s[0] == '\0')
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

/* a ".." between slashes leads out of the folder that the text names */
static bool has_dotdot(const char *s)
{
	autostrv char **parts = str_split(s, "/");

	return strv_has(parts, "..");
}

static bool is_properties(const struct param *keys, const char *s)
{
	autofields ignored = FIELDS_INIT;

	return propstr_parse(keys, NULL, "", s, &ignored, NULL) == 0;
}

/* a storage and a name below it, which must not climb out */
static bool is_volume_id(const char *s)
{
	const char *colon = strchr(s, ':');
	autofree char *storage = colon ? xstrndup(s, (size_t)(colon - s)) : NULL;

	return colon && storage[0] && format_is_storage_id(storage) && has_no_blank(colon + 1) &&
	       strlen(colon + 1) <= 255 && !strchr(colon + 1, ',') && !strstr(colon + 1, "..");
}

/* 32, 32G, 1.5T */
static bool is_disk_size(const char *s)
{
	size_t n = strspn(s, DIGIT);
	uint64_t bytes;

	if (n == 0)
		return false;
	if (s[n] == '.') {
		size_t more = strspn(s + n + 1, DIGIT);

		if (more == 0)
			return false;
		n += 1 + more;
	}
	if (s[n] && strchr("KMGT", s[n]))
		n++;
	return s[n] == '\0' && str_to_bytes(s, 1, &bytes);
}

bool format_is_content(const char *s)
{
	static const char *const known[] = {"images", "rootdir",  "vztmpl", "iso",
					    "backup", "snippets", "import", "none"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(s, known[i]))
			return true;
	return false;
}

static bool is_absolute_path(const char *s)
{
	return s[0] == '/' && strlen(s) <= 4096 && !strpbrk(s, ",\n\r\t");
}

static bool is_mount_path(const char *s)
{
	return is_volume_id(s) || (is_absolute_path(s) && !has_dotdot(s));
}

static bool is_device_path(const char *s)
{
	return str_starts(s, "/dev/") && s[5] && is_absolute_path(s) && !has_dotdot(s);
}

/* the folder of a content type, below the storage's own */
static bool is_content_folder(const char *s)
{
	return has_no_blank(s) && s[0] != '/' && !has_dotdot(s);
}

static bool is_content_override(const char *s)
{
	return format_is_pair(s, '=', false, format_is_content, is_content_folder);
}

static bool is_startup_part(const char *s)
{
	static const char *const keys[] = {"order=", "up=", "down="};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_starts(s, keys[i]))
			return str_to_u64(s + strlen(keys[i]), &v);
	return str_to_u64(s, &v); /* a bare number is the order */
}

static bool is_startup_order(const char *s)
{
	autostrv char **parts = str_split(s, ",");

	for (char **p = parts; *p; p++)
		if (!is_startup_part(*p))
			return false;
	return parts[0] != NULL;
}

static bool is_zone(const char *s)
{
	return format_has_only(s, ALNUM "/_+-", 1, 64) && s[0] != '/';
}

static bool is_task_status(const char *s)
{
	return str_eq(s, "ok") || str_eq(s, "warning") || str_eq(s, "error") ||
	       str_eq(s, "unknown");
}

#define COUNT(key)                                                                                 \
	{                                                                                          \
		.name = key, .type = PARAM_INTEGER, .optional = true, .has_min = true              \
	}

static bool is_prune_rule(const char *s)
{
	static const struct param keys[] = {
		{.name = "keep-all", .type = PARAM_BOOLEAN, .optional = true},
		COUNT("keep-last"),
		COUNT("keep-hourly"),
		COUNT("keep-daily"),
		COUNT("keep-weekly"),
		COUNT("keep-monthly"),
		COUNT("keep-yearly"),
		PARAM_END,
	};

	return is_properties(keys, s);
}

static bool is_tfa_config(const char *s)
{
	static const char *const types[] = {"oath", "yubico", NULL};
	static const struct param keys[] = {
		{.name = "type", .type = PARAM_STRING, .choices = types},
		{.name = "id", .type = PARAM_STRING, .optional = true},
		{.name = "key", .type = PARAM_STRING, .optional = true},
		{.name = "url", .type = PARAM_STRING, .optional = true},
		COUNT("digits"),
		COUNT("step"),
		PARAM_END,
	};

	return is_properties(keys, s);
}

static bool is_sync_options(const char *s)
{
	static const char *const scopes[] = {"users", "groups", "both", NULL};
	static const struct param keys[] = {
		{.name = "scope", .type = PARAM_STRING, .optional = true, .choices = scopes},
		{.name = "remove-vanished",
		 .type = PARAM_STRING,
		 .optional = true,
		 .pattern = "none|((acl|entry|properties);?)+"},
		{.name = "enable-new", .type = PARAM_BOOLEAN, .optional = true},
		{.name = "full", .type = PARAM_BOOLEAN, .optional = true},
		{.name = "purge", .type = PARAM_BOOLEAN, .optional = true},
		PARAM_END,
	};

	return is_properties(keys, s);
}

static bool is_remote(const char *s)
{
	static const struct param keys[] = {
		{.name = "host", .type = PARAM_STRING, .format = "address"},
		{.name = "apitoken", .type = PARAM_STRING},
		{.name = "port",
		 .type = PARAM_INTEGER,
		 .optional = true,
		 .has_min = true,
		 .min = 1,
		 .has_max = true,
		 .max = 65535},
		{.name = "fingerprint",
		 .type = PARAM_STRING,
		 .optional = true,
		 .pattern = "([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}"},
		PARAM_END,
	};

	return is_properties(keys, s);
}

const struct param_format param_formats_value[] = {
	{"pve-volume-id", is_volume_id},
	{"disk-size", is_disk_size},
	{"pve-storage-content", format_is_content},
	{"pve-storage-path", is_absolute_path},
	{"pve-storage-options", has_no_blank},
	{"pve-dir-override", is_content_override},
	{"pve-lxc-mp-string", is_mount_path},
	{"pve-lxc-dev-string", is_device_path},
	{"pve-startup-order", is_startup_order},
	{"pve-ct-timezone", is_zone},
	{"pve-task-status-type", is_task_status},
	{"prune-backups", is_prune_rule},
	{"pve-tfa-config", is_tfa_config},
	{"realm-sync-options", is_sync_options},
	{"proxmox-remote", is_remote},
	{0},
};
