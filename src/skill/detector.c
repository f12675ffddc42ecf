/* SPDX-License-Identifier: MIT */
/* skill/detector.c - Grounding DINO for skills: its weights, what it found as objects. */
#include "skill/detector.h"

#include "base/models.h"
#include "image/boxes.h"
#include "text/python.h"

#include <string.h>

enum { TOLD = 12 }; /* as many a planner is told of; the others it knows by handle */

static bool find_weights(char out[PATH_MAX]) {
    static const char *const names[] = {"grounding-dino", "grounding-dino-base", "grounding-dino-tiny",
                                        "llava-plus-nano-grounding-dino-v1", NULL};
    return lp_models_find(names, out);
}

const char *lp_detector_missing(void) {
    char folder[PATH_MAX];
    return find_weights(folder)
               ? NULL
               : "Grounding DINO weights (a folder such as IDEA-Research/grounding-dino-tiny in the "
                 "folder that LLAVA_PLUS_MODELS names)";
}

void *lp_detector_open(struct lp_error *err) {
    char folder[PATH_MAX];
    if (find_weights(folder))
        return lp_grounding_dino_open(folder, lp_kernels_cpu(), err);
    lp_error_set(err, LP_EMISSING, "the weights are gone");
    return NULL;
}

void lp_detector_close(void *detector) {
    lp_grounding_dino_close(detector);
}

static void trim(char *text) {
    size_t n = strlen(text), from = strspn(text, " ");
    while (n > from && text[n - 1] == ' ')
        n--;
    memmove(text, text + from, n - from);
    text[n - from] = 0;
}

struct lp_detections *lp_detector_find(void *detector, const struct lp_call *call, struct lp_error *err) {
    const char *caption = json_string_value(json_object_get(call->params, "caption"));
    const struct lp_image *image = call->picture;
    struct lp_detect_limits limits;
    lp_detect_limits_defaults(&limits);
    struct lp_detections *found =
        lp_grounding_dino_detect(detector, image, caption, strlen(caption), &limits, call->cancel, err);
    for (int64_t i = 0; found && i < found->count; i++) {
        lp_boxes_clip(found->item[i].box, 1, (float)image->width, (float)image->height);
        trim(found->item[i].phrase);
    }
    return found;
}

static json_t *box_of(const float box[4], int digits) {
    return json_pack("[f,f,f,f]", lp_python_round(box[0], digits), lp_python_round(box[1], digits),
                     lp_python_round(box[2], digits), lp_python_round(box[3], digits));
}

/* Adds to three lists of `to`; false when out of memory. */
static bool tell(json_t *to, const char *scores, json_t *box, double score, const char *phrase) {
    bool ok = !json_array_append_new(json_object_get(to, "boxes"), box);
    ok = !json_array_append_new(json_object_get(to, scores), json_real(score)) && ok;
    return !json_array_append_new(json_object_get(to, "phrases"), json_string(phrase)) && ok;
}

static bool give_one(struct lp_call *call, const struct lp_detection *one, bool is_told,
                     struct lp_error *err) {
    float box[4];
    memcpy(box, one->box, sizeof box);
    lp_boxes_scale(box, 1, 1 / (float)call->picture->width, 1 / (float)call->picture->height);
    lp_boxes_clip(box, 1, 1, 1);
    bool ok = tell(call->report, "scores", box_of(one->box, 2), lp_python_round(one->score, 4), one->phrase);
    if (ok && is_told)
        ok = tell(call->result, "logits", box_of(box, 2), lp_python_round(one->score, 2), one->phrase);
    return ok ? lp_objects_add_box(&call->made, box, one->phrase, one->score, err) != NULL
              : lp_error_memory(err);
}

bool lp_detector_give(struct lp_call *call, const struct lp_detections *found, struct lp_error *err) {
    bool ok = !json_object_set_new(call->result, "boxes", json_array()) &&
              !json_object_set_new(call->result, "logits", json_array()) &&
              !json_object_set_new(call->result, "phrases", json_array()) &&
              !json_object_set_new(call->report, "boxes", json_array()) &&
              !json_object_set_new(call->report, "phrases", json_array()) &&
              !json_object_set_new(call->report, "scores", json_array());
    if (!ok)
        return lp_error_memory(err);
    for (int64_t i = 0; ok && i < found->count; i++)
        ok = give_one(call, &found->item[i], i < TOLD, err);
    return ok && lp_objects_add_count(&call->made, (int)found->count, NULL, err);
}
