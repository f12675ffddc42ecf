/* SPDX-License-Identifier: MIT */
/* cli/cmd_data.c - `llava-plus data`: everything that makes or shows data. */
#include "cli/cmd_data.h"
#include "cli/command.h"
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *about;
    int (*run)(int argc, char **argv);
} parts[] = {
    {"scenes", "draw pictures whose content is known", lp_cmd_data_scenes},
    {"show", "draw records with their truth, to look at", lp_cmd_data_show},
    {"instruct", "make dialogues that teach a planner", lp_cmd_data_instruct},
    {"stats", "count what dialogues hold, as a table and a picture", lp_cmd_data_stats},
    {"rewrite", "put the instructions of dialogues in other words", lp_cmd_data_rewrite},
};
enum { PARTS = sizeof parts / sizeof *parts };

int lp_cmd_data(int argc, char **argv) {
    const char *names[PARTS + 1] = {0};
    for (int i = 0; i < PARTS; i++)
        names[i] = parts[i].name;
    for (int i = 0; argc > 1 && i < PARTS; i++)
        if (!strcmp(argv[1], parts[i].name))
            return parts[i].run(argc - 1, argv + 1);
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        puts("Usage: llava-plus data COMMAND [options]\n");
        for (int i = 0; i < PARTS; i++)
            printf("  %-10s %s\n", parts[i].name, parts[i].about);
        puts("\n'llava-plus data COMMAND --help' tells more.");
        return 0;
    }
    struct lp_error err = {0};
    const char *near = argc > 1 ? lp_option_nearest(argv[1], names) : NULL;
    if (argc < 2)
        lp_error_set(&err, LP_EUSAGE, "say what to do; see 'llava-plus data --help'");
    else
        lp_error_set(&err, LP_EUSAGE, "there is no 'data %s'%s%s; see 'llava-plus data --help'", argv[1],
                     near ? ", perhaps you mean " : "", near ? near : "");
    return lp_command_fail("data", &err);
}
