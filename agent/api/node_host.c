/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /nodes/{node}/time, dns, hosts and subscription: small facts of the host, read from local files; changed by
 * helpers. Core's loop. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/api/api.h"
#include "agent/base/digest.h"
#include "agent/base/fd.h"
#include "agent/base/str.h"
#include "agent/net/host_files.h"

#define FILE_MAX      (64 * 1024)
#define WRITE_TIMEOUT (10 * USEC_PER_SEC)

/* "Europe/Berlin": /etc/timezone says it, or the link of /etc/localtime does. */
static void timezone_name(char *ret, size_t size)
{
	static const char marker[] = "/zoneinfo/";
	autobuf text = BUF_INIT;
	char link[512];
	str_copy(ret, size, "UTC");
	ssize_t n = readlink("/etc/localtime", link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	const char *at = strstr(link, marker);
	if (at) {
		str_copy(ret, size, at + strlen(marker));
	} else if (file_read("/etc/timezone", FILE_MAX, &text, NULL) == 0 && text.size > 1) {
		text.data[strcspn(buf_str(&text), "\n")] = '\0';
		str_copy(ret, size, text.data);
	}
}

static int get_time(struct api_request *req, struct err *err)
{
	char zone[128];
	struct tm local;
	time_t now = (time_t)(clock_wall() / USEC_PER_SEC);
	(void)err;
	timezone_name(zone, sizeof(zone));
	tzset(); /* it may have been changed */
	localtime_r(&now, &local);
	json_object_begin(&req->json);
	json_kv_int(&req->json, "time", now);
	json_kv_int(&req->json, "localtime", now + local.tm_gmtoff);
	json_kv_string(&req->json, "timezone", zone);
	json_object_end(&req->json);
	return 0;
}

/* search is never empty for clients: a host without one says ".". It is the whole list, which clients send back. */
static int get_dns(struct api_request *req, struct err *err)
{
	static const char *const keys[HOST_DNS_MAX] = {"dns1", "dns2", "dns3"};
	autoresolv resolv = HOST_RESOLV_INIT;
	autobuf text = BUF_INIT;

	(void)err;
	file_read("/etc/resolv.conf", FILE_MAX, &text, NULL);
	host_resolv_parse(buf_str(&text), &resolv);
	json_object_begin(&req->json);
	json_kv_string(&req->json, "search", resolv.search ? resolv.search : ".");
	for (size_t i = 0; i < resolv.count; i++)
		json_kv_string(&req->json, keys[i], resolv.servers[i]);
	json_object_end(&req->json);
	return 0;
}

static int get_hosts(struct api_request *req, struct err *err)
{
	char digest[SHA1_HEX_SIZE];
	autobuf text = BUF_INIT;
	int r = file_read("/etc/hosts", HOST_FILE_MAX, &text, err);

	if (r < 0)
		return r;
	digest_sha1_hex(buf_str(&text), text.size, digest);
	json_object_begin(&req->json);
	json_key(&req->json, "data");
	json_string_n(&req->json, buf_str(&text), text.size);
	json_kv_string(&req->json, "digest", digest);
	json_object_end(&req->json);
	return 0;
}

static int on_written(struct api_request *req, struct buf *output, struct err *err)
{
	(void)req;
	(void)output;
	(void)err;
	return 0;
}

static int put_dns(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "host-dns", &req->params, WRITE_TIMEOUT, on_written, err);
}

static int post_hosts(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "host-hosts", &req->params, WRITE_TIMEOUT, on_written, err);
}

static int put_time(struct api_request *req, struct err *err)
{
	return api_run_helper(req, "host-time", &req->params, WRITE_TIMEOUT, on_written, err);
}

static int get_subscription(struct api_request *req, struct err *err)
{
	(void)err;
	json_object_begin(&req->json);
	json_kv_string(&req->json, "status", "notfound");
	json_kv_string(&req->json, "message", "Lodge needs no subscription");
	json_object_end(&req->json);
	return 0;
}

static const struct param node_params[] = {
	PARAM_NODE,
	PARAM_END,
};

static const struct param time_params[] = {
	PARAM_NODE,
	{"timezone", PARAM_STRING, .text = "Its time zone, as Europe/Berlin."},
	PARAM_END,
};

static const struct param dns_params[] = {
	PARAM_NODE,
	{"dns1", PARAM_STRING, .optional = true, .format = "ip", .text = "First name server."},
	{"dns2", PARAM_STRING, .optional = true, .format = "ip", .text = "Second name server."},
	{"dns3", PARAM_STRING, .optional = true, .format = "ip", .text = "Third name server."},
	{"search", PARAM_STRING, .pattern = "[A-Za-z0-9._-]+( [A-Za-z0-9._-]+)*",
	 .text = "Search domains."},
	PARAM_END,
};

static const struct param hosts_params[] = {
	PARAM_NODE,
	{"data", PARAM_STRING, .has_max = true, .max = 524288, .text = "The whole of /etc/hosts."},
	{"digest", PARAM_STRING, .optional = true, .has_max = true, .max = 64,
	 .text = "Of what it was; refused if it is another by now."},
	PARAM_END,
};

#define STRING	"{\"type\":\"string\"}"
#define INTEGER "{\"type\":\"integer\"}"
#define MAYBE	"{\"type\":\"string\",\"optional\":1}"

static const struct api_route routes[] = {
	{.verb = API_GET,
	 .path = "/nodes/{node}/time",
	 .text = "Time and time zone of a node.",
	 .params = node_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Audit"},
	 .returns = "{\"type\":\"object\",\"properties\":{\"time\":" INTEGER
		    ",\"localtime\":" INTEGER ",\"timezone\":" STRING "}}",
	 .handle = get_time},
	{.verb = API_GET,
	 .path = "/nodes/{node}/dns",
	 .text = "Name servers and search domains of a node.",
	 .params = node_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Audit"},
	 .returns = "{\"type\":\"object\",\"properties\":{\"search\":" STRING ",\"dns1\":" MAYBE
		    ",\"dns2\":" MAYBE ",\"dns3\":" MAYBE "}}",
	 .handle = get_dns},
	{.verb = API_PUT,
	 .path = "/nodes/{node}/time",
	 .text = "Set a node's time zone.",
	 .params = time_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Modify"},
	 .returns = "{\"type\":\"null\"}",
	 .handle = put_time},
	{.verb = API_PUT,
	 .path = "/nodes/{node}/dns",
	 .text = "Set a node's name servers and search domains.",
	 .params = dns_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Modify"},
	 .returns = "{\"type\":\"null\"}",
	 .handle = put_dns},
	{.verb = API_GET,
	 .path = "/nodes/{node}/hosts",
	 .text = "A node's /etc/hosts.",
	 .params = node_params,
	 .permission = {.kind = API_CHECK, .path = "/", .privs = "Sys.Audit"},
	 .returns =
		 "{\"type\":\"object\",\"properties\":{\"data\":" STRING ",\"digest\":" MAYBE "}}",
	 .handle = get_hosts},
	{.verb = API_POST,
	 .path = "/nodes/{node}/hosts",
	 .text = "Replace a node's /etc/hosts.",
	 .params = hosts_params,
	 .permission = {.kind = API_CHECK, .path = "/nodes/{node}", .privs = "Sys.Modify"},
	 .returns = "{\"type\":\"null\"}",
	 .handle = post_hosts},
	{.verb = API_GET,
	 .path = "/nodes/{node}/subscription",
	 .text = "There are none: always \"notfound\".",
	 .params = node_params,
	 .permission = {.kind = API_USER},
	 .returns = "{\"type\":\"object\",\"properties\":{\"status\":" STRING ",\"message\":" STRING
		    "}}",
	 .handle = get_subscription},
};

const struct api_table api_table_node_host = {routes, ARRAY_SIZE(routes)};
