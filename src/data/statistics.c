/* SPDX-License-Identifier: MIT */
/* data/statistics.c - counts of dialogues, distinct instructions and distinct words. */
#include "data/statistics.h"

#include "base/memory.h"
#include "data/said.h"
#include "skill/skill.h"

#include <ctype.h>
#include <string.h>

const char *const lp_kind_names[LP_KINDS] = {
    "detect",   "segment_instances", "segment_semantic", "segment_at", "segment_levels", "segment_like",
    "caption",  "tag",               "caption_ground",   "tag_ground", "ocr",            "retrieve",
    "generate", "edit",              "inpaint",          "generate_from_layout",         "none",  "see"};

static bool count_words(struct lp_statistics *s, int kind, const char *text) {
    char word[64];
    bool clash, ok = true;
    while (ok && *text) {
        size_t n = 0;
        while (*text && !isalpha((unsigned char)*text))
            text++;
        while (isalpha((unsigned char)*text)) {
            if (n + 1 < sizeof word)
                word[n++] = *text;
            text++;
        }
        word[n] = 0;
        s->spoken[kind] += n > 0;
        if (n)
            ok = lp_seen_claim(&s->words[kind], word, 0, 0, &clash) && lp_seen_claim(&s->all_words, word, 0, 0, &clash);
    }
    return ok;
}

/* The task of a call under any of its names; -1: nobody's. */
static int find_task(const json_t *action) {
    const char *api = json_string_value(json_object_get(action, "API_name"));
    const struct lp_skill *skill = api ? lp_skill_find(api) : NULL;
    return skill ? lp_task_find(skill->name) : -1;
}

static int kind_of(const json_t *record, const json_t *turns) {
    const char *skill = json_string_value(json_object_get(record, "skill"));
    for (int i = 0; skill && i < LP_KINDS; i++)
        if (!strcmp(skill, lp_kind_names[i]))
            return i;
    const json_t *actions = json_object_get(json_array_get(turns, 1), "actions");
    const json_t *last = json_array_get(actions, json_array_size(actions) - 1);
    int task = find_task(last);
    if (task >= 0)
        return task;
    return json_object_get(record, "image") || json_array_size(json_object_get(record, "images")) ? LP_KIND_SEE : LP_TASK_NONE;
}

static void count_calls(struct lp_statistics *s, const json_t *turn) {
    const json_t *action;
    size_t i;
    json_array_foreach(json_object_get(turn, "actions"), i, action) {
        int task = find_task(action);
        s->all_calls++;
        if (task >= 0)
            s->calls[task]++;
    }
}

/* The user's own words in a turn, or the form that stands there instead. Owned by caller; NULL when out of memory. */
static char *request_in(const char *turn) {
    struct lp_said said;
    lp_said_split(turn, &said);
    const char *from = said.bytes ? said.text : said.back;
    size_t n = said.bytes ? said.bytes : strlen(said.back);
    char *text = lp_alloc(n + 1);
    if (text)
        memcpy(text, from, n);
    return text;
}

static bool count_request(struct lp_statistics *s, int kind, const char *turn) {
    char *text = request_in(turn);
    bool clash, ok = text && lp_seen_claim(&s->instructions[kind], text, 0, 0, &clash) && count_words(s, kind, text);
    lp_free(text);
    return ok;
}

bool lp_statistics_add(struct lp_statistics *s, const json_t *record, struct lp_error *err) {
    const json_t *turns = json_object_get(record, "conversations"), *turn;
    bool ok = true;
    int kind = kind_of(record, turns);
    size_t i;
    json_array_foreach(turns, i, turn) {
        const char *text = json_string_value(json_object_get(turn, "value"));
        text = text ? text : "";
        s->bytes[kind] += (int64_t)strlen(text);
        count_calls(s, turn);
        if (i == 0)
            ok = count_request(s, kind, text);
    }
    s->dialogues[kind]++;
    s->all_dialogues++;
    s->turns[kind] += (int64_t)json_array_size(turns);
    return ok ? true : lp_error_memory(err);
}

/* Lines and possible wordings of a skill's phrases, all sections together. */
static double variety(const struct lp_grammar *g, const char *task, size_t *lines) {
    char base[64];
    const char *name;
    const struct lp_list *list;
    double sum = 0;
    size_t n = (size_t)snprintf(base, sizeof base, "phrasings/%s", task);
    *lines = 0;
    for (size_t i = 0; (list = lp_grammar_at(g, i, &name)); i++)
        if (!strncmp(name, base, n) && (name[n] == 0 || name[n] == '/')) {
            *lines += lp_list_entries(list);
            sum += lp_list_variety(list);
        }
    return sum;
}

void lp_statistics_print(const struct lp_statistics *s, const struct lp_grammar *grammar, FILE *to) {
    fprintf(to, "%-22s", "skill");
    if (grammar)
        fprintf(to, " %7s %9s", "lines", "wordings");
    fprintf(to, " %8s %6s %8s %6s %8s %8s %8s %7s\n", "records", "share", "calls", "turns", "words in", "distinct", "words", "bytes");
    for (int k = 0; k < LP_KINDS; k++) {
        size_t lines = 0;
        int64_t records = s->dialogues[k] ? s->dialogues[k] : 1, all = s->all_dialogues ? s->all_dialogues : 1;
        fprintf(to, "%-22s", lp_kind_names[k]);
        if (grammar) {
            double n = variety(grammar, lp_kind_names[k], &lines);
            fprintf(to, " %7zu %9.1e", lines, n);
        }
        fprintf(to, " %8lld %5.1f%% %8lld %6.1f %8.1f %8zu %8zu %7lld\n", (long long)s->dialogues[k],
                100.0 * (double)s->dialogues[k] / (double)all, k < LP_TASKS ? (long long)s->calls[k] : 0LL,
                (double)s->turns[k] / (double)records, (double)s->spoken[k] / (double)records, s->instructions[k].n,
                s->words[k].n, (long long)(s->bytes[k] / records));
    }
    fprintf(to, "%lld records, %lld calls, %zu distinct words in first instructions\n", (long long)s->all_dialogues,
            (long long)s->all_calls, s->all_words.n);
}

void lp_statistics_done(struct lp_statistics *s) {
    for (int k = 0; k < LP_KINDS; k++) {
        lp_seen_done(&s->instructions[k]);
        lp_seen_done(&s->words[k]);
    }
    lp_seen_done(&s->all_words);
}
