/* SPDX-License-Identifier: MIT */
/* A command's options: one table from which come parsing, --help and the sentences for wrong usage. */
#ifndef LP_CLI_OPTIONS_H
#define LP_CLI_OPTIONS_H

#include "base/error.h"

enum lp_option_kind {
    LP_OPTION_FLAG,   /* target bool: set to true */
    LP_OPTION_STRING, /* target const char *: borrowed from argv */
    LP_OPTION_INT,    /* target int64_t, lo..hi */
    LP_OPTION_FLOAT,  /* target double, lo..hi */
    LP_OPTION_LIST    /* target struct lp_option_list: may be given several times */
};

#define LP_OPTION_LIST_MOST 64
struct lp_option_list {
    const char *item[LP_OPTION_LIST_MOST]; /* borrowed from argv */
    int n;
};

/* A list of them ends with a name of NULL. */
struct lp_option {
    const char *name;     /* long name without the dashes */
    char letter;          /* or 0 */
    const char *argument; /* its name in --help: "FILE"; NULL for a flag */
    const char *help;
    enum lp_option_kind kind;
    const char *fallback; /* text of the default, written to the target first and shown in --help; NULL: the target
                             stays as the caller set it */
    void *target;
    double lo, hi; /* numbers: both 0 for any */
};

struct lp_usage {
    const char *command;  /* "skill run" */
    const char *operands; /* as shown after the command: "NAME [options]" */
    const char *about;    /* one sentence or more, for --help */
    const struct lp_option *options;
    int least, most; /* operands; most < 0: any number */
};

/* Reads --name value, --name=value, -n value, -nvalue and flags, anywhere among the operands; "--" ends options and
 * "-" is an operand. True: argv[1] .. argv[*argc - 1] are now the operands (argv[0] stays). False: it has printed
 * the help to stdout (--help, -h) or one sentence to stderr, and the command returns *status. */
bool lp_options_parse(const struct lp_usage *usage, int *argc, char **argv, int *status);

/* Of `names` (ended by NULL) the one that `word` probably meant, or NULL. */
const char *lp_option_nearest(const char *word, const char *const *names);

/* Prints "llava-plus <command>: <sentence>" to stderr and returns the exit status for the error. */
int lp_command_fail(const char *command, const struct lp_error *err);

#endif
