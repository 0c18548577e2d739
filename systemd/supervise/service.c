/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a daemon, notes its pid in path_run()/supervise/NAME, starts it again when it ends. */
#include "systemd/supervise/service.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/exec.h"
#include "agent/base/fd.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/base/paths.h"
#include "agent/base/str.h"
#include "systemd/supervise/settings.h"

usec_t service_next_delay(usec_t delay, usec_t life)
{
	if (life >= SERVICE_LIFE_GOOD || delay == 0)
		return SERVICE_DELAY_MIN;
	return delay * 2 < SERVICE_DELAY_MAX ? delay * 2 : SERVICE_DELAY_MAX;
}

/* ---- the note of the pid: "PID START\n" ---- */

static char *note_path(const char *name)
{
	return path_join(path_run(), "supervise/%s", name);
}

static void note_pid(const struct service *service)
{
	autofree char *path = note_path(service->def->name);
	autofree char *text =
		xasprintf("%d %" PRIu64 "\n", (int)service->pid, exec_pid_start(service->pid));
	struct err err = ERR_INIT;

	if (file_write_atomic(path, text, strlen(text), 0644, &err) < 0)
		log_warning("%s", err.message);
}

pid_t service_find(const char *name)
{
	autofree char *path = note_path(name);
	autobuf text = BUF_INIT;
	uint64_t pid, start;

	if (file_read(path, 64, &text, NULL) < 0)
		return 0;
	autostrv char **words = str_split(buf_str(&text), " \n");
	if (strv_count(words) != 2 || !str_to_u64(words[0], &pid) || !str_to_u64(words[1], &start))
		return 0;
	if (pid == 0 || pid > INT32_MAX || start == 0 || exec_pid_start((pid_t)pid) != start)
		return 0;
	return (pid_t)pid;
}

/* ---- start, end, start again ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	service_start(userdata);
	return 0;
}

static void start_after(struct service *service, usec_t delay)
{
	sd_event_source_disable_unref(service->timer);
	service->timer = NULL;
	if (sd_event_add_time_relative(service->event, &service->timer, CLOCK_MONOTONIC, delay, 1,
				       on_timer, service) < 0)
		sd_event_exit(service->event, 1);
}

static void start_later(struct service *service)
{
	usec_t life = clock_monotonic() - service->started;

	service->delay = service_next_delay(service->delay, life);
	start_after(service, service->delay);
}

static void describe_end(const struct service *service, const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		log_notice("%s (pid %d) ended with status %d", service->def->name,
			   (int)service->pid, info->si_status);
	else
		log_notice("%s (pid %d) was ended by signal %d", service->def->name,
			   (int)service->pid, info->si_status);
}

static void ended(struct service *service)
{
	service->pid = 0;
	sd_event_source_disable_unref(service->child);
	service->child = NULL;
	closep(&service->pidfd);
	service->pidfd = -1;
	if (!service->is_stopping)
		start_later(service);
	else if (service->stopped)
		service->stopped(service->ctx);
}

static int on_end(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct service *service = userdata;

	(void)source;
	describe_end(service, info);
	ended(service);
	return 0;
}

static int on_gone(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct service *service = userdata;

	(void)source;
	(void)fd;
	(void)events;
	log_notice("%s (pid %d) ended", service->def->name, (int)service->pid);
	ended(service);
	return 0;
}

/* One that an earlier supervisor started. What it prints is lost from now on. */
static bool take_over(struct service *service)
{
	pid_t pid = service->def->is_lasting ? service_find(service->def->name) : 0;
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd < 0)
		return false;
	if (sd_event_add_io(service->event, &service->child, fd, EPOLLIN, on_gone, service) < 0) {
		close(fd);
		return false;
	}
	service->pid = pid;
	service->pidfd = fd;
	log_info("%s (pid %d) goes on", service->def->name, (int)pid);
	return true;
}

/* Somebody else's may have come, or gone, since. */
static bool is_left_to_others(struct service *service)
{
	bool was_served = service->is_served;

	service->is_served = service->def->is_served && service->def->is_served();
	if (service->is_served && !was_served)
		log_notice("a %s of this host is at work: it is used and left alone",
			   service->def->name);
	return service->is_served;
}

/* A restart never waits. */
static bool is_early(struct service *service)
{
	if (!service->def->is_early || service->waited >= SERVICE_PATIENCE ||
	    !service->def->is_early()) {
		service->waited = SERVICE_PATIENCE;
		return false;
	}
	service->waited += SERVICE_LOOK_EARLY;
	return true;
}

static int spawn(struct service *service, struct err *err)
{
	autofree char *program = path_join(path_libexec(), "%s", service->def->name);
	autostrv char **env = settings_environment();
	const char *const own[] = {program, NULL};
	const char *const foreign[] = {"/proc/self/exe", "exec", service->def->name, NULL};
	const struct exec_spawn spec = {
		.argv = service->def->is_foreign ? foreign : own,
		.env = (const char *const *)env,
		.stdin_fd = -1,
		.stdout_fd = service->log.write_end,
		.stderr_fd = service->log.write_end,
		.new_session = true,
	};

	return exec_spawn(&spec, &service->pid, err);
}

void service_start(struct service *service)
{
	struct err err = ERR_INIT;

	if (service->def->is_wanted && !service->def->is_wanted())
		return;
	service->started = clock_monotonic();
	if (take_over(service))
		return;
	if (is_left_to_others(service)) {
		start_after(service, SERVICE_LOOK_AGAIN);
		return;
	}
	if (is_early(service)) {
		start_after(service, SERVICE_LOOK_EARLY);
		return;
	}
	if (spawn(service, &err) < 0) {
		log_error("%s", err.message);
		service->pid = 0;
		start_later(service);
		return;
	}
	note_pid(service);
	log_info("%s started (pid %d)", service->def->name, (int)service->pid);
	if (sd_event_add_child(service->event, &service->child, service->pid, WEXITED, on_end,
			       service) < 0)
		sd_event_exit(service->event, 1);
}

void service_stop(struct service *service, int signo)
{
	service->is_stopping = true;
	sd_event_source_disable_unref(service->timer);
	service->timer = NULL;
	if (!service_is_stopped(service))
		kill(service->pid, signo);
}

bool service_is_stopped(const struct service *service)
{
	return service->pid == 0 || service->def->is_lasting;
}

int service_init(struct service *service, sd_event *event, const struct service_def *def,
		 const char *log_directory, struct err *err)
{
	*service = (struct service){.def = def, .event = event, .pidfd = -1};
	return bounded_log_init(&service->log, event, log_directory, def->name, BOUNDED_LOG_MAX,
				err);
}

void service_fini(struct service *service)
{
	autofree char *path = note_path(service->def->name);

	if (service->pid == 0)
		file_remove(path, NULL);
	sd_event_source_disable_unref(service->child);
	sd_event_source_disable_unref(service->timer);
	closep(&service->pidfd);
	bounded_log_fini(&service->log);
}
