/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Templates that reach for what is outside of their root. */
#include "tests/unit/storage/template_test.h"

/* Hostile archives. result 0: unpacked harmlessly within the root; inside: a file that must be
 * there. */
static const struct {
	const char *what;
	struct item items[6];
	int result;
	const char *inside, *text;
} hostile[] = {
	{"dot dot", {{"../outside/evil", AE_IFREG, NULL, "x", 0, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"inner dot dot",
	 {{"a/../../outside/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"dot dot alone", {{"..", AE_IFDIR, NULL, NULL, 0777, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"absolute", {{"/etc/lodge-evil", AE_IFREG, NULL, "x", 0, 0, 0}}, 0, "etc/lodge-evil", "x"},
	{"relative link as parent",
	 {{"out", AE_IFLNK, "../outside", NULL, 0, 0, 0},
	  {"out/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_EXISTS,
	 NULL,
	 NULL},
	{"link up and back",
	 {{"outside", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	  {"out", AE_IFLNK, "../../../../outside", NULL, 0, 0, 0},
	  {"out/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "outside/evil",
	 "x"},
	{"absolute link as parent",
	 {{"etc", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	  {"out", AE_IFLNK, "/etc", NULL, 0, 0, 0},
	  {"out/lodge-evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "etc/lodge-evil",
	 "x"},
	{"chain of links",
	 {{"a", AE_IFLNK, "b", NULL, 0, 0, 0},
	  {"b", AE_IFLNK, "a", NULL, 0, 0, 0},
	  {"a/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_IO,
	 NULL,
	 NULL},
	{"proc's magic links",
	 {{"out", AE_IFLNK, "/proc/self/root", NULL, 0, 0, 0},
	  {"out/lodge-evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_EXISTS,
	 NULL,
	 NULL},
	{"file through a link of its name",
	 {{"f", AE_IFLNK, "/etc/passwd", NULL, 0, 0, 0}, {"f", AE_IFREG, NULL, "x", 0666, 7, 7}},
	 0,
	 "f",
	 "x"},
	{"folder over a link",
	 {{"d", AE_IFLNK, "../outside", NULL, 0, 0, 0},
	  {"d", AE_IFDIR, NULL, NULL, 0700, 7, 7},
	  {"d/f", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "d/f",
	 "x"},
	{"hard link outside",
	 {{"h", 0, "../outside/victim", NULL, 0, 0, 0}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"hard link to a host's file",
	 {{"h", 0, "/etc/passwd", NULL, 0, 0, 0}},
	 -ERR_NOT_FOUND,
	 NULL,
	 NULL},
	{"hard link through a link",
	 {{"out", AE_IFLNK, "/etc", NULL, 0, 0, 0}, {"h", 0, "out/passwd", NULL, 0, 0, 0}},
	 -ERR_NOT_FOUND,
	 NULL,
	 NULL},
	{"write through a hard link of a link",
	 {{"l", AE_IFLNK, "../outside/victim", NULL, 0, 0, 0},
	  {"h", 0, "l", NULL, 0, 0, 0},
	  {"h", AE_IFREG, NULL, "x", 0600, 9, 9}},
	 0,
	 "h",
	 "x"},
	{"hard link to a folder",
	 {{"d", AE_IFDIR, NULL, NULL, 0755, 0, 0}, {"h", 0, "d", NULL, 0, 0, 0}},
	 -ERR_IO,
	 NULL,
	 NULL},
	{"file over the root", {{".", AE_IFREG, NULL, "x", 0, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"link over the root", {{"./", AE_IFLNK, "/etc", NULL, 0, 0, 0}}, -ERR_INVALID, NULL, NULL},
	{"file over a folder with files",
	 {{"d/f", AE_IFREG, NULL, "x", 0, 0, 0}, {"d", AE_IFREG, NULL, "y", 0, 0, 0}},
	 -ERR_IO,
	 "d/f",
	 "x"},
	{"owner beyond the range",
	 {{"f", AE_IFREG, NULL, "x", 0, 65536, 0}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"group beyond the range",
	 {{"f", AE_IFREG, NULL, "x", 0, 0, 100000}},
	 -ERR_INVALID,
	 NULL,
	 NULL},
	{"devices",
	 {{"b", AE_IFBLK, NULL, NULL, 0666, 0, 0},
	  {"c", AE_IFCHR, NULL, NULL, 0666, 0, 0},
	  {"f", AE_IFREG, NULL, "x", 0, 0, 0}},
	 0,
	 "f",
	 "x"},
	{"odd names",
	 {{"new\nline", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"-rf", AE_IFREG, NULL, "x", 0, 0, 0},
	  {".. ", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"...", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"a//.//b\\..\\c", AE_IFREG, NULL, "odd", 0, 0, 0}},
	 0,
	 "a/b\\..\\c",
	 "odd"},
	{"beyond ASCII",
	 {{"caf\xc3\xa9", AE_IFREG, NULL, "x", 0, 0, 0},
	  {"latin-\xe9", AE_IFREG, NULL, "y", 0, 0, 0}},
	 0,
	 "caf\xc3\xa9",
	 "x"},
	{"replaced parent",
	 {{"d/", AE_IFDIR, NULL, NULL, 0755, 0, 0},
	  {"d", AE_IFLNK, "../outside", NULL, 0, 0, 0},
	  {"d/evil", AE_IFREG, NULL, "x", 0, 0, 0}},
	 -ERR_EXISTS,
	 NULL,
	 NULL},
	{"time of a replaced folder",
	 {{"d/", AE_IFDIR, NULL, NULL, 0755, 0, 0}, {"d", AE_IFLNK, "/etc", NULL, 0, 0, 0}},
	 0,
	 NULL,
	 NULL},
};

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct err err;
		void *room;
		setup(&room);
		int r = unpack(room, hostile[i].items, &err);
		if (r != hostile[i].result)
			fail_msg("%s: %d, expected %d (%s)", hostile[i].what, r, hostile[i].result,
				 err.message);
		if (r < 0 && !strstr(err.message, "entry '"))
			fail_msg("%s: names no entry: %s", hostile[i].what, err.message);
		if (hostile[i].inside)
			assert_text(room, hostile[i].inside, hostile[i].text);
		teardown(&room);
	}
	assert_true(access("/etc/lodge-evil", F_OK) < 0);
	assert_true(access("/lodge-evil", F_OK) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
	};

	if (!is_run_by_root())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
