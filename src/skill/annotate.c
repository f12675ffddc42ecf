/* SPDX-License-Identifier: MIT */
/* skill/annotate.c - what a call left, drawn into a copy of its picture. */
#include "base/memory.h"
#include "image/draw.h"
#include "skill/skill.h"

struct lp_image *lp_call_annotate(const struct lp_call *call, struct lp_error *err) {
    if (!call->picture) {
        lp_error_set(err, LP_EINPUT, "%s had no picture to draw on", call->skill->name);
        return NULL;
    }
    return lp_image_copy(call->picture, err);
}
