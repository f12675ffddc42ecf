/* SPDX-License-Identifier: MIT */
/* train/pictures.c - pictures, one for each path: checked before a training, read ahead of each step by one thread.
 * Every epoch wants the same pictures in another order: what is in memory stays there, as any that made room for
 * another would be wanted again before it. */
#include "train/train.h"

#include "base/memory.h"

#include <string.h>

static uint64_t hash(const char *path) {
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *path; path++)
        h = (h ^ (uint8_t)*path) * 1099511628211u;
    return h;
}

/* The path's slot, or the free one where it belongs. */
static int64_t find(const struct lp_train_set *set, const char *path) {
    int64_t at = (int64_t)(hash(path) % (uint64_t)set->slots);
    while (set->slot[at] && strcmp(set->picture[set->slot[at] - 1]->path, path))
        at = (at + 1) % set->slots;
    return at;
}

static bool grow(struct lp_train_set *set) {
    if (set->pictures == set->picture_capacity) {
        int64_t capacity = set->picture_capacity ? 2 * set->picture_capacity : 256;
        struct lp_train_picture **grown = lp_realloc(set->picture, (size_t)capacity * sizeof *grown);
        if (!grown)
            return false;
        set->picture = grown;
        set->picture_capacity = capacity;
    }
    if (2 * (set->pictures + 1) <= set->slots)
        return true;
    int64_t slots = 4 * set->picture_capacity;
    int64_t *slot = lp_alloc_array((size_t)slots, sizeof *slot);
    if (!slot)
        return false;
    lp_free(set->slot);
    set->slot = slot;
    set->slots = slots;
    for (int64_t i = 0; i < set->pictures; i++)
        slot[find(set, set->picture[i]->path)] = i + 1;
    return true;
}

struct lp_train_picture *lp_train_set_picture(struct lp_train_set *set, const char *path, struct lp_error *err) {
    if (!grow(set)) {
        lp_error_memory(err);
        return NULL;
    }
    int64_t at = find(set, path);
    if (set->slot[at])
        return set->picture[set->slot[at] - 1];
    struct lp_train_picture *p = lp_arena_alloc(&set->arena, sizeof *p);
    if (!p || !(p->path = lp_arena_strdup(&set->arena, path))) {
        lp_error_memory(err);
        return NULL;
    }
    p->source = set->source;
    set->picture[set->pictures++] = p;
    set->slot[at] = set->pictures;
    return p;
}

static bool name_source(const struct lp_train_picture *p, struct lp_error *err) {
    return p->source.file ? lp_error_prefix(err, "%s, line %ld", p->source.file, (long)p->source.line) : false;
}

bool lp_train_pictures_check(const struct lp_train_set *set, struct lp_error *err) {
    int64_t bad = set->pictures;
    struct lp_error first = {0};
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < set->pictures; i++) {
        struct lp_error e = {0};
        if (i < bad && !lp_image_check(set->picture[i]->path, &e))
#pragma omp critical
            if (i < bad) {
                bad = i;
                first = e;
            }
    }
    if (bad == set->pictures)
        return true;
    if (err)
        *err = first;
    return name_source(set->picture[bad], err);
}

static bool read_picture(const struct lp_llava *m, struct lp_train_picture *p, struct lp_error *err) {
    struct lp_image *image = lp_image_open(p->path, err);
    struct lp_image *small = image ? lp_preprocess_pixels(&m->preprocess, image, err) : NULL;
    size_t bytes = (size_t)m->preprocess.crop * (size_t)m->preprocess.crop * 3;
    uint8_t *pixel = small ? lp_alloc(bytes) : NULL;
    if (pixel)
        memcpy(pixel, small->pixel, bytes);
    else if (small)
        lp_error_memory(err);
    p->pixel = pixel;
    lp_image_close(image);
    lp_image_close(small);
    return pixel || name_source(p, err);
}

static void *read_list(void *context) {
    struct lp_train_reader *r = context;
    size_t bytes = (size_t)r->model->preprocess.crop * (size_t)r->model->preprocess.crop * 3;
    for (int64_t i = 0; i < r->count; i++) {
        if (!read_picture(r->model, r->list[i], &r->error))
            break;
        r->list[i]->kept = r->kept + bytes <= r->limit;
        r->kept += r->list[i]->kept ? bytes : 0;
    }
    return NULL;
}

bool lp_train_reader_start(struct lp_train_reader *r, const struct lp_train_sample *const *sample, int64_t count,
                           int64_t wanted, struct lp_error *err) {
    r->count = 0;
    for (int64_t i = 0; i < count; i++)
        for (int32_t j = 0; j < sample[i]->pictures; j++) {
            struct lp_train_picture *p = sample[i]->picture[j];
            bool listed = p->wanted == wanted;
            p->wanted = wanted;
            if (p->pixel || listed)
                continue;
            if (r->count == r->capacity) {
                int64_t capacity = r->capacity ? 2 * r->capacity : 64;
                struct lp_train_picture **grown = lp_realloc(r->list, (size_t)capacity * sizeof *grown);
                if (!grown)
                    return lp_error_memory(err);
                r->list = grown;
                r->capacity = capacity;
            }
            r->list[r->count++] = p;
        }
    r->running = r->count && pthread_create(&r->thread, NULL, read_list, r) == 0;
    if (r->count && !r->running)
        read_list(r); /* no thread to be had: now, then */
    return true;
}

bool lp_train_reader_wait(struct lp_train_reader *r, struct lp_error *err) {
    if (r->running)
        pthread_join(r->thread, NULL);
    r->running = false;
    if (!r->error.code)
        return true;
    if (err)
        *err = r->error;
    return false;
}

void lp_train_reader_drop(const struct lp_train_sample *const *sample, int64_t count, int64_t step) {
    for (int64_t i = 0; i < count; i++)
        for (int32_t j = 0; j < sample[i]->pictures; j++) {
            struct lp_train_picture *p = sample[i]->picture[j];
            if (p->kept || p->wanted > step)
                continue;
            lp_free(p->pixel);
            p->pixel = NULL;
            p->wanted = 0;
        }
}

void lp_train_reader_done(struct lp_train_reader *r) {
    lp_train_reader_wait(r, NULL);
    lp_free(r->list);
    *r = (struct lp_train_reader){0};
}
