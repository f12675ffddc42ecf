/* SPDX-License-Identifier: MIT */
/* text/vocabulary.c - a model's pieces: built once, then found by name, by merge and by prefix. */
#include "text/vocabulary.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PRIME ((UINT64_C(1) << 61) - 1)

__extension__ typedef unsigned __int128 wide;

static uint64_t times(uint64_t a, uint64_t b) {
    wide product = (wide)a * b;
    uint64_t sum = (uint64_t)(product & PRIME) + (uint64_t)(product >> 61);
    return sum >= PRIME ? sum - PRIME : sum;
}

/* A polynomial over the bytes, seven at a time, at a secret point modulo 2^61 - 1: whatever the names are,
 * two of n bytes collide with a chance of about n / 2^63. */
static uint64_t hash_bytes(const struct lp_tokenizer *t, const char *s, size_t n) {
    uint64_t h = n + 1;
    while (n) {
        uint64_t word = 0;
        size_t bytes = n < 7 ? n : 7;
        memcpy(&word, s, bytes);
        h = times(h, t->secret) + (word & PRIME);
        h = h >= PRIME ? h - PRIME : h;
        s += bytes;
        n -= bytes;
    }
    return times(h, t->secret);
}

static size_t hash_merge(const struct lp_tokenizer *t, int32_t left, int32_t right) {
    uint64_t h = times((uint64_t)left + 1, t->secret) + (uint64_t)right;
    return (size_t)times(h >= PRIME ? h - PRIME : h, t->secret) & t->merge_mask;
}

static void pick_secret(struct lp_tokenizer *t) {
    if (getrandom(&t->secret, sizeof t->secret, GRND_NONBLOCK) != (ssize_t)sizeof t->secret)
        t->secret = (uint64_t)(uintptr_t)t->piece * UINT64_C(0x9e3779b97f4a7c15);
    t->secret = (t->secret & (PRIME >> 1)) | UINT64_C(1) << 40;
}

static size_t table_size(size_t n) {
    size_t size = 16;
    while (size < 2 * n)
        size *= 2;
    return size;
}

bool lp_vocabulary_init(struct lp_tokenizer *t, int64_t n, struct lp_error *err) {
    if (n < 1 || n > LP_MAX_PIECES)
        return lp_error_set(err, LP_EINPUT, "it has %lld pieces, but must have 1 to %d", (long long)n,
                            LP_MAX_PIECES);
    size_t slots = table_size((size_t)n);
    t->piece = lp_alloc_array((size_t)n, sizeof *t->piece);
    t->slot = lp_alloc_array(slots, sizeof *t->slot);
    if (!t->piece || !t->slot)
        return lp_error_memory(err);
    t->n_pieces = (int)n;
    t->slot_mask = slots - 1;
    memset(t->slot, 0xff, slots * sizeof *t->slot);
    memset(t->byte_id, 0xff, sizeof t->byte_id);
    t->bos = t->eos = t->unk = t->pad = -1;
    pick_secret(t);
    return true;
}

/* The slot that holds the name, or the empty one where it would go. */
static int32_t *find_slot(const struct lp_tokenizer *t, const char *name, size_t n) {
    size_t at = (size_t)hash_bytes(t, name, n) & t->slot_mask;
    for (;; at = (at + 1) & t->slot_mask) {
        int32_t id = t->slot[at];
        if (id < 0 || (t->piece[id].n_name == n && memcmp(t->piece[id].name, name, n) == 0))
            return &t->slot[at];
    }
}

int32_t lp_vocabulary_find(const struct lp_tokenizer *t, const char *name, size_t n) {
    return n ? *find_slot(t, name, n) : -1;
}

bool lp_vocabulary_set(struct lp_tokenizer *t, int id, enum lp_piece_type type, const char *name, size_t n,
                       float score, struct lp_error *err) {
    struct lp_piece *p = &t->piece[id];
    if (n == 0 || n > UINT16_MAX)
        return lp_error_set(err, LP_EINPUT, "piece %d has a name of %zu bytes, but needs 1 to %d", id, n,
                            UINT16_MAX);
    if (isnan(score))
        return lp_error_set(err, LP_EINPUT, "piece %d has a score that is not a number", id);
    int32_t *slot = find_slot(t, name, n);
    if (*slot >= 0)
        return lp_error_set(err, LP_EINPUT, "pieces %d and %d have the same name", (int)*slot, id);
    if (p->type != LP_PIECE_NONE)
        return lp_error_set(err, LP_EINPUT, "two pieces have the id %d", id);
    char *copy = lp_arena_strndup(&t->arena, name, n);
    if (!copy)
        return lp_error_memory(err);
    *p = (struct lp_piece){.name = copy, .n_name = (uint32_t)n, .score = score, .type = (uint8_t)type};
    *slot = id;
    return true;
}

bool lp_vocabulary_init_merges(struct lp_tokenizer *t, size_t n, struct lp_error *err) {
    size_t slots = table_size(n);
    t->merge = lp_alloc_array(slots, sizeof *t->merge);
    if (!t->merge)
        return lp_error_memory(err);
    t->merge_mask = slots - 1;
    for (size_t i = 0; i < slots; i++)
        t->merge[i].id = -1;
    return true;
}

static struct lp_merge *find_merge(const struct lp_tokenizer *t, int32_t left, int32_t right) {
    size_t at = hash_merge(t, left, right);
    while (t->merge[at].id >= 0 && (t->merge[at].left != left || t->merge[at].right != right))
        at = (at + 1) & t->merge_mask;
    return &t->merge[at];
}

const struct lp_merge *lp_vocabulary_find_merge(const struct lp_tokenizer *t, int32_t left, int32_t right) {
    const struct lp_merge *m = find_merge(t, left, right);
    return m->id < 0 ? NULL : m;
}

void lp_vocabulary_add_merge(struct lp_tokenizer *t, int32_t left, int32_t right, int32_t id, uint32_t rank) {
    *find_merge(t, left, right) = (struct lp_merge){left, right, id, rank};
}

int lp_vocabulary_byte(const char *name, size_t n) {
    static const char digits[] = "0123456789ABCDEF";
    if (n != 6 || memcmp(name, "<0x", 3) != 0 || name[5] != '>')
        return -1;
    const char *hi = memchr(digits, name[3], 16), *lo = memchr(digits, name[4], 16);
    return hi && lo ? (int)(hi - digits) * 16 + (int)(lo - digits) : -1;
}

/* The text of a piece in the middle of a decoded text. */
static bool fill_text(struct lp_tokenizer *t, struct lp_piece *p) {
    const char *end = p->name + p->n_name;
    char *to = lp_arena_alloc(&t->arena, p->n_name + 1u);
    if (!to)
        return false;
    p->text = to;
    for (const char *s = p->name; s < end;) {
        bool space = end - s >= 3 && memcmp(s, LP_SPACE, 3) == 0;
        *to++ = space ? ' ' : *s;
        s += space ? 3 : 1;
    }
    p->n_text = (uint32_t)(to - p->text);
    return true;
}

static bool finish_byte(struct lp_tokenizer *t, int id, struct lp_error *err) {
    struct lp_piece *p = &t->piece[id];
    int byte = lp_vocabulary_byte(p->name, p->n_name);
    if (byte < 0 || !t->byte_fallback)
        return lp_error_set(err, LP_EINPUT, "piece %d is a byte piece, but %s", id,
                            byte < 0 ? "its name is no byte's" : "the model has no byte fallback");
    char *text = lp_arena_alloc(&t->arena, 1);
    if (!text)
        return lp_error_memory(err);
    *text = (char)byte;
    p->text = text;
    p->n_text = 1;
    t->byte_id[byte] = id;
    return true;
}

static bool finish_piece(struct lp_tokenizer *t, int id, struct lp_error *err) {
    struct lp_piece *p = &t->piece[id];
    p->text = "";
    switch (p->type) {
    case LP_PIECE_UNKNOWN:
        if (t->unk >= 0)
            return lp_error_set(err, LP_EINPUT, "pieces %d and %d both stand for the unknown", t->unk, id);
        t->unk = id;
        return true;
    case LP_PIECE_BYTE:
        return finish_byte(t, id, err);
    case LP_PIECE_UNUSED:
        p->unused = t->n_unused++;
        break;
    case LP_PIECE_USER:
        t->n_user++;
        t->user_first[(unsigned char)p->name[0]] = true;
        break;
    case LP_PIECE_NORMAL:
        break;
    default:
        return true;
    }
    if (p->n_name > t->longest)
        t->longest = p->n_name;
    return fill_text(t, p) || lp_error_memory(err);
}

struct order {
    const struct lp_piece *piece;
    int32_t id;
};

static int by_score(const void *a, const void *b) {
    float x = ((const struct order *)a)->piece->score, y = ((const struct order *)b)->piece->score;
    return (x < y) - (x > y);
}

static int by_name(const void *a, const void *b) {
    const struct lp_piece *x = ((const struct order *)a)->piece, *y = ((const struct order *)b)->piece;
    int c = memcmp(x->name, y->name, x->n_name < y->n_name ? x->n_name : y->n_name);
    return c ? c : (x->n_name > y->n_name) - (x->n_name < y->n_name);
}

static bool sort_pieces(struct lp_tokenizer *t, struct lp_error *err) {
    struct order *order = lp_alloc_array((size_t)t->n_pieces, sizeof *order);
    t->user = lp_alloc_array((size_t)t->n_user, sizeof *t->user);
    if (!order || !t->user) {
        lp_free(order);
        return lp_error_memory(err);
    }
    for (int i = 0; i < t->n_pieces; i++)
        order[i] = (struct order){&t->piece[i], i};
    qsort(order, (size_t)t->n_pieces, sizeof *order, by_score);
    uint32_t rank = 0;
    for (int i = 0; i < t->n_pieces; i++) {
        rank += i > 0 && order[i].piece->score != order[i - 1].piece->score;
        t->piece[order[i].id].rank = rank;
    }
    int n = 0;
    for (int i = 0; i < t->n_pieces; i++)
        if (t->piece[i].type == LP_PIECE_USER)
            order[n++] = (struct order){&t->piece[i], i};
    qsort(order, (size_t)n, sizeof *order, by_name);
    for (int i = 0; i < n; i++)
        t->user[i] = order[i].id;
    lp_free(order);
    return true;
}

bool lp_vocabulary_finish(struct lp_tokenizer *t, const char *unk_text, size_t n_unk_text,
                          struct lp_error *err) {
    for (int id = 0; id < t->n_pieces; id++)
        if (!finish_piece(t, id, err))
            return false;
    for (int byte = 0; byte < 256; byte++)
        if (t->byte_fallback && t->byte_id[byte] < 0)
            return lp_error_set(err, LP_EINPUT, "it has byte fallback, but lacks the piece <0x%02X>", byte);
    if (t->unk >= 0) {
        struct lp_piece *p = &t->piece[t->unk];
        p->n_text = (uint32_t)n_unk_text;
        p->text = lp_arena_strndup(&t->arena, unk_text, n_unk_text);
        if (!p->text)
            return lp_error_memory(err);
    }
    return sort_pieces(t, err);
}

/* The first of user[lo..hi) whose byte at `depth` is at least `byte`; all of them agree before it. */
static int lower_bound(const struct lp_tokenizer *t, int lo, int hi, size_t depth, int byte) {
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        const struct lp_piece *p = &t->piece[t->user[mid]];
        int at = depth < p->n_name ? (unsigned char)p->name[depth] : -1;
        if (at < byte)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

size_t lp_vocabulary_match_user(const struct lp_tokenizer *t, const char *s, size_t n) {
    size_t best = 0;
    int lo = 0, hi = t->n_user;
    if (n == 0 || !t->user_first[(unsigned char)s[0]])
        return 0;
    for (size_t depth = 0; depth < n && lo < hi; depth++) {
        int byte = (unsigned char)s[depth];
        lo = lower_bound(t, lo, hi, depth, byte);
        hi = lower_bound(t, lo, hi, depth, byte + 1);
        if (lo < hi && t->piece[t->user[lo]].n_name == depth + 1)
            best = depth + 1;
    }
    return best;
}
