/* SPDX-License-Identifier: MIT */
/* plan/prompts.c - lists of numbers as rows. */
#include "plan/prompts.h"

#include "base/memory.h"

void lp_prompts_done(struct lp_prompts *p) {
    lp_free(p->point);
    lp_free(p->box);
    lp_free(p->reference_box);
    lp_image_close(p->reference);
    *p = (struct lp_prompts){0};
}

static bool is_numbers(const json_t *list, size_t width) {
    if (json_array_size(list) != width)
        return false;
    for (size_t i = 0; i < width; i++)
        if (!json_is_number(json_array_get(list, i)))
            return false;
    return true;
}

/* Rows of `width` numbers, owned by caller; NULL on failure. */
static float *rows(const json_t *value, size_t width, const char *name, int *n, struct lp_error *err) {
    bool one = is_numbers(value, width);
    size_t count = one ? 1 : json_array_size(value);
    bool good = one || json_is_array(value);
    for (size_t i = 0; good && !one && i < count; i++)
        good = is_numbers(json_array_get(value, i), width);
    if (!good) {
        lp_error_set(err, LP_EINPUT, "%s must be a list such as %s", name,
                     width == 2 ? "[[0.5, 0.4]]" : "[[0.1, 0.2, 0.5, 0.6]]");
        return NULL;
    }
    float *out = lp_alloc_array(count ? count * width : 1, sizeof *out);
    if (!out)
        lp_error_memory(err);
    for (size_t i = 0; out && i < count * width; i++)
        out[i] = (float)json_number_value(
            json_array_get(one ? value : json_array_get(value, i / width), i % width));
    *n = (int)count;
    return out;
}

bool lp_prompts_points(struct lp_prompts *p, const json_t *value, const char *name, struct lp_error *err) {
    float *x = rows(value, 2, name, &p->points, err);
    lp_free(p->point);
    p->point = (float(*)[2])x;
    p->points = x ? p->points : 0;
    return x != NULL;
}

bool lp_prompts_boxes(struct lp_prompts *p, const json_t *value, bool reference, const char *name,
                      struct lp_error *err) {
    float(**box)[4] = reference ? &p->reference_box : &p->box;
    int *n = reference ? &p->reference_boxes : &p->boxes;
    float *x = rows(value, 4, name, n, err);
    lp_free(*box);
    *box = (float(*)[4])x;
    *n = x ? *n : 0;
    return x != NULL;
}

struct lp_request lp_prompts_request(const struct lp_prompts *p, const char *text) {
    return (struct lp_request){.text = text,
                               .point = (const float(*)[2])p->point,
                               .points = p->points,
                               .box = (const float(*)[4])p->box,
                               .boxes = p->boxes,
                               .reference = p->reference,
                               .reference_box = (const float(*)[4])p->reference_box,
                               .reference_boxes = p->reference_boxes};
}
