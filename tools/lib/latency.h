/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Latencies counted in slots (KSM_LATENCY_SLOTS of ksm_event.h), and what they say.
 */
#ifndef KSMKIT_LATENCY_H
#define KSMKIT_LATENCY_H

#include <stdint.h>

/* The slot that a latency is counted in; below 8 ns there are no finer ones than from 8 to 15. */
unsigned int ksm_latency_slot(uint64_t ns);

/* The smallest latency of a slot, ns. */
uint64_t ksm_latency_value(unsigned int slot);

/* How many there are in all. */
uint64_t ksm_latency_count(const uint64_t *slots);

/**
 * ksm_latency_percentile() - the latency that so many percent do not exceed
 * @slots: KSM_LATENCY_SLOTS counts
 * @percent: 0 to 100
 *
 * Return: nanoseconds, the upper end of the slot (at most an eighth too high); 0 when there are
 * none.
 */
uint64_t ksm_latency_percentile(const uint64_t *slots, double percent);

#endif /* KSMKIT_LATENCY_H */
