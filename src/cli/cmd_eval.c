/* SPDX-License-Identifier: MIT */
/* cli/cmd_eval.c - llava-plus eval: the table of what can be measured. */
#include "cli/cmd_eval.h"

#include <stdio.h>

static const struct lp_named_command commands[] = {
    {"plan", lp_cmd_eval_plan, "plans for a set of instructions: skills, arguments, needless and missed calls"},
    {"scenes", lp_cmd_eval_scenes, "answers about pictures whose content is known: presence, count, colour, relation, caption"},
    {"answers", lp_cmd_eval_answers, "answers about what a detector found: how many things, and where"},
    {"detect", lp_cmd_eval_detect, "boxes against COCO's annotations: average precision and recall, as pycocotools"},
    {"segment", lp_cmd_eval_segment, "masks against COCO's annotations, the same"},
    {"prompts", lp_cmd_eval_prompts, "masks at one click and in a box against the truth: mean intersection over union"},
    {NULL, NULL, NULL},
};

bool lp_eval_print(struct lp_str *table, struct lp_error *err) {
    bool whole = !table->failed || lp_error_memory(err);
    if (whole)
        fputs(lp_str_text(table), stdout);
    lp_str_done(table);
    return whole;
}

int lp_cmd_eval(int argc, char **argv) {
    return lp_command_choose(" eval", commands, argc, argv);
}
