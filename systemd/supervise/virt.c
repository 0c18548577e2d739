/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether libvirt's daemons are to be started, and how; becoming one of them. */
#include "systemd/supervise/virt.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "agent/guest/kvm_record.h"
#include "systemd/supervise/settings.h"

#define QEMU_CONF     "/etc/libvirt/qemu.conf"
#define QEMU_CONF_MAX (1024u * 1024)
#define LOGS	      "/var/log/libvirt/qemu" /* virtlogd does not make it */

/* Tests have small programs in place of the daemons, and sockets of their own. */
static const char *folder(const char *variable, const char *standard)
{
	const char *path = secure_getenv(variable);

	return path && path[0] == '/' ? path : standard;
}

static char *program(const char *name)
{
	return path_join(folder("LODGE_LIBVIRT_SBIN", "/usr/sbin"), "%s", name);
}

static char *config_path(void)
{
	const char *settings = settings_path(), *slash = strrchr(settings, '/');

	return slash ? xasprintf("%.*s/libvirtd.conf", (int)(slash - settings), settings)
		     : xstrdup("libvirtd.conf");
}

bool virt_is_wanted(void)
{
	autofree char *config = config_path(), *libvirtd = program("libvirtd");

	return access(config, R_OK) == 0 && access(libvirtd, X_OK) == 0;
}

static bool answers(const char *name)
{
	autofree char *path = path_join(folder("LODGE_LIBVIRT_RUN", "/run/libvirt"), "%s", name);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || !str_copy(address.sun_path, sizeof(address.sun_path), path))
		return false;
	/* EAGAIN: it listens, but has its hands full */
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
	       errno == EAGAIN;
}

bool virt_libvirtd_answers(void)
{
	return answers("libvirt-sock");
}

bool virt_virtlogd_answers(void)
{
	return answers("virtlogd-sock");
}

bool virt_is_coming(void)
{
	return virt_is_wanted() && !virt_libvirtd_answers();
}

bool virt_may_see_kvm(void)
{
	autofree char *path = path_join(path_state(), KVM_RECORD_FILE);
	struct kvm_record record;
	autobuf text = BUF_INIT;

	if (access(KVM_DEVICE, F_OK) != 0)
		return true;
	return file_read(path, KVM_RECORD_MAX, &text, NULL) == 0 &&
	       kvm_record_parse(buf_str(&text), text.size, &record, NULL) == 0 && record.is_usable;
}

bool virt_is_kvm_hidden(pid_t pid)
{
	autofree char *path = xasprintf("/proc/%d/ns/mnt", (int)pid);
	struct stat own, its;

	return stat("/proc/self/ns/mnt", &own) == 0 && stat(path, &its) == 0 &&
	       own.st_ino != its.st_ino;
}

/* ---- becoming one ---- */

void virt_qemu_conf(const char *text, struct buf *ret)
{
	bool is_inside = false; /* of a list that goes over several lines */

	while (*text) {
		size_t size = strcspn(text, "\n");
		size_t blank = strspn(text, " \t");
		const char *value = str_after(text + blank, "namespaces");

		value = value ? value + strspn(value, " \t") : NULL;
		if (is_inside || (value && *value == '='))
			is_inside = !memchr(text, ']', size);
		else
			buf_addf(ret, "%.*s\n", (int)size, text);
		text += size + (text[size] == '\n');
	}
	buf_add_str(ret, "namespaces = []\n");
}

static int put_over(const char *name, const char *text, size_t size, mode_t mode,
		    const char *target, struct err *err)
{
	autofree char *folder = path_join(path_run(), "supervise");
	autofree char *path = path_join(folder, "%s", name);
	int r;

	if ((r = dir_make(folder, 0755, err)) < 0 ||
	    (r = file_write_atomic(path, text, size, mode, err)) < 0)
		return r;
	/* read-only, so that not even root may open it for writing */
	if (mount(path, target, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return err_errno(err, errno, "hide %s", target);
	return 0;
}

/* In a mount namespace that still follows the host's mounts where those are shared. */
static int hide_kvm(struct err *err)
{
	autobuf before = BUF_INIT, conf = BUF_INIT;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_errno(err, errno, "hide " KVM_DEVICE);
	if ((r = put_over("no-kvm", "", 0, 0, KVM_DEVICE, err)) < 0)
		return r;
	if (access(QEMU_CONF, F_OK) != 0)
		return 0;
	if ((r = file_read(QEMU_CONF, QEMU_CONF_MAX, &before, err)) < 0)
		return r;
	virt_qemu_conf(buf_str(&before), &conf);
	return put_over("qemu.conf", conf.data, conf.size, 0600, QEMU_CONF, err);
}

int virt_exec(const char *name)
{
	autofree char *path = program(name), *config = config_path();
	bool is_libvirtd = str_eq(name, "libvirtd");
	/* under systemd there is none: the host's own holds */
	bool has_config = is_libvirtd && access(config, R_OK) == 0;
	char *argv[] = {path, has_config ? (char *)"--config" : NULL, config, NULL};
	struct err err = ERR_INIT;

	if (!is_libvirtd && !str_eq(name, "virtlogd")) {
		log_error("exec: '%s' is neither libvirtd nor virtlogd", name);
		return 2;
	}
	if (dir_make(LOGS, 0755, &err) < 0)
		log_warning("%s", err.message);
	if (is_libvirtd && !virt_may_see_kvm() && hide_kvm(&err) < 0)
		log_warning("%s; starts of machines will be slow", err.message);
	execv(path, argv);
	log_error("start %s: %s", path, strerror(errno));
	return 1;
}
