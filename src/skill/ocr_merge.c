/* SPDX-License-Identifier: MIT */
/* skill/ocr_merge.c - readings -> one reading, by confidence.
 *
 * Noise that Tesseract takes for writing has low confidence, tiny boxes or no letters: such words are dropped. What
 * is left of a line of one reading is a candidate. Candidates are taken from the most to the least credible, and
 * what lies where something was taken already is left out, so that each reading fills the others' gaps. */
#include "skill/ocr_merge.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Where noise and writing part in rendered signs, receipts and screens; confidence 0..1. */
static const float
    least_word = 0.45f,   /* of a word with letters or digits */
    least_single = 0.70f, /* of a word with just one */
    least_mark = 0.60f,   /* of a word without any */
    least_added = 0.70f,  /* of a word added beside ones that were taken */
    least_line = 0.60f,   /* mean of a line on its own ... */
    least_short = 0.80f,  /* ... of three letters or digits ... */
    least_pair = 0.88f,   /* ... of two ... */
    least_lone = 0.93f,   /* ... of just one */
    no_worth = 0.30f,     /* a word of this confidence adds nothing to its line's score */
    least_height = 8,     /* px of the view: no letter is as low */
    same_spot = 0.25f;    /* of the smaller box */

struct candidate {
    int first, n; /* words in the list of kept words */
    float score;
};

struct pool {
    const struct lp_ocr_word **word; /* kept ones, by candidate */
    struct candidate *candidate;
    int words, candidates;
};

int lp_ocr_letters(const char *text) {
    int letters = 0;
    utf8proc_int32_t c;
    utf8proc_ssize_t used;
    for (const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text; *at; at += used > 0 ? used : 1) {
        used = utf8proc_iterate(at, -1, &c);
        utf8proc_category_t kind = used > 0 ? utf8proc_category(c) : UTF8PROC_CATEGORY_CN;
        letters += (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO) || kind == UTF8PROC_CATEGORY_ND;
    }
    return letters;
}

/* Rules, dots and quotes alone are pictures' edges far more often than writing; a lone dash or = may be meant. */
static bool is_rule(const char *text) {
    static const char *const pieces[] = {"|", "_", "-", "=", "~", ".", "'", "\"", "`", ":", ";", ",",
                                         "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9c", "\xe2\x80\x9d",
                                         "\xe2\x80\x93", "\xe2\x80\x94"};
    static const char *const meant[] = {"-", "=", "\xe2\x80\x93", "\xe2\x80\x94"};
    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++)
        if (!strcmp(text, meant[i]))
            return false;
    while (*text) {
        size_t i = 0, count = sizeof pieces / sizeof *pieces;
        while (i < count && strncmp(text, pieces[i], strlen(pieces[i])))
            i++;
        if (i == count)
            return false;
        text += strlen(pieces[i]);
    }
    return true;
}

static bool credible(const struct lp_ocr_word *word) {
    int letters = lp_ocr_letters(word->text);
    if (letters == 0)
        return !is_rule(word->text) && word->confidence >= least_mark;
    return word->confidence >= (letters == 1 ? least_single : least_word) && word->box[3] - word->box[1] >= least_height;
}

static float score_of(const struct lp_ocr_word *word) {
    float above = word->confidence - no_worth;
    return above > 0 ? above * (float)strlen(word->text) : 0;
}

static void gather(struct pool *pool, const struct lp_ocr_reading *reading) {
    for (int i = 0; i < reading->n; i++) {
        const struct lp_ocr_word *word = &reading->word[i];
        if (i == 0 || word->line != reading->word[i - 1].line)
            pool->candidate[pool->candidates++] = (struct candidate){.first = pool->words};
        if (credible(word)) {
            pool->word[pool->words++] = word;
            pool->candidate[pool->candidates - 1].n++;
            pool->candidate[pool->candidates - 1].score += score_of(word);
        }
    }
}

static int by_score(const void *a, const void *b) {
    const struct candidate *p = a, *q = b;
    if (p->score != q->score)
        return p->score < q->score ? 1 : -1;
    return (p->first > q->first) - (p->first < q->first); /* qsort is not stable */
}

static float area(const float box[4]) {
    return (box[2] - box[0]) * (box[3] - box[1]);
}

static bool on_same_spot(const float a[4], const float b[4]) {
    float w = (a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]);
    float h = (a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]);
    float smaller = area(a) < area(b) ? area(a) : area(b);
    return w > 0 && h > 0 && w * h > same_spot * smaller;
}

static bool is_taken(const struct lp_ocr_reading *out, int n, const float box[4]) {
    for (int i = 0; i < n; i++)
        if (on_same_spot(out->word[i].box, box))
            return true;
    return false;
}

/* Whether a line that nothing else read is more than noise. */
static bool stands_alone(const struct lp_ocr_word **word, int n) {
    float sum = 0, length = 0;
    int letters = 0;
    for (int i = 0; i < n; i++) {
        sum += word[i]->confidence * (float)strlen(word[i]->text);
        length += (float)strlen(word[i]->text);
        letters += lp_ocr_letters(word[i]->text);
    }
    const float least[] = {1, least_lone, least_pair, least_short};
    return letters > 0 && sum >= length * (letters <= 3 ? least[letters] : least_line);
}

static bool take(struct lp_ocr_reading *out, const struct lp_ocr_word *word, int line) {
    char *text = lp_arena_strdup(&out->arena, word->text);
    if (!text)
        return false;
    out->word[out->n] = *word;
    out->word[out->n].text = text;
    out->word[out->n++].line = line;
    return true;
}

/* Takes what of a candidate lies on no spot that was taken before it. */
static bool take_candidate(struct lp_ocr_reading *out, const struct lp_ocr_word **word, int n, int line) {
    int before = out->n, free_words = 0, letters = 0;
    for (int i = 0; i < n; i++)
        free_words += !is_taken(out, before, word[i]->box);
    if (free_words == n && !stands_alone(word, n))
        return true;
    for (int i = 0; i < n; i++) {
        if (free_words < n && (word[i]->confidence < least_added || is_taken(out, before, word[i]->box)))
            continue;
        letters += lp_ocr_letters(word[i]->text);
        if (!take(out, word[i], line))
            return false;
    }
    if (!letters)
        out->n = before;
    return true;
}

bool lp_ocr_merge(const struct lp_ocr_reading *readings, int n, struct lp_ocr_reading *out, struct lp_error *err) {
    int words = 0;
    for (int i = 0; i < n; i++)
        words += readings[i].n;
    if (words == 0)
        return true;
    struct pool pool = {.word = lp_alloc_array((size_t)words, sizeof *pool.word),
                        .candidate = lp_alloc_array((size_t)words, sizeof *pool.candidate)};
    out->word = lp_alloc_array((size_t)words, sizeof *out->word);
    out->capacity = out->word ? words : 0;
    bool ok = pool.word && pool.candidate && out->word;
    for (int i = 0; ok && i < n; i++)
        gather(&pool, &readings[i]);
    if (ok)
        qsort(pool.candidate, (size_t)pool.candidates, sizeof *pool.candidate, by_score);
    for (int i = 0; ok && i < pool.candidates; i++) {
        const struct candidate *c = &pool.candidate[i];
        ok = take_candidate(out, pool.word + c->first, c->n, i + 1);
    }
    lp_free(pool.word);
    lp_free(pool.candidate);
    return ok || lp_error_memory(err);
}
