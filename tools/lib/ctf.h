/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bytes of our CTF traces: packet layout, and the metadata's text built and parsed.
 */
#ifndef KSMKIT_CTF_H
#define KSMKIT_CTF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/trace_file.h"

#define CTF_MAGIC 0xc1fc1fc1u
/* What a reader compares to tell our traces from others'. */
#define CTF_FIRST_LINES "/* CTF 1.8 */\n/* ksmtrace 1 */\n"
#define CTF_METADATA_MAX (256u << 10)
/* Bytes of a packet that a reader takes for possible; those written are far smaller. */
#define CTF_PACKET_MAX (16u << 20)

/**
 * struct ctf_packet - what stands before the events of a packet; sizes are in bits
 *
 * The records of a packet are plain struct ksm_event, little-endian like everything else.
 */
struct ctf_packet {
	uint32_t magic;
	unsigned char uuid[16];
	uint32_t stream_id;
	uint64_t begin;
	uint64_t end;
	uint64_t content_bits;
	uint64_t packet_bits;
	uint64_t discarded;
	uint64_t number;
} __attribute__((packed));

_Static_assert(sizeof(struct ctf_packet) == 72, "the metadata says so");
_Static_assert(sizeof(struct ksm_event) == 48, "the metadata says so");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are written as they are");

/**
 * ctf_metadata_print() - write the metadata's text
 *
 * Return: 0, or -EIO when @to failed.
 */
int ctf_metadata_print(FILE *to, const struct ksm_trace_info *info);

/**
 * ctf_metadata_parse() - take the metadata's text apart
 * @text: terminated
 * @info: filled
 * @at: where it stopped being ours, when it did
 *
 * Return: 0 or -EPROTO.
 */
int ctf_metadata_parse(const char *text, struct ksm_trace_info *info, size_t *at);

#endif /* KSMKIT_CTF_H */
