// SPDX-License-Identifier: GPL-2.0
/*
 * The metadata. The parser is no TSDL parser: it takes exactly the text that the printer makes,
 * with the few places that may differ, so anything foreign is refused before a byte of it is used.
 */
#include "lib/ctf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/trace_types.h"

static const char head[] = CTF_FIRST_LINES
	"typealias integer { size = 16; align = 8; signed = false; } := u16;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := u32;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := u64;\n"
	"typealias integer { size = 64; align = 8; signed = false; base = 16; } := x64;\n"
	"typealias integer { size = 8; align = 8; signed = false; } := u8;\n"
	"\n"
	"trace {\n"
	"\tmajor = 1;\n"
	"\tminor = 8;\n"
	"\tuuid = \"";

static const char after_uuid[] = "\";\n"
				 "\tbyte_order = le;\n"
				 "\tpacket.header := struct {\n"
				 "\t\tu32 magic;\n"
				 "\t\tu8 uuid[16];\n"
				 "\t\tu32 stream_id;\n"
				 "\t};\n"
				 "};\n"
				 "\n"
				 "env {\n";

static const char before_offset[] = "};\n"
				    "\n"
				    "clock {\n"
				    "\tname = monotonic;\n"
				    "\tdescription = \"CLOCK_MONOTONIC\";\n"
				    "\tfreq = 1000000000;\n"
				    "\toffset = ";

static const char after_offset[] =
	";\n"
	"};\n"
	"\n"
	"typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; }"
	" := time64;\n"
	"\n"
	"stream {\n"
	"\tid = 0;\n"
	"\tpacket.context := struct {\n"
	"\t\ttime64 timestamp_begin;\n"
	"\t\ttime64 timestamp_end;\n"
	"\t\tu64 content_size;\n"
	"\t\tu64 packet_size;\n"
	"\t\tu64 events_discarded;\n"
	"\t\tu64 packet_seq_num;\n"
	"\t};\n"
	"\tevent.header := struct {\n"
	"\t\ttime64 timestamp;\n"
	"\t\tu16 id;\n"
	"\t};\n"
	"\tevent.context := struct {\n"
	"\t\tu16 cpu;\n"
	"\t\tu32 tgid;\n"
	"\t\tu32 mm;\n"
	"\t\tu32 n32;\n"
	"\t\tx64 address;\n"
	"\t\tx64 pfn;\n"
	"\t\tu64 n64;\n"
	"\t};\n"
	"};\n";

static const char event_open[] = "\nevent {\n\tid = ";
static const char event_name[] = ";\n\tname = \"";
/* A text that was cut short between two events would do without this. */
static const char the_end[] = "\n/* end */\n";
static const char event_close[] = "\";\n\tstream_id = 0;\n};\n";

static void print_env(FILE *to, const struct ksm_trace_env *env)
{
	fprintf(to, "\t%s = \"", env->key);
	for (const char *c = env->value; *c; c++)
		putc(isprint((unsigned char)*c) && *c != '"' && *c != '\\' ? *c : '?', to);
	fputs("\";\n", to);
}

static void print_uuid(FILE *to, const unsigned char uuid[16])
{
	for (int i = 0; i < 16; i++)
		fprintf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

int ctf_metadata_print(FILE *to, const struct ksm_trace_info *info)
{
	fputs(head, to);
	print_uuid(to, info->uuid);
	fputs(after_uuid, to);
	for (size_t i = 0; i < info->env_count; i++)
		print_env(to, &info->env[i]);
	fprintf(to, "%s%" PRId64 "%s", before_offset, info->wall_offset, after_offset);
	for (size_t i = 0; i < ksm_event_desc_count; i++)
		fprintf(to, "%s%u%s%s%s", event_open, ksm_event_descs[i].type, event_name,
			ksm_event_descs[i].name, event_close);
	fputs(the_end, to);
	return ferror(to) ? -EIO : 0;
}

/* A position in the text; the functions below move it on, or leave it where the text is wrong. */
static bool take(const char **at, const char *expected)
{
	size_t same = 0;

	while (expected[same] && (*at)[same] == expected[same])
		same++;
	if (!expected[same]) {
		*at += same;
		return true;
	}
	return false;
}

static bool take_uuid(const char **at, unsigned char uuid[16])
{
	for (int i = 0; i < 16; i++) {
		char pair[3] = "";

		if ((i == 4 || i == 6 || i == 8 || i == 10) && !take(at, "-"))
			return false;
		if (!isxdigit((unsigned char)(*at)[0]) || !isxdigit((unsigned char)(*at)[1]))
			return false;
		memcpy(pair, *at, 2);
		uuid[i] = strtoul(pair, NULL, 16);
		*at += 2;
	}
	return true;
}

static bool take_word(const char **at, char *to, size_t size, bool text)
{
	size_t used = 0;

	while (text ? isprint((unsigned char)**at) && **at != '"' && **at != '\\' :
		      isalnum((unsigned char)**at) || **at == '_') {
		if (used + 1 == size)
			return false;
		to[used++] = *(*at)++;
	}
	to[used] = 0;
	return text || used;
}

static bool take_number(const char **at, int64_t *number)
{
	char digits[24];
	size_t length = strspn(*at, "-0123456789");

	if (!length || length >= sizeof(digits))
		return false;
	memcpy(digits, *at, length);
	digits[length] = 0;
	if (ksm_parse_s64(digits, number))
		return false;
	*at += length;
	return true;
}

static bool take_env(const char **at, struct ksm_trace_info *info)
{
	while (take(at, "\t")) {
		struct ksm_trace_env *env = &info->env[info->env_count];

		if (info->env_count == KSM_TRACE_ENV_MAX)
			return false;
		if (!take_word(at, env->key, sizeof(env->key), false) || !take(at, " = \"") ||
		    !take_word(at, env->value, sizeof(env->value), true) || !take(at, "\";\n"))
			return false;
		info->env_count++;
	}
	return true;
}

/* A later release may know more types; those of ours must have the names we give them. */
static bool take_events(const char **at, struct ksm_trace_info *info)
{
	const struct ksm_event_desc *desc;
	char name[64];
	int64_t id;

	while (take(at, event_open)) {
		if (!take_number(at, &id) || id < 1 || id > 63 || !take(at, event_name) ||
		    !take_word(at, name, sizeof(name), false))
			return false;
		desc = ksm_event_desc(id);
		if (desc && strcmp(desc->name, name))
			return false;
		if (!take(at, event_close))
			return false;
		info->known |= UINT64_C(1) << id;
	}
	return info->known && take(at, the_end) && !**at;
}

int ctf_metadata_parse(const char *text, struct ksm_trace_info *info, size_t *at)
{
	const char *pos = text;
	bool good;

	memset(info, 0, sizeof(*info));
	good = take(&pos, head) && take_uuid(&pos, info->uuid) && take(&pos, after_uuid) &&
	       take_env(&pos, info) && take(&pos, before_offset) &&
	       take_number(&pos, &info->wall_offset) && take(&pos, after_offset) &&
	       take_events(&pos, info);
	*at = pos - text;
	return good ? 0 : -EPROTO;
}
