/* SPDX-License-Identifier: MIT */
/* data/statistics.c - counts of dialogues, distinct instructions and distinct words. */
#include "data/statistics.h"

#include <ctype.h>
#include <string.h>

static bool count_words(struct lp_statistics *s, enum lp_task task, const char *text) {
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
        if (n)
            ok = lp_seen_claim(&s->words[task], word, 0, 0, &clash) && lp_seen_claim(&s->all_words, word, 0, 0, &clash);
    }
    return ok;
}

bool lp_statistics_add(struct lp_statistics *s, enum lp_task task, const json_t *record, struct lp_error *err) {
    const json_t *turns = json_object_get(record, "conversations");
    bool clash, ok = true;
    for (size_t i = 0; ok && i < json_array_size(turns); i++) {
        const json_t *turn = json_array_get(turns, i);
        const char *text = json_string_value(json_object_get(turn, "value"));
        s->bytes[task] += (int64_t)strlen(text);
        if (i == 0) {
            while (!strncmp(text, "<image>\n", 8))
                text += 8;
            ok = lp_seen_claim(&s->instructions[task], text, 0, 0, &clash) && count_words(s, task, text);
        }
    }
    s->dialogues[task]++;
    s->turns[task] += (int64_t)json_array_size(turns);
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
    fprintf(to, "%-22s %8s %10s %8s %8s %8s %8s %8s\n", "skill", "lines", "wordings", "records", "distinct", "words",
            "turns", "bytes");
    for (int t = 0; t <= LP_TASKS; t++) {
        size_t lines;
        double n = variety(grammar, lp_task_names[t], &lines);
        int64_t records = s->dialogues[t] ? s->dialogues[t] : 1;
        fprintf(to, "%-22s %8zu %10.1e %8lld %8zu %8zu %8.1f %8lld\n", lp_task_names[t], lines, n,
                (long long)s->dialogues[t], s->instructions[t].n, s->words[t].n, (double)s->turns[t] / (double)records,
                (long long)(s->bytes[t] / records));
    }
    fprintf(to, "%zu distinct words in first instructions\n", s->all_words.n);
}

void lp_statistics_done(struct lp_statistics *s) {
    for (int t = 0; t <= LP_TASKS; t++) {
        lp_seen_done(&s->instructions[t]);
        lp_seen_done(&s->words[t]);
    }
    lp_seen_done(&s->all_words);
}
