/* SPDX-License-Identifier: MIT */
/* plan/prefix.c - the prefix cache. A block's name is the hash of its ids, its pictures' contents and the
 * name of the block before it, so that it stands for everything up to its end: keys and values depend on
 * nothing else. Beginnings that several prompts share are kept once. */
#include "plan/prefix.h"

#include "base/memory.h"

#include <string.h>

void lp_sequence_done(struct lp_sequence *s) {
    lp_ids_done(&s->ids);
    lp_free(s->picture);
    *s = (struct lp_sequence){0};
}

static bool show(struct lp_sequence *s, const struct lp_llava_picture *picture, struct lp_error *err) {
    if (s->pictures == s->capacity) {
        int64_t capacity = 2 * s->capacity + 4;
        struct lp_shown *grown = lp_realloc(s->picture, (size_t)capacity * sizeof *grown);
        if (!grown)
            return lp_error_memory(err);
        s->picture = grown;
        s->capacity = capacity;
    }
    s->picture[s->pictures++] = (struct lp_shown){picture->content, picture->rows};
    return true;
}

bool lp_sequence_add(struct lp_sequence *s, const struct lp_ids *ids,
                     const struct lp_llava_picture *const *pictures, struct lp_error *err) {
    for (size_t i = 0; i < ids->n; i++) {
        if (!lp_ids_push(&s->ids, ids->id[i], err))
            return false;
        if (ids->id[i] == LP_IMAGE_TOKEN && !show(s, *pictures++, err)) {
            s->ids.n--;
            return false;
        }
    }
    return true;
}

void lp_sequence_cut(struct lp_sequence *s, size_t n) {
    for (; s->ids.n > n; s->ids.n--)
        s->pictures -= s->ids.id[s->ids.n - 1] == LP_IMAGE_TOKEN;
}

int64_t lp_sequence_rows(const struct lp_sequence *s, size_t n) {
    int64_t rows = 0, picture = 0;
    for (size_t i = 0; i < n; i++)
        rows += s->ids.id[i] == LP_IMAGE_TOKEN ? s->picture[picture++].rows : 1;
    return rows;
}

size_t lp_sequence_common(const struct lp_sequence *a, const struct lp_sequence *b) {
    size_t n = 0, most = a->ids.n < b->ids.n ? a->ids.n : b->ids.n;
    for (int64_t picture = 0; n < most && a->ids.id[n] == b->ids.id[n]; n++)
        if (a->ids.id[n] == LP_IMAGE_TOKEN) {
            if (!lp_hash_equal(&a->picture[picture].content, &b->picture[picture].content))
                break;
            picture++;
        }
    return n;
}

struct block {
    size_t end;          /* ids up to its end */
    int64_t first, rows; /* positions */
    int64_t picture;     /* pictures up to its end */
    struct lp_hash name;
};

/* What all names of a model begin with. */
static struct block before_all(const struct lp_lmm *lmm) {
    struct lp_sha256 s;
    lp_sha256_init(&s);
    lp_sha256_add(&s, "prefix", sizeof "prefix");
    lp_sha256_add(&s, &lmm->identity, sizeof lmm->identity);
    return (struct block){.name = lp_sha256_end(&s)};
}

/* Goes on to the next whole block within the first n ids; false: there is none. */
static bool next_block(struct block *b, const struct lp_sequence *seq, size_t n) {
    struct lp_sha256 s;
    size_t from = b->end, to = from;
    int64_t rows = 0, picture = b->picture;
    bool whole = false;
    lp_sha256_init(&s);
    lp_sha256_add(&s, &b->name, sizeof b->name);
    while (!whole && to < n) {
        bool shows = seq->ids.id[to] == LP_IMAGE_TOKEN;
        lp_sha256_add(&s, &seq->ids.id[to], sizeof *seq->ids.id);
        if (shows)
            lp_sha256_add(&s, &seq->picture[picture].content, sizeof(struct lp_hash));
        rows += shows ? seq->picture[picture++].rows : 1;
        to++;
        whole = shows || to - from == LP_PREFIX_BLOCK;
    }
    if (whole)
        *b = (struct block){to, b->first + b->rows, rows, picture, lp_sha256_end(&s)};
    return whole;
}

static size_t bytes_of(const struct lp_lmm *lmm, const struct block *b) {
    return lmm->row_bytes * (size_t)b->rows;
}

/* The blocks that are wholly within the first n ids, one after the other; owned by caller. NULL: no memory.
 */
static struct block *all_blocks(const struct lp_lmm *lmm, const struct lp_sequence *seq, size_t n,
                                size_t *count) {
    struct block *block = lp_alloc_array(n + 1, sizeof *block);
    *count = 0;
    for (struct block b = before_all(lmm); block && next_block(&b, seq, n);)
        block[(*count)++] = b;
    return block;
}

size_t lp_prefix_load(struct lp_lmm *lmm, const struct lp_sequence *wanted, size_t same) {
    size_t n = 0, at = 0, held = same;
    if (!lmm->store || wanted->ids.n < 2)
        return same;
    struct block *block = all_blocks(lmm, wanted, wanted->ids.n - 1, &n);
    struct lp_stored *found = block ? lp_alloc_array(n + 1, sizeof *found) : NULL;
    while (found && at < n && block[at].end <= same)
        at++;
    size_t first = at;
    for (; found && at < n; at++) {
        if (!lp_store_find(lmm->store, &block[at].name, bytes_of(lmm, &block[at]), &found[at]))
            break;
        lmm->kind->cut(lmm->self, block[at].first);
        held = at ? block[at - 1].end : 0;
        if (!lmm->kind->load(lmm->self, found[at].data, block[at].rows)) {
            lp_store_release(lmm->store, &found[at]);
            break;
        }
        held = block[at].end;
    }
    for (size_t i = at + 1; found && i < n; i++) /* of no use behind a gap, but looking deletes damaged files */
        if (lp_store_find(lmm->store, &block[i].name, bytes_of(lmm, &block[i]), &found[i]))
            lp_store_release(lmm->store, &found[i]);
    while (at-- > first) /* the first last: without it the others are of no use */
        lp_store_release(lmm->store, &found[at]);
    lp_free(found);
    lp_free(block);
    return held;
}

void lp_prefix_keep(struct lp_lmm *lmm, const struct lp_sequence *held) {
    size_t n = 0;
    struct block *block = lmm->store ? all_blocks(lmm, held, held->ids.n, &n) : NULL;
    while (n-- > 0) { /* the first last, as above */
        size_t bytes = bytes_of(lmm, &block[n]);
        void *copy = lp_store_has(lmm->store, &block[n].name, bytes) ? NULL : lp_store_new(lmm->store, bytes);
        if (!copy)
            continue;
        lmm->kind->save(lmm->self, block[n].first, block[n].rows, copy);
        lp_store_put(lmm->store, &block[n].name, copy);
    }
    lp_free(block);
}
