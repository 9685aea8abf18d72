/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring buffer between BPF and a tool, and how the tool waits for it.
 */
#ifndef KSMKIT_STREAM_RING_H
#define KSMKIT_STREAM_RING_H

#include <stdbool.h>
#include <stddef.h>

#include <bpf/libbpf.h>

/* Pending bytes that wake the reader before its tick: half of a small ring. */
size_t ksm_ring_wake_bytes(size_t size);

/* What a ring has to have for @bytes: whole pages, a power of two. */
size_t ksm_ring_size(size_t bytes);

struct ksm_ring;

/**
 * ksm_ring_open() - start reading
 * @map: of a loaded program
 * @fn: takes an event when ksm_ring_drain() is called
 *
 * Return: for ksm_ring_close(), NULL on failure.
 */
struct ksm_ring *ksm_ring_open(const struct bpf_map *map, ring_buffer_sample_fn fn, void *ctx);

/* Accepts NULL. */
void ksm_ring_close(struct ksm_ring *ring);

/**
 * ksm_ring_drain() - hand over what is there
 * @ring: may be NULL: there is nothing, ever
 *
 * A program has its place in the ring before it has its event, and can be interrupted in between;
 * whatever is behind it waits for it.
 *
 * Return: whether all that had a place when this was called has been handed over.
 */
bool ksm_ring_drain(struct ksm_ring *ring);

/**
 * ksm_ring_wait() - wait until the programs wake the reader, or for a time
 * @ring: may be NULL: nobody wakes
 *
 * One wakeup ends one wait. That there is something in the ring ends none: a reader that runs for
 * every event takes the CPU, and the ring's cache lines, from those who write.
 *
 * Return: 0 or negative errno.
 */
int ksm_ring_wait(struct ksm_ring *ring, int ms);

#endif /* KSMKIT_STREAM_RING_H */
