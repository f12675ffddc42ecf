/* SPDX-License-Identifier: MIT */
/* cli/command.c - choosing a command by its name. */
#include "cli/command.h"

#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static void print_help(FILE *to, const char *of, const struct lp_named_command *list) {
    fprintf(to, "usage: llava-plus%s COMMAND [options]\n\n", of);
    for (; list->name; list++)
        if (list->about)
            fprintf(to, "  %-10s %s\n", list->name, list->about);
    fprintf(to, "\n'llava-plus%s COMMAND --help' tells a command's options.\n", of);
}

static bool asks_for_help(const char *word) {
    return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

int lp_command_choose(const char *of, const struct lp_named_command *list, int argc, char **argv) {
    const char *names[LP_MOST_COMMANDS + 1] = {0};
    bool help = argc > 1 && asks_for_help(argv[1]);
    if (argc < 2 || help) {
        print_help(help ? stdout : stderr, of, list);
        return help ? 0 : 2;
    }
    for (int n = 0; list->name; list++) {
        if (!strcmp(argv[1], list->name))
            return list->run(argc - 1, argv + 1);
        if (list->about)
            names[n++] = list->name;
    }
    const char *near = lp_option_nearest(argv[1], names);
    fprintf(stderr, "llava-plus%s: there is no command '%s'%s%s; see 'llava-plus%s --help'\n", of, argv[1],
            near ? ", perhaps you mean " : "", near ? near : "", of);
    return 2;
}
