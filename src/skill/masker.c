/* SPDX-License-Identifier: MIT */
/* skill/masker.c - SAM for skills: its weights, the pictures it has seen, its masks as objects. */
#include "skill/masker.h"

#include "base/memory.h"
#include "base/models.h"
#include "image/rle.h"
#include "text/python.h"

#include <string.h>

enum { KEPT = 4 }; /* pictures */

struct masker {
    struct lp_sam *model;
    struct {
        uint64_t hash;
        struct lp_sam_embedding *embedding;
    } seen[KEPT]; /* the newest first */
};

static bool find_weights(char out[PATH_MAX]) {
    static const char *const names[] = {"sam", "sam-vit-huge", "sam-vit-large", "sam-vit-base",
                                        "llava-plus-nano-sam-v1", NULL};
    return lp_models_find(names, out);
}

const char *lp_masker_missing(void) {
    char folder[PATH_MAX];
    return find_weights(folder) ? NULL
                                : "SAM weights (a folder such as facebook/sam-vit-base in the folder that "
                                  "LLAVA_PLUS_MODELS names)";
}

void *lp_masker_open(struct lp_error *err) {
    char folder[PATH_MAX];
    struct masker *k = lp_alloc(sizeof *k);
    if (!k)
        lp_error_memory(err);
    else if (!find_weights(folder))
        lp_error_set(err, LP_EMISSING, "the weights are gone");
    else if ((k->model = lp_sam_open(folder, lp_kernels_cpu(), err))) {
        lp_sam_set_rough(k->model, true);
        return k;
    }
    lp_masker_close(k);
    return NULL;
}

void lp_masker_close(void *masker) {
    struct masker *k = masker;
    if (!k)
        return;
    for (int i = 0; i < KEPT; i++)
        lp_sam_embedding_close(k->seen[i].embedding);
    lp_sam_close(k->model);
    lp_free(k);
}

/* FNV-1a over the pixels, eight bytes at once. */
static uint64_t hash_of(const struct lp_image *image) {
    size_t n = (size_t)image->width * (size_t)image->height * 3;
    uint64_t hash = 0xcbf29ce484222325u, word;
    for (size_t i = 0; i < n; i += sizeof word) {
        word = 0;
        memcpy(&word, image->pixel + i, n - i < sizeof word ? n - i : sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* What the model sees in the call's picture, now or some calls ago. Borrowed until the next call. */
static const struct lp_sam_embedding *see(struct masker *k, const struct lp_call *call,
                                          struct lp_error *err) {
    const struct lp_image *image = call->picture;
    uint64_t hash = hash_of(image);
    struct lp_sam_embedding *e = NULL;
    int at = 0;
    for (; at < KEPT; at++) {
        e = k->seen[at].embedding;
        if (!e || (k->seen[at].hash == hash && e->width == image->width && e->height == image->height))
            break;
    }
    if (at == KEPT || !e) {
        struct lp_sam_embedding *fresh = lp_sam_see(k->model, image, call->cancel, err);
        if (!fresh)
            return NULL;
        at -= at == KEPT;
        lp_sam_embedding_close(k->seen[at].embedding);
        e = fresh;
    }
    memmove(k->seen + 1, k->seen, (size_t)at * sizeof *k->seen);
    k->seen[0].hash = hash;
    k->seen[0].embedding = e;
    return e;
}

/* The box around a mask as a list of px, or null; *area in px. */
static json_t *box_of(const uint8_t *pixel, int width, int height, int64_t *area) {
    int x0 = width, y0 = height, x1 = 0, y1 = 0;
    *area = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            if (!pixel[(size_t)y * (size_t)width + (size_t)x])
                continue;
            x0 = x < x0 ? x : x0;
            x1 = x + 1 > x1 ? x + 1 : x1;
            y0 = y < y0 ? y : y0;
            y1 = y + 1;
            ++*area;
        }
    return *area ? json_pack("[i,i,i,i]", x0, y0, x1, y1) : json_null();
}

static bool report_mask(json_t *list, const struct lp_sam_mask *mask, int width, int height,
                        struct lp_error *err) {
    int64_t area;
    char *counts = lp_rle_encode(mask->pixel, width, height, err);
    if (!counts)
        return false;
    json_t *box = box_of(mask->pixel, width, height, &area);
    json_t *one =
        json_pack("{s:f,s:o,s:I,s:{s:[i,i],s:s}}", "score", lp_python_round(mask->score, 4), "box", box,
                  "area", (json_int_t)area, "segmentation", "size", height, width, "counts", counts);
    lp_free(counts);
    return !json_array_append_new(list, one) || lp_error_memory(err);
}

/* One point may mean a thing or a part of it: then the best of the model's three answers. */
static enum lp_sam_choice choice_for(const struct lp_sam_prompt *p) {
    return p->points == 1 && !p->box && !p->mask ? LP_SAM_BEST : LP_SAM_ONE;
}

bool lp_masker_run(void *masker, struct lp_call *call, const struct lp_sam_prompt *prompt, int64_t prompts,
                   const char *const *labels, struct lp_error *err) {
    struct masker *k = masker;
    const struct lp_sam_embedding *e = see(k, call, err);
    json_t *list = json_array();
    bool ok = e && (!json_object_set(call->report, "masks", list) || lp_error_memory(err));
    for (int64_t i = 0; ok && i < prompts; i++) {
        struct lp_sam_masks *a =
            lp_sam_segment(k->model, e, &prompt[i], 1, choice_for(&prompt[i]), call->cancel, err);
        ok = a && report_mask(list, &a->mask[0], a->width, a->height, err) &&
             lp_objects_add_mask(&call->made, a->width, a->height, a->mask[0].pixel,
                                 labels ? labels[i] : NULL, a->mask[0].score, err);
        lp_sam_masks_close(a);
    }
    json_decref(list);
    return ok;
}
