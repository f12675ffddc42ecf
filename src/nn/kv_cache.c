/* SPDX-License-Identifier: MIT */
/* nn/kv_cache.c - keys and values of past positions. */
#include "nn/layers.h"

#include <string.h>
#include <sys/mman.h>

int64_t lp_kv_cache_bytes(int64_t layers, int64_t width, int64_t limit) {
    return (int64_t)sizeof(float) * 2 * layers * width * limit;
}

bool lp_kv_cache_init(struct lp_kv_cache *c, int64_t layers, int64_t width, int64_t limit, struct lp_error *err) {
    *c = (struct lp_kv_cache){.layers = layers, .width = width, .limit = limit};
    c->bytes = (size_t)lp_kv_cache_bytes(layers, width, limit);
    void *data = mmap(NULL, c->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED)
        return lp_error_set(err, LP_EMEMORY, "no memory for a conversation of %ld positions", (long)limit);
    c->data = data;
    return true;
}

void lp_kv_cache_done(struct lp_kv_cache *c) {
    if (c->data)
        munmap(c->data, c->bytes);
    *c = (struct lp_kv_cache){0};
}

static lp_tensor *append(lp_run *r, struct lp_kv_cache *c, float *rows, const lp_tensor *x) {
    int64_t T = lp_rows(x);
    memcpy(rows + c->rows * c->width, lp_f32(x), sizeof(float) * (size_t)(T * c->width));
    lp_tensor all = {.type = LP_F32, .ndim = 2, .dim = {c->rows + T, c->width}, .data = rows};
    return lp_view(r, &all, 2, c->rows + T, c->width);
}

bool lp_kv_cache_append(lp_run *r, struct lp_kv_cache *c, int64_t layer, lp_tensor **k, lp_tensor **v) {
    if (!lp_enter(r, "kv_cache"))
        return false;
    if (c->rows + lp_rows(*k) > c->limit) {
        lp_fail(r, LP_EINPUT, "the conversation is longer than the %ld positions the model can hold", (long)c->limit);
        return false;
    }
    float *keys = c->data + 2 * layer * c->limit * c->width, *values = keys + c->limit * c->width;
    *k = append(r, c, keys, *k);
    *v = append(r, c, values, *v);
    return *k && *v;
}
