/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirtd gives each emulator the volumes that are its own. A base volume is nobody's: the owner of a file may give
 * himself the right to write it, so that reading is left to the group. Runs in jobs. */
#include "agent/guest/vm/emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/base/fd.h"

#define LABEL                                                                                      \
	"string(/capabilities/host/secmodel[model='dac']/"                                         \
	"baselabel[@type='kvm' or @type='qemu'])"

/* "+64055:+107" */
static bool read_label(const char *label, gid_t *ret)
{
	unsigned user, group;

	if (sscanf(label, "+%u:+%u", &user, &group) != 2 || group == 0)
		return false;
	*ret = group;
	return true;
}

bool emulator_group(const char *capabilities, gid_t *ret)
{
	xmlDocPtr doc = xmlReadMemory(capabilities, (int)strlen(capabilities), NULL, NULL,
				      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlXPathContextPtr context = doc ? xmlXPathNewContext(doc) : NULL;
	xmlXPathObjectPtr found =
		context ? xmlXPathEvalExpression((const xmlChar *)LABEL, context) : NULL;
	bool has_group =
		found && found->stringval && read_label((const char *)found->stringval, ret);

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	xmlFreeDoc(doc);
	return has_group;
}

int emulator_may_read(const char *path, gid_t group, struct err *err)
{
	autofd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "open '%s'", path);
	if (st.st_uid == 0 && st.st_gid == group && (st.st_mode & 07777) == 0440)
		return 0;
	if ((fchown(fd, 0, group) < 0 && errno != EPERM) || fchmod(fd, 0440) < 0)
		return err_errno(err, errno, "let emulators read '%s'", path);
	return 0;
}
