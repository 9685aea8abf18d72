// SPDX-License-Identifier: GPL-2.0
/*
 * The prototypes of the unexported functions, compared with the running kernel's BTF.
 *
 * Headers declare most of them, but headers are of the kernel that the module was built for, and
 * some functions are in no header of a module's world. Both sides are written in the same words,
 * "int(struct page*,unsigned long)", and these compared. Names of parameters mean nothing.
 */
#include "compat/kernel.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/ctype.h>

#include "check.h"

#define PROTOTYPE_MAX 256

struct text {
	char buf[PROTOTYPE_MAX];
	size_t len;
};

static void add(struct text *text, const char *more)
{
	text->len += scnprintf(text->buf + text->len, sizeof(text->buf) - text->len, "%s", more);
}

/* Integers as one writes them, not as compilers do. */
static const char *int_name(const char *name)
{
	static const char *const names[][2] = {
		{ "long unsigned int", "unsigned long" },
		{ "long int", "long" },
		{ "long long unsigned int", "unsigned long long" },
		{ "long long int", "long long" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i][0]))
			return names[i][1];
	return name;
}

static void add_base(struct text *text, const struct btf *btf, const struct btf_type *type)
{
	const char *name = btf_name_by_offset(btf, type->name_off);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_FWD:
		add(text, "struct ");
		break;
	case BTF_KIND_UNION:
		add(text, "union ");
		break;
	case BTF_KIND_ENUM:
		add(text, "enum ");
		break;
	}
	add(text, name ? int_name(name) : "?");
}

/* Without functions: a pointer to one is "?*". */
static void add_type(struct text *text, const struct btf *btf, u32 id)
{
	const struct btf_type *type = NULL;
	unsigned int stars = 0;

	while (id) {
		u32 kind;

		type = btf_type_by_id(btf, id);
		if (!type)
			break;
		kind = BTF_INFO_KIND(type->info);
		if (kind == BTF_KIND_PTR)
			stars++;
		else if (kind == BTF_KIND_CONST && stars)
			add(text, "const ");
		else if (kind != BTF_KIND_CONST && kind != BTF_KIND_VOLATILE &&
			 kind != BTF_KIND_RESTRICT && kind != BTF_KIND_TYPE_TAG)
			break;
		id = type->type;
	}
	if (!id)
		add(text, "void");
	else if (!type || BTF_INFO_KIND(type->info) == BTF_KIND_FUNC_PROTO)
		add(text, "?");
	else
		add_base(text, btf, type);
	while (stars--)
		add(text, "*");
}

/* False when the kernel has no such function in its BTF. */
static bool prototype_in_btf(struct text *text, const struct btf *btf, const char *name)
{
	s32 id = btf_find_by_name_kind(btf, name, BTF_KIND_FUNC);
	const struct btf_type *type = id < 0 ? NULL : btf_type_by_id(btf, id);
	const struct btf_param *param;
	u32 i;

	type = type ? btf_type_by_id(btf, type->type) : NULL;
	if (!type || BTF_INFO_KIND(type->info) != BTF_KIND_FUNC_PROTO)
		return false;
	add_type(text, btf, type->type);
	add(text, "(");
	param = (const struct btf_param *)(type + 1);
	for (i = 0; i < btf_type_vlen(type); i++) {
		add(text, i ? "," : "");
		add_type(text, btf, param[i].type);
	}
	add(text, ")");
	return true;
}

/* A type as written in C, [@from, @to), without a name behind it if it @is_param. */
static void add_c_type(struct text *text, const char *from, const char *to, bool is_param)
{
	const char *end = to;

	while (from < end && *from == ' ')
		from++;
	/* A pointer to a function says where its name is by itself. */
	if (is_param && end > from && end[-1] == ')') {
		add(text, "?*");
		return;
	}
	while (is_param && end > from && (isalnum(end[-1]) || end[-1] == '_'))
		end--;
	if (end == from)
		end = to; /* a lone void */
	while (end > from && end[-1] == ' ')
		end--;
	for (; from < end; from++) {
		char c[2] = { *from, 0 };

		if (*from != ' ' || (from[1] != '*'))
			add(text, c);
	}
}

/* "(struct page *page, int n)": commas within a function pointer's own parentheses are its own. */
static void prototype_in_c(struct text *text, const struct ksme_prototype *proto)
{
	const char *from = proto->params + 1, *at;
	unsigned int depth = 0;

	add_c_type(text, proto->ret, proto->ret + strlen(proto->ret), false);
	add(text, "(");
	for (at = from; *at && strcmp(proto->params, "(void)"); at++) {
		if (*at == '(') {
			depth++;
		} else if (*at == ')' && depth) {
			depth--;
		} else if ((*at == ',' || *at == ')') && !depth) {
			add_c_type(text, from, at, true);
			add(text, *at == ',' ? "," : "");
			from = at + 1;
		}
	}
	add(text, ")");
}

static int check_prototype(const struct btf *btf, const struct ksme_prototype *proto)
{
	struct text ours = {}, kernels = {};

	prototype_in_c(&ours, proto);
	if (ksme_falsified("prototype", proto->name))
		add(&ours, " falsified");
	if (!prototype_in_btf(&kernels, btf, proto->name)) {
		pr_err("function %s is missing from the kernel's BTF: cannot load\n", proto->name);
		return -EINVAL;
	}
	if (strcmp(ours.buf, kernels.buf)) {
		pr_err("function %s is %s in this kernel, not %s: cannot load\n", proto->name,
		       kernels.buf, ours.buf);
		return -EINVAL;
	}
	return 0;
}

/**
 * ksme_prototypes_check - refuse a kernel that has another function by a name that we call
 * @btf: the kernel's
 *
 * Return: 0, or -EINVAL with one line in the log that names the function.
 */
int ksme_prototypes_check(const struct btf *btf)
{
	const struct ksme_prototype *proto;
	int err;

	for (proto = ksme_prototypes; proto->name; proto++) {
		err = check_prototype(btf, proto);
		if (err)
			return err;
	}
	return 0;
}
