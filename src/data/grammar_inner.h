/* SPDX-License-Identifier: MIT */
/* The trees that phrases become: for grammar.c, which makes and expands them, and match.c, which recognises them. */
#ifndef LP_DATA_GRAMMAR_INNER_H
#define LP_DATA_GRAMMAR_INNER_H

#include "base/arena.h"
#include "data/grammar.h"

enum lp_node_kind { TEXT, CHOICE, OPTION, REFERENCE };

struct lp_node {
    enum lp_node_kind kind;
    struct lp_node *next;     /* in the sequence */
    char *text;            /* TEXT: itself; REFERENCE: the name */
    struct lp_branch *branch; /* CHOICE, OPTION: the first alternative */
    int branches;
    const struct lp_list *list; /* REFERENCE: NULL for a slot */
    const char *slot;           /* REFERENCE to a slot: its name, static */
    bool plural, capture;
    const char *file; /* REFERENCE: where it stands */
    int line;
};

struct lp_branch { /* one alternative: a sequence, and what follows => */
    struct lp_node *first, *param;
    struct lp_branch *next;
};

struct lp_list {
    char *name;
    struct lp_branch *first, *last;
    struct lp_branch **entry; /* the same as an array, once read */
    size_t entries;
    double variety;
    int state; /* of the search for lists that contain themselves: 0 new, 1 open, 2 closed */
    struct lp_list *next;
};

struct lp_grammar {
    struct lp_arena arena;
    struct lp_list *first, *last;
    struct lp_list **list; /* the same as an array, once read */
    size_t lists;
    const char *const *slots;
};

#endif
