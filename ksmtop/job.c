// SPDX-License-Identifier: GPL-2.0
#include "job.h"

#include <signal.h>

static void *work(void *arg)
{
	struct job *job = arg;

	job->run(job->arg);
	atomic_store(&job->done, true);
	return NULL;
}

bool job_start(struct job *job, void (*run)(void *arg), void *arg)
{
	sigset_t all, before;

	if (job->running)
		return false;
	job->run = run;
	job->arg = arg;
	atomic_store(&job->done, false);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	job->running = !pthread_create(&job->thread, NULL, work, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return job->running;
}

bool job_over(struct job *job)
{
	if (!job->running || !atomic_load(&job->done))
		return false;
	job_wait(job);
	return true;
}

void job_wait(struct job *job)
{
	if (!job->running)
		return;
	pthread_join(job->thread, NULL);
	job->running = false;
}
