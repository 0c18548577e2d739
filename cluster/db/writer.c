/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writer thread: the only place that touches SQLite after opening. */
#include "cluster/db/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/base/mem.h"

struct writer {
	struct db *db;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct writer_job *todo, *done; /* under lock */
	bool is_stopping;		/* under lock */
	int fd;
};

static int recover(struct db *db, struct writer_job *job)
{
	int r = db_make_room(db, &job->err);

	return r < 0 ? r : db_load(db, false, &job->disk, &job->err);
}

static int run_persist(struct db *db, struct writer_job *job)
{
	return db_persist(db, job->persists, job->persist_count, &job->err);
}

static int run_settle(struct db *db, struct writer_job *job)
{
	return db_settle(db, &job->settle, &job->err);
}

static int run_read(struct db *db, struct writer_job *job)
{
	return db_history_read(db, job->read, &job->err);
}

static int (*const runners[])(struct db *db, struct writer_job *job) = {
	[WRITER_PERSIST] = run_persist,
	[WRITER_SETTLE] = run_settle,
	[WRITER_READ] = run_read,
	[WRITER_RECOVER] = recover,
};

void writer_job_fini(struct writer_job *job)
{
	for (size_t i = 0; i < job->persist_count; i++)
		persist_free(job->persists[i]);
	free(job->persists);
	settle_fini(&job->settle);
	db_disk_fini(&job->disk);
	*job = (struct writer_job){0};
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct writer_job *job;

		while (!w->todo && !w->is_stopping)
			pthread_cond_wait(&w->wake, &w->lock);
		if (!w->todo)
			break;
		job = TAKE(w->todo);
		pthread_mutex_unlock(&w->lock);
		job->err = ERR_INIT;
		job->result = runners[job->kind](w->db, job);
		pthread_mutex_lock(&w->lock);
		w->done = job;
		eventfd_write(w->fd, 1);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int writer_new(struct db *db, struct writer **ret, struct err *err)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	sigset_t all, before;
	int r;

	w->db = db;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0) {
		r = errno;
		free(w);
		return err_errno(err, r, "eventfd");
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the loop's thread */
	r = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0) {
		close(w->fd);
		free(w);
		return err_errno(err, r, "start the writer thread");
	}
	*ret = w;
	return 0;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	close(w->fd);
	free(w);
}

int writer_fd(const struct writer *w)
{
	return w->fd;
}

void writer_start(struct writer *w, struct writer_job *job)
{
	pthread_mutex_lock(&w->lock);
	w->todo = job;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

struct writer_job *writer_take(struct writer *w)
{
	struct writer_job *job;
	eventfd_t count;

	eventfd_read(w->fd, &count);
	pthread_mutex_lock(&w->lock);
	job = TAKE(w->done);
	pthread_mutex_unlock(&w->lock);
	return job;
}
