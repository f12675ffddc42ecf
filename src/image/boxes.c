/* SPDX-License-Identifier: MIT */
/* image/boxes.c - see boxes.h. In float32 and in torchvision's order of operations, so that boxes at the
 * limit fall alike. */
#include "image/boxes.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static void to_corners(float to[4], const float b[4], enum lp_box_form form) {
    float x = b[0], y = b[1], u = b[2], v = b[3];
    if (form == LP_BOX_SIZED) {
        u = x + u;
        v = y + v;
    } else if (form == LP_BOX_CENTERED) {
        float half_width = 0.5f * u, half_height = 0.5f * v;
        u = x + half_width;
        v = y + half_height;
        x -= half_width;
        y -= half_height;
    }
    to[0] = x, to[1] = y, to[2] = u, to[3] = v;
}

static void from_corners(float to[4], const float c[4], enum lp_box_form form) {
    float x = c[0], y = c[1], u = c[2], v = c[3];
    if (form == LP_BOX_CENTERED) {
        x = (c[0] + c[2]) / 2;
        y = (c[1] + c[3]) / 2;
    }
    if (form != LP_BOX_CORNERS) {
        u = c[2] - c[0];
        v = c[3] - c[1];
    }
    to[0] = x, to[1] = y, to[2] = u, to[3] = v;
}

void lp_boxes_convert(float *to, enum lp_box_form to_form, const float *from, enum lp_box_form from_form,
                      int64_t n) {
    for (int64_t i = 0; i < 4 * n; i += 4) {
        float corners[4];
        if (to_form == from_form) {
            for (int k = 0; k < 4; k++)
                to[i + k] = from[i + k];
            continue;
        }
        to_corners(corners, from + i, from_form);
        from_corners(to + i, corners, to_form);
    }
}

void lp_boxes_scale(float *box, int64_t n, float width, float height) {
    for (int64_t i = 0; i < 4 * n; i++)
        box[i] *= i % 2 ? height : width;
}

void lp_boxes_clip(float *corners, int64_t n, float width, float height) {
    for (int64_t i = 0; i < 4 * n; i++)
        corners[i] = fminf(fmaxf(corners[i], 0), i % 2 ? height : width);
}

static float area(const float c[4]) {
    return (c[2] - c[0]) * (c[3] - c[1]);
}

float lp_box_iou(const float a[4], const float b[4]) {
    float width = fmaxf(0, fminf(a[2], b[2]) - fmaxf(a[0], b[0]));
    float height = fmaxf(0, fminf(a[3], b[3]) - fmaxf(a[1], b[1]));
    float common = width * height;
    return common / (area(a) + area(b) - common);
}

const char *const lp_place_names[LP_PLACES] = {"at the top left",    "at the top",    "at the top right",
                                               "on the left",        "in the middle", "on the right",
                                               "at the bottom left", "at the bottom", "at the bottom right"};

static int third(float middle) {
    return middle < 0.36f ? 0 : middle > 0.64f ? 2 : 1;
}

int lp_box_place(const float b[4]) {
    return 3 * third((b[1] + b[3]) / 2) + third((b[0] + b[2]) / 2);
}

struct ranked {
    float score;
    int64_t place;
};

static int surest_first(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (isnan(x->score) != isnan(y->score))
        return isnan(x->score) ? 1 : -1;
    int order = (x->score < y->score) - (x->score > y->score);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

int64_t lp_boxes_suppress(const float *corners, const float *score, const int *group, int64_t n, double most,
                          int64_t *kept, struct lp_error *err) {
    struct ranked *ranked = lp_alloc_array((size_t)n, sizeof *ranked);
    int64_t count = 0;
    if (!ranked) {
        lp_error_memory(err);
        return -1;
    }
    for (int64_t i = 0; i < n; i++)
        ranked[i] = (struct ranked){score[i], i};
    qsort(ranked, (size_t)n, sizeof *ranked, surest_first);
    for (int64_t i = 0; i < n; i++) {
        int64_t place = ranked[i].place;
        bool keep = true;
        for (int64_t k = 0; keep && k < count; k++)
            if (!group || group[kept[k]] == group[place])
                keep = !(lp_box_iou(corners + 4 * kept[k], corners + 4 * place) > most);
        if (keep)
            kept[count++] = place;
    }
    lp_free(ranked);
    return count;
}
