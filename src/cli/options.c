/* SPDX-License-Identifier: MIT */
/* cli/options.c - options from a table. */
#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMNS = 100, HELP_INDENT = 30, WORD_MOST = 63, OPTIONS_MOST = 64 };

int lp_command_fail(const char *command, const struct lp_error *err) {
    fprintf(stderr, "llava-plus %s: %s\n", command, err->text);
    return lp_error_exit_status(err->code);
}

/* Levenshtein distance of two short words; words beyond WORD_MOST count as far. */
static int distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MOST || m > WORD_MOST)
        return WORD_MOST;
    int row[WORD_MOST + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int corner = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int best = corner + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[m];
}

/* Distance for a suggestion: a word that only stops early is near. */
static int strangeness(const char *word, const char *name) {
    size_t n = strlen(word);
    return n >= 2 && !strncmp(word, name, n) ? 1 : distance(word, name);
}

const char *lp_option_nearest(const char *word, const char *const *names) {
    const char *nearest = NULL;
    int least = WORD_MOST;
    for (; *names; names++) {
        int d = strangeness(word, *names);
        if (d < least) {
            least = d;
            nearest = *names;
        }
    }
    return least <= 2 && (size_t)least < strlen(word) ? nearest : NULL;
}

static void put_wrapped(const char *text, int column) {
    int at = column;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (at > column && at + n + 1 > HELP_COLUMNS) {
            printf("\n%*s", column, "");
            at = column;
        }
        at += printf("%s%.*s", at > column ? " " : "", n, text);
        text += n;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_option(const struct lp_option *o) {
    char head[80], help[1000];
    int n = o->letter ? snprintf(head, sizeof head, "  -%c, --%s", o->letter, o->name)
                      : snprintf(head, sizeof head, "      --%s", o->name);
    if (o->argument && n < (int)sizeof head)
        snprintf(head + n, sizeof head - (size_t)n, " %s", o->argument);
    snprintf(help, sizeof help, o->fallback ? "%s (default %s)" : "%s", o->help, o->fallback);
    n = printf("%-*s", HELP_INDENT - 2, head);
    if (n > HELP_INDENT - 2)
        printf("\n%*s", HELP_INDENT, "");
    else
        printf("  ");
    put_wrapped(help, HELP_INDENT);
}

static void print_help(const struct lp_usage *usage) {
    printf("usage: llava-plus %s %s\n\n", usage->command, usage->operands);
    put_wrapped(usage->about, 0);
    printf("\noptions:\n");
    for (const struct lp_option *o = usage->options; o && o->name; o++)
        print_option(o);
    print_option(&(struct lp_option){.name = "help", .letter = 'h', .help = "show this"});
}

/* Finds by long name (letter 0) or by letter. */
static const struct lp_option *find(const struct lp_usage *usage, const char *name, size_t n, char letter) {
    for (const struct lp_option *o = usage->options; o && o->name; o++)
        if (letter ? o->letter == letter : strlen(o->name) == n && !strncmp(o->name, name, n))
            return o;
    return NULL;
}

static bool unknown(const struct lp_usage *usage, const char *word, size_t n, struct lp_error *err) {
    char name[WORD_MOST + 1];
    const char *names[OPTIONS_MOST + 1] = {NULL};
    snprintf(name, sizeof name, "%.*s", (int)(n < WORD_MOST ? n : WORD_MOST), word);
    for (int i = 0; i < OPTIONS_MOST && usage->options && usage->options[i].name; i++)
        names[i] = usage->options[i].name;
    const char *nearest = lp_option_nearest(name, names);
    if (nearest)
        return lp_error_set(err, LP_EUSAGE, "there is no option '--%s'; did you mean '--%s'?", name, nearest);
    return lp_error_set(err, LP_EUSAGE, "there is no option '--%s'; see 'llava-plus %s --help'", name,
                        usage->command);
}

static bool set_number(const struct lp_option *o, const char *value, struct lp_error *err) {
    char *end;
    bool whole = o->kind == LP_OPTION_INT, any = o->lo == 0 && o->hi == 0;
    errno = 0;
    int64_t i = whole ? strtoll(value, &end, 10) : 0;
    double x = whole ? (double)i : strtod(value, &end);
    if (end == value || *end || errno || !isfinite(x))
        return lp_error_set(err, LP_EUSAGE, "--%s wants a %s, not '%s'", o->name,
                            whole ? "whole number" : "number", value);
    if (!any && (x < o->lo || x > o->hi))
        return lp_error_set(err, LP_EUSAGE, "--%s must be from %g to %g, not %s", o->name, o->lo, o->hi,
                            value);
    if (whole)
        *(int64_t *)o->target = i;
    else
        *(double *)o->target = x;
    return true;
}

static bool set(const struct lp_option *o, const char *value, struct lp_error *err) {
    struct lp_option_list *list;
    switch (o->kind) {
    case LP_OPTION_FLAG:
        *(bool *)o->target = true;
        return true;
    case LP_OPTION_STRING:
        *(const char **)o->target = value;
        return true;
    case LP_OPTION_LIST:
        list = o->target;
        if (list->n == LP_OPTION_LIST_MOST)
            return lp_error_set(err, LP_EUSAGE, "--%s is given more than %d times", o->name, list->n);
        list->item[list->n++] = value;
        return true;
    default:
        return set_number(o, value, err);
    }
}

/* Reads the option at argv[i], which starts with '-'; returns how many arguments it took, 0 on failure. */
static int take(const struct lp_usage *usage, int argc, char **argv, int i, struct lp_error *err) {
    const char *word = argv[i], *value = NULL;
    const struct lp_option *o;
    if (word[1] == '-') {
        size_t n = strcspn(word + 2, "=");
        o = find(usage, word + 2, n, 0);
        if (word[2 + n] == '=')
            value = word + 3 + n;
        if (!o)
            return unknown(usage, word + 2, n, err);
    } else {
        o = find(usage, NULL, 0, word[1]);
        if (!o)
            return lp_error_set(err, LP_EUSAGE, "there is no option '-%c'; see 'llava-plus %s --help'",
                                word[1], usage->command);
        if (word[2])
            value = word + 2;
    }
    if (o->kind == LP_OPTION_FLAG) {
        if (value)
            return lp_error_set(err, LP_EUSAGE, "--%s takes no value", o->name);
        return set(o, NULL, err);
    }
    if (value)
        return set(o, value, err);
    if (i + 1 >= argc)
        return lp_error_set(err, LP_EUSAGE, "--%s wants a value (%s)", o->name,
                            o->argument ? o->argument : "VALUE");
    return set(o, argv[i + 1], err) ? 2 : 0;
}

static bool is_help(const char *word) {
    return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static bool parse(const struct lp_usage *usage, int *argc, char **argv, bool *help, struct lp_error *err) {
    int operands = 0;
    bool only_operands = false;
    for (const struct lp_option *o = usage->options; o && o->name; o++)
        if (o->fallback && !set(o, o->fallback, err))
            return false;
    for (int i = 1; i < *argc;) {
        char *word = argv[i];
        if (only_operands || word[0] != '-' || !word[1]) {
            argv[1 + operands++] = word;
            i++;
        } else if (!strcmp(word, "--")) {
            only_operands = true;
            i++;
        } else if ((*help = is_help(word))) {
            return false;
        } else {
            int n = take(usage, *argc, argv, i, err);
            if (!n)
                return false;
            i += n;
        }
    }
    if (operands < usage->least)
        return lp_error_set(err, LP_EUSAGE, "something is missing; usage: llava-plus %s %s", usage->command,
                            usage->operands);
    if (usage->most >= 0 && operands > usage->most)
        return lp_error_set(err, LP_EUSAGE, "'%s' is one argument too many; usage: llava-plus %s %s",
                            argv[1 + usage->most], usage->command, usage->operands);
    *argc = 1 + operands;
    return true;
}

bool lp_options_parse(const struct lp_usage *usage, int *argc, char **argv, int *status) {
    struct lp_error err = {0};
    bool help = false;
    if (parse(usage, argc, argv, &help, &err))
        return true;
    *status = 0;
    if (help)
        print_help(usage);
    else
        *status = lp_command_fail(usage->command, &err);
    return false;
}
