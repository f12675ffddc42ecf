/* SPDX-License-Identifier: MIT */
/* model/grounding_dino_answer.c - what was found, as groundingdino/util/inference.py and transformers'
 * GroundingDinoProcessor.post_process_grounded_object_detection have it: a query's score is its surest
 * token's; its phrase is of all its sure tokens, in the caption's order, without full stops. Of boxes that
 * show the same the surest stays. Ranks are as the original is measured on COCO, demo/test_ap_on_coco.py. */
#include "model/grounding_dino_model.h"

#include "base/memory.h"
#include "base/str.h"
#include "image/boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void lp_detect_limits_defaults(struct lp_detect_limits *limits) {
    *limits = (struct lp_detect_limits){.box = 0.35f, .text = 0.25f, .share = 0.8};
}

void lp_detections_close(struct lp_detections *found) {
    if (!found)
        return;
    for (int64_t i = 0; i < found->count; i++)
        lp_free(found->item[i].phrase);
    lp_free(found->item);
    lp_free(found);
}

static float sigmoid(float x) {
    return 1 / (1 + expf(-x));
}

/* The tokens of logits[tokens] that are surer than `least`. The first and what is 255th or later never count.
 */
static char *phrase_of(const struct lp_wordpiece *vocabulary, const struct lp_ids *ids, const float *logits,
                       float least, struct lp_error *err) {
    struct lp_str text = {0};
    int32_t sure[LP_PHRASES_TOKENS];
    size_t n = 0;
    for (size_t i = 1; i < ids->n && i < LP_PHRASES_TOKENS - 1; i++)
        if (sigmoid(logits[i]) > least)
            sure[n++] = ids->id[i];
    bool ok = lp_wordpiece_decode(vocabulary, sure, n, &text, err);
    char *phrase = ok ? lp_alloc(text.n + 1) : NULL;
    size_t length = 0;
    for (size_t i = 0; phrase && i < text.n; i++)
        if (text.s[i] != '.')
            phrase[length++] = text.s[i];
    lp_str_done(&text);
    if (ok && !phrase)
        lp_error_memory(err);
    return phrase; /* lp_alloc zeroes: the end is there */
}

/* What is sure enough, still in the order of queries: places, corners in px, scores. Returns how many. */
static int64_t pick(const float *logits, int64_t tokens, const float *box, int64_t n, const float size[2],
                    float least, int64_t *place, float *corners, float *score) {
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        float best = -INFINITY;
        for (int64_t t = 0; t < tokens; t++)
            best = fmaxf(best, logits[i * tokens + t]);
        if (!(sigmoid(best) > least))
            continue;
        lp_boxes_convert(corners + 4 * count, LP_BOX_CORNERS, box + 4 * i, LP_BOX_CENTERED, 1);
        lp_boxes_scale(corners + 4 * count, 1, size[0], size[1]);
        score[count] = sigmoid(best);
        place[count++] = i;
    }
    return count;
}

struct lp_detections *lp_dino_answer(const struct lp_wordpiece *vocabulary, const struct lp_ids *ids,
                                     const float *logits, const float *box, int64_t n, int width, int height,
                                     const struct lp_detect_limits *limits, struct lp_error *err) {
    int64_t tokens = (int64_t)ids->n, count, kept = -1;
    struct lp_detections *found = lp_alloc(sizeof *found);
    float *corners = lp_alloc_array((size_t)n, 4 * sizeof *corners),
          *score = lp_alloc_array((size_t)n, sizeof *score);
    int64_t *place = lp_alloc_array((size_t)n, sizeof *place),
            *order = lp_alloc_array((size_t)n, sizeof *order);
    if (found && corners && score && place && order &&
        (found->item = lp_alloc_array((size_t)n, sizeof *found->item))) {
        count = pick(logits, tokens, box, n, (float[]){(float)width, (float)height}, limits->box, place,
                     corners, score);
        kept = lp_boxes_suppress(corners, score, NULL, count, limits->share, order, err);
    } else {
        lp_error_memory(err);
    }
    bool ok = kept >= 0;
    for (int64_t i = 0; ok && i < kept; i++) {
        struct lp_detection *one = &found->item[found->count++];
        memcpy(one->box, corners + 4 * order[i], sizeof one->box);
        one->score = score[order[i]];
        one->phrase = phrase_of(vocabulary, ids, logits + place[order[i]] * tokens, limits->text, err);
        ok = one->phrase != NULL;
    }
    lp_free(corners);
    lp_free(score);
    lp_free(place);
    lp_free(order);
    if (ok)
        return found;
    lp_detections_close(found);
    return NULL;
}

/* ---- ranks ---- */

/* The mean over the tokens first..end-1 of how sure each is. */
static float mean_of(const float *logits, int64_t first, int64_t end) {
    float sum = 0;
    for (int64_t t = first; t < end; t++)
        sum += sigmoid(logits[t]);
    return sum / (float)(end - first);
}

int lp_ranked_order(const void *a, const void *b) {
    const struct lp_ranked *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->phrase > y->phrase) - (x->phrase < y->phrase);
}

/* corners[n,4] as each phrase: a stretch of tokens without the mark that ends it. all: room for n a stretch; score, kept
 * [n]: memory. Returns how many, or -1. */
static int64_t rank_all(const struct lp_phrases *p, const float *logits, const float *corners, int64_t n, double share,
                        float *score, int64_t *kept, struct lp_ranked *all, struct lp_error *err) {
    int64_t count = 0, tokens = (int64_t)p->ids.n;
    for (int64_t k = 1; k < p->count; k++) {
        int64_t first = p->start[k], end = p->start[k + 1] - 1;
        if (first == end)
            continue;
        for (int64_t i = 0; i < n; i++)
            score[i] = mean_of(logits + i * tokens, first, end);
        int64_t distinct = lp_boxes_suppress(corners, score, NULL, n, share, kept, err);
        if (distinct < 0)
            return -1;
        for (int64_t i = 0; i < distinct; i++) {
            struct lp_ranked *one = &all[count++];
            *one = (struct lp_ranked){.score = score[kept[i]], .phrase = k - 1};
            memcpy(one->box, corners + 4 * kept[i], sizeof one->box);
        }
    }
    return count;
}

int64_t lp_dino_rank(const struct lp_phrases *phrases, const float *logits, const float *box, int64_t n,
                     int width, int height, double share, struct lp_ranked *best, int64_t most,
                     struct lp_error *err) {
    struct lp_ranked *all = lp_alloc_array((size_t)(n * phrases->count), sizeof *all);
    float *corners = lp_alloc_array((size_t)n, 4 * sizeof *corners),
          *score = lp_alloc_array((size_t)n, sizeof *score);
    int64_t *kept = lp_alloc_array((size_t)n, sizeof *kept), count = -1;
    if (all && corners && score && kept) {
        lp_boxes_convert(corners, LP_BOX_CORNERS, box, LP_BOX_CENTERED, n);
        lp_boxes_scale(corners, n, (float)width, (float)height);
        count = rank_all(phrases, logits, corners, n, share, score, kept, all, err);
    } else {
        lp_error_memory(err);
    }
    if (count >= 0) {
        qsort(all, (size_t)count, sizeof *all, lp_ranked_order);
        count = count < most ? count : most;
        memcpy(best, all, (size_t)count * sizeof *all);
    }
    lp_free(all);
    lp_free(corners);
    lp_free(score);
    lp_free(kept);
    return count;
}
