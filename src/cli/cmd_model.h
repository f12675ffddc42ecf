/* SPDX-License-Identifier: MIT */
/* The subcommands of `llava-plus model`. argv[0] is the subcommand's name; each returns the exit status. */
#ifndef LP_CLI_CMD_MODEL_H
#define LP_CLI_CMD_MODEL_H

int lp_cmd_model_convert(int argc, char **argv);
int lp_cmd_model_info(int argc, char **argv);
int lp_cmd_model_pack(int argc, char **argv);
int lp_cmd_model_quantize(int argc, char **argv);

#endif
