/* SPDX-License-Identifier: MIT */
/* train/loss.c - the forward pass of a batch: dialogues laid one behind the other, no padding.
 *   samples --ids, pictures--> rows [T,C] --LLaMA--> [T,C] --rows with a target--> logits [n,V] --> loss [1] */
#include "train/train.h"

/* All pictures of the samples, as the language model sees them; NULL when there are none. Those not in memory are
 * read, side by side. */
static lp_tensor *see(lp_run *r, const struct lp_llava *m, const struct lp_train_sample *const *sample,
                      int64_t count) {
    int64_t n = 0, S = m->config.clip.image_px, at = 0;
    for (int64_t i = 0; i < count; i++)
        n += sample[i]->pictures;
    lp_tensor *pixels = n ? lp_new(r, 4, n, (int64_t)3, S, S) : NULL;
    const struct lp_train_picture **picture = n ? lp_run_alloc(r, sizeof *picture * (size_t)n) : NULL;
    if (!pixels || !picture)
        return NULL;
    for (int64_t i = 0; i < count; i++)
        for (int32_t j = 0; j < sample[i]->pictures; j++)
            picture[at++] = sample[i]->picture[j];
    struct lp_error first = {0};
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < n; i++) {
        struct lp_error err = {0};
        float *to = lp_f32(pixels) + i * 3 * S * S;
        struct lp_image *image = picture[i]->pixel ? NULL : lp_image_open(picture[i]->path, &err);
        if (picture[i]->pixel)
            lp_preprocess_numbers(&m->preprocess, picture[i]->pixel, to);
        else if (image)
            lp_preprocess_run(&m->preprocess, image, to, &err);
        lp_image_close(image);
        if (err.code)
#pragma omp critical
            first = err;
    }
    if (first.code)
        return lp_fail(r, first.code, "%s", first.text);
    return lp_llava_project(r, m, pixels);
}

/* The samples' ids, positions and targets in one row of rows. */
struct layout {
    int32_t *id, *position, *start, *chosen, *target;
    int64_t ids, rows, trained;
};

static bool lay_out(lp_run *r, const struct lp_llava *m, const struct lp_train_sample *const *sample, int64_t count,
                    struct layout *l) {
    int64_t n = 0, rows = 0, picture = lp_llava_rows_a_picture(m);
    for (int64_t i = 0; i < count; i++) {
        n += sample[i]->n;
        rows += sample[i]->rows;
    }
    size_t ids = sizeof(int32_t) * (size_t)n, all = sizeof(int32_t) * (size_t)rows;
    *l = (struct layout){lp_run_alloc(r, ids), lp_run_alloc(r, all), lp_run_alloc(r, sizeof(int32_t) * ((size_t)count + 1)),
                         lp_run_alloc(r, ids), lp_run_alloc(r, ids), 0, 0, 0};
    if (!l->id || !l->position || !l->start || !l->chosen || !l->target)
        return false;
    for (int64_t i = 0; i < count; i++) {
        l->start[i] = (int32_t)l->rows;
        for (int32_t j = 0; j < sample[i]->n; j++) {
            l->id[l->ids++] = sample[i]->id[j];
            l->rows += sample[i]->id[j] == LP_IMAGE_TOKEN ? picture : 1;
            if (sample[i]->target[j] != LP_IGNORE) {
                l->chosen[l->trained] = (int32_t)(l->rows - 1);
                l->target[l->trained++] = sample[i]->target[j];
            }
        }
        for (int32_t j = 0; j < sample[i]->rows; j++)
            l->position[l->start[i] + j] = j;
    }
    l->start[count] = (int32_t)l->rows;
    return true;
}

lp_tensor *lp_train_loss(lp_run *r, const struct lp_train_set *set, const struct lp_train_sample *const *sample,
                         int64_t count, int64_t *trained) {
    struct layout l;
    const struct lp_llava *m = set->model;
    int64_t named = 0;
    if (!lay_out(r, m, sample, count, &l))
        return NULL;
    lp_tensor *seen = see(r, m, sample, count);
    lp_tensor *naming = lp_train_naming_loss(r, set, sample, count, seen, &named);
    *trained = l.trained + named;
    if (!l.trained)
        return naming;
    struct lp_llama_rows rows = {.position = l.position, .start = l.start, .count = count};
    lp_tensor *x = lp_llama_forward(r, &m->llama, lp_llava_embed(r, m, l.id, l.ids, seen), &rows);
    x = lp_llama_logits(r, &m->llama, lp_pick_rows(r, x, NULL, l.chosen, l.trained));
    lp_tensor *saying = lp_cross_entropy(r, x, l.target);
    return naming ? lp_add(r, saying, naming) : saying;
}
