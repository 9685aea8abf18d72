/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work that takes too long for the loop that listens to keys: one thread a job.
 */
#ifndef KSMTOP_JOB_H
#define KSMTOP_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/**
 * struct job - zeroed at the start; what @run works on belongs to it until the job is over
 */
struct job {
	pthread_t thread;
	bool running;
	atomic_bool done;
	void (*run)(void *arg);
	void *arg;
};

/**
 * job_start() - run @run(@arg) beside
 *
 * Signals stay with the caller's thread. Return: false when it could not be started, or one is
 * running already.
 */
bool job_start(struct job *job, void (*run)(void *arg), void *arg);

/**
 * job_over() - has it ended since the last call? To be asked again and again.
 */
bool job_over(struct job *job);

/**
 * job_wait() - wait until it has ended; nothing when none runs
 */
void job_wait(struct job *job);

#endif /* KSMTOP_JOB_H */
