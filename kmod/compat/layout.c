// SPDX-License-Identifier: GPL-2.0
/*
 * In-tree KSM's private structures, compared member by member with the running
 * kernel's BTF. The kernel reads our nodes and items as if they were its own, and we
 * read its list and cursor: a member elsewhere than we think would corrupt memory,
 * so a kernel that differs is refused. Sizes prove nothing here: most are 64 bytes, as are ours.
 */
#include "compat/kernel.h"

#include <linux/bpf.h>
#include <linux/btf.h>

#include "check.h"
#include "engine.h"

struct member {
	const char *type;
	const char *name;
	u32 offset;
};

#define MEMBER(kernel_type, our_type, name)                                                \
	{ kernel_type, #name, offsetof(our_type, name) }

/* One that only in-tree KSM itself uses, and that we have something else in the place of */
#define PLACE(kernel_type, kernel_name, our_type, name)                                    \
	{ kernel_type, kernel_name, offsetof(our_type, name) }

static const struct member members[] = {
	MEMBER("ksm_stable_node", struct ksm_stable_node, node),
	MEMBER("ksm_stable_node", struct ksm_stable_node, head),
	MEMBER("ksm_stable_node", struct ksm_stable_node, hlist_dup),
	PLACE("ksm_stable_node", "list", struct ksm_stable_node, hash),
	MEMBER("ksm_stable_node", struct ksm_stable_node, hlist),
	MEMBER("ksm_stable_node", struct ksm_stable_node, kpfn),
	MEMBER("ksm_stable_node", struct ksm_stable_node, chain_prune_time),
	MEMBER("ksm_stable_node", struct ksm_stable_node, rmap_hlist_len),
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, rmap_list),
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, anon_vma),
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, mm),
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, address),
	PLACE("ksm_rmap_item", "oldchecksum", struct ksm_rmap_item, nid),
#ifdef KSME_HAVE_LINEAR_ANON_INDEX
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, linear_page_index),
#endif
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, node),
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, head),
	MEMBER("ksm_rmap_item", struct ksm_rmap_item, hlist),
	MEMBER("ksm_mm_slot", struct intree_mm_slot, slot),
	MEMBER("ksm_mm_slot", struct intree_mm_slot, rmap_list),
	MEMBER("mm_slot", struct intree_slot, hash),
	MEMBER("mm_slot", struct intree_slot, mm_node),
	MEMBER("mm_slot", struct intree_slot, mm),
	MEMBER("ksm_scan", struct intree_scan, mm_slot),
	MEMBER("ksm_scan", struct intree_scan, address),
	MEMBER("ksm_scan", struct intree_scan, rmap_list),
	MEMBER("ksm_scan", struct intree_scan, seqnr),
};

static u32 member_bit_offset(const struct btf_type *type, const struct btf_member *member)
{
	return btf_type_kflag(type) ? BTF_MEMBER_BIT_OFFSET(member->offset) : member->offset;
}

/* Bit offset of @name in @type, anonymous structs and unions included; -1: no such member. */
static s64 find_member(const struct btf *btf, const struct btf_type *type, const char *name,
		       unsigned int depth)
{
	const struct btf_member *member = btf_members(type);
	u32 i;

	for (i = 0; i < btf_type_vlen(type); i++, member++) {
		const char *found = btf_name_by_offset(btf, member->name_off);
		const struct btf_type *inner;
		s64 offset;

		if (found && !strcmp(found, name))
			return member_bit_offset(type, member);
		if (found && *found)
			continue;
		inner = btf_type_by_id(btf, member->type);
		if (!inner || !btf_type_is_struct(inner) || depth == 0)
			continue;
		offset = find_member(btf, inner, name, depth - 1);
		if (offset >= 0)
			return offset + member_bit_offset(type, member);
	}
	return -1;
}

static int check_member(const struct btf *btf, const struct member *member)
{
	s32 id = btf_find_by_name_kind(btf, member->type, BTF_KIND_STRUCT);
	u32 expected = member->offset * 8;
	char name[64];
	s64 offset;

	if (id < 0) {
		pr_err("struct %s is missing from the kernel's BTF: cannot load\n",
		       member->type);
		return -EINVAL;
	}
	offset = find_member(btf, btf_type_by_id(btf, id), member->name, 4);
	snprintf(name, sizeof(name), "%s.%s", member->type, member->name);
	if (ksme_falsified("member", name))
		expected += 64;
	if (offset != expected) {
		pr_err("%s is at bit %lld in this kernel, not %u: cannot load\n", name, offset,
		       expected);
		return -EINVAL;
	}
	return 0;
}

/**
 * ksme_layout_check - refuse a kernel whose KSM structures or functions are not those we know
 *
 * Return: 0, or -EINVAL with one line in the log that names the member or function.
 */
int ksme_layout_check(void)
{
	const struct btf *btf = bpf_get_btf_vmlinux();
	unsigned int i;
	int err;

	if (IS_ERR_OR_NULL(btf)) {
		pr_err("this kernel has no BTF to check structures against: cannot load\n");
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		err = check_member(btf, &members[i]);
		if (err)
			return err;
	}
	return ksme_prototypes_check(btf);
}
