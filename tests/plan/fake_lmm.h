/* SPDX-License-Identifier: MIT */
/* Language models for tests: one that says random things, one that follows a script. Both use the small
 * tokenizer of tests/golden and see a picture as two rows. */
#ifndef LP_TESTS_PLAN_FAKE_LMM_H
#define LP_TESTS_PLAN_FAKE_LMM_H

#include "base/memory.h"
#include "base/rng.h"
#include "plan/lmm.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <string.h>

enum { FAKE_TABLE = 61, FAKE_REST = -1000 /* what it saves for a picture's second row */ };

struct fake {
    struct lp_lmm lmm;
    struct lp_tokenizer *tokenizer;
    struct lp_ids held;
    const char *const *script; /* what it says in its first, second, .. turn, ended by NULL; NULL: random */
    float *logits;             /* [FAKE_TABLE,vocabulary] for the random one, else [vocabulary] */
    uint64_t seed;
    int64_t fed; /* tokens fed in all */
    int feeds, seen;
};

static struct lp_llava_picture *fake_see(void *self, const struct lp_image *image, struct lp_error *err) {
    struct fake *f = self;
    struct lp_sha256 content;
    struct lp_llava_picture *p = lp_alloc(sizeof *p);
    if (!p) {
        lp_error_memory(err);
        return NULL;
    }
    p->rows = 2;
    lp_sha256_init(&content);
    lp_sha256_add(&content, image->pixel, (size_t)image->width * (size_t)image->height * 3);
    p->content = lp_sha256_end(&content);
    f->seen++;
    return p;
}

static int64_t fake_rows(void *self) {
    const struct fake *f = self;
    int64_t rows = 0;
    for (size_t i = 0; i < f->held.n; i++)
        rows += f->held.id[i] == LP_IMAGE_TOKEN ? 2 : 1;
    return rows;
}

static void fake_cut(void *self, int64_t rows) {
    struct fake *f = self;
    size_t n = 0;
    for (int64_t sum = 0; n < f->held.n; n++) {
        sum += f->held.id[n] == LP_IMAGE_TOKEN ? 2 : 1;
        if (sum > rows)
            break;
    }
    f->held.n = n;
}

/* Of the tokens that the script's rest begins with the longest. */
static int32_t fake_next(const struct fake *f, const char *rest) {
    int32_t best = lp_tokenizer_eos(f->tokenizer);
    size_t most = 0;
    for (int32_t id = 0; id < lp_tokenizer_size(f->tokenizer); id++) {
        size_t n;
        const char *piece = lp_tokenizer_piece(f->tokenizer, id, &n);
        if (*rest && n > most && id != lp_tokenizer_unk(f->tokenizer) && !strncmp(piece, rest, n)) {
            best = id;
            most = n;
        }
    }
    return best;
}

static const float *fake_scripted(struct fake *f) {
    struct lp_str all = {0};
    for (size_t i = 0; i < f->held.n; i++) {
        size_t n;
        const char *piece = lp_tokenizer_piece(f->tokenizer, f->held.id[i], &n);
        lp_str_add(&all, piece, f->held.id[i] == LP_IMAGE_TOKEN ? 0 : n);
    }
    int turn = -1;
    const char *said = "";
    for (const char *at = lp_str_text(&all); (at = strstr(at, "###Assistant:")); turn++)
        said = at += strlen("###Assistant:");
    const char *want = "";
    for (int i = 0; i <= turn && f->script[i]; i++)
        want = i == turn ? f->script[i] : "";
    memset(f->logits, 0, (size_t)f->lmm.vocabulary * sizeof *f->logits);
    size_t n = strlen(said) > 0 ? strlen(said) - (*said == ' ') : 0;
    const char *rest = strlen(said) == 0 ? " " : n <= strlen(want) ? want + n : "";
    f->logits[fake_next(f, rest)] = 20;
    lp_str_done(&all);
    return f->logits;
}

static const float *fake_feed(void *self, const int32_t *id, int64_t n,
                              const struct lp_llava_picture *const *pictures, int64_t picture_count,
                              struct lp_error *err) {
    struct fake *f = self;
    (void)pictures;
    int64_t marks = 0;
    size_t before = f->held.n;
    for (int64_t i = 0; i < n; i++) {
        marks += id[i] == LP_IMAGE_TOKEN;
        if (!lp_ids_push(&f->held, id[i], err)) {
            f->held.n = before;
            return NULL;
        }
    }
    if (marks != picture_count || fake_rows(f) > f->lmm.context) {
        f->held.n = before;
        lp_error_set(err, LP_EINPUT,
                     marks != picture_count ? "pictures do not match" : "the context is full");
        return NULL;
    }
    f->fed += n;
    f->feeds++;
    if (f->script)
        return fake_scripted(f);
    f->seed = (f->seed + f->held.n) * 6364136223846793005u + 1442695040888963407u;
    return f->logits + (f->seed >> 33) % FAKE_TABLE * (size_t)f->lmm.vocabulary;
}

static void fake_save(const void *self, int64_t first, int64_t rows, void *out) {
    const struct fake *f = self;
    int32_t *to = out;
    int64_t at = 0;
    for (size_t i = 0; i < f->held.n; i++)
        for (int k = 0; k < (f->held.id[i] == LP_IMAGE_TOKEN ? 2 : 1); k++, at++)
            if (at >= first && at < first + rows)
                to[at - first] = k ? FAKE_REST : f->held.id[i];
}

static bool fake_load(void *self, const void *in, int64_t rows) {
    struct fake *f = self;
    const int32_t *id = in;
    size_t before = f->held.n;
    for (int64_t i = 0; i < rows; i++)
        if (id[i] != FAKE_REST && !lp_ids_push(&f->held, id[i], NULL)) {
            f->held.n = before;
            return false;
        }
    return true;
}

static void fake_close(void *self) {
    struct fake *f = self;
    lp_ids_done(&f->held);
    lp_tokenizer_close(f->tokenizer);
    lp_free(f->logits);
}

static const struct lp_lmm_kind fake_kind = {fake_see,  fake_rows, fake_cut,  fake_feed,
                                              fake_save, fake_load, fake_close, NULL};

/* `model`: a file of tests/golden/tokenizer. Ends with lp_lmm_close(&fake->lmm). */
static bool fake_open_with(struct fake *f, const char *model, const char *const *script, uint64_t seed, int64_t context) {
    char path[300];
    *f = (struct fake){.script = script, .seed = seed};
    snprintf(path, sizeof path, LP_TESTS_DIR "/golden/tokenizer/%s", model);
    f->tokenizer = lp_tokenizer_open(path, NULL);
    if (!f->tokenizer)
        return false;
    int64_t n = lp_tokenizer_size(f->tokenizer) + 3; /* models may have more logits than pieces */
    f->lmm = (struct lp_lmm){.kind = &fake_kind,
                             .self = f,
                             .tokenizer = f->tokenizer,
                             .name = "llava-fake",
                             .knows_handles = true,
                             .vocabulary = n,
                             .context = context,
                             .row_bytes = sizeof(int32_t)};
    f->logits = lp_alloc_array((size_t)(FAKE_TABLE * n), sizeof *f->logits);
    struct lp_rng rng;
    lp_rng_seed(&rng, seed);
    for (int64_t i = 0; !script && f->logits && i < FAKE_TABLE * n; i++)
        f->logits[i] = 2 * lp_rng_normal(&rng);
    for (int row = 0; !script && f->logits && row + 1 < FAKE_TABLE;
         row += 4) { /* so that texts end some day */
        f->logits[row * n + lp_tokenizer_find(f->tokenizer, "<0x0A>", 6)] = 12;
        f->logits[(row + 1) * n + lp_tokenizer_find(f->tokenizer, "\"", 1)] = 12;
        f->logits[(row + 1) * n + lp_tokenizer_eos(f->tokenizer)] = 11;
    }
    return f->logits != NULL;
}

static inline bool fake_open(struct fake *f, const char *const *script, uint64_t seed, int64_t context) {
    return fake_open_with(f, "tokenizer.model", script, seed, context);
}

#endif
