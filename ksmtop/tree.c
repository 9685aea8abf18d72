// SPDX-License-Identifier: GPL-2.0
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#define NONE ((size_t)-1)

/**
 * struct node - a row while the tree is made
 * @pid: its process, @at its index in the sorted rows
 * @child, @last, @next: indices: its first and last child, the sibling below it
 */
struct node {
	const struct ksmtop_row *row;
	size_t parent, child, last, next;
	bool done;
};

struct by_pid {
	pid_t pid;
	size_t at;
};

static int compare_pid(const void *a, const void *b)
{
	const struct by_pid *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void hang(struct node *nodes, size_t parent, size_t child)
{
	nodes[child].parent = parent;
	if (nodes[parent].last == NONE)
		nodes[parent].child = child;
	else
		nodes[nodes[parent].last].next = child;
	nodes[parent].last = child;
}

static void link_all(struct node *nodes, struct by_pid *pids, size_t n)
{
	qsort(pids, n, sizeof(*pids), compare_pid);
	for (size_t i = 0; i < n; i++) {
		struct by_pid key = { .pid = nodes[i].row->p.ppid };
		struct by_pid *found = bsearch(&key, pids, n, sizeof(*pids), compare_pid);

		if (key.pid && found && found->at != i)
			hang(nodes, found->at, i);
	}
}

/* Emit @root and all below it. */
static size_t walk(struct node *nodes, size_t root, const struct ksmtop_row **rows,
		   struct ui_branch *branch, size_t out)
{
	struct ui_branch b = { 0 };
	size_t i = root;

	for (;;) {
		if (!nodes[i].done) {
			nodes[i].done = true;
			rows[out] = nodes[i].row;
			branch[out++] = b;
			if (nodes[i].child != NONE && !nodes[nodes[i].child].done) {
				i = nodes[i].child;
				b.depth++;
				goto place;
			}
		}
		while (i != root && nodes[i].next == NONE) {
			i = nodes[i].parent;
			b.depth--;
		}
		if (i == root)
			return out;
		i = nodes[i].next;
	place:
		if (b.depth < UI_DEPTH) {
			b.more &= (1u << b.depth) - 1;
			b.more |= nodes[i].next != NONE ? 1u << b.depth : 0;
		}
	}
}

bool tree_order(const struct ksmtop_row **rows, struct ui_branch *branch, size_t n)
{
	struct node *nodes = calloc(n, sizeof(*nodes));
	struct by_pid *pids = calloc(n, sizeof(*pids));
	size_t out = 0;

	for (size_t i = 0; nodes && pids && i < n; i++) {
		nodes[i] = (struct node){ rows[i], NONE, NONE, NONE, NONE, false };
		pids[i] = (struct by_pid){ rows[i]->p.pid, i };
	}
	if (nodes && pids) {
		link_all(nodes, pids, n);
		for (size_t i = 0; i < n; i++)
			if (nodes[i].parent == NONE)
				out = walk(nodes, i, rows, branch, out);
		/* what is left hangs in a loop: enter it somewhere */
		for (size_t i = 0; i < n; i++)
			if (!nodes[i].done)
				out = walk(nodes, i, rows, branch, out);
	}
	free(nodes);
	free(pids);
	return out == n;
}
