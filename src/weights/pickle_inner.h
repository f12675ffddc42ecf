/* SPDX-License-Identifier: MIT */
/* What pickle.c, the machine, and pickle_torch.c, the little that it may make, know of each other. */
#ifndef LP_WEIGHTS_PICKLE_INNER_H
#define LP_WEIGHTS_PICKLE_INNER_H

#include "weights/pickle.h"

enum { LP_PICKLE_MARKS = 256 };

struct lp_pickle_machine {
    struct lp_arena *arena;
    const char *name;
    const uint8_t *at, *end;
    struct lp_pickle_value **stack;
    size_t n, room;
    size_t mark[LP_PICKLE_MARKS]; /* heights of the stack */
    int marks;
    struct lp_pickle_value **memo; /* NULL: nothing there */
    size_t memo_room, memo_count;
    size_t pushed; /* values, in all */
    struct lp_pickle_storage *storages;
    bool done;
    struct lp_error *err;
};

/* "NAME: the pickle <words>" as LP_EINPUT; returns false. */
bool lp_pickle_refuse(struct lp_pickle_machine *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct lp_pickle_value *lp_pickle_make(struct lp_pickle_machine *m,
                                       enum lp_pickle_kind kind); /* NULL: err is set */

/* These return what the machine pushes next; NULL: refused, err is set. */
struct lp_pickle_value *lp_pickle_global(struct lp_pickle_machine *m, const char *module, size_t module_bytes,
                                         const char *name, size_t name_bytes);
struct lp_pickle_value *lp_pickle_reduce(struct lp_pickle_machine *m, const struct lp_pickle_value *what,
                                         struct lp_pickle_value *arguments);
struct lp_pickle_value *lp_pickle_persistent(struct lp_pickle_machine *m, const struct lp_pickle_value *id);
/* Adds to a list, a tuple or a dictionary. */
bool lp_pickle_append(struct lp_pickle_machine *m, struct lp_pickle_value *to,
                      struct lp_pickle_value *const *item, size_t n);

#endif
