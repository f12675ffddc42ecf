/* SPDX-License-Identifier: MIT */
/* skill/annotate.c - what a call left, drawn into a copy of its picture. */
#include "base/memory.h"
#include "image/draw.h"
#include "skill/skill.h"

static struct lp_draw_box pixels_of(const struct lp_object *object, const struct lp_image *image, int color) {
    float w = (float)image->width, h = (float)image->height;
    return (struct lp_draw_box){.x0 = object->box[0] * w,
                                .y0 = object->box[1] * h,
                                .x1 = object->box[2] * w,
                                .y1 = object->box[3] * h,
                                .label = object->text,
                                .color = color};
}

struct lp_image *lp_call_annotate(const struct lp_call *call, struct lp_error *err) {
    if (!call->picture) {
        lp_error_set(err, LP_EINPUT, "%s had no picture to draw on", call->skill->name);
        return NULL;
    }
    struct lp_image *image = lp_image_copy(call->picture, err);
    struct lp_draw_box *box = lp_alloc_array((size_t)call->count + 1, sizeof *box);
    size_t boxes = 0;
    int masks = 0;
    bool ok = image && (box || lp_error_memory(err));
    for (int i = call->first; ok && i < call->first + call->count; i++) {
        const struct lp_object *object = call->objects->item[i];
        if (object->kind == LP_OBJECT_MASK && object->width == image->width &&
            object->height == image->height)
            lp_draw_mask(image, object->pixel, masks++, 0.5f);
        if (object->kind == LP_OBJECT_BOX) {
            box[boxes] = pixels_of(object, image, (int)boxes);
            boxes++;
        }
    }
    if (ok && boxes)
        ok = lp_draw_boxes(image, box, boxes, err);
    lp_free(box);
    if (ok)
        return image;
    lp_image_close(image);
    return NULL;
}
