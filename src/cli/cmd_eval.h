/* SPDX-License-Identifier: MIT */
/* What `eval` measures: one subcommand a file. argv[0] is the subcommand's name. */
#ifndef LP_CLI_CMD_EVAL_H
#define LP_CLI_CMD_EVAL_H

#include "cli/command.h"

lp_command lp_cmd_eval_plan, lp_cmd_eval_scenes, lp_cmd_eval_detect, lp_cmd_eval_segment, lp_cmd_eval_prompts;

#endif
