/* SPDX-License-Identifier: MIT */
/* What `eval` measures: one subcommand a file. argv[0] is the subcommand's name. */
#ifndef LP_CLI_CMD_EVAL_H
#define LP_CLI_CMD_EVAL_H

#include "base/error.h"
#include "base/str.h"
#include "cli/command.h"

lp_command lp_cmd_eval_plan, lp_cmd_eval_scenes, lp_cmd_eval_answers, lp_cmd_eval_detect, lp_cmd_eval_segment, lp_cmd_eval_prompts;

/* Prints a table and is done with it. LP_EMEMORY where it is not whole. */
bool lp_eval_print(struct lp_str *table, struct lp_error *err);

#endif
