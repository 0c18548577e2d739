/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written into a new container once: credentials of root, an identity of its own. Runs in
 * jobs, in forked steps. */
#include "agent/guest/ct/setup.h"

#include <crypt.h>
#include <errno.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/base/str.h"
#include "agent/guest/ct/rootdir.h"

#define GUEST_FILE_MAX (4 * 1024 * 1024)
#define YESCRYPT       "$y$"
#define SHA512	       "$6$"
#define SHA512_ROUNDS  65536
#define ROOT_PASSWD    "root:x:0:0:root:/root:/bin/sh\n"

/* The log-in of busybox (also that of Alpine) knows no yescrypt. */
static bool has_plain_login(int root)
{
	char target[256];

	rootdir_read_link(root, "/bin/login", target, sizeof(target));
	return strstr(target, "busybox") != NULL;
}

static int hash_password(const char *password, bool is_plain, char **ret, struct err *err)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash = NULL;

	if (crypt_gensalt_rn(is_plain ? SHA512 : YESCRYPT, is_plain ? SHA512_ROUNDS : 0, NULL, 0,
			     setting, sizeof(setting)))
		hash = crypt_rn(password, setting, data, sizeof(*data));
	if (hash)
		*ret = xstrdup(hash);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return hash ? 0 : err_errno(err, errno, "hash the password");
}

static int set_password(int root, const char *password, struct err *err)
{
	autobuf old = BUF_INIT, text = BUF_INIT;
	autofree char *hash = NULL;
	int r;

	if ((r = hash_password(password, has_plain_login(root), &hash, err)) < 0)
		return r;
	(void)rootdir_read(root, "/etc/shadow", GUEST_FILE_MAX, &old, NULL);
	ct_shadow_text(buf_str(&old), hash, (unsigned long)(clock_wall() / USEC_PER_SEC / 86400),
		       &text);
	if (!rootdir_exists(root, "/etc/passwd") &&
	    (r = rootdir_write(root, "/etc/passwd", ROOT_PASSWD, strlen(ROOT_PASSWD), 0644, err)) <
		    0)
		return r;
	return rootdir_write(root, "/etc/shadow", buf_str(&text), text.size, 0640, err);
}

static int set_ssh_keys(int root, const char *keys, struct err *err)
{
	autofree char *text = xasprintf("%s%s", keys, str_ends(keys, "\n") ? "" : "\n");
	int r;

	if ((r = rootdir_make(root, "/root", 0700, err)) < 0 ||
	    (r = rootdir_make(root, "/root/.ssh", 0700, err)) < 0)
		return r;
	return rootdir_write(root, "/root/.ssh/authorized_keys", text, strlen(text), 0600, err);
}

/* An empty machine-id is filled at the first boot; a copied one would be shared by all guests. */
static int empty_machine_id(int root, struct err *err)
{
	char target[256];
	int r = 0;

	if (rootdir_exists(root, "/etc/machine-id"))
		r = rootdir_write(root, "/etc/machine-id", "", 0, 0444, err);
	rootdir_read_link(root, "/var/lib/dbus/machine-id", target, sizeof(target));
	if (r == 0 && !*target && rootdir_exists(root, "/var/lib/dbus/machine-id"))
		r = rootdir_remove(root, "/var/lib/dbus/machine-id", err);
	return r;
}

/* Host keys that came with a template are known to everyone who has it. */
static int check_host_keys(struct task_ctx *task, int root)
{
	if (rootdir_exists(root, "/etc/ssh/ssh_host_ed25519_key"))
		task_warn(task,
			  "the template brings SSH host keys of its own: make new ones inside");
	return 0;
}

int ct_setup_identity(struct task_ctx *task, int root, struct err *err)
{
	int r = empty_machine_id(root, err);

	return r < 0 ? r : check_host_keys(task, root);
}

int ct_setup_new(struct task_ctx *task, int root, const struct ct_setup_credentials *credentials,
		 struct err *err)
{
	int r = 0;

	if (!str_is_empty(credentials->password))
		r = set_password(root, credentials->password, err);
	if (r == 0 && !str_is_empty(credentials->ssh_keys))
		r = set_ssh_keys(root, credentials->ssh_keys, err);
	return r < 0 ? r : ct_setup_identity(task, root, err);
}
