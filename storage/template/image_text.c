/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON texts of a container image. Pure. */
#include "storage/template/image.h"

#include <json-c/json.h>
#include <string.h>

#include "agent/base/json.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"

#define WORDS_MAX   1024
#define COMMAND_MAX 4096 /* as the configuration has it */
#define ENV_MAX	    65536

static int bad(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "container image: %s", what);
}

static int parse(const char *text, size_t size, const char *what, struct json_object **ret,
		 struct err *err)
{
	int r = json_parse(text, size, IMAGE_TEXT_MAX, ret, err);
	if (r < 0)
		return err_prefix(err, "container image: %s", what);
	if (json_object_is_type(*ret, json_type_object))
		return 0;
	json_object_put(*ret);
	return bad(err, "a text is no object");
}

/* NULL: not there, or not of that type. */
static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *value;
	if (!o || !json_object_object_get_ex(o, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *value = member(o, key, json_type_string);
	return value ? json_object_get_string(value) : NULL;
}

static size_t length_of(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

static struct json_object *item(struct json_object *list, size_t i)
{
	struct json_object *o = json_object_array_get_idx(list, i);
	return json_object_is_type(o, json_type_object) ? o : NULL;
}

static bool take_blob(struct json_object *descriptor, struct image_blob *ret)
{
	const char *hex = str_after(text_of(descriptor, "digest") ?: "", "sha256:");
	struct json_object *size = member(descriptor, "size", json_type_int);
	if (!hex || strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64 || !size ||
	    json_object_get_int64(size) < 0)
		return false;
	memcpy(ret->sha, hex, IMAGE_SHA_SIZE);
	ret->size = (uint64_t)json_object_get_int64(size);
	return true;
}

/* -- index ------------------------------------------------------------------------------------- */

static bool is_for(struct json_object *descriptor, const char *arch)
{
	struct json_object *platform = member(descriptor, "platform", json_type_object);
	const char *go = str_eq(arch, "armhf")	   ? "arm"
			 : str_eq(arch, "i386")	   ? "386"
			 : str_eq(arch, "ppc64el") ? "ppc64le"
						   : arch;
	return !platform || (str_eq(text_of(platform, "architecture"), go) &&
			     str_eq(text_of(platform, "os") ?: "linux", "linux"));
}

int image_index_parse(const char *text, size_t size, const char *arch, struct image_blob *ret,
		      bool *ret_is_index, struct err *err)
{
	struct json_object *index;
	int r = parse(text, size, "index", &index, err);
	if (r < 0)
		return r;
	struct json_object *list = member(index, "manifests", json_type_array);
	r = -ERR_UNSUPPORTED;
	for (size_t i = 0; r == -ERR_UNSUPPORTED && i < length_of(list); i++) {
		struct json_object *o = item(list, i);
		if (!o || !is_for(o, arch))
			continue;
		const char *media = text_of(o, "mediaType") ?: "";
		*ret_is_index = str_ends(media, ".image.index.v1+json") ||
				str_ends(media, ".manifest.list.v2+json");
		r = take_blob(o, ret) ? 0 : bad(err, "a manifest has no sha256 digest and size");
	}
	json_object_put(index);
	return r == -ERR_UNSUPPORTED
		       ? err_set(err, ERR_UNSUPPORTED,
				 "feature not available: the image is for other machines than '%s'",
				 arch)
		       : r;
}

/* -- manifest ---------------------------------------------------------------------------------- */

static int check_layer(struct json_object *layer, struct err *err)
{
	static const char *const kinds[] = {".tar", ".tar+gzip", ".tar.gzip", ".tar+zstd"};
	const char *media = text_of(layer, "mediaType");
	for (size_t i = 0; media && i < ARRAY_SIZE(kinds); i++)
		if (str_ends(media, kinds[i]))
			return 0;
	return err_set(err, ERR_UNSUPPORTED, "feature not available: image layer of type '%.100s'",
		       media ? media : "");
}

/* Each time it is decoded again, whatever it holds. */
static bool is_repeated(const struct image_manifest *manifest, size_t layer)
{
	const struct image_blob *blob = &manifest->layers[layer];
	for (size_t i = 0; blob->size > IMAGE_REPEAT_MAX && i < layer; i++)
		if (str_eq(manifest->layers[i].sha, blob->sha))
			return true;
	return false;
}

static int take_layers(struct json_object *list, struct image_manifest *ret, struct err *err)
{
	if (length_of(list) > IMAGE_LAYERS_MAX)
		return err_set(err, ERR_LIMIT, "container image: more than %d layers",
			       IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < length_of(list); i++) {
		struct json_object *layer = item(list, i);
		int r = check_layer(layer, err);
		if (r < 0)
			return r;
		if (!take_blob(layer, &ret->layers[i]))
			return bad(err, "a layer has no sha256 digest and size");
		if (is_repeated(ret, i))
			return err_set(err, ERR_LIMIT,
				       "container image: layer %zu is there twice and larger than "
				       "%u bytes",
				       i + 1, IMAGE_REPEAT_MAX);
	}
	ret->count = length_of(list);
	return ret->count ? 0 : bad(err, "it has no layers");
}

int image_manifest_parse(const char *text, size_t size, struct image_manifest *ret, struct err *err)
{
	struct json_object *manifest;
	int r = parse(text, size, "manifest", &manifest, err);
	if (r < 0)
		return r;
	if (!take_blob(member(manifest, "config", json_type_object), &ret->config))
		r = bad(err, "the configuration has no sha256 digest and size");
	if (r == 0)
		r = take_layers(member(manifest, "layers", json_type_array), ret, err);
	json_object_put(manifest);
	return r;
}

uint64_t image_manifest_size(const struct image_manifest *manifest)
{
	uint64_t sum = manifest->config.size;
	for (size_t i = 0; i < manifest->count; i++)
		if (__builtin_add_overflow(sum, manifest->layers[i].size, &sum))
			return UINT64_MAX;
	return sum;
}

bool image_text_is_index(const char *text, size_t size)
{
	struct json_object *all;
	if (parse(text, size, "manifest", &all, NULL) < 0)
		return false;
	bool is_index = member(all, "manifests", json_type_array) != NULL;
	json_object_put(all);
	return is_index;
}

/* -- configuration ----------------------------------------------------------------------------- */

static bool is_plain(const char *text, size_t size)
{
	if (strlen(text) != size)
		return false;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

/* As ct_command_words() takes it apart: quotes around whole words, and no escape. */
static bool add_word(struct buf *out, const char *word, size_t size)
{
	bool is_quoted = !*word || strpbrk(word, " \t\v\f\"'");
	const char *quote = strchr(word, '"') ? "'" : "\"";
	if (!is_plain(word, size) || (strchr(word, '"') && strchr(word, '\'')))
		return false;
	buf_addf(out, "%s%s%s%s", out->size ? " " : "", is_quoted ? quote : "", word,
		 is_quoted ? quote : "");
	return out->size <= COMMAND_MAX;
}

static int add_words(struct buf *out, struct json_object *list, struct err *err)
{
	if (length_of(list) > WORDS_MAX)
		return bad(err, "its command has too many words");
	for (size_t i = 0; i < length_of(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		if (!json_object_is_type(o, json_type_string))
			return bad(err, "its command is no list of words");
		if (!add_word(out, json_object_get_string(o),
			      (size_t)json_object_get_string_len(o)))
			return err_set(
				err, ERR_UNSUPPORTED,
				"feature not available: the image's command has words with "
				"control characters or both kinds of quotes, or is longer than %d "
				"bytes",
				COMMAND_MAX);
	}
	return 0;
}

static int take_command(struct json_object *config, struct fields *ret, struct err *err)
{
	autobuf line = BUF_INIT;
	int r = add_words(&line, member(config, "Entrypoint", json_type_array), err);
	if (r == 0)
		r = add_words(&line, member(config, "Cmd", json_type_array), err);
	if (r == 0 && line.size)
		fields_add(ret, "entrypoint", buf_str(&line));
	return r;
}

static bool env_is_valid(const char *text, size_t size)
{
	size_t name =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	return name > 0 && text[name] == '=' && is_plain(text, size) && !strstr(text, "\\0");
}

static void take_env(struct json_object *config, struct fields *ret)
{
	struct json_object *list = member(config, "Env", json_type_array);
	autobuf text = BUF_INIT;
	for (size_t i = 0; i < length_of(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *one = json_object_get_string(o) ?: "";
		size_t size = strlen(one);
		if (json_object_is_type(o, json_type_string) &&
		    env_is_valid(one, (size_t)json_object_get_string_len(o)) &&
		    text.size + size + 2 <= ENV_MAX)
			buf_addf(&text, "%s%s", text.size ? "\\0" : "", one);
		else
			fields_addf(ret, "note", "environment '%.60s' is left out", one);
	}
	if (text.size)
		fields_add(ret, "env", buf_str(&text));
}

/* liblxc 5 enters it while folders of the host are still open: "/proc/self/fd/N", or a link to it, would be one of
 * those. */
static void note_folder(struct json_object *config, struct fields *ret)
{
	const char *folder = text_of(config, "WorkingDir");
	if (!str_is_empty(folder) && !str_eq(folder, "/"))
		fields_addf(ret, "note", "working folder '%.60s' is left out: '/' is used", folder);
}

/* "1000", "1000:1000"; names stand in the image's own files. */
static void take_user(struct json_object *config, struct fields *ret)
{
	const char *user = text_of(config, "User");
	uint64_t uid = 0, gid = 0;
	if (str_is_empty(user) || str_eq(user, "root") || str_eq(user, "root:root"))
		return;
	const char *colon = strchr(user, ':');
	autofree char *name = xstrndup(user, colon ? (size_t)(colon - user) : strlen(user));
	if (!str_to_u64(name, &uid) || (colon && !str_to_u64(colon + 1, &gid)) || uid > 65535 ||
	    gid > 65535) {
		fields_addf(ret, "note", "user '%.60s' is no number: root is used", user);
		return;
	}
	fields_addf(ret, "uid", "%llu", (unsigned long long)uid);
	fields_addf(ret, "gid", "%llu", (unsigned long long)gid);
}

int image_config_parse(const char *text, size_t size, struct fields *ret, struct err *err)
{
	struct json_object *all;
	int r = parse(text, size, "configuration", &all, err);
	if (r < 0)
		return r;
	struct json_object *config = member(all, "config", json_type_object);
	r = take_command(config, ret, err);
	if (r == 0) {
		take_env(config, ret);
		note_folder(config, ret);
		take_user(config, ret);
	}
	json_object_put(all);
	return r;
}
