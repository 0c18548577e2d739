/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volume ids and file names of volumes: what is a name of ours, and what it says. Pure. */
#include "storage/volid/volid.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/base/str.h"

#define VMID_MIN 100
#define VMID_MAX 999999999
#define FILE_MAX 255

struct suffix {
	const char *text;
	const char *format;
};

static const struct suffix image_suffixes[] = {
	{".raw", "raw"}, {".qcow2", "qcow2"}, {".vmdk", "vmdk"}, {".subvol", "subvol"}, {0},
};
static const struct suffix iso_suffixes[] = {{".iso", "iso"}, {".img", "iso"}, {0}};
static const struct suffix template_suffixes[] = {
	{".tar.gz", "tgz"},   {".tgz", "tgz"},	   {".tar.xz", "txz"}, {".txz", "txz"},
	{".tar.zst", "tzst"}, {".tar.bz2", "tbz"}, {".tar", "tar"},    {0},
};
static const struct suffix snippet_suffixes[] = {{"", "snippet"}, {0}};
static const struct suffix import_suffixes[] = {
	{".ova", "ova"},
	{".ovf", "ovf"},
	{".qcow2", "qcow2"},
	{".raw", "raw"},
	{".vmdk", "vmdk"},
	{".img", "raw"},
	{0},
};
static const struct suffix backup_suffixes[] = {
	{".tar", "tar"},	 {".tar.gz", "tar.gz"},
	{".tgz", "tgz"},	 {".tar.zst", "tar.zst"},
	{".tar.lzo", "tar.lzo"}, {".vma", "vma"},
	{".vma.gz", "vma.gz"},	 {".vma.zst", "vma.zst"},
	{".vma.lzo", "vma.lzo"}, {0},
};

struct content_kind {
	const char *name;
	const char *folder; /* first part of the volume name; NULL: guest volumes */
	const struct suffix *suffixes;
	const char *expects; /* for the error text */
};

/* indexed by enum volume_content */
static const struct content_kind kinds[] = {
	[VOLUME_IMAGES] = {"images", NULL, image_suffixes, ".raw, .qcow2, .vmdk"},
	[VOLUME_ROOTDIR] = {"rootdir", NULL, image_suffixes, ".raw, .subvol"},
	[VOLUME_ISO] = {"iso", "iso", iso_suffixes, ".iso, .img"},
	[VOLUME_VZTMPL] = {"vztmpl", "vztmpl", template_suffixes,
			   ".tar.gz, .tar.xz, .tar.zst, .tar.bz2, .tar"},
	[VOLUME_SNIPPETS] = {"snippets", "snippets", snippet_suffixes, "any"},
	[VOLUME_IMPORT] = {"import", "import", import_suffixes,
			   ".ova, .ovf, .qcow2, .raw, .vmdk, .img"},
	[VOLUME_BACKUP] = {"backup", "backup", backup_suffixes, ".tar.zst, .vma.zst and the like"},
};

const char *volume_content_name(enum volume_content content)
{
	return (size_t)content < ARRAY_SIZE(kinds) ? kinds[content].name : "unknown";
}

int volume_content_from_name(const char *name, enum volume_content *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_eq(kinds[i].name, name)) {
			*ret = (enum volume_content)i;
			return 0;
		}
	}
	return err_field(err, "content", "unknown content type '%s'", name ? name : "");
}

/* Independent of the locale: isalnum() is not. */
static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name_char(char c)
{
	return is_alnum(c) || (c && strchr("_.+~@-", c));
}

static bool name_is_valid(const char *name)
{
	size_t size = strlen(name);
	if (size == 0 || size > FILE_MAX || (!is_alnum(name[0]) && name[0] != '_'))
		return false;
	for (const char *c = name; *c; c++)
		if (!is_name_char(*c))
			return false;
	return strstr(name, "..") == NULL;
}

static bool storage_id_is_valid(const char *id)
{
	size_t size = strlen(id);
	if (size < 2 || !is_alnum(id[0]) || (id[0] >= '0' && id[0] <= '9') ||
	    !is_alnum(id[size - 1]))
		return false;
	for (const char *c = id; *c; c++)
		if (!is_alnum(*c) && !strchr("_.-", *c))
			return false;
	return true;
}

/* The longest suffix of the table, so that ".tar.gz" is not taken for ".gz". */
static const struct suffix *suffix_find(const struct suffix *table, const char *name)
{
	const struct suffix *best = NULL;
	size_t size = strlen(name), best_size = 0;
	for (; table->text; table++) {
		size_t n = strlen(table->text);
		if (n < size && (!best || n > best_size) &&
		    strcasecmp(name + size - n, table->text) == 0) {
			best = table;
			best_size = n;
		}
	}
	return best;
}

/* Decimal guest id at *at, which moves behind it. 0: none. */
static unsigned vmid_take(const char **at)
{
	const char *c = *at;
	uint64_t value = 0;
	if (*c == '0')
		return 0;
	for (; *c >= '0' && *c <= '9' && c - *at < 10; c++)
		value = value * 10 + (uint64_t)(*c - '0');
	if (value < VMID_MIN || value > VMID_MAX)
		return 0;
	*at = c;
	return (unsigned)value;
}

/* The id behind one of the prefixes (NULL-terminated), or 0. */
static unsigned owner_behind(const char *const *prefixes, const char *file)
{
	for (; *prefixes; prefixes++) {
		const char *at = str_after(file, *prefixes);
		unsigned vmid = at ? vmid_take(&at) : 0;
		if (vmid && at[0] == '-' && is_alnum(at[1]))
			return vmid;
	}
	return 0;
}

/* "vm-101-disk-0.raw", "base-101-disk-0.qcow2", "subvol-101-disk-0.subvol": the owner, or 0. */
static unsigned image_owner(const char *file)
{
	static const char *const prefixes[] = {"vm-", "base-", "subvol-", "basevol-", NULL};
	return owner_behind(prefixes, file);
}

/* "vzdump-lxc-101-2026_01_31-12_00_00.tar.zst" */
static unsigned backup_owner(const char *file)
{
	static const char *const prefixes[] = {"vzdump-lxc-", "vzdump-qemu-", NULL};
	return owner_behind(prefixes, file);
}

static int volid_fail(struct err *err, const char *text, const char *why)
{
	return err_field(err, "volume", "unable to parse volume ID '%.300s': %s", text, why);
}

/* The volume of a block storage, which knows no folders: "vm-101-disk-0", always raw or a subvol.
 */
static int parse_block(const char *text, struct volid *v, struct err *err)
{
	v->vmid = image_owner(v->name);
	if (!v->vmid || !name_is_valid(v->name))
		return volid_fail(err, text, "not the name of a volume");
	bool is_subvol = str_starts(v->name, "subvol-") || str_starts(v->name, "basevol-");
	v->content = is_subvol ? VOLUME_ROOTDIR : VOLUME_IMAGES;
	str_copy(v->format, sizeof(v->format), is_subvol ? "subvol" : "raw");
	str_copy(v->file, sizeof(v->file), v->name);
	return 0;
}

static int parse_image(const char *text, unsigned vmid, const char *file, struct volid *v,
		       struct err *err)
{
	const struct suffix *suffix = suffix_find(image_suffixes, file);
	if (!name_is_valid(file) || image_owner(file) != vmid)
		return volid_fail(err, text,
				  "the file name must begin with vm-VMID- of its folder");
	if (!suffix)
		return volid_fail(err, text, "unknown image format");
	v->vmid = vmid;
	v->content = str_eq(suffix->format, "subvol") ? VOLUME_ROOTDIR : VOLUME_IMAGES;
	str_copy(v->format, sizeof(v->format), suffix->format);
	str_copy(v->file, sizeof(v->file), file);
	return 0;
}

static int parse_file(const char *text, enum volume_content content, const char *file,
		      struct volid *v, struct err *err)
{
	struct err why = ERR_INIT;
	if (volume_file_check(content, file, &why) < 0)
		return volid_fail(err, text, why.message);
	v->content = content;
	v->vmid = content == VOLUME_BACKUP ? backup_owner(file) : 0;
	str_copy(v->format, sizeof(v->format), suffix_find(kinds[content].suffixes, file)->format);
	str_copy(v->file, sizeof(v->file), file);
	return 0;
}

bool volume_is_base(const struct volid *volume)
{
	return str_starts(volume->file, "base-") || str_starts(volume->file, "basevol-");
}

const char *volume_copy_owner(const char *file)
{
	const char *at = str_after(file, "vm-") ?: str_after(file, "subvol-");
	return at ? str_after(at + strspn(at, "0123456789"), VOLUME_COPY_MARK) : NULL;
}

/* One "VMID/FILE" of a linked clone's name. */
static int parse_half(const char *text, const char *half, struct volid *v, struct err *err)
{
	const char *at = half;
	unsigned vmid = vmid_take(&at);
	if (!vmid || *at != '/')
		return volid_fail(err, text, "the form of a clone is VMID/base-…/VMID/vm-…");
	return parse_image(text, vmid, at + 1, v, err);
}

/* "100/base-100-disk-0.qcow2/101/vm-101-disk-0.qcow2" */
static int parse_clone(const char *text, struct volid *v, struct err *err)
{
	struct volid base = {0};
	const char *end = strchr(strchr(v->name, '/') + 1, '/');
	size_t size = (size_t)(end - v->name);
	if (size >= sizeof(v->base))
		return volid_fail(err, text, "too long");
	memcpy(v->base, v->name, size);
	v->base[size] = '\0';
	int r = parse_half(text, v->base, &base, err);
	if (r == 0)
		r = parse_half(text, end + 1, v, err);
	bool is_image = str_eq(base.format, "raw") || str_eq(base.format, "qcow2");
	if (r == 0 && (!volume_is_base(&base) || !is_image || volume_is_base(v) ||
		       !str_eq(v->format, "qcow2")))
		r = volid_fail(err, text, "a clone is a qcow2 image on a base volume");
	return r;
}

static int parse_name(const char *text, struct volid *v, struct err *err)
{
	const char *slash = strchr(v->name, '/');
	if (!slash)
		return parse_block(text, v, err);
	const char *at = v->name;
	unsigned vmid = vmid_take(&at);
	if (vmid && at == slash && strchr(slash + 1, '/'))
		return parse_clone(text, v, err);
	if (vmid && at == slash)
		return parse_image(text, vmid, slash + 1, v, err);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t size = kinds[i].folder ? strlen(kinds[i].folder) : 0;
		if (size && size == (size_t)(slash - v->name) &&
		    memcmp(v->name, kinds[i].folder, size) == 0)
			return parse_file(text, (enum volume_content)i, slash + 1, v, err);
	}
	return volid_fail(err, text, "unknown kind of volume");
}

int volid_parse(const char *text, struct volid *ret, struct err *err)
{
	struct volid v = {0};
	const char *colon = text ? strchr(text, ':') : NULL;
	if (!colon)
		return volid_fail(err, text ? text : "", "the form is STORAGE:NAME");
	if (strlen(text) >= VOLID_MAX || (size_t)(colon - text) >= sizeof(v.storage))
		return volid_fail(err, text, "too long");
	memcpy(v.storage, text, (size_t)(colon - text));
	if (!storage_id_is_valid(v.storage))
		return volid_fail(err, text, "bad storage name");
	str_copy(v.name, sizeof(v.name), colon + 1);
	int r = parse_name(text, &v, err);
	if (r < 0)
		return r;
	*ret = v;
	return 0;
}

int volid_base(const struct volid *clone, struct volid *ret, struct err *err)
{
	struct volid base;
	if (!clone->base[0])
		return err_set(err, ERR_NOT_FOUND, "volume '%s:%.200s' is no linked clone",
			       clone->storage, clone->name);
	autofree char *text = xasprintf("%s:%s", clone->storage, clone->base);
	int r = volid_parse(text, &base, err);
	if (r < 0)
		return r;
	base.content = clone->content;
	*ret = base;
	return 0;
}

/* "101/vm-101-disk-0.qcow2", whether or not its base stands before it. */
static const char *own_name(const struct volid *volume)
{
	return volume->name + (volume->base[0] ? strlen(volume->base) + 1 : 0);
}

bool volid_same(const struct volid *a, const struct volid *b)
{
	return str_eq(a->storage, b->storage) && str_eq(own_name(a), own_name(b));
}

bool volid_text_same(const char *a, const char *b)
{
	struct volid x, y;

	if (str_eq(a, b))
		return true;
	return volid_parse(a, &x, NULL) == 0 && volid_parse(b, &y, NULL) == 0 && volid_same(&x, &y);
}

const struct field *volid_find(const struct fields *volids, const char *volid)
{
	for (size_t i = 0; i < volids->count; i++)
		if (volid_text_same(volids->items[i].name, volid))
			return &volids->items[i];
	return NULL;
}

void volume_file_normal(const char *name, char ret[256])
{
	size_t n = 0;
	for (const char *c = name; *c && n < FILE_MAX; c++) {
		bool is_folder = *c == '/' || *c == '\\';
		if (is_folder)
			n = 0;
		else if (((unsigned char)*c & 0xc0) != 0x80) /* the rest of a character */
			ret[n++] = is_name_char(*c) ? *c : '_';
	}
	ret[n] = '\0';
}

int volume_file_check(enum volume_content content, const char *file, struct err *err)
{
	if ((size_t)content >= ARRAY_SIZE(kinds))
		return err_field(err, "content", "unknown content type");
	const struct content_kind *kind = &kinds[content];
	if (!file || !name_is_valid(file))
		return err_field(err, "filename",
				 "file names are letters, digits and '_.+~@-', at most %d, "
				 "beginning with a letter, a digit or '_', without '..'",
				 FILE_MAX);
	if (!suffix_find(kind->suffixes, file))
		return err_field(err, "filename",
				 "wrong file extension for content '%s' (expected %s)", kind->name,
				 kind->expects);
	if (!kind->folder && !image_owner(file))
		return err_field(err, "filename", "the name of an image begins with vm-VMID-");
	if (content == VOLUME_BACKUP && !backup_owner(file))
		return err_field(err, "filename",
				 "the name of a backup begins with vzdump-lxc-VMID- or "
				 "vzdump-qemu-VMID-");
	return 0;
}
