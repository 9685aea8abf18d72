/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes as a tree: children below their parents.
 */
#ifndef KSMTOP_TREE_H
#define KSMTOP_TREE_H

#include "ui.h"

/**
 * tree_order() - put rows into the order of a tree
 * @rows: sorted; siblings keep this order
 * @branch: filled, for the new order
 * @n: how many
 *
 * A row whose parent is not among them is a root, as is one in a loop (the rows were not read at
 * one moment, so a pid may have come back).
 *
 * Return: false when there was no memory; the order is then as before.
 */
bool tree_order(const struct ksmtop_row **rows, struct ui_branch *branch, size_t n);

#endif /* KSMTOP_TREE_H */
