/* SPDX-License-Identifier: MIT */
/* data/seen.c - an open-addressed hash set. */
#include "data/seen.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>

/* FNV-1a over the lower-case text without its last punctuation; never 0. */
static uint64_t hash(const char *text, int kind) {
    uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)kind;
    size_t n = strlen(text);
    while (n && strchr(".?! ", text[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)tolower((unsigned char)text[i])) * 0x100000001b3u;
    return h ? h : 1;
}

static size_t slot_of(const struct lp_seen *seen, uint64_t key) {
    size_t i = (key >> 20) & (seen->capacity - 1);
    while (seen->key[i] && seen->key[i] != key)
        i = (i + 1) & (seen->capacity - 1);
    return i;
}

static bool grow(struct lp_seen *seen) {
    struct lp_seen bigger = {.n = seen->n, .capacity = seen->capacity ? 2 * seen->capacity : 1024};
    bigger.key = lp_alloc_array(bigger.capacity, sizeof *bigger.key);
    bigger.owner = lp_alloc_array(bigger.capacity, sizeof *bigger.owner);
    if (!bigger.key || !bigger.owner) {
        lp_seen_done(&bigger);
        return false;
    }
    for (size_t i = 0; i < seen->capacity; i++)
        if (seen->key[i]) {
            size_t at = slot_of(&bigger, seen->key[i]);
            bigger.key[at] = seen->key[i];
            bigger.owner[at] = seen->owner[i];
        }
    lp_seen_done(seen);
    *seen = bigger;
    return true;
}

bool lp_seen_claim(struct lp_seen *seen, const char *text, int kind, int owner, bool *clash) {
    if (2 * seen->n >= seen->capacity && !grow(seen))
        return false;
    uint64_t key = hash(text, kind);
    size_t at = slot_of(seen, key);
    if (!seen->key[at]) {
        seen->key[at] = key;
        seen->owner[at] = (int8_t)owner;
        seen->n++;
    }
    *clash = seen->owner[at] != owner;
    return true;
}

void lp_seen_done(struct lp_seen *seen) {
    lp_free(seen->key);
    lp_free(seen->owner);
    *seen = (struct lp_seen){0};
}
