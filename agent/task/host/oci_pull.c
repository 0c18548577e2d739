/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job ocipull: an image of a registry as a template. What comes is what its manifest announces, pinned by digest, and
 * bounded by that: beforehand by its sizes and the room there is, meanwhile by what skopeo has written. It writes into a
 * folder beside the temporary name of the template, which is swept like that once the job is gone. Job processes only. */
#include "agent/task/host/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/digest.h"
#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/task/host/incoming.h"
#include "storage/template/image.h"
#include "storage/template/template.h"

#define LOOK_TIMEOUT   (120 * USEC_PER_SEC)
#define PULL_TIMEOUT   (6 * 3600 * USEC_PER_SEC)
#define SIZE_MAX_IMAGE (64ull << 30)
#define SIZE_MORE      (64ull << 20) /* headers of the archive, texts */
#define KEEP_FREE      (128ull << 20)
#define LIST_DEPTH     4

struct pull {
	struct incoming in;
	char *source;  /* docker://NAME@sha256:… */
	char *folder;  /* NULL: not made */
	uint64_t size; /* of the image, as it is in the registry */
};

/* -- what is there ----------------------------------------------------------------------------- */

/* Without its tag, which may mean something else a moment later. */
static char *pinned(const char *reference, const char *sha)
{
	const char *slash = strrchr(reference, '/');
	const char *colon = strrchr(slash ? slash : reference, ':');
	size_t size = colon ? (size_t)(colon - reference) : strlen(reference);
	autofree char *name = xstrndup(reference, size);
	return xasprintf("docker://%s@sha256:%s", name, sha);
}

static int read_manifest(const char *source, struct buf *ret, struct err *err)
{
	const char *const argv[] = {OCI_SKOPEO, "inspect", "--raw", source, NULL};
	struct exec_result result = {0};
	const struct exec_run run = {.argv = argv,
				     .deadline = clock_monotonic() + LOOK_TIMEOUT,
				     .output_max = IMAGE_TEXT_MAX,
				     .is_stopped = task_is_cancelled};
	int r = exec_run(&run, &result, err);
	if (r == 0)
		buf_add(ret, result.output.data, result.output.size);
	exec_result_fini(&result);
	return r;
}

static char *pin_text(const char *reference, const struct buf *text)
{
	uint8_t raw[SHA256_SIZE];
	autobuf hex = BUF_INIT;
	digest_sha256(text->data, text->size, raw);
	digest_hex(raw, sizeof(raw), &hex);
	return pinned(reference, buf_str(&hex));
}

/* Through lists, to the manifest for this machine. */
static int find_manifest(const char *reference, char **ret_source, struct image_manifest *ret,
			 struct err *err)
{
	autofree char *source = xasprintf("docker://%s", reference);
	autobuf text = BUF_INIT;
	int r = read_manifest(source, &text, err);
	for (int i = 0; r == 0 && image_text_is_index(buf_str(&text), text.size); i++) {
		struct image_blob next;
		bool is_index;
		r = i < LIST_DEPTH
			    ? image_index_parse(buf_str(&text), text.size, template_arch(), &next,
						&is_index, err)
			    : err_set(err, ERR_LIMIT, "the image's lists are nested too deep");
		if (r < 0)
			break;
		free(source);
		source = pinned(reference, next.sha);
		buf_clear(&text);
		r = read_manifest(source, &text, err);
	}
	if (r == 0)
		r = image_manifest_parse(buf_str(&text), text.size, ret, err);
	if (r == 0)
		*ret_source = pin_text(reference, &text);
	return r;
}

static int look(struct pull *p, const char *reference, struct err *err)
{
	autofree struct image_manifest *manifest = xcalloc(1, sizeof(*manifest));
	int r = find_manifest(reference, &p->source, manifest, err);
	if (r < 0)
		return r;
	p->size = image_manifest_size(manifest);
	if (p->size > SIZE_MAX_IMAGE)
		return err_set(err, ERR_LIMIT, "the image has more than %llu bytes",
			       SIZE_MAX_IMAGE);
	return 0;
}

/* -- how much it is meanwhile ------------------------------------------------------------------ */

/* The image once as its parts and once as an archive. */
static uint64_t room_for(const struct pull *p)
{
	return 2 * p->size + SIZE_MORE;
}

static const struct pull *watched; /* exec_run() asks without a context */
static uint64_t used;
static int too_much; /* enum err_code */

static int add_use(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)at;
	used += type == FTW_F ? (uint64_t)st->st_blocks * 512 : 0;
	return 0;
}

static bool is_enough(void)
{
	struct storage_space space;
	used = 0;
	(void)nftw(watched->folder, add_use, 8, FTW_PHYS | FTW_MOUNT);
	if (used > room_for(watched))
		too_much = ERR_LIMIT;
	else if (watched->in.target.driver->status(&watched->in.target.def, &space, NULL) == 0 &&
		 space.total > 0 && space.available < KEEP_FREE)
		too_much = ERR_NO_SPACE;
	return too_much || task_is_cancelled();
}

static int run_copy(const struct pull *p, const char *path, struct err *err)
{
	autofree char *target = xasprintf("oci-archive:%s", path);
	const char *const argv[] = {OCI_SKOPEO, "--tmpdir", p->folder, "--override-os", "linux",
				    "copy",	"--quiet",  p->source, target,		NULL};
	const struct exec_run run = {.argv = argv,
				     .deadline = clock_monotonic() + PULL_TIMEOUT,
				     .errors_fd = STDERR_FILENO,
				     .is_stopped = is_enough};
	watched = p;
	too_much = 0;
	int r = exec_run(&run, NULL, err);
	if (r < 0 && too_much == ERR_LIMIT)
		return err_set(err, ERR_LIMIT, "more came than the %llu bytes that were announced",
			       (unsigned long long)p->size);
	if (r < 0 && too_much)
		return err_set(err, ERR_NO_SPACE,
			       "storage '%s' would be full before all of the image is there",
			       p->in.target.def.id);
	return r;
}

/* No file that skopeo makes may be larger than all of it: between two looks nothing else bounds it. */
static int fetch(const struct pull *p, const char *path, struct err *err)
{
	struct rlimit before, during;
	if (getrlimit(RLIMIT_FSIZE, &before) < 0)
		return err_errno(err, errno, "limit of file sizes");
	during = before;
	if (p->size + SIZE_MORE < during.rlim_cur)
		during.rlim_cur = p->size + SIZE_MORE;
	if (setrlimit(RLIMIT_FSIZE, &during) < 0)
		return err_errno(err, errno, "limit of file sizes");
	int r = run_copy(p, path, err);
	setrlimit(RLIMIT_FSIZE, &before);
	return r;
}

/* -- the job ----------------------------------------------------------------------------------- */

static int make_folder(struct pull *p, struct err *err)
{
	char path[4096];
	autofree char *link = xasprintf("/proc/self/fd/%d", p->in.fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	autofree char *folder = xasprintf("%s.parts", path);
	if (n <= 0 || mkdir(folder, 0700) < 0)
		return err_errno(err, errno, "make a folder beside '%s'", p->in.file);
	p->folder = TAKE(folder);
	return 0;
}

static int take_image(struct pull *p, const char *path, struct err *err)
{
	autofields config = FIELDS_INIT;
	autofd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open '%s'", path);
	int r = image_read_config(fd, template_arch(), &config, err);
	if (r == 0)
		r = incoming_copy(&p->in, fd, err);
	return r < 0 ? r : incoming_commit(&p->in, err);
}

static int pull(struct pull *p, struct err *err)
{
	autofree char *path = xasprintf("%s/image.tar", p->folder);
	autoreserve space = {0};
	int r = reserve_begin(&p->in.target.def, room_for(p), path, &space, err);
	if (r < 0)
		return r;
	task_log("pulling %s, %llu bytes, to '%s:vztmpl/%s'", p->source,
		 (unsigned long long)p->size, p->in.target.def.id, p->in.file);
	r = fetch(p, path, err);
	reserve_end(&space);
	return r < 0 ? r : take_image(p, path, err);
}

int job_ocipull(struct task_ctx *task, struct err *err)
{
	struct pull p = {.in = INCOMING_INIT};
	int r = oci_check_reference(&task->args, true, err);
	if (r == 0)
		r = incoming_args(&task->args, &p.in, err);
	if (r == 0)
		r = incoming_begin(&p.in, err);
	if (r == 0)
		r = look(&p, fields_get(&task->args, "reference"), err);
	if (r == 0)
		r = make_folder(&p, err);
	if (r == 0)
		r = pull(&p, err);
	if (p.folder)
		(void)dir_remove_tree(p.folder, NULL);
	incoming_fini(&p.in);
	free(p.folder);
	free(p.source);
	return r;
}

/* What a job left that is gone carries its name: activation sweeps it. */
int job_ocipull_undo(struct task_ctx *task, struct err *err)
{
	autotarget target = {0};
	int r = volume_target_storage(&task->args, &target, err);
	return r < 0 ? r : target.driver->activate(&target.def, err);
}
