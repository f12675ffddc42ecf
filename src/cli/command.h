/* SPDX-License-Identifier: MIT */
/* What a subcommand is. Adding one: its cmd_<name>.c, a declaration here, a line in main.c's table. */
#ifndef LP_CLI_COMMAND_H
#define LP_CLI_COMMAND_H

#include "llava_plus.h"

/* argv[0] is the command's own name. Returns the exit status: 0 done, 1 failed, 2 wrong usage. */
typedef int lp_command(int argc, char **argv);

enum { LP_MOST_COMMANDS = 16 };
struct lp_named_command {
    const char *name;
    lp_command *run;
    const char *about; /* NULL: not for people, so that no help tells of it */
};

/* Runs the command of the list (ended by a NULL name) that argv[1] names, and returns its exit status; else prints what
 * there is, or that there is no such command. of: whose commands they are, "" or " data". */
int lp_command_choose(const char *of, const struct lp_named_command *list, int argc, char **argv);

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
