/* SPDX-License-Identifier: MIT */
/* cli/cmd_data_instruct.c - `llava-plus data instruct`: dialogues from the grammar, as the released records. */
#include "cli/cmd_data.h"
#include "cli/command.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/options.h"
#include "data/instruct.h"
#include "data/statistics.h"
#include "text/python.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct request {
    int64_t count, turns, seed;
    const char *picture, *out, *scenes, *skill, *grammar, *tools;
    int64_t chat;
    bool perfect, stats, thoughtless;
};

static void show_progress(int64_t done, int64_t count, double started) {
    if (!isatty(2) && done != count)
        return;
    double seconds = (lp_clock_ms() - started) / 1000;
    fprintf(stderr, "%s%lld of %lld dialogues, %.0f a second%s", isatty(2) ? "\r" : "", (long long)done,
            (long long)count, (double)done / (seconds > 0.001 ? seconds : 0.001), done == count ? "\n" : "");
}

/* One record a line, in one JSON array. */
static bool write_record(FILE *file, const json_t *record, bool first, struct lp_error *err) {
    char *text = lp_python_json(record);
    if (!text)
        return lp_error_memory(err);
    fprintf(file, "%s%s", first ? "" : ",\n", text);
    lp_free(text);
    return true;
}

/* Leaves only the first turns of a record, and the pictures that they show. */
static bool cut(json_t *record, int64_t turns) {
    json_t *list = json_object_get(record, "conversations"), *image = json_object_get(record, "image");
    while (json_array_size(list) > (size_t)turns)
        json_array_remove(list, json_array_size(list) - 1);
    size_t marks = 0, i;
    const json_t *turn;
    json_array_foreach(list, i, turn)
        for (const char *at = json_string_value(json_object_get(turn, "value")); at && (at = strstr(at, "<image>")); at++)
            marks++;
    while (json_array_size(image) > marks)
        json_array_remove(image, json_array_size(image) - 1);
    if (marks == 0)
        json_object_del(record, "image");
    return marks != 1 || !json_is_array(image) || !json_object_set(record, "image", json_array_get(image, 0));
}

/* For measuring what thoughts are worth. */
static bool drop_thoughts(json_t *record) {
    size_t i;
    json_t *turn;
    bool ok = true;
    json_array_foreach(json_object_get(record, "conversations"), i, turn)
        if (json_object_get(turn, "thoughts"))
            ok = ok && !json_object_set_new(turn, "thoughts", json_string(""));
    return ok;
}

static bool write_all(const struct request *q, struct lp_instruct *maker, FILE *file, struct lp_statistics *stats,
                      struct lp_error *err) {
    double started = lp_clock_ms();
    fputs("[\n", file);
    for (int64_t i = 0; i < q->count; i++) {
        enum lp_task task;
        json_t *record = lp_instruct_next(maker, &task, err);
        if (record && ((q->turns && !cut(record, q->turns)) || (q->thoughtless && !drop_thoughts(record)))) {
            json_decref(record);
            return lp_error_memory(err);
        }
        bool ok = record && write_record(file, record, i == 0, err) &&
                  ((!q->stats && !q->picture) || lp_statistics_add(stats, record, err));
        json_decref(record);
        if (!ok)
            return false;
        if ((i + 1) % 1000 == 0 || i + 1 == q->count)
            show_progress(i + 1, q->count, started);
    }
    fputs("\n]\n", file);
    return !ferror(file) ? true : lp_error_set(err, LP_EIO, "cannot write '%s': %s", q->out, strerror(errno));
}

static bool write_file(const struct request *q, struct lp_instruct *maker, struct lp_statistics *stats,
                       struct lp_error *err) {
    struct lp_file_writing w;
    return lp_file_begin(&w, q->out, err) && lp_file_end(&w, write_all(q, maker, w.to, stats, err), err);
}

static bool settings_of(const struct request *q, const struct lp_truth *truth, struct lp_instruct_settings *s,
                        struct lp_error *err) {
    lp_instruct_defaults(s);
    s->truth = truth;
    s->seed = (uint64_t)q->seed;
    s->skill = q->skill;
    s->chat_percent = (int)q->chat;
    if (q->perfect)
        s->skills = lp_skills_perfect;
    s->tools = !strcmp(q->tools, "all") ? LP_INSTRUCT_ALL : LP_INSTRUCT_FLY;
    if (strcmp(q->tools, "all") && strcmp(q->tools, "fly"))
        return lp_error_set(err, LP_EUSAGE, "--tools is 'fly' or 'all', not '%s'", q->tools);
    return true;
}

static bool instruct(const struct request *q, struct lp_error *err) {
    struct lp_statistics stats = {0};
    struct lp_instruct_settings settings;
    struct lp_truth *truth = lp_truth_open(q->scenes, err);
    struct lp_grammar *grammar = truth ? lp_grammar_open(q->grammar, lp_dialogue_slots, err) : NULL;
    bool ok = grammar && settings_of(q, truth, &settings, err);
    struct lp_instruct *maker = ok ? lp_instruct_open(grammar, &settings, err) : NULL;
    ok = maker != NULL;
    if (ok)
        ok = !strcmp(q->out, "-") ? write_all(q, maker, stdout, &stats, err) : write_file(q, maker, &stats, err);
    if (ok && q->stats)
        lp_statistics_print(&stats, grammar, stderr);
    if (ok && q->picture)
        ok = lp_statistics_save(&stats, q->picture, err);
    lp_statistics_done(&stats);
    lp_instruct_close(maker);
    lp_grammar_close(grammar);
    lp_truth_close(truth);
    return ok;
}

/* Whether the dialogues shall come from others, in other words: that is `data rewrite`, options and all. */
static bool wants_rewrite(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--like") || !strncmp(argv[i], "--like=", 7))
            return true;
    return false;
}

int lp_cmd_data_instruct(int argc, char **argv) {
    if (wants_rewrite(argc, argv))
        return lp_cmd_data_rewrite(argc, argv);
    struct request q = {.seed = 1, .grammar = lp_grammar_folder(), .tools = "fly", .chat = 25};
    const struct lp_option options[] = {
        {"count", 'n', "N", "number of dialogues", LP_OPTION_INT, "1000", &q.count, 1, 100e6},
        {"turns", 0, "N", "only the first N turns of each dialogue, an even number; 0: all", LP_OPTION_INT, "0", &q.turns, 0, 1e6},
        {"seed", 's', "S", "same seed, same dialogues", LP_OPTION_INT, "1", &q.seed, 0, 1e15},
        {"out", 'o', "FILE", "where the JSON array goes; - is standard output", LP_OPTION_STRING, NULL, &q.out, 0, 0},
        {"scenes", 0, "DIR", "the pictures that are spoken of, with their truth ('data scenes' makes such a folder)",
         LP_OPTION_STRING, NULL, &q.scenes, 0, 0},
        {"skill", 0, "NAME", "only dialogues that begin with this skill ('none': with no skill, 'see': visual chat, 'repeat': copying)",
         LP_OPTION_STRING, NULL, &q.skill, 0, 0},
        {"tools", 0, "HOW", "'fly': skills are called when wanted; 'all': their results stand with the question",
         LP_OPTION_STRING, "fly", &q.tools, 0, 0},
        {"chat-share", 0, "PERCENT", "visual chat in the mix", LP_OPTION_INT, "25", &q.chat, 0, 100},
        {"perfect", 0, NULL, "skills are always ready and make no mistakes", LP_OPTION_FLAG, NULL, &q.perfect, 0, 0},
        {"grammar", 0, "DIR", "the folder with words, phrasings, thoughts and answers", LP_OPTION_STRING, NULL,
         &q.grammar, 0, 0},
        {"no-thoughts", 0, NULL, "leave the assistant's thoughts empty", LP_OPTION_FLAG, NULL, &q.thoughtless, 0, 0},
        {"stats", 0, NULL, "print a table of what was made to standard error", LP_OPTION_FLAG, NULL, &q.stats, 0, 0},
        {"stats-picture", 0, "FILE", "draw what was made as bars (.png, .jpg, .webp)", LP_OPTION_STRING, NULL, &q.picture, 0, 0},
        {0}};
    const struct lp_usage usage = {"data instruct", "--scenes DIR --out FILE [options]",
                                   "Makes instruction dialogues for all skills about scenes from the hand-written grammar in data/.\n"
                                   "With --like FILE the instructions of that file are put in other words instead: see 'data rewrite --help'.",
                                   options, 0, 0};
    struct lp_error err = {0};
    int status;
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    if (!q.scenes)
        lp_error_set(&err, LP_EUSAGE, "say with --scenes DIR which pictures are spoken of");
    else if (q.turns % 2)
        lp_error_set(&err, LP_EUSAGE, "--turns must be an even number: an answer comes last");
    else if (!q.out)
        lp_error_set(&err, LP_EUSAGE, "say with --out FILE where the dialogues go");
    else if (instruct(&q, &err))
        return 0;
    return lp_command_fail("data instruct", &err);
}
