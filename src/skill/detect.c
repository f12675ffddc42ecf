/* SPDX-License-Identifier: MIT */
/* skill/detect.c - boxes around what a caption names (Grounding DINO, Liu et al. 2023, arXiv:2303.05499). */
#include "skill/detector.h"
#include "skill/table.h"

static const struct lp_param params[] = {
    {.name = "caption",
     .kind = LP_PARAM_TEXT,
     .required = true,
     .most = 1000,
     .about = "what to look for: phrases joined by \" . \""},
    {.name = NULL},
};

static bool run(struct lp_call *call, void *opened, struct lp_error *err) {
    struct lp_detections *found = lp_detector_find(opened, call, err);
    bool ok = found && lp_detector_give(call, found, err);
    lp_detections_close(found);
    return ok;
}

const struct lp_skill lp_skill_detect = {
    .name = "detect",
    .api_name = "grounding_dino",
    .about = "finds what a caption names and boxes each one",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_BOX | LP_LEAVES_COUNT,
    .missing = lp_detector_missing,
    .open = lp_detector_open,
    .close = lp_detector_close,
    .run = run,
};
