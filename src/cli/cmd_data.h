/* SPDX-License-Identifier: MIT */
/* The subcommands of `llava-plus data`. argv[0] is the subcommand's name; each returns the exit status. */
#ifndef LP_CLI_CMD_DATA_H
#define LP_CLI_CMD_DATA_H

int lp_cmd_data_instruct(int argc, char **argv);
int lp_cmd_data_rewrite(int argc, char **argv);
int lp_cmd_data_scenes(int argc, char **argv);
int lp_cmd_data_stats(int argc, char **argv);
int lp_cmd_data_show(int argc, char **argv);

#endif
