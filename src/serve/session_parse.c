/* SPDX-License-Identifier: MIT */
/* serve/session_parse.c - a body of POST /v1/sessions/ID/messages. Unlike OpenAI's bodies it may have no other keys: a
 * misspelt one would be a mark that is not seen. */
#include "base/memory.h"
#include "serve/fields.h"
#include "serve/session.h"

#include <string.h>

enum { LONGEST = 1 << 16 /* bytes of a text */ };
#define WIDTH 0.02 /* of a stroke, where it does not say */
#define WIDEST 0.2

static bool check_keys(const json_t *object, const char *const *keys, struct lp_fault *fault) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        int i = 0;
        while (keys[i] && strcmp(keys[i], key))
            i++;
        if (!keys[i])
            return lp_fault_set(fault, 400, NULL, "unknown_key", "there is no '%s' in a message", key);
    }
    return true;
}

static bool check_unit(const float *x, int n, const char *param, struct lp_fault *fault) {
    for (int i = 0; i < n; i++)
        if (!(x[i] >= 0 && x[i] <= 1))
            return lp_fault_set(fault, 400, param, NULL, "coordinates in '%s' must be 0 to 1 of the picture", param);
    return true;
}

static bool take_boxes(struct lp_ask *ask, const json_t *object, bool reference, const char *param,
                       struct lp_fault *fault) {
    const json_t *value = lp_given(object, "boxes");
    struct lp_error err = {0};
    if (!value)
        return true;
    if (!lp_prompts_boxes(&ask->prompts, value, reference, "'boxes'", &err))
        return lp_fault_from(fault, param, &err);
    int n = reference ? ask->prompts.reference_boxes : ask->prompts.boxes;
    const float *x = n ? (reference ? ask->prompts.reference_box : ask->prompts.box)[0] : NULL;
    if (n > LP_SYNTAX_LITERALS - LP_STROKES)
        return lp_fault_set(fault, 400, param, NULL, "a message may have at most %d boxes",
                            LP_SYNTAX_LITERALS - LP_STROKES);
    return check_unit(x, 4 * n, param, fault);
}

static bool take_points(struct lp_ask *ask, struct lp_fault *fault) {
    const json_t *value = lp_given(ask->body, "points"), *labels = lp_given(ask->body, "labels");
    struct lp_error err = {0};
    if (value && !lp_prompts_points(&ask->prompts, value, "'points'", &err))
        return lp_fault_from(fault, "points", &err);
    int n = ask->prompts.points;
    if (n > LP_SYNTAX_LITERALS)
        return lp_fault_set(fault, 400, "points", NULL, "a message may have at most %d points", LP_SYNTAX_LITERALS);
    if (!check_unit(n ? ask->prompts.point[0] : NULL, 2 * n, "points", fault))
        return false;
    if (!labels)
        return true;
    if (json_array_size(labels) != (size_t)n || !n)
        return lp_bad(fault, "labels", "'labels' must be a list with 1 or 0 for each point");
    ask->label = lp_alloc_array((size_t)n, sizeof *ask->label);
    if (!ask->label)
        return lp_fault_memory(fault);
    for (int i = 0; i < n; i++) {
        const json_t *label = json_array_get(labels, (size_t)i);
        ask->label[i] = (int)json_integer_value(label);
        if (!json_is_integer(label) || (ask->label[i] != 0 && ask->label[i] != 1))
            return lp_bad(fault, "labels", "'labels' must be a list with 1 or 0 for each point");
    }
    return true;
}

static bool take_stroke(struct lp_ask *ask, const json_t *value, const char *param, struct lp_fault *fault) {
    static const char *const keys[] = {"points", "width", NULL};
    struct lp_stroke *stroke = &ask->stroke[ask->strokes];
    struct lp_prompts corners = {0};
    struct lp_error err = {0};
    double width = WIDTH;
    if (!json_is_object(value) || !lp_given(value, "points"))
        return lp_bad(fault, param, "a stroke must be {\"points\": [[x,y], ..], \"width\": ..}");
    bool good = check_keys(value, keys, fault) && lp_take_number(value, "width", WIDEST, &width, fault) &&
                (lp_prompts_points(&corners, lp_given(value, "points"), "'points' of a stroke", &err) ||
                 lp_fault_from(fault, param, &err));
    if (good && (!corners.points || ask->corners + corners.points > LP_STROKE_POINTS))
        good = lp_fault_set(fault, 400, param, NULL, "a stroke must have a point, and all strokes together at most %d",
                            LP_STROKE_POINTS);
    good = good && check_unit(corners.point[0], 2 * corners.points, param, fault);
    if (good) {
        *stroke = (struct lp_stroke){ask->corners, corners.points, (float)width};
        memcpy(ask->corner[ask->corners], corners.point, (size_t)corners.points * sizeof *corners.point);
        ask->corners += corners.points;
        ask->strokes++;
    }
    lp_prompts_done(&corners);
    return good;
}

static bool take_strokes(struct lp_ask *ask, const json_t *object, const char *param, struct lp_fault *fault) {
    const json_t *list = lp_given(object, "strokes");
    size_t n = json_array_size(list);
    if (list && (!json_is_array(list) || ask->strokes + n > LP_STROKES))
        return lp_fault_set(fault, 400, param, NULL, "'strokes' must be a list, and of at most %d strokes", LP_STROKES);
    for (size_t i = 0; i < n; i++)
        if (!take_stroke(ask, json_array_get(list, i), param, fault))
            return false;
    return true;
}

/* Strokes on a reference count as the boxes around them. */
static bool box_strokes(struct lp_ask *ask, int from, struct lp_fault *fault) {
    struct lp_prompts *p = &ask->prompts;
    int n = p->reference_boxes + ask->strokes - from;
    float(*box)[4] = lp_realloc(p->reference_box, (size_t)(n ? n : 1) * sizeof *box);
    if (!box)
        return lp_fault_memory(fault);
    p->reference_box = box;
    for (; ask->strokes > from; ask->strokes--) {
        const struct lp_stroke *s = &ask->stroke[ask->strokes - 1];
        float *b = box[p->reference_boxes++];
        memcpy(b, (const float[4]){1, 1, 0, 0}, 4 * sizeof *b);
        for (int i = s->first; i < s->first + s->n; i++)
            for (int k = 0; k < 2; k++) {
                float at = ask->corner[i][k], lo = at - s->width / 2, hi = at + s->width / 2;
                b[k] = lo < b[k] ? (lo > 0 ? lo : 0) : b[k];
                b[k + 2] = hi > b[k + 2] ? (hi < 1 ? hi : 1) : b[k + 2];
            }
        ask->corners = s->first;
    }
    return true;
}

static bool take_reference(struct lp_ask *ask, struct lp_fault *fault) {
    static const char *const keys[] = {"image", "boxes", "strokes", NULL};
    const json_t *reference = lp_given(ask->body, "reference");
    int from = ask->strokes;
    if (!reference)
        return true;
    ask->reference = json_string_value(json_object_get(reference, "image"));
    if (!ask->reference)
        return lp_bad(fault, "reference",
                      "'reference' must be {\"image\": .., \"boxes\": ..} with a data URL or a picture's handle");
    return check_keys(reference, keys, fault) && take_boxes(ask, reference, true, "reference", fault) &&
           take_strokes(ask, reference, "reference", fault) && box_strokes(ask, from, fault);
}

static bool take_text(struct lp_ask *ask, struct lp_fault *fault) {
    ask->text = json_string_value(json_object_get(ask->body, "text"));
    if (!ask->text || !ask->text[strspn(ask->text, " \t\r\n\v\f")])
        return lp_bad(fault, "text", "'text' must say what to do");
    return strlen(ask->text) <= LONGEST ||
           lp_fault_set(fault, 400, "text", NULL, "'text' is longer than %d bytes", LONGEST);
}

bool lp_ask_parse(struct lp_ask *ask, const char *body, size_t n, const struct lp_sampling *sampling,
                  struct lp_fault *fault) {
    static const char *const keys[] = {"text",  "points",      "labels", "boxes", "strokes", "reference", "stream",
                                       "debug", "temperature", "top_p",  "seed",  NULL};
    ask->temperature = sampling->temperature;
    ask->top_p = sampling->top_p;
    ask->seed = (int64_t)sampling->seed;
    ask->body = lp_take_body(body, n, fault);
    if (!ask->body || !check_keys(ask->body, keys, fault) || !take_text(ask, fault) || !take_points(ask, fault) ||
        !take_boxes(ask, ask->body, false, "boxes", fault) || !take_strokes(ask, ask->body, "strokes", fault) ||
        !take_reference(ask, fault) || !lp_take_number(ask->body, "temperature", 2, &ask->temperature, fault) ||
        !lp_take_number(ask->body, "top_p", 1, &ask->top_p, fault) ||
        !lp_take_integer(ask->body, "seed", INT64_MIN, INT64_MAX, &ask->seed, fault) ||
        !lp_take_flag(ask->body, "debug", &ask->debug, fault) || !lp_take_flag(ask->body, "stream", &ask->stream, fault))
        return false;
    ask->stream = ask->stream || !lp_given(ask->body, "stream");
    return true;
}

void lp_ask_done(struct lp_ask *ask) {
    lp_prompts_done(&ask->prompts);
    lp_free(ask->label);
    json_decref(ask->body);
    *ask = (struct lp_ask){0};
}

json_t *lp_ask_history(const struct lp_ask *ask) {
    static const char *const keys[] = {"points", "labels", "boxes", "strokes"};
    json_t *out = json_pack("{s:s}", "text", ask->text), *reference = NULL;
    bool good = out != NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(ask->body, keys[i]);
        good = good && (!value || !json_object_set(out, keys[i], value));
    }
    if (ask->reference) { /* a data URL is not kept */
        reference = json_deep_copy(json_object_get(ask->body, "reference"));
        bool handle = strncmp(ask->reference, "img_", 4) == 0;
        good = good && reference && (handle || !json_object_set_new(reference, "image", json_null())) &&
               !json_object_set(out, "reference", reference);
    }
    json_decref(reference);
    if (!good)
        json_decref(out);
    return good ? out : NULL;
}
