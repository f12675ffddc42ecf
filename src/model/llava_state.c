/* SPDX-License-Identifier: MIT */
/* model/llava_state.c - using a LLaVA: pictures seen, tokens fed, logits out. */
#include "model/llava_model.h"

#include "base/memory.h"

#include <string.h>

/* Address space for one pass; pages are taken as they are used. */
static const size_t run_limit_bytes = (size_t)8 << 30;

struct lp_llava_state {
    const struct lp_llava *model;
    lp_run *run;
    struct lp_kv_cache cache;
};

static struct lp_llava_picture *copy_rows(const lp_tensor *x, struct lp_error *err) {
    struct lp_llava_picture *p = lp_alloc(sizeof *p);
    if (p && (p->data = lp_alloc_array((size_t)lp_count(x), sizeof(float)))) {
        p->rows = lp_rows(x);
        p->width = lp_dim(x, -1);
        memcpy(p->data, lp_f32(x), sizeof(float) * (size_t)lp_count(x));
        return p;
    }
    lp_error_memory(err);
    lp_llava_picture_close(p);
    return NULL;
}

struct lp_llava_picture *lp_llava_see(const struct lp_llava *m, const struct lp_image *image, struct lp_error *err) {
    lp_run *r = lp_run_open(m->kernels, run_limit_bytes, err);
    if (!r)
        return NULL;
    struct lp_llava_picture *picture = NULL;
    int64_t S = m->config.clip.image_px;
    lp_tensor *pixels = lp_new(r, 4, (int64_t)1, (int64_t)3, S, S);
    if (!pixels) {
        lp_run_check(r, err);
    } else if (lp_preprocess_run(&m->preprocess, image, lp_f32(pixels), err)) {
        lp_tensor *seen = lp_llava_project(r, m, pixels);
        if (lp_run_check(r, err))
            picture = copy_rows(seen, err);
    }
    lp_run_close(r);
    return picture;
}

void lp_llava_picture_close(struct lp_llava_picture *p) {
    if (!p)
        return;
    lp_free(p->data);
    lp_free(p);
}

struct lp_llava_state *lp_llava_state_open(const struct lp_llava *m, struct lp_error *err) {
    struct lp_llava_state *s = lp_alloc(sizeof *s);
    const struct lp_llama_config *c = &m->config.llama;
    if (!s) {
        lp_error_memory(err);
        return NULL;
    }
    s->model = m;
    if ((s->run = lp_run_open(m->kernels, run_limit_bytes, err)) &&
        lp_kv_cache_init(&s->cache, c->layers, c->hidden / c->heads * c->key_heads, c->context, err))
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

void lp_llava_state_cut(struct lp_llava_state *s, int64_t rows) {
    if (rows < s->cache.rows)
        s->cache.rows = rows < 0 ? 0 : rows;
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

static lp_tensor *forward(struct lp_llava_state *s, const int32_t *id, int64_t n, lp_tensor *seen) {
    const struct lp_llava *m = s->model;
    lp_run *r = s->run;
    int64_t T = lp_llava_count_rows(m, id, n);
    int32_t *position = lp_run_alloc(r, sizeof(int32_t) * (size_t)T), *last = lp_run_alloc(r, sizeof(int32_t));
    if (!position || !last)
        return NULL;
    for (int64_t i = 0; i < T; i++)
        position[i] = (int32_t)(s->cache.rows + i);
    *last = (int32_t)(T - 1);
    struct lp_llama_rows rows = {.position = position, .cache = &s->cache};
    lp_tensor *x = lp_llama_forward(r, &m->llama, lp_llava_embed(r, m, id, n, seen), &rows);
    return lp_llama_logits(r, &m->llama, lp_pick_rows(r, x, NULL, last, 1));
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
