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

/* An archive with these layers; layer `broken` does not have what its name says. */
static int make_image(const struct item *const *layers, size_t count, size_t broken)
{
	struct blob_text config, manifest, layer[8];
	autobuf text = BUF_INIT, index = BUF_INIT;
	int fd = make_fd();
	struct archive *a = writer_new(fd, 0);
	write_item(a, &(struct item){.name = "blobs/", .kind = AE_IFDIR, .mode = 0755});
	blob_take(&config, CONFIG, strlen(CONFIG));
	write_blob(a, &config);
	buf_addf(&text, "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:%s\"},\"layers\":[",
		 config.sha);
	for (size_t i = 0; i < count; i++) {
		blob_layer(&layer[i], layers[i], i % 2 ? ARCHIVE_FILTER_GZIP : 0);
		if (i == broken)
			layer[i].sha[0] = layer[i].sha[0] == '0' ? '1' : '0';
		write_blob(a, &layer[i]);
		buf_addf(&text, "%s{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\"}", i ? "," : "",
			 types[i % 2], layer[i].sha);
		free(layer[i].data);
	}
	buf_add_str(&text, "]}");
	blob_take(&manifest, text.data, text.size);
	write_blob(a, &manifest);
	buf_addf(&index,
		 "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:%064d\","
		 "\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
		 "{\"digest\":\"sha256:%s\"}]}",
		 0, manifest.sha);
	write_file(a, "index.json", index.data, index.size);
	write_file(a, "oci-layout", "{}", 2);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	free(config.data);
	free(manifest.data);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
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

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_manifest_texts(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"{\"config\":{\"digest\":\"sha256:" SHA "\"},\"layers\":[{\"mediaType\":\"x.tar\","
		 "\"digest\":\"sha256:" SHA "\"}]}",
		 0},
		{"{\"config\":{\"digest\":\"sha256:" SHA "\"},\"layers\":[]}", -ERR_CORRUPT},
		{"{\"layers\":[{\"mediaType\":\"x.tar\",\"digest\":\"sha256:" SHA "\"}]}",
		 -ERR_CORRUPT},
		{"{\"config\":{\"digest\":\"sha256:" SHA "\"},\"layers\":[{\"mediaType\":\"x.tar\","
		 "\"digest\":\"sha256:../x\"}]}",
		 -ERR_CORRUPT},
		{"{\"config\":{\"digest\":\"sha256:" SHA "\"},\"layers\":[{\"mediaType\":\"x.zip\","
		 "\"digest\":\"sha256:" SHA "\"}]}",
		 -ERR_UNSUPPORTED},
		{"{\"config\":{\"digest\":\"sha256:" SHA "\"},\"layers\":[7]}", -ERR_UNSUPPORTED},
	};
	struct image_manifest manifest;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (image_manifest_parse(cases[i].text, strlen(cases[i].text), &manifest, NULL) !=
		    cases[i].result)
			fail_msg("%s", cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOM(test_layers),
		IN_ROOM(test_hostile),
		IN_ROOM(test_sums),
		IN_ROOM(test_limit),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_texts),
		cmocka_unit_test(test_manifest_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
