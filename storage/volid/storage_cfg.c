/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of /storage.cfg and the definitions it holds. Pure; knows no storage type. */
#include "storage/volid/storage_cfg.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define SEPARATORS   ",; "
#define ID_MAX	     100
#define TYPE_MAX     32
#define KEY_MAX	     64
#define VALUE_MAX    8192
#define KEYS_MAX     64
#define CFG_SIZE_MAX (1024 * 1024)

const char storage_cfg_default_format[] =
	"dir: local\n"
	"\tpath %s\n"
	"\tcontent iso,vztmpl,snippets,import,backup,images,rootdir\n"
	"\n";

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* First a letter, then letters, digits and what `extra` holds. */
static bool is_word(const char *s, size_t max, const char *extra)
{
	size_t size = strlen(s);
	if (size == 0 || size > max || !is_alnum(s[0]) || (s[0] >= '0' && s[0] <= '9'))
		return false;
	for (; *s; s++)
		if (!is_alnum(*s) && !strchr(extra, *s))
			return false;
	return true;
}

static bool id_is_valid(const char *id)
{
	size_t size = strlen(id);
	return size >= 2 && is_word(id, ID_MAX, "-_.") && is_alnum(id[size - 1]);
}

static bool value_is_valid(const char *value)
{
	size_t size = strlen(value);
	if (size > VALUE_MAX || !str_is_utf8(value, size))
		return false;
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 && *value != '\t')
			return false;
	return true;
}

static int def_check(const struct storage_def *def, struct err *err)
{
	if (str_is_empty(def->type) || !is_word(def->type, TYPE_MAX, ""))
		return err_field(err, "type", "bad storage type '%.64s'",
				 def->type ? def->type : "");
	if (str_is_empty(def->id) || !id_is_valid(def->id))
		return err_field(err, "storage", "bad storage name '%.128s'",
				 def->id ? def->id : "");
	return 0;
}

static int key_check(const struct storage_def *def, const char *key, const char *value,
		     struct err *err)
{
	if (!is_word(key, KEY_MAX, "-_"))
		return err_set(err, ERR_INVALID, "bad key '%.80s' of storage '%s'", key, def->id);
	if (!value_is_valid(value))
		return err_field(err, key, "bad value of key '%s' of storage '%s'", key, def->id);
	if (fields_find(&def->keys, key))
		return err_field(err, key, "key '%s' of storage '%s' occurs twice", key, def->id);
	if (def->keys.count >= KEYS_MAX)
		return err_set(err, ERR_LIMIT, "storage '%s' has more than %d keys", def->id,
			       KEYS_MAX);
	return 0;
}

void storage_def_fini(struct storage_def *def)
{
	free(def->type);
	free(def->id);
	fields_fini(&def->keys);
	*def = (struct storage_def){0};
}

void storage_cfg_fini(struct storage_cfg *cfg)
{
	for (size_t i = 0; i < cfg->count; i++)
		storage_def_fini(&cfg->items[i]);
	free(cfg->items);
	*cfg = (struct storage_cfg){0};
}

const struct storage_def *storage_cfg_find(const struct storage_cfg *cfg, const char *id)
{
	for (size_t i = 0; i < cfg->count; i++)
		if (str_eq(cfg->items[i].id, id))
			return &cfg->items[i];
	return NULL;
}

static char *trim_end(char *line)
{
	size_t size = strlen(line);
	while (size > 0 && strchr(" \t\r", line[size - 1]))
		line[--size] = '\0';
	return line;
}

/* "type: id"; the new definition is the last of cfg. */
static int section_parse(char *line, struct storage_cfg *cfg, struct err *err)
{
	char *colon = strchr(line, ':');
	if (!colon)
		return err_set(err, ERR_INVALID, "expected 'type: name'");
	if (cfg->count >= STORAGE_CFG_MAX)
		return err_set(err, ERR_LIMIT, "more than %d storages", STORAGE_CFG_MAX);
	*colon = '\0';
	char *id = colon + 1 + strspn(colon + 1, " \t");
	if (storage_cfg_find(cfg, id))
		return err_field(err, "storage", "storage '%.100s' is defined twice", id);
	cfg->items = xrealloc(cfg->items, cfg->count + 1, sizeof(*cfg->items));
	struct storage_def *def = &cfg->items[cfg->count++];
	*def = (struct storage_def){.type = xstrdup(line), .id = xstrdup(id)};
	return def_check(def, err);
}

static int key_parse(char *line, struct storage_cfg *cfg, struct err *err)
{
	if (cfg->count == 0)
		return err_set(err, ERR_INVALID, "a key before the first 'type: name'");
	struct storage_def *def = &cfg->items[cfg->count - 1];
	char *value = line + strcspn(line, " \t");
	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	const char *text = *value ? value : "1"; /* a bare key switches something on */
	int r = key_check(def, line, text, err);
	if (r == 0)
		fields_add(&def->keys, line, text);
	return r;
}

static int line_parse(char *line, struct storage_cfg *cfg, struct err *err)
{
	bool is_indented = line[0] == ' ' || line[0] == '\t';
	trim_end(line);
	char *text = line + strspn(line, " \t");
	if (*text == '\0' || *text == '#')
		return 0;
	return is_indented ? key_parse(text, cfg, err) : section_parse(text, cfg, err);
}

int storage_cfg_parse(const char *text, size_t size, struct storage_cfg *ret, struct err *err)
{
	struct storage_cfg cfg = {0};
	if (size > CFG_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "storage.cfg is larger than %d bytes", CFG_SIZE_MAX);
	if (size > 0 && memchr(text, '\0', size))
		return err_set(err, ERR_INVALID, "storage.cfg holds a NUL byte");
	autofree char *copy = size ? xstrndup(text, size) : xstrdup("");
	unsigned number = 1;
	for (char *line = copy, *next; line; line = next, number++) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		int r = line_parse(line, &cfg, err);
		if (r < 0) {
			storage_cfg_fini(&cfg);
			err_prefix(err, "storage.cfg line %u", number);
			return r;
		}
	}
	*ret = cfg;
	return 0;
}

void storage_cfg_format(const struct storage_cfg *cfg, struct buf *out)
{
	for (size_t i = 0; i < cfg->count; i++) {
		const struct storage_def *def = &cfg->items[i];
		buf_addf(out, "%s: %s\n", def->type, def->id);
		for (size_t k = 0; k < def->keys.count; k++)
			buf_addf(out, "\t%s %s\n", def->keys.items[k].name,
				 def->keys.items[k].value);
		buf_add_char(out, '\n');
	}
}

const char *storage_def_get(const struct storage_def *def, const char *key)
{
	return fields_get(&def->keys, key);
}

static bool list_has(const char *list, const char *word)
{
	autostrv char **parts = str_split(list, SEPARATORS);
	return strv_has(parts, word);
}

bool storage_def_has_content(const struct storage_def *def, const char *content)
{
	const char *list = storage_def_get(def, "content");
	return list_has(list ? list : "images,rootdir", content);
}

bool storage_def_is_on_node(const struct storage_def *def, const char *node)
{
	const char *nodes = storage_def_get(def, "nodes");
	return str_is_empty(nodes) || list_has(nodes, node);
}

void storage_def_encode(const struct storage_def *def, struct fields *out)
{
	fields_add(out, "storage-type", def->type);
	fields_add(out, "storage-id", def->id);
	for (size_t i = 0; i < def->keys.count; i++) {
		autofree char *name = xasprintf("key.%s", def->keys.items[i].name);
		fields_add(out, name, def->keys.items[i].value);
	}
}

static int keys_decode(const struct fields *args, struct storage_def *def, struct err *err)
{
	for (size_t i = 0; i < args->count; i++) {
		const char *key = str_after(args->items[i].name, "key.");
		if (!key)
			continue;
		int r = key_check(def, key, args->items[i].value, err);
		if (r < 0)
			return r;
		fields_add(&def->keys, key, args->items[i].value);
	}
	return 0;
}

int storage_def_decode(const struct fields *args, struct storage_def *ret, struct err *err)
{
	bool is_prefixed = fields_find(args, "storage-type") != NULL;
	struct storage_def def = {
		.type = xstrdup(fields_get(args, is_prefixed ? "storage-type" : "type")),
		.id = xstrdup(fields_get(args, is_prefixed ? "storage-id" : "id")),
	};
	int r = def_check(&def, err);
	if (r == 0)
		r = keys_decode(args, &def, err);
	if (r < 0) {
		storage_def_fini(&def);
		return r;
	}
	*ret = def;
	return 0;
}
