/* SPDX-License-Identifier: MIT */
/* cli/cmd_eval.c - llava-plus eval: the table of what can be measured. */
#include "cli/cmd_eval.h"

#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    lp_command *run;
    const char *about;
} measures[] = {
    {"plan", lp_cmd_eval_plan, "plans for a set of instructions: skills, arguments, needless and missed calls"},
    {"scenes", lp_cmd_eval_scenes, "answers about pictures whose content is known: presence, count, colour, relation, caption"},
    {"answers", lp_cmd_eval_answers, "answers about what a detector found: how many things, and where"},
    {"detect", lp_cmd_eval_detect, "boxes against COCO's annotations: average precision and recall, as pycocotools"},
    {"segment", lp_cmd_eval_segment, "masks against COCO's annotations, the same"},
    {"prompts", lp_cmd_eval_prompts, "masks at one click and in a box against the truth: mean intersection over union"},
    {NULL, NULL, NULL},
};

static void print_help(FILE *to) {
    fputs("usage: llava-plus eval <what> [options]\n\nwhat is measured:\n", to);
    for (int i = 0; measures[i].name; i++)
        fprintf(to, "  %-10s %s\n", measures[i].name, measures[i].about);
    fputs("\n'llava-plus eval <what> --help' tells its options.\n", to);
}

bool lp_eval_print(struct lp_str *table, struct lp_error *err) {
    bool whole = !table->failed || lp_error_memory(err);
    if (whole)
        fputs(lp_str_text(table), stdout);
    lp_str_done(table);
    return whole;
}

int lp_cmd_eval(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_help(stdout);
        return 0;
    }
    for (int i = 0; measures[i].name; i++)
        if (!strcmp(argv[1], measures[i].name))
            return measures[i].run(argc - 1, argv + 1);
    fprintf(stderr, "llava-plus eval: there is nothing called '%s' to measure; see 'llava-plus eval --help'\n", argv[1]);
    return 2;
}
