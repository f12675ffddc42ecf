/* SPDX-License-Identifier: MIT */
/* text/bpe.c - text -> ids: normalise, cut into characters, then merge the best neighbours until none can be.
 * Best is the highest score (or the first merge of the list), then the leftmost. n log n in the text's
 * length. Kudo, Richardson 2018, arXiv:1808.06226; Sennrich, Haddow, Birch 2016, arXiv:1508.07909. */
#include "base/memory.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

#include <string.h>

#define MAX_TEXT ((size_t)64 << 20)

/* A stretch of the text that is one token so far; the left one of two that merge lives on. */
struct symbol {
    uint32_t at, n;     /* bytes; n is 0 once merged into its left neighbour */
    int32_t prev, next; /* -1 at the ends */
    int32_t id;         /* -1: no piece */
    bool frozen;        /* a user-defined piece: never merged */
};

/* Two neighbours that may merge; stale where they no longer add up to n bytes. */
struct pair {
    uint32_t rank;
    int32_t left, right, id;
    uint32_t n;
};

struct bpe {
    const struct lp_tokenizer *t;
    const char *text; /* normalised */
    struct symbol *symbol;
    int32_t n_symbols;
    struct pair *heap; /* the best at [0] */
    size_t n_heap, capacity;
    uint32_t *part; /* of each unused piece: the bytes of the left of the two last seen to make it, 0: none */
    struct lp_ids *out;
    bool after_unk;
    struct lp_error *err;
};

/* Bytes of text that go together: a user-defined piece, a character, or one malformed byte (*bad). */
static size_t next_chunk(const struct lp_tokenizer *t, const char *s, size_t n, bool *bad) {
    size_t bytes = t->n_user ? lp_vocabulary_match_user(t, s, n) : 0;
    *bad = false;
    if (bytes)
        return bytes;
    bytes = (size_t)lp_utf8_next(s, n, NULL);
    *bad = bytes == 0;
    return *bad ? 1 : bytes;
}

static void add_escaped(const struct lp_tokenizer *t, struct lp_str *out, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (s[i] == ' ' && t->escape_spaces)
            lp_str_add(out, LP_SPACE, 3);
        else
            lp_str_putc(out, s[i]);
    }
}

static bool wants_prefix(const struct lp_tokenizer *t, const char *s, size_t n) {
    bool spaced = n > 0 && (s[0] == ' ' || (n >= 3 && memcmp(s, LP_SPACE, 3) == 0));
    return t->dummy_prefix && !(t->prefix_unless && spaced);
}

static bool ends_in(const struct lp_str *s, const char *end, size_t n) {
    return s->n >= n && memcmp(s->s + s->n - n, end, n) == 0;
}

/* Spaces escaped, malformed bytes replaced, a space put before (or after) the text, spare spaces removed. */
static void normalise(const struct lp_tokenizer *t, const char *s, size_t n, struct lp_str *out) {
    const char *space = t->escape_spaces ? LP_SPACE : " ";
    bool bad, in_space = t->remove_spaces; /* the last character was a space, and spaces count but once */
    while (t->remove_spaces && n && s[0] == ' ' && next_chunk(t, s, n, &bad) == 1) {
        s++;
        n--;
    }
    if (n == 0)
        return;
    if (!t->spaces_end_words && wants_prefix(t, s, n))
        lp_str_puts(out, space);
    while (n) {
        size_t bytes = next_chunk(t, s, n, &bad), skip = 0;
        while (in_space && skip < bytes && s[skip] == ' ')
            skip++;
        if (bad)
            lp_str_puts(out, LP_UTF8_REPLACEMENT);
        else
            add_escaped(t, out, s + skip, bytes - skip);
        if (skip < bytes)
            in_space = t->remove_spaces && s[bytes - 1] == ' ';
        s += bytes;
        n -= bytes;
    }
    while (t->remove_spaces && !out->failed && ends_in(out, space, strlen(space)))
        lp_str_cut(out, out->n - strlen(space));
    if (t->spaces_end_words && t->dummy_prefix)
        lp_str_puts(out, space);
}

static bool before(const struct pair *a, const struct pair *b) {
    return a->rank < b->rank || (a->rank == b->rank && a->left < b->left);
}

static bool push(struct bpe *b, struct pair pair) {
    if (b->n_heap == b->capacity) {
        size_t capacity = b->capacity ? 2 * b->capacity : 64;
        struct pair *heap = lp_realloc(b->heap, capacity * sizeof *heap);
        if (!heap)
            return lp_error_memory(b->err);
        b->heap = heap;
        b->capacity = capacity;
    }
    size_t at = b->n_heap++;
    while (at > 0 && before(&pair, &b->heap[(at - 1) / 2])) {
        b->heap[at] = b->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    b->heap[at] = pair;
    return true;
}

static struct pair pop(struct bpe *b) {
    struct pair top = b->heap[0], last = b->heap[--b->n_heap];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < b->n_heap) {
        child += child + 1 < b->n_heap && before(&b->heap[child + 1], &b->heap[child]);
        if (!before(&b->heap[child], &last))
            break;
        b->heap[at] = b->heap[child];
        at = child;
    }
    b->heap[at] = last;
    return top;
}

static bool find_merged(const struct bpe *b, const struct symbol *l, const struct symbol *r,
                        struct pair *pair) {
    const struct lp_tokenizer *t = b->t;
    if (t->merge) {
        const struct lp_merge *m =
            l->id >= 0 && r->id >= 0 ? lp_vocabulary_find_merge(t, l->id, r->id) : NULL;
        pair->id = m ? m->id : -1;
        pair->rank = m ? m->rank : 0;
        return m != NULL;
    }
    pair->id = pair->n <= t->longest ? lp_vocabulary_find(t, b->text + l->at, pair->n) : -1;
    if (pair->id < 0)
        return false;
    const struct lp_piece *p = &t->piece[pair->id];
    pair->rank = p->rank;
    return p->type == LP_PIECE_NORMAL || p->type == LP_PIECE_USER || p->type == LP_PIECE_UNUSED;
}

/* Puts two neighbours on the heap where a piece is made of them. */
static bool consider(struct bpe *b, int32_t left, int32_t right) {
    if (left < 0 || right < 0)
        return true;
    const struct symbol *l = &b->symbol[left], *r = &b->symbol[right];
    struct pair pair = {.left = left, .right = right, .n = l->n + r->n};
    bool apart = b->t->spaces_part_words && r->n >= 3 && memcmp(b->text + r->at, LP_SPACE, 3) == 0;
    if (l->frozen || r->frozen || apart || !find_merged(b, l, r, &pair))
        return true;
    const struct lp_piece *p = &b->t->piece[pair.id];
    if (p->type == LP_PIECE_UNUSED && b->part)
        b->part[p->unused] = l->n;
    return push(b, pair);
}

static bool cut(struct bpe *b, size_t n) {
    size_t at = 0;
    while (at < n) {
        bool bad;
        size_t user = lp_vocabulary_match_user(b->t, b->text + at, n - at);
        size_t bytes = user ? user : next_chunk(b->t, b->text + at, n - at, &bad);
        int32_t i = b->n_symbols++;
        b->symbol[i] =
            (struct symbol){.at = (uint32_t)at, .n = (uint32_t)bytes, .prev = i - 1, .frozen = user > 0};
        b->symbol[i].id = lp_vocabulary_find(b->t, b->text + at, bytes);
        at += bytes;
        b->symbol[i].next = at < n ? i + 1 : -1;
    }
    for (int32_t i = 1; i < b->n_symbols; i++)
        if (!consider(b, i - 1, i))
            return false;
    return true;
}

static bool merge_all(struct bpe *b) {
    while (b->n_heap) {
        struct pair top = pop(b);
        struct symbol *l = &b->symbol[top.left], *r = &b->symbol[top.right];
        if (!l->n || !r->n || l->n + r->n != top.n)
            continue;
        l->n = top.n;
        l->id = top.id;
        l->next = r->next;
        if (r->next >= 0)
            b->symbol[r->next].prev = top.left;
        r->n = 0;
        if (!consider(b, l->prev, top.left) || !consider(b, top.left, l->next))
            return false;
    }
    return true;
}

static bool emit(struct bpe *b, const char *s, size_t n, int32_t id) {
    const struct lp_tokenizer *t = b->t;
    bool is_unk = id < 0 || id == t->unk, good = true;
    if (!is_unk)
        good = lp_ids_push(b->out, id, b->err);
    else if (t->byte_fallback)
        for (size_t i = 0; good && i < n; i++)
            good = lp_ids_push(b->out, t->byte_id[(unsigned char)s[i]], b->err);
    else if (t->unk >= 0 && (t->split_unknown || !b->after_unk))
        good = lp_ids_push(b->out, t->unk, b->err);
    b->after_unk = is_unk;
    return good;
}

/* Takes an unused piece apart into what it was made of, again and again; `rest` holds the ends still to do.
 */
static bool take_apart(struct bpe *b, uint32_t at, uint32_t n) {
    uint32_t n_ends = 0, *end = lp_alloc_array(n, sizeof *end);
    if (!end)
        return lp_error_memory(b->err);
    bool good = true;
    end[n_ends++] = at + n;
    while (good && n_ends) {
        uint32_t bytes = end[n_ends - 1] - at;
        int32_t id = lp_vocabulary_find(b->t, b->text + at, bytes);
        uint32_t left =
            id >= 0 && b->t->piece[id].type == LP_PIECE_UNUSED ? b->part[b->t->piece[id].unused] : 0;
        if (left) {
            end[n_ends++] = at + left;
            continue;
        }
        good = emit(b, b->text + at, bytes, id);
        at = end[--n_ends];
    }
    lp_free(end);
    return good;
}

static bool run(struct bpe *b, size_t n) {
    if (!cut(b, n) || !merge_all(b))
        return false;
    for (int32_t i = 0; i >= 0; i = b->symbol[i].next) {
        const struct symbol *s = &b->symbol[i];
        bool unused = b->part && s->id >= 0 && b->t->piece[s->id].type == LP_PIECE_UNUSED;
        if (!(unused ? take_apart(b, s->at, s->n) : emit(b, b->text + s->at, s->n, s->id)))
            return false;
    }
    return true;
}

static bool encode_normal(const struct lp_tokenizer *t, const struct lp_str *normal, struct lp_ids *out,
                          struct lp_error *err) {
    struct bpe b = {.t = t, .text = normal->s, .out = out, .err = err};
    b.symbol = lp_alloc_array(normal->n, sizeof *b.symbol);
    b.part = t->n_unused && !t->merge ? lp_alloc_array(t->n_unused, sizeof *b.part) : NULL;
    bool good = b.symbol && (b.part || !t->n_unused || t->merge);
    good = good ? run(&b, normal->n) : lp_error_memory(err);
    lp_free(b.symbol);
    lp_free(b.part);
    lp_free(b.heap);
    return good;
}

bool lp_tokenizer_encode(const struct lp_tokenizer *t, const char *text, size_t n, struct lp_ids *out,
                         struct lp_error *err) {
    struct lp_str normal = {0};
    size_t n_before = out->n;
    if (n > MAX_TEXT)
        return lp_error_set(err, LP_EINPUT, "the text has %zu bytes, but at most %zu can be tokenised", n,
                            MAX_TEXT);
    normalise(t, text, n, &normal);
    bool good = !normal.failed || lp_error_memory(err);
    if (good && normal.n)
        good = encode_normal(t, &normal, out, err);
    lp_str_done(&normal);
    if (!good)
        out->n = n_before;
    return good;
}
