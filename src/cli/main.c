/* SPDX-License-Identifier: MIT */
/* cli/main.c - the table of commands. */
#include "cli/command.h"

#include <stddef.h>

static const struct lp_named_command commands[] = {
    {"chat", lp_cmd_chat, "ask about pictures; skills are used where they help"},
    {"serve", lp_cmd_serve, "a web page, and the API of OpenAI for programs"},
    {"controller", lp_cmd_controller, "know workers, and tell clients where they are"},
    {"worker", lp_cmd_worker, "a planner or a skill as a process of its own, known to a controller"},
    {"plan", lp_cmd_plan, "print plans as JSON, running nothing"},
    {"skill", lp_cmd_skill, "list the skills, or run one alone"},
    {"train", lp_cmd_train, "teach a planner dialogues"},
    {"data", lp_cmd_data, "make scenes and training dialogues, and show them"},
    {"eval", lp_cmd_eval, "measure a planner, or what skills find"},
    {"model", lp_cmd_model, "convert, quantize and pack models, and tell what they hold"},
    {"bench", lp_cmd_bench, "measure speeds"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv) {
    return lp_command_choose("", commands, argc, argv);
}
