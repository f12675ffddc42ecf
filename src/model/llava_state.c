/* SPDX-License-Identifier: MIT */
/* model/llava_state.c - using a LLaVA: pictures seen, tokens fed, logits out. */
#include "model/llava_model.h"

#include "base/memory.h"

#include <string.h>

/* Address space for one pass; pages are taken as they are used. */
static const size_t run_limit_bytes = (size_t)8 << 30;

enum { STRETCH = 512 }; /* rows of a text that go through the model at once, at most */

struct lp_llava_state {
    const struct lp_llava *model;
    lp_run *run;
    struct lp_kv_cache cache;
};

/* The name of what the model sees: the small picture that the encoder gets decides it. */
static struct lp_hash name_picture(const struct lp_llava *m, const struct lp_image *small) {
    struct lp_sha256 s;
    lp_sha256_init(&s);
    lp_sha256_add(&s, "picture", sizeof "picture");
    lp_sha256_add(&s, &m->identity, sizeof m->identity);
    lp_sha256_add(&s, &m->rough, sizeof m->rough);
    lp_sha256_add(&s, small->pixel, (size_t)small->width * (size_t)small->height * 3);
    return lp_sha256_end(&s);
}

void lp_llava_set_rough(struct lp_llava *m, bool rough) {
    m->rough = rough;
}

static bool encode(const struct lp_llava *m, const struct lp_image *small, const atomic_bool *cancel, float *out, size_t bytes,
                   struct lp_error *err) {
    lp_run *r = lp_run_open(m->kernels, run_limit_bytes, err);
    if (!r)
        return false;
    r->rough = m->rough;
    r->cancel = (const volatile bool *)cancel;
    int64_t S = m->config.clip.image_px;
    lp_tensor *pixels = lp_new(r, 4, (int64_t)1, (int64_t)3, S, S);
    if (pixels)
        lp_preprocess_numbers(&m->preprocess, small->pixel, lp_f32(pixels));
    lp_tensor *seen = pixels ? lp_llava_project(r, m, pixels) : NULL;
    bool done = lp_run_check(r, err);
    if (done)
        memcpy(out, lp_f32(seen), bytes);
    lp_run_close(r);
    return done;
}

/* Finds the rows, or makes and keeps them. */
static bool fill(const struct lp_llava *m, const struct lp_image *small, struct lp_store *store, const atomic_bool *cancel,
                 struct lp_llava_picture *p, struct lp_error *err) {
    size_t bytes = sizeof(float) * (size_t)(p->rows * p->width);
    struct lp_stored found;
    if (lp_store_find(store, &p->content, bytes, &found)) {
        memcpy(p->data, found.data, bytes);
        lp_store_release(store, &found);
        return true;
    }
    if (!encode(m, small, cancel, p->data, bytes, err))
        return false;
    void *copy = store ? lp_store_new(store, bytes) : NULL;
    if (copy) {
        memcpy(copy, p->data, bytes);
        lp_store_put(store, &p->content, copy);
    }
    return true;
}

struct lp_llava_picture *lp_llava_see(const struct lp_llava *m, const struct lp_image *image, struct lp_store *store,
                                      const atomic_bool *cancel, struct lp_error *err) {
    struct lp_image *small = lp_preprocess_pixels(&m->preprocess, image, err);
    if (!small)
        return NULL;
    int64_t rows = lp_llava_rows_a_picture(m), width = m->config.llama.hidden;
    struct lp_llava_picture *p = lp_alloc(sizeof *p);
    float *data = p ? lp_alloc_array((size_t)(rows * width), sizeof *data) : NULL;
    if (data)
        *p = (struct lp_llava_picture){rows, width, data, name_picture(m, small)};
    bool done = data ? fill(m, small, store, cancel, p, err) : lp_error_memory(err);
    lp_image_close(small);
    if (done)
        return p;
    lp_llava_picture_close(p);
    return NULL;
}

void lp_llava_picture_close(struct lp_llava_picture *p) {
    if (!p)
        return;
    lp_free(p->data);
    lp_free(p);
}

/* The cache of a conversation, still without memory. */
static struct lp_kv_cache new_cache(const struct lp_llava *m) {
    const struct lp_llama_config *c = &m->config.llama;
    return (struct lp_kv_cache){.layers = c->layers, .width = c->hidden / c->heads * c->key_heads, .limit = c->context,
                                .type = lp_llama_cache_type(&m->llama)};
}

struct lp_llava_state *lp_llava_state_open(const struct lp_llava *m, struct lp_error *err) {
    struct lp_llava_state *s = lp_alloc(sizeof *s);
    if (!s) {
        lp_error_memory(err);
        return NULL;
    }
    s->model = m;
    s->cache = new_cache(m);
    if ((s->run = lp_run_open(m->kernels, run_limit_bytes, err)) && lp_kv_cache_init(&s->cache, err))
        return s;
    lp_llava_state_close(s);
    return NULL;
}

void lp_llava_state_close(struct lp_llava_state *s) {
    if (!s)
        return;
    lp_kv_cache_done(&s->cache);
    lp_run_close(s->run);
    lp_free(s);
}

int64_t lp_llava_state_rows(const struct lp_llava_state *s) {
    return s->cache.rows;
}

void lp_llava_state_heed(struct lp_llava_state *s, const atomic_bool *cancel) {
    s->run->cancel = (const volatile bool *)cancel;
}

void lp_llava_state_cut(struct lp_llava_state *s, int64_t rows) {
    if (rows < s->cache.rows)
        s->cache.rows = rows < 0 ? 0 : rows;
}

size_t lp_llava_row_bytes(const struct lp_llava *m) {
    struct lp_kv_cache c = new_cache(m);
    return lp_kv_cache_row_bytes(&c);
}

void lp_llava_state_save(const struct lp_llava_state *s, int64_t first, int64_t rows, void *out) {
    lp_kv_cache_save(&s->cache, first, rows, out);
}

bool lp_llava_state_load(struct lp_llava_state *s, const void *in, int64_t rows) {
    return lp_kv_cache_load(&s->cache, in, rows);
}

/* The pictures' rows one below the other [sum of rows,hidden]; NULL also when there are none. */
static lp_tensor *join_pictures(lp_run *r, const struct lp_llava *m, const struct lp_llava_picture *const *pictures,
                                int64_t count) {
    int64_t rows = 0, width = m->config.llama.hidden;
    for (int64_t i = 0; i < count; i++)
        rows += pictures[i]->rows;
    lp_tensor *seen = rows ? lp_new(r, 2, rows, width) : NULL;
    for (int64_t i = 0, at = 0; seen && i < count; at += pictures[i++]->rows)
        memcpy(lp_f32(seen) + at * width, pictures[i]->data, sizeof(float) * (size_t)(pictures[i]->rows * width));
    return seen;
}

/* In stretches, so that a long text needs the memory of a short one; weights are read anew for each. */
static lp_tensor *forward(struct lp_llava_state *s, const int32_t *id, int64_t n, lp_tensor *seen) {
    const struct lp_llava *m = s->model;
    lp_run *r = s->run;
    int64_t T = lp_llava_count_rows(m, id, n), stretches = (T + STRETCH - 1) / STRETCH;
    int32_t *position = lp_run_alloc(r, sizeof(int32_t) * (size_t)T);
    lp_tensor *x = lp_llava_embed(r, m, id, n, seen), *last = NULL;
    if (!position || !x)
        return NULL;
    for (int64_t i = 0; i < T; i++)
        position[i] = (int32_t)(s->cache.rows + i);
    lp_mark mark = lp_here(r);
    for (int64_t i = 0; i < stretches; i++) {
        int64_t from = T * i / stretches, end = T * (i + 1) / stretches;
        struct lp_llama_rows rows = {.position = position + from, .cache = &s->cache};
        lp_back_to(r, mark);
        last = lp_llama_forward(r, &m->llama, lp_view_rows(r, x, from, end - from), &rows);
    }
    return last ? lp_llama_logits(r, &m->llama, lp_view_rows(r, last, lp_rows(last) - 1, 1)) : NULL;
}

const float *lp_llava_feed(struct lp_llava_state *s, const int32_t *id, int64_t n,
                           const struct lp_llava_picture *const *pictures, int64_t picture_count,
                           struct lp_error *err) {
    const struct lp_llava *m = s->model;
    int64_t marks = 0, before = s->cache.rows, T = lp_llava_count_rows(m, id, n);
    for (int64_t i = 0; i < n; i++)
        marks += id[i] == LP_IMAGE_TOKEN;
    if (n < 1 || marks != picture_count) {
        lp_error_set(err, LP_EINPUT, "the text speaks of %ld pictures, but %ld are given", (long)marks,
                     (long)picture_count);
        return NULL;
    }
    for (int64_t i = 0; i < picture_count; i++) {
        if (pictures[i]->rows != lp_llava_rows_a_picture(m) || pictures[i]->width != m->config.llama.hidden) {
            lp_error_set(err, LP_EUSAGE, "a picture was seen by another model");
            return NULL;
        }
    }
    if (before + T > s->cache.limit) {
        lp_error_set(err, LP_EINPUT, "the conversation is longer than the %ld positions the model can hold",
                     (long)s->cache.limit);
        return NULL;
    }
    lp_run_reset(s->run);
    lp_tensor *logits = forward(s, id, n, join_pictures(s->run, m, pictures, picture_count));
    if (!lp_run_check(s->run, err)) {
        s->cache.rows = before;
        return NULL;
    }
    return lp_f32(logits);
}

/* What lp_llava_feed_batch cannot do. */
static bool check_batch(struct lp_llava_state *const *state, const int32_t *id, int64_t n, struct lp_error *err) {
    if (n < 1)
        return lp_error_set(err, LP_EUSAGE, "a batch needs a conversation");
    for (int64_t i = 0; i < n; i++) {
        if (state[i]->model != state[0]->model)
            return lp_error_set(err, LP_EUSAGE, "the conversations of a batch must share their model");
        for (int64_t j = 0; j < i; j++)
            if (state[j] == state[i])
                return lp_error_set(err, LP_EUSAGE, "a conversation stands twice in a batch");
        if (id[i] == LP_IMAGE_TOKEN)
            return lp_error_set(err, LP_EINPUT, "a batch takes no pictures");
        if (state[i]->cache.rows >= state[i]->cache.limit)
            return lp_error_set(err, LP_EINPUT, "conversation %ld is as long as the %ld positions the model can hold", (long)i,
                                (long)state[i]->cache.limit);
    }
    return true;
}

const float *lp_llava_feed_batch(struct lp_llava_state *const *state, const int32_t *id, int64_t n, struct lp_error *err) {
    if (!check_batch(state, id, n, err))
        return NULL;
    const struct lp_llava *m = state[0]->model;
    lp_run *r = state[0]->run;
    lp_run_reset(r);
    int32_t *position = lp_run_alloc(r, sizeof(int32_t) * (size_t)n);
    struct lp_kv_cache **each = lp_run_alloc(r, sizeof *each * (size_t)n);
    for (int64_t i = 0; position && each && i < n; i++) {
        position[i] = (int32_t)state[i]->cache.rows;
        each[i] = &state[i]->cache;
    }
    struct lp_llama_rows rows = {.position = position, .each = each};
    lp_tensor *x = position && each ? lp_llava_embed(r, m, id, n, NULL) : NULL;
    lp_tensor *logits = lp_llama_logits(r, &m->llama, lp_llama_forward(r, &m->llama, x, &rows));
    if (lp_run_check(r, err))
        return lp_f32(logits);
    for (int64_t i = 0; position && each && i < n; i++)
        state[i]->cache.rows = position[i];
    return NULL;
}
