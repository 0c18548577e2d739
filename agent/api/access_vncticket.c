/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Route: is this ticket of a console good? Asked by programs that serve consoles by themselves. Anybody may
 * ask, so a refusal never says what was wrong; it is held back like a failed log-in. Core's loop. */
#include "agent/api/api.h"
#include "agent/auth/acl.h"
#include "agent/auth/ticket.h"
#include "agent/base/log.h"

static int refuse(const struct api_request *req, struct err *err)
{
	log_warning("console ticket refused; peer=%s", req->peer);
	return err_set(err, ERR_AUTH, "permission denied - invalid PVEVNC ticket");
}

static int post_vncticket(struct api_request *req, struct err *err)
{
	struct access *access = req->core->access;
	uint64_t now = clock_wall() / USEC_PER_SEC;
	autofree char *path = acl_path_normalize(api_str(req, "path"));
	const struct console_subject subject = {api_str(req, "authid"), path,
						(unsigned)api_int(req, "port", 0)};
	struct identity who;
	privset need;
	int r = privset_from_names(api_str(req, "privs"), &need, err);

	if (r < 0)
		return err_field(err, "privs", "invalid format - unknown privilege");
	if (!path || need == 0 ||
	    access_console_ticket_check(access, api_str(req, "vncticket"), &subject, now, NULL) <
		    0 ||
	    access_identity(access, subject.authid, now, &who, NULL) < 0 ||
	    access_check(access, &who, path, need, false, NULL) < 0)
		return refuse(req, err);
	return 0;
}

static const struct param vncticket_params[] = {
	{.name = "authid", .has_max = true, .max = 64, .text = "User or token of the ticket."},
	{.name = "path", .has_max = true, .max = 64, .text = "The guest, as /vms/100."},
	{.name = "port",
	 .type = PARAM_INTEGER,
	 .optional = true,
	 .text = "Port of the console; tickets that Lodge makes have one."},
	{.name = "privs",
	 .has_max = true,
	 .max = 64,
	 .text = "Privileges that the user must have on the path."},
	{.name = "vncticket", .is_secret = true, .text = "The ticket."},
	PARAM_END,
};

static const struct api_route routes[] = {
	{.verb = API_POST,
	 .path = "/access/vncticket",
	 .text = "Verify the ticket of a console.",
	 .params = vncticket_params,
	 .permission = {.kind = API_WORLD},
	 .returns = "{\"type\":\"null\"}",
	 .handle = post_vncticket},
};

const struct api_table api_table_access_vncticket = {routes, ARRAY_SIZE(routes)};
