/* SPDX-License-Identifier: MIT */
/* cli/main.c - the table of commands. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    lp_command *run;
    const char *about;
} commands[] = {
    {"chat", lp_cmd_chat, "ask about pictures; skills are used where they help"},
    {"serve", lp_cmd_serve, "the planner behind the API of OpenAI, for programs on this machine"},
    {"controller", lp_cmd_controller, "know workers, and tell clients where they are"},
    {"worker", lp_cmd_worker, "a planner or a skill as a process of its own, known to a controller"},
    {"plan", lp_cmd_plan, "print plans as JSON, running nothing"},
    {"skill", lp_cmd_skill, "list the skills, or run one alone"},
    {"train", lp_cmd_train, "teach a planner dialogues"},
    {"data", lp_cmd_data, "make training dialogues"},
    {"eval", lp_cmd_eval, "measure a planner"},
    {"model", lp_cmd_model, "convert models"},
    {"bench", lp_cmd_bench, "measure the speed of the arithmetic"},
    {NULL, NULL, NULL},
};

static void print_help(FILE *to) {
    fputs("usage: llava-plus <command> [options]\n\ncommands:\n", to);
    for (int i = 0; commands[i].name; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about);
    fputs("\n'llava-plus <command> --help' tells a command's options.\n", to);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return 0;
    }
    for (int i = 0; commands[i].name; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "llava-plus: there is no command '%s'; see 'llava-plus --help'\n", argv[1]);
    return 2;
}
