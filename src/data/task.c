/* SPDX-License-Identifier: MIT */
/* data/task.c - names of tasks and handles. */
#include "data/task.h"

#include <string.h>

const char *const lp_task_names[LP_TASKS + 1] = {
    "detect",   "segment_instances", "segment_semantic", "segment_at", "segment_levels", "segment_like",
    "caption",  "tag",               "caption_ground",   "tag_ground", "ocr",            "retrieve",
    "generate", "edit",              "inpaint",          "generate_from_layout",         "none"};

const char *const lp_task_api[LP_TASKS] = {
    "grounding_dino",   "grounding_dino+sam", "openseed",   "sam",
    "semantic-sam",     "seem",               "blip2",      "ram",
    "blip2+grounding_dino", "ram+grounding_dino", "ocr",    "clip",
    "stable-diffusion", "instruct-pix2pix",   "inpainting", "controlnet"};

const char *const lp_left_names[LP_LEFTS] = {"text", "count", "box", "mask", "map", "img"};

int lp_task_find(const char *name) {
    for (int i = 0; i <= LP_TASKS; i++)
        if (!strcmp(name, lp_task_names[i]) || (i < LP_TASKS && !strcmp(name, lp_task_api[i])))
            return i;
    return -1;
}
