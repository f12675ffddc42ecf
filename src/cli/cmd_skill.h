/* SPDX-License-Identifier: MIT */
#ifndef LP_CLI_CMD_SKILL_H
#define LP_CLI_CMD_SKILL_H

#include "cli/command.h"

lp_command lp_cmd_skill_run;

#endif
