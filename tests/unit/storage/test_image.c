/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Container images: their texts, layers over each other, what takes away, and what lies. */
#include "tests/unit/storage/template_test.h"

#include "agent/base/digest.h"
#include "storage/template/image.h"

struct blob_text {
	char *data;
	size_t size;
	char sha[65];
};

static void blob_take(struct blob_text *blob, const void *data, size_t size)
{
	uint8_t raw[SHA256_SIZE];
	autobuf hex = BUF_INIT;
	digest_sha256(data, size, raw);
	digest_hex(raw, sizeof(raw), &hex);
	strcpy(blob->sha, buf_str(&hex));
	blob->data = xmemdup(data, size);
	blob->size = size;
}

static void blob_layer(struct blob_text *blob, const struct item *items, int filter)
{
	autofd int fd = make_archive(items, filter);
	autobuf data = BUF_INIT;
	assert_int_equal(fd_read_all(fd, 1 << 20, &data, NULL), 0);
	blob_take(blob, data.data, data.size);
}

static void write_file(struct archive *a, const char *name, const void *data, size_t size)
{
	struct archive_entry *e = entry_new(&(struct item){.name = name});
	archive_entry_set_size(e, (int64_t)size);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, data, size), size);
	archive_entry_free(e);
}

static void write_blob(struct archive *a, const struct blob_text *blob)
{
	autofree char *name = xasprintf("blobs/sha256/%s", blob->sha);
	write_file(a, name, blob->data, blob->size);
}

#define CONFIG                                                                                     \
	"{\"architecture\":\"amd64\",\"config\":{\"Entrypoint\":[\"/bin/app\",\"a b\"],"           \
	"\"Cmd\":[\"-x\"],\"Env\":[\"PATH=/bin\",\"A=1\"],\"WorkingDir\":\"/"                      \
	"srv\",\"User\":\"7:8\"}}"

static const char *const types[] = {"application/vnd.oci.image.layer.v1.tar+gzip",
				    "application/vnd.docker.image.rootfs.diff.tar.gzip"};

static size_t cut_size = SIZE_MAX; /* a layer that is a byte shorter than is said of it */

/* An archive with these layers, whose data is freed. */
static int image_of(struct blob_text *layer, size_t count)
{
	struct blob_text config, manifest;
	autobuf text = BUF_INIT, index = BUF_INIT;
	int fd = make_fd();
	struct archive *a = writer_new(fd, 0);
	write_item(a, &(struct item){.name = "blobs/", .kind = AE_IFDIR, .mode = 0755});
	blob_take(&config, CONFIG, strlen(CONFIG));
	write_blob(a, &config);
	buf_addf(&text,
		 "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:%s\",\"size\":%zu},"
		 "\"layers\":[",
		 config.sha, config.size);
	for (size_t i = 0; i < count; i++) {
		write_blob(a, &layer[i]);
		buf_addf(&text, "%s{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%zu}",
			 i ? "," : "", types[i % 2], layer[i].sha, layer[i].size + (i == cut_size));
		free(layer[i].data);
	}
	buf_add_str(&text, "]}");
	blob_take(&manifest, text.data, text.size);
	write_blob(a, &manifest);
	buf_addf(&index,
		 "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:%064d\","
		 "\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
		 "{\"digest\":\"sha256:%s\",\"size\":%zu}]}",
		 0, manifest.sha, manifest.size);
	write_file(a, "index.json", index.data, index.size);
	write_file(a, "oci-layout", "{}", 2);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	free(config.data);
	free(manifest.data);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Layer `broken` does not have what its name says. */
static int make_image(const struct item *const *layers, size_t count, size_t broken)
{
	struct blob_text layer[8];
	for (size_t i = 0; i < count; i++) {
		blob_layer(&layer[i], layers[i], i % 2 ? ARCHIVE_FILTER_GZIP : 0);
		if (i == broken)
			layer[i].sha[0] = layer[i].sha[0] == '0' ? '1' : '0';
	}
	return image_of(layer, count);
}

static int make_image_of(int layer_fd)
{
	struct blob_text layer;
	autobuf data = BUF_INIT;
	assert_int_equal(fd_read_all(layer_fd, 1 << 20, &data, NULL), 0);
	blob_take(&layer, data.data, data.size);
	return image_of(&layer, 1);
}

static const struct item lower[] = {
	{"etc/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	{"etc/a", AE_IFREG, NULL, "lower a", 0644, 0, 0},
	{"etc/b", AE_IFREG, NULL, "lower b", 0644, 0, 0},
	{"full/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	{"full/x", AE_IFREG, NULL, "x", 0644, 0, 0},
	{"full/deep/y", AE_IFREG, NULL, "y", 0644, 0, 0},
	{"gone/deep/z", AE_IFREG, NULL, "z", 0644, 0, 0},
	{"tree/deep/t", AE_IFREG, NULL, "t", 0644, 0, 0},
	{"bin", AE_IFLNK, "usr/bin", NULL, 0777, 0, 0},
	{"usr/bin/tool", AE_IFREG, NULL, "tool", 0755, 0, 0},
	{0},
};
static const struct item upper[] = {
	{"full/new", AE_IFREG, NULL, "new", 0644, 0, 0}, /* before what empties its folder */
	{"full/.wh..wh..opq", AE_IFREG, NULL, NULL, 0644, 0, 0},
	{"etc/.wh.a", AE_IFREG, NULL, NULL, 0644, 0, 0},
	{"etc/b", AE_IFREG, NULL, "upper b", 0600, 0, 0},
	{".wh.gone", AE_IFREG, NULL, NULL, 0644, 0, 0},
	{"none/.wh.nothing", AE_IFREG, NULL, NULL, 0644, 0, 0},
	{"tree", AE_IFREG, NULL, "a file now", 0644, 0, 0},
	{"bin/.wh.tool", AE_IFREG, NULL, NULL, 0644, 0, 0},
	{0},
};

static void test_layers(void **state)
{
	const struct item *const layers[] = {lower, upper};
	struct template_report report;
	struct err err;
	struct stat st;
	autofd int fd = make_image(layers, 2, SIZE_MAX);
	assert_true(image_is_one(fd));
	if (unpack_fd(*state, fd, NULL, &report, &err) < 0)
		fail_msg("%s", err.message);
	assert_false(stat_in(*state, "etc/a", &st));
	assert_text(*state, "etc/b", "upper b");
	assert_text(*state, "full/new", "new");
	assert_false(stat_in(*state, "full/x", &st));
	assert_false(stat_in(*state, "full/deep", &st));
	assert_false(stat_in(*state, "full/.wh..wh..opq", &st));
	assert_false(stat_in(*state, "etc/.wh.a", &st));
	assert_false(stat_in(*state, "gone", &st));
	assert_false(stat_in(*state, "none", &st));
	assert_text(*state, "tree", "a file now");
	assert_false(stat_in(*state, "usr/bin/tool", &st));
	assert_false(stat_in(*state, "blobs", &st));
}

/* Names that lead out, and links that point out: the room's teardown looks beside the root. */
static void test_hostile(void **state)
{
	static const struct item links[] = {
		{"out", AE_IFLNK, "../outside", NULL, 0777, 0, 0},
		{"abs", AE_IFLNK, "/etc", NULL, 0777, 0, 0},
		{0},
	};
	static const struct item takes[] = {
		{"out/.wh.victim", AE_IFREG, NULL, NULL, 0644, 0, 0},
		{"abs/.wh.passwd", AE_IFREG, NULL, NULL, 0644, 0, 0},
		{"out/.wh..wh..opq", AE_IFREG, NULL, NULL, 0644, 0, 0},
		{0},
	};
	static const struct item wrong[][2] = {
		{{"../.wh.outside", AE_IFREG, NULL, NULL, 0644, 0, 0}, {0}},
		{{"a/../../.wh.outside", AE_IFREG, NULL, NULL, 0644, 0, 0}, {0}},
		{{".wh...", AE_IFREG, NULL, NULL, 0644, 0, 0}, {0}},
		{{".wh..", AE_IFREG, NULL, NULL, 0644, 0, 0}, {0}},
		{{".wh.", AE_IFREG, NULL, NULL, 0644, 0, 0}, {0}},
	};
	struct template_report report;
	struct err err;
	const struct item *layers[] = {links, takes};
	autofd int fd = make_image(layers, 2, SIZE_MAX);
	if (unpack_fd(*state, fd, NULL, &report, &err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		layers[1] = wrong[i];
		autofd int bad = make_image(layers, 2, SIZE_MAX);
		assert_int_equal(unpack_fd(*state, bad, NULL, &report, &err), -ERR_INVALID);
	}
}

static const struct item merged[] = {
	{"usr/lib/deep/x", AE_IFREG, NULL, "lower x", 0644, 0, 0},
	{"usr/lib/y", AE_IFREG, NULL, "lower y", 0644, 0, 0},
	{"lib", AE_IFLNK, "usr/lib", NULL, 0777, 0, 0},
	{"gone", AE_IFLNK, "usr/lib", NULL, 0777, 0, 0},
	{0},
};

/* A link that goes is not followed, wherever what takes away stands. */
static void test_replaced_link(void **state)
{
	static const struct item uppers[][6] = {
		{{"lib/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
		 {"lib/.wh..wh..opq", AE_IFREG, NULL, NULL, 0644, 0, 0},
		 {"lib/x", AE_IFREG, NULL, "upper", 0644, 0, 0}},
		{{"lib/.wh..wh..opq", AE_IFREG, NULL, NULL, 0644, 0, 0},
		 {"lib/deep/.wh..wh..opq", AE_IFREG, NULL, NULL, 0644, 0, 0},
		 {"lib/deep/.wh.x", AE_IFREG, NULL, NULL, 0644, 0, 0},
		 {"lib/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
		 {"lib/x", AE_IFREG, NULL, "upper", 0644, 0, 0}},
		{{"lib/.wh.y", AE_IFREG, NULL, NULL, 0644, 0, 0},
		 {"lib/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
		 {"gone/deep/.wh.x", AE_IFREG, NULL, NULL, 0644, 0, 0},
		 {".wh.gone", AE_IFREG, NULL, NULL, 0644, 0, 0},
		 {"lib/x", AE_IFREG, NULL, "upper", 0644, 0, 0}},
	};
	struct template_report report;
	struct err err;
	struct stat st;
	for (size_t i = 0; i < ARRAY_SIZE(uppers); i++) {
		const struct item *const layers[] = {merged, uppers[i]};
		autofd int fd = make_image(layers, 2, SIZE_MAX);
		if (unpack_fd(*state, fd, NULL, &report, &err) < 0)
			fail_msg("%s", err.message);
		assert_text(*state, "usr/lib/deep/x", "lower x");
		assert_text(*state, "usr/lib/y", "lower y");
		assert_true(stat_in(*state, "lib", &st) && S_ISDIR(st.st_mode));
		assert_text(*state, "lib/x", "upper");
		assert_false(stat_in(*state, "lib/y", &st));
		assert_int_equal(dir_remove_at(((struct room *)*state)->root_fd, "lib", NULL), 0);
		assert_int_equal(dir_remove_at(((struct room *)*state)->root_fd, "gone", NULL), 0);
		assert_int_equal(dir_remove_at(((struct room *)*state)->root_fd, "usr", NULL), 0);
	}
}

/* -- what is read without end ------------------------------------------------------------------ */

static void write_sparse(struct archive *a, const char *name, int64_t size)
{
	struct archive_entry *e = entry_new(&(struct item){.name = name});
	archive_entry_set_size(e, size);
	archive_entry_sparse_add_entry(e, size - 1, 1);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, "", 1), 1);
	archive_entry_free(e);
}

/* Few bytes that say that they are very many. */
static void test_sparse(void **state)
{
	static const int64_t sizes[] = {1 << 20, INT64_C(1) << 60};
	struct err err = ERR_INIT;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		autofields config = FIELDS_INIT;
		autobuf index = BUF_INIT;
		autofd int fd = make_fd();
		struct archive *a = archive_write_new();
		assert_int_equal(archive_write_set_format_pax(a), ARCHIVE_OK);
		assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
		buf_addf(&index, "{\"manifests\":[{\"digest\":\"sha256:%064d\",\"size\":%lld}]}", 7,
			 (long long)sizes[i]);
		write_file(a, "index.json", index.data, index.size);
		write_file(a, "oci-layout", "{}", 2);
		autofree char *name = xasprintf("blobs/sha256/%064d", 7);
		write_sparse(a, name, sizes[i]);
		assert_int_equal(archive_write_free(a), ARCHIVE_OK);
		assert_int_equal(image_read_config(fd, "amd64", &config, &err), -ERR_CORRUPT);
		assert_non_null(strstr(err.message, "sparse"));
	}
}

static void test_size(void **state)
{
	const struct item *const layers[] = {lower, upper};
	struct template_report report;
	struct err err;
	cut_size = 1;
	autofd int fd = make_image(layers, 2, SIZE_MAX);
	cut_size = SIZE_MAX;
	assert_int_equal(unpack_fd(*state, fd, NULL, &report, &err), -ERR_CORRUPT);
	assert_non_null(strstr(err.message, "bytes instead of"));
}

static int make_bomb_layer(bool is_whiteout)
{
	static const char zeros[1 << 20];
	int fd = make_fd();
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	struct archive_entry *e =
		entry_new(&(struct item){.name = is_whiteout ? ".wh.bomb" : "bomb"});
	archive_entry_set_size(e, 200 << 20);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	for (int i = 0; i < 200; i++)
		assert_int_equal(archive_write_data(a, zeros, sizeof(zeros)), sizeof(zeros));
	archive_entry_free(e);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Also of what is only passed over. */
static void test_bomb(void **state)
{
	struct template_report report;
	struct err err;
	for (int is_whiteout = 0; is_whiteout < 2; is_whiteout++) {
		autofd int layer = make_bomb_layer(is_whiteout), fd = make_image_of(layer);
		int r = unpack_fd(*state, fd, NULL, &report, &err);
		if (r != -ERR_LIMIT || !strstr(err.message, "times their size"))
			fail_msg("%d: %d %s", is_whiteout, r, err.message);
		(void)dir_remove_at(((struct room *)*state)->root_fd, "bomb", NULL);
	}
}

static bool never_again(void)
{
	static int asked;
	return ++asked > 3;
}

static void test_cancelled(void **state)
{
	const struct item *const layers[] = {lower, upper};
	const struct template_limits limits = {.is_cancelled = never_again};
	struct template_report report;
	struct err err;
	autofd int fd = make_image(layers, 2, SIZE_MAX);
	assert_int_equal(unpack_fd(*state, fd, &limits, &report, &err), -ERR_CANCELLED);
}

/* What takes away is counted, too. */
static void test_entries(void **state)
{
	static const struct item takes[] = {
		{".wh.1", AE_IFREG, NULL, NULL, 0644, 0, 0},
		{".wh.2", AE_IFREG, NULL, NULL, 0644, 0, 0},
		{".wh.3", AE_IFREG, NULL, NULL, 0644, 0, 0},
		{0},
	};
	static const struct item one[] = {{"a", AE_IFREG, NULL, NULL, 0644, 0, 0}, {0}};
	const struct item *const layers[] = {one, takes};
	const struct template_limits fits = {.max_entries = 4}, few = {.max_entries = 3};
	struct template_report report;
	struct err err;
	autofd int fd = make_image(layers, 2, SIZE_MAX);
	assert_int_equal(unpack_fd(*state, fd, &few, &report, &err), -ERR_LIMIT);
	assert_int_equal(unpack_fd(*state, fd, &fits, &report, &err), 0);
}

static void test_sums(void **state)
{
	const struct item *const layers[] = {lower, upper};
	struct template_report report;
	struct err err;
	for (size_t i = 0; i < 2; i++) {
		autofd int fd = make_image(layers, 2, i);
		assert_int_equal(unpack_fd(*state, fd, NULL, &report, &err), -ERR_CORRUPT);
		assert_non_null(strstr(err.message, "not what its name says"));
	}
}

static void test_limit(void **state)
{
	const struct item *const layers[] = {lower, upper};
	const struct template_limits limits = {.max_bytes = 10};
	struct template_report report;
	struct err err;
	autofd int fd = make_image(layers, 2, SIZE_MAX);
	assert_int_equal(unpack_fd(*state, fd, &limits, &report, &err), -ERR_LIMIT);
}

static void test_config(void **state)
{
	const struct item *const layers[] = {lower};
	autofields config = FIELDS_INIT;
	struct err err = ERR_INIT;
	autofd int fd = make_image(layers, 1, SIZE_MAX);
	(void)state;
	assert_int_equal(image_read_config(fd, "amd64", &config, &err), 0);
	assert_string_equal(fields_get(&config, "entrypoint"), "/bin/app \"a b\" -x");
	assert_string_equal(fields_get(&config, "env"), "PATH=/bin\\0A=1");
	assert_null(fields_get(&config, "cwd"));
	assert_non_null(strstr(fields_get(&config, "note"), "'/srv' is left out"));
	assert_string_equal(fields_get(&config, "uid"), "7");
	assert_string_equal(fields_get(&config, "gid"), "8");
	/* a tree like others is none */
	autofd int plain = make_archive(honest, 0);
	assert_false(image_is_one(plain));
}

static void test_config_texts(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *entrypoint, *note;
	} cases[] = {
		{"{}", 0, NULL, NULL},
		{"[]", -ERR_CORRUPT, NULL, NULL},
		{"{\"config\":{\"Cmd\":[\"\",\"it's\",\"say \\\"x\\\"\"]}}", 0,
		 "\"\" \"it's\" 'say \"x\"'", NULL},
		{"{\"config\":{\"Cmd\":[\"both ' and \\\"\"]}}", -ERR_UNSUPPORTED, NULL, NULL},
		{"{\"config\":{\"Cmd\":[\"a\\nb\"]}}", -ERR_UNSUPPORTED, NULL, NULL},
		{"{\"config\":{\"Cmd\":[\"a\\u0000b\"]}}", -ERR_UNSUPPORTED, NULL, NULL},
		{"{\"config\":{\"Cmd\":[1]}}", -ERR_CORRUPT, NULL, NULL},
		{"{\"config\":{\"Cmd\":[\"a\"],\"User\":\"www-data\"}}", 0, "a", "www-data"},
		{"{\"config\":{\"Cmd\":[\"a\"],\"Env\":[\"A-B=1\"]}}", 0, "a", "A-B=1"},
		{"{\"config\":{\"Cmd\":[\"a\"],\"Env\":[\"A=x\\\\0B=1\"]}}", 0, "a", "A=x"},
		{"{\"config\":{\"Cmd\":[\"a\"],\"WorkingDir\":\"x\"}}", 0, "a", "working"},
		{"{\"config\":{\"Cmd\":[\"a\"],\"WorkingDir\":\"/proc/self/fd/11\"}}", 0, "a",
		 "working"},
		{"{\"config\":{\"Cmd\":[\"a\"],\"WorkingDir\":\"/\"}}", 0, "a", NULL},
		{"{\"config\":{\"Cmd\":[\"a\"],\"User\":\"70000\"}}", 0, "a", "70000"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofields config = FIELDS_INIT;
		struct err err = ERR_INIT;
		int r = image_config_parse(cases[i].text, strlen(cases[i].text), &config, &err);
		const char *note = fields_get(&config, "note");
		if (r != cases[i].result ||
		    (r == 0 && !str_eq(fields_get(&config, "entrypoint"), cases[i].entrypoint)))
			fail_msg("%s: %d %s", cases[i].text, r, err.message);
		if (r == 0 &&
		    (cases[i].note ? !note || !strstr(note, cases[i].note) : note != NULL))
			fail_msg("%s: note %s", cases[i].text, note ? note : "");
	}
}

#define MANIFEST(layers)                                                                           \
	"{\"config\":{\"digest\":\"sha256:" SHA "\",\"size\":9},\"layers\":[" layers "]}"
#define LAYER(size) "{\"mediaType\":\"x.tar\",\"digest\":\"sha256:" SHA "\",\"size\":" size "}"
#define SHA	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_manifest_texts(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"{\"config\":{\"digest\":\"sha256:" SHA
		 "\",\"size\":9},\"layers\":[{\"mediaType\":\"x.tar\","
		 "\"digest\":\"sha256:" SHA "\",\"size\":9}]}",
		 0},
		{"{\"config\":{\"digest\":\"sha256:" SHA "\",\"size\":9},\"layers\":[]}",
		 -ERR_CORRUPT},
		{"{\"layers\":[{\"mediaType\":\"x.tar\",\"digest\":\"sha256:" SHA
		 "\",\"size\":9}]}",
		 -ERR_CORRUPT},
		{"{\"config\":{\"digest\":\"sha256:" SHA
		 "\",\"size\":9},\"layers\":[{\"mediaType\":\"x.tar\","
		 "\"digest\":\"sha256:../x\",\"size\":9}]}",
		 -ERR_CORRUPT},
		{"{\"config\":{\"digest\":\"sha256:" SHA
		 "\",\"size\":9},\"layers\":[{\"mediaType\":\"x.zip\","
		 "\"digest\":\"sha256:" SHA "\",\"size\":9}]}",
		 -ERR_UNSUPPORTED},
		{"{\"config\":{\"digest\":\"sha256:" SHA "\",\"size\":9},\"layers\":[7]}",
		 -ERR_UNSUPPORTED},
		{"{\"config\":{\"digest\":\"sha256:" SHA "\"},\"layers\":[" LAYER("9") "]}",
		 -ERR_CORRUPT},
		{MANIFEST(LAYER("-1")), -ERR_CORRUPT},
		{MANIFEST(LAYER("\"9\"")), -ERR_CORRUPT},
		/* again and again: but for small ones */
		{MANIFEST(LAYER("65536") "," LAYER("65536")), 0},
		{MANIFEST(LAYER("65537") "," LAYER("65537")), -ERR_LIMIT},
	};
	struct image_manifest manifest;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (image_manifest_parse(cases[i].text, strlen(cases[i].text), &manifest, NULL) !=
		    cases[i].result)
			fail_msg("%s", cases[i].text);
}

static void test_manifest_size(void **state)
{
	static const char huge[] = MANIFEST(LAYER("9223372036854775807") "," LAYER("7"));
	struct image_manifest manifest;
	(void)state;
	const char few[] = MANIFEST(LAYER("30") "," LAYER("30"));
	assert_int_equal(image_manifest_parse(few, strlen(few), &manifest, NULL), 0);
	assert_int_equal(image_manifest_size(&manifest), 69);
	assert_int_equal(image_manifest_parse(huge, strlen(huge), &manifest, NULL), 0);
	manifest.layers[1].size = UINT64_MAX - 20;
	assert_true(image_manifest_size(&manifest) == UINT64_MAX);
	assert_false(image_text_is_index(few, strlen(few)));
	assert_true(image_text_is_index("{\"manifests\":[]}", 16));
	assert_false(image_text_is_index("[", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_layers),
		IN_ROOM(test_hostile),
		IN_ROOM(test_replaced_link),
		IN_ROOM(test_size),
		IN_ROOM(test_bomb),
		IN_ROOM(test_cancelled),
		IN_ROOM(test_entries),
		cmocka_unit_test(test_sparse),
		IN_ROOM(test_sums),
		IN_ROOM(test_limit),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_texts),
		cmocka_unit_test(test_manifest_texts),
		cmocka_unit_test(test_manifest_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
