/* SPDX-License-Identifier: MIT */
/* Points, boxes and a reference picture that come with a request, from JSON. */
#ifndef LP_PLAN_PROMPTS_H
#define LP_PLAN_PROMPTS_H

#include "plan/conversation.h"

#include <jansson.h>

/* A request's marks on its picture, read from JSON: of the command line, a batch's line or a session's message. */
struct lp_prompts {
    float (*point)[2], (*box)[4], (*reference_box)[4]; /* owned */
    int points, boxes, reference_boxes;
    struct lp_image *reference; /* owned */
};
void lp_prompts_done(struct lp_prompts *p);
/* `value`: [[x,y], ..] or [x,y]; `name` for errors. LP_EINPUT. */
bool lp_prompts_points(struct lp_prompts *p, const json_t *value, const char *name, struct lp_error *err);
/* boxes or reference boxes: [[x0,y0,x1,y1], ..] or one. */
bool lp_prompts_boxes(struct lp_prompts *p, const json_t *value, bool reference, const char *name,
                      struct lp_error *err);
struct lp_request lp_prompts_request(const struct lp_prompts *p, const char *text); /* borrows both */

#endif
