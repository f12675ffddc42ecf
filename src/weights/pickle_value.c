/* SPDX-License-Identifier: MIT */
/* weights/pickle_value.c - the values that a pickle makes: in the arena, growing, never freed one by one. */
#include "weights/pickle_inner.h"

#include <string.h>

struct lp_pickle_value *lp_pickle_make(struct lp_pickle_machine *m, enum lp_pickle_kind kind) {
    struct lp_pickle_value *v = lp_arena_alloc(m->arena, sizeof *v);
    if (v)
        v->kind = kind;
    else
        lp_error_memory(m->err);
    return v;
}

bool lp_pickle_append(struct lp_pickle_machine *m, struct lp_pickle_value *to,
                      struct lp_pickle_value *const *item, size_t n) {
    if (n > to->items.room - to->items.n) {
        size_t room = (to->items.n + n) * (to->items.n ? 2 : 1);
        struct lp_pickle_value **bigger = lp_arena_array(m->arena, room, sizeof *bigger);
        if (!bigger)
            return lp_error_memory(m->err);
        if (to->items.n)
            memcpy(bigger, to->items.item, to->items.n * sizeof *bigger);
        to->items.item = bigger;
        to->items.room = room;
    }
    if (n)
        memcpy(to->items.item + to->items.n, item, n * sizeof *item);
    to->items.n += n;
    return true;
}

bool lp_pickle_is(const struct lp_pickle_value *v, const char *words) {
    return v->kind == LP_PICKLE_TEXT && v->text.n == strlen(words) && !memcmp(v->text.s, words, v->text.n);
}

const struct lp_pickle_value *lp_pickle_get(const struct lp_pickle_value *v, const char *key) {
    for (size_t i = v->items.n; i >= 2; i -= 2)
        if (lp_pickle_is(v->items.item[i - 2], key))
            return v->items.item[i - 1];
    return NULL;
}
