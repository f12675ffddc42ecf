/* SPDX-License-Identifier: MIT */
/* cli/cmd_skill.c - llava-plus skill list; skill run is cmd_skill_run.c; skill child: one for a server. */
#include "cli/cmd_skill.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/skill_text.h"
#include "skill/children.h"

#include <stdio.h>

static int list(int argc, char **argv) {
    bool json = false;
    int status;
    const struct lp_option options[] = {
        {.name = "json", .help = "print JSON, parameters as JSON Schema", .target = &json},
        {.name = NULL},
    };
    const struct lp_usage usage = {"skill list",
                                   "[options]",
                                   "Shows every skill: what it needs, what it leaves, "
                                   "and whether it is ready on this machine.",
                                   options,
                                   0,
                                   0};
    struct lp_error err = {0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    if (json ? lp_skill_print_json(stdout, &err) : lp_skill_print_list(stdout, &err))
        return 0;
    return lp_command_fail("skill list", &err);
}

static int child(int argc, char **argv) {
    static const struct lp_option none = {.name = NULL};
    static const struct lp_play nobody = {0};
    const struct lp_usage usage = {"skill child", "NAME",
                                   "Runs one skill for 'llava-plus serve', which starts this itself: calls come on standard "
                                   "input, a socket.",
                                   &none, 1, 1};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    const struct lp_skill *skill = lp_skill_find(argv[1]);
    if (!skill)
        lp_skill_unknown(argv[1], &err);
    else if (!lp_child_run(skill, &nobody))
        lp_error_set(&err, LP_EUSAGE, "standard input is no socket: 'llava-plus serve' starts this, nobody else");
    return err.code ? lp_command_fail("skill child", &err) : 0;
}

static const struct lp_named_command commands[] = {
    {"list", list, "the skills: what each needs and leaves, and whether it is ready"},
    {"run", lp_cmd_skill_run, "one skill on pictures"},
    {"child", child, NULL},
    {NULL, NULL, NULL},
};

int lp_cmd_skill(int argc, char **argv) {
    return lp_command_choose(" skill", commands, argc, argv);
}
