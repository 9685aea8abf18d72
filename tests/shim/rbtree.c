// SPDX-License-Identifier: GPL-2.0
/*
 * Red-black trees after the textbook: leaves are NULL and count as black.
 */
#include <linux/rbtree.h>

#define RED 0UL
#define BLACK 1UL

static struct rb_node *parent_of(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~1UL);
}

static bool is_red(const struct rb_node *node)
{
	return node && (node->parent_color & 1) == RED;
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (unsigned long)parent | (node->parent_color & 1);
}

static void set_color(struct rb_node *node, unsigned long color)
{
	node->parent_color = (node->parent_color & ~1UL) | color;
}

/* The child of @node on one side; the other side is child(node, !right). */
static struct rb_node **child(struct rb_node *node, bool right)
{
	return right ? &node->rb_right : &node->rb_left;
}

/* Where @node hangs. */
static struct rb_node **link_of(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = parent_of(node);

	return parent ? child(parent, parent->rb_right == node) : &root->rb_node;
}

/* @node sinks to @right, its other child takes its place. */
static void rotate(struct rb_node *node, bool right, struct rb_root *root)
{
	struct rb_node *up = *child(node, !right);
	struct rb_node *middle = *child(up, right);

	*link_of(node, root) = up;
	set_parent(up, parent_of(node));
	*child(up, right) = node;
	set_parent(node, up);
	*child(node, !right) = middle;
	if (middle)
		set_parent(middle, node);
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent, *above, *uncle;
	bool right;

	while (is_red(parent = parent_of(node))) {
		above = parent_of(parent);
		right = above->rb_right == parent;
		uncle = *child(above, !right);
		if (is_red(uncle)) {
			set_color(parent, BLACK);
			set_color(uncle, BLACK);
			set_color(above, RED);
			node = above;
			continue;
		}
		if (*child(parent, !right) == node) {
			rotate(parent, right, root);
			parent = node;
		}
		set_color(parent, BLACK);
		set_color(above, RED);
		rotate(above, !right, root);
		break;
	}
	set_color(root->rb_node, BLACK);
}

/* The paths through @node, a child of @parent and maybe NULL, are one black short. */
static void fix_short(struct rb_node *node, struct rb_node *parent, struct rb_root *root)
{
	struct rb_node *sibling;
	bool right;

	while (parent && !is_red(node)) {
		right = parent->rb_right == node;
		sibling = *child(parent, !right);
		if (is_red(sibling)) {
			set_color(sibling, BLACK);
			set_color(parent, RED);
			rotate(parent, right, root);
			sibling = *child(parent, !right);
		}
		if (!is_red(sibling->rb_left) && !is_red(sibling->rb_right)) {
			set_color(sibling, RED);
			node = parent;
			parent = parent_of(node);
			continue;
		}
		if (!is_red(*child(sibling, !right))) {
			set_color(*child(sibling, right), BLACK);
			set_color(sibling, RED);
			rotate(sibling, !right, root);
			sibling = *child(parent, !right);
		}
		set_color(sibling, parent->parent_color & 1);
		set_color(parent, BLACK);
		set_color(*child(sibling, !right), BLACK);
		rotate(parent, right, root);
		return;
	}
	if (node)
		set_color(node, BLACK);
}

void rb_replace_node(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	*link_of(old, root) = node;
	*node = *old;
	if (node->rb_left)
		set_parent(node->rb_left, node);
	if (node->rb_right)
		set_parent(node->rb_right, node);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *below, *parent;
	bool black;

	if (node->rb_left && node->rb_right) {
		/* Swap places with the successor, which has no left child, colours staying put. */
		struct rb_node *next = rb_next(node);
		struct rb_node copy = *next;
		bool adjacent = parent_of(next) == node;

		rb_replace_node(node, next, root);
		if (adjacent) {
			/* It was told that it is its own right child. */
			next->parent_color = node->parent_color;
			next->rb_right = node;
			copy.parent_color = (unsigned long)next | (copy.parent_color & 1);
		} else {
			parent_of(&copy)->rb_left = node;
		}
		*node = copy;
		if (node->rb_right)
			set_parent(node->rb_right, node);
	}
	below = node->rb_left ? node->rb_left : node->rb_right;
	parent = parent_of(node);
	black = !is_red(node);
	*link_of(node, root) = below;
	if (below)
		set_parent(below, parent);
	if (black)
		fix_short(below, parent, root);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	const struct rb_node *parent;

	if (node->rb_right) {
		const struct rb_root below = { node->rb_right };

		return rb_first(&below);
	}
	while ((parent = parent_of(node)) && parent->rb_right == node)
		node = parent;
	return (struct rb_node *)parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	const struct rb_node *parent, *below = node->rb_left;

	if (below) {
		while (below->rb_right)
			below = below->rb_right;
		return (struct rb_node *)below;
	}
	while ((parent = parent_of(node)) && parent->rb_left == node)
		node = parent;
	return (struct rb_node *)parent;
}

static int black_height(const struct rb_node *node, const struct rb_node *parent)
{
	int left, right;

	if (!node)
		return 0;
	if (parent_of(node) != parent || (is_red(node) && (!parent || is_red(parent))))
		return -1;
	left = black_height(node->rb_left, node);
	right = black_height(node->rb_right, node);
	return left < 0 || left != right ? -1 : left + !is_red(node);
}

int shim_rb_check(const struct rb_root *root)
{
	return black_height(root->rb_node, NULL);
}
