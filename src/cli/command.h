/* SPDX-License-Identifier: MIT */
/* What a subcommand is. Adding one: its cmd_<name>.c, a declaration here, a line in main.c's table. */
#ifndef LP_CLI_COMMAND_H
#define LP_CLI_COMMAND_H

#include "llava_plus.h"

/* argv[0] is the command's own name. Returns the exit status: 0 done, 1 failed, 2 wrong usage. */
typedef int lp_command(int argc, char **argv);

lp_command lp_cmd_chat;
lp_command lp_cmd_plan;
lp_command lp_cmd_serve;
lp_command lp_cmd_controller;
lp_command lp_cmd_worker;
lp_command lp_cmd_skill;
lp_command lp_cmd_train;
lp_command lp_cmd_data;
lp_command lp_cmd_eval;
lp_command lp_cmd_model;
lp_command lp_cmd_bench;

#endif
