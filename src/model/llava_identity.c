/* SPDX-License-Identifier: MIT */
/* model/llava_identity.c - telling models apart that compute differently. Reading all weights would cost
 * seconds, so pages spread over every tensor stand for them, together with the time of the files. */
#include "model/llava_model.h"
#include "model/llava_packed.h"

#include "base/checksum.h"
#include "weights/weights.h"

#include <string.h>

enum {
    FORM = 1, /* to be raised when the same weights come to other numbers than before */
    PAGE = 4096,
    PAGES = 4096 /* about so many are read; where there are not more, all */
};

static void add_config(struct lp_sha256 *s, const struct lp_llava *m) {
    const struct lp_clip_config *v = &m->config.clip;
    const struct lp_llama_config *t = &m->config.llama;
    const struct lp_preprocess *p = &m->preprocess;
    const int64_t sizes[] = {FORM,          v->image_px,   v->patch_px, v->hidden,       v->ffn,
                             v->layers,     v->heads,      v->act,      m->config.depth, m->config.two_layers,
                             m->config.act, t->hidden,     t->layers,   t->heads,        t->key_heads,
                             t->ffn,        t->vocabulary, t->tied,     p->size,         p->crop,
                             p->aspect,     p->filter};
    int64_t packed = 0; /* products of packed float16 sum in another order */
    const double numbers[] = {v->eps,     t->eps,     t->theta,  p->rescale, p->mean[0],
                              p->mean[1], p->mean[2], p->std[0], p->std[1],  p->std[2]};
    for (int64_t i = 0; i < m->parameters.count; i++)
        packed += m->parameters.item[i].tensor->packed;
    lp_sha256_add(s, &packed, sizeof packed);
    lp_sha256_add(s, sizes, sizeof sizes);
    lp_sha256_add(s, numbers, sizeof numbers);
    lp_sha256_add(s, m->kernels->name, strlen(m->kernels->name));
}

struct lp_hash lp_llava_digest(const struct lp_weights *files, int64_t changed_ns) {
    struct lp_sha256 s;
    lp_sha256_init(&s);
    size_t n = lp_weights_count(files), total = 0;
    for (size_t i = 0; i < n; i++)
        total += lp_weights_at(files, i)->bytes;
    size_t step = (total / PAGE / PAGES + 1) * PAGE;
    for (size_t i = 0; i < n; i++) {
        const struct lp_weight *w = lp_weights_at(files, i);
        uint64_t sum = (uint64_t)w->type;
        for (size_t at = 0; at < w->bytes; at += step)
            sum = lp_checksum(sum, (const char *)w->data + at, w->bytes - at < PAGE ? w->bytes - at : PAGE);
        lp_weight_let_go(files, w); /* a page read may have mapped 2 MiB */
        lp_sha256_add(&s, w->name, strlen(w->name) + 1);
        lp_sha256_add(&s, w->dim, sizeof *w->dim * (size_t)w->ndim);
        lp_sha256_add(&s, &sum, sizeof sum);
    }
    lp_sha256_add(&s, &changed_ns, sizeof changed_ns);
    return lp_sha256_end(&s);
}

void lp_llava_identify(struct lp_llava *m) {
    struct lp_sha256 s;
    lp_sha256_init(&s);
    add_config(&s, m);
    lp_sha256_add(&s, &m->digest, sizeof m->digest);
    m->identity = lp_sha256_end(&s);
}

const struct lp_hash *lp_llava_identity(const struct lp_llava *m) {
    return &m->identity;
}
