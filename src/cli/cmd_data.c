/* SPDX-License-Identifier: MIT */
/* cli/cmd_data.c - `llava-plus data`: everything that makes or shows data. */
#include "cli/cmd_data.h"
#include "cli/command.h"

#include <stddef.h>

static const struct lp_named_command commands[] = {
    {"scenes", lp_cmd_data_scenes, "draw pictures whose content is known"},
    {"show", lp_cmd_data_show, "draw records with their truth, to look at"},
    {"instruct", lp_cmd_data_instruct, "make dialogues that teach a planner"},
    {"stats", lp_cmd_data_stats, "count what dialogues hold, as a table and a picture"},
    {"rewrite", lp_cmd_data_rewrite, "put the instructions of dialogues in other words"},
    {NULL, NULL, NULL},
};

int lp_cmd_data(int argc, char **argv) {
    return lp_command_choose(" data", commands, argc, argv);
}
