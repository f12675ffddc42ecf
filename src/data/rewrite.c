/* SPDX-License-Identifier: MIT */
/* data/rewrite.c - asks for wordings of every instruction in a file of dialogues, then writes the dialogues anew. */
#include "data/rewrite.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "data/journal.h"
#include "data/records.h"
#include "data/rewrite_record.h"
#include "data/seen.h"
#include "text/python.h"

#include <stdio.h>
#include <string.h>

enum { UNREADABLE_MOST = 5 /* in a row */ };

static const char system_words[] =
    "You rewrite requests that people type to an assistant which looks at pictures and uses tools. You are given one request, "
    "a number, and a list of texts to keep. Write that many new requests that want exactly the same, as different people "
    "would type them: vary length, politeness, word order and vocabulary. Each is one line, contains every text to keep "
    "unchanged, adds no new object, name, number or wish, and never mentions tools. Answer with nothing but JSON: "
    "{\"wordings\": [\"..\", \"..\"]}";

struct rewriter {
    const struct lp_rewrite_settings *settings;
    struct lp_rewrite_report *report;
    struct lp_journal *journal;
    struct lp_ask *ask;
    int unreadable; /* answers in a row */
};

void lp_rewrite_defaults(struct lp_rewrite_settings *s) {
    *s = (struct lp_rewrite_settings){.wordings = 3};
    lp_ask_defaults(&s->ask);
}

/* The list in an answer, which may have a fence or a sentence around it: {"wordings": [..]} or [..]. Owned; NULL: none. */
static json_t *read_list(const char *answer) {
    const char *open = strpbrk(answer, "{["), *close = open ? strrchr(open, *open == '{' ? '}' : ']') : NULL;
    json_t *root = close ? lp_json_parse(open, (size_t)(close - open) + 1, "", NULL) : NULL;
    json_t *list = json_is_object(root) ? json_object_get(root, "wordings") : root;
    list = json_is_array(list) && json_array_size(list) ? json_incref(list) : NULL;
    json_decref(root);
    return list;
}

/* The good ones of a list, each once, at most as many as were asked for. Owned; NULL when out of memory. */
static json_t *judge(struct rewriter *w, const char *seed, const json_t *keeps, const json_t *list) {
    json_t *good = json_array();
    struct lp_seen seen = {0};
    const json_t *item;
    size_t i;
    bool ok = good, clash;
    json_array_foreach(list, i, item) {
        const char *text = json_string_value(item);
        if (!ok || json_array_size(good) >= (size_t)w->settings->wordings)
            break;
        size_t before = seen.n;
        enum lp_wording verdict = text && strlen(text) == json_string_length(item) ? lp_said_check(seed, keeps, text)
                                                                                 : LP_WORDING_SHAPE;
        if (verdict == LP_WORDING_GOOD) {
            ok = lp_seen_claim(&seen, text, 0, 0, &clash);
            verdict = ok && seen.n == before ? LP_WORDING_SAME : verdict;
        }
        w->report->wordings[verdict]++;
        if (ok && verdict == LP_WORDING_GOOD)
            ok = json_array_append_new(good, json_string(text)) == 0;
    }
    lp_seen_done(&seen);
    if (ok)
        return good;
    json_decref(good);
    return NULL;
}

/* Asks for one instruction and keeps what is good of the answer. Where no list comes, asks once more, then lets it be. */
static bool ask_for(struct rewriter *w, const char *key, const char *seed, const json_t *keeps, struct lp_error *err) {
    json_t *question = json_pack("{s:s, s:i, s:O}", "request", seed, "number", w->settings->wordings, "keep", keeps);
    char *user = question ? lp_json_text(question) : NULL;
    json_t *list = NULL, *good = NULL;
    struct lp_error trouble = {0};
    bool ok = user || lp_error_memory(err);
    for (int i = 0; ok && !list && i < 2; i++) {
        char *answer = lp_ask(w->ask, system_words, user, &trouble);
        ok = answer || trouble.code == LP_EINPUT || lp_error_set(err, trouble.code, "%s", trouble.text);
        list = answer ? read_list(answer) : NULL;
        if (answer && !list)
            lp_error_set(&trouble, LP_EINPUT, "%s answers without a list of wordings", w->settings->ask.at.url);
        lp_free(answer);
    }
    w->report->asked += ok;
    if (ok && !list) {
        w->report->unreadable++;
        ok = ++w->unreadable < UNREADABLE_MOST || lp_error_set(err, LP_EINPUT, "%s (%d requests in a row)", trouble.text,
                                                               UNREADABLE_MOST);
    } else if (ok) {
        w->unreadable = 0;
        ok = (good = judge(w, seed, keeps, list)) ? lp_journal_put(w->journal, key, good, err) : lp_error_memory(err);
    }
    json_decref(list);
    json_decref(good);
    json_decref(question);
    lp_free(user);
    return ok;
}

/* Sees to it that an instruction has its wordings; `seen` holds those that were here before. */
static bool see_to(struct rewriter *w, const struct lp_rewrite_said *said, json_t *seen, struct lp_error *err) {
    if (json_object_get(seen, said->key))
        return true;
    if (json_object_set_new(seen, said->key, json_true()))
        return lp_error_memory(err);
    w->report->instructions++;
    if (!said->sure)
        w->report->kept++;
    else if (lp_journal_find(w->journal, said->key))
        w->report->known++;
    else if (!ask_for(w, said->key, said->text, said->keeps, err))
        return false;
    if (w->settings->progress)
        w->settings->progress(w->settings->context, w->report);
    return true;
}

/* Goes over the records; `each` may fail. */
static bool read_records(struct rewriter *w, bool (*each)(struct rewriter *w, const json_t *record, void *context,
                                                          struct lp_error *err), void *context, struct lp_error *err) {
    struct lp_records *records = lp_records_open(w->settings->like, err);
    bool ok = records;
    for (int64_t i = 0; ok && (!w->settings->count || i < w->settings->count); i++) {
        json_t *record;
        ok = lp_records_next(records, &record, err);
        if (!record)
            break;
        ok = each(w, record, context, err);
        json_decref(record);
    }
    lp_records_close(records);
    return ok;
}

static bool ask_record(struct rewriter *w, const json_t *record, void *context, struct lp_error *err) {
    const json_t *turns = json_object_get(record, "conversations");
    bool ok = true;
    w->report->records++;
    for (size_t i = 0; ok && i < json_array_size(turns); i += 2) {
        struct lp_rewrite_said said;
        if (!lp_rewrite_said(turns, i, &said, err))
            return false;
        ok = !said.key || see_to(w, &said, context, err);
        lp_rewrite_said_done(&said);
    }
    return ok;
}

static bool write_record(struct rewriter *w, const json_t *record, void *context, struct lp_error *err) {
    FILE *file = context;
    for (int k = 0; k < w->settings->wordings; k++) {
        json_t *anew;
        if (!lp_rewrite_record(record, w->journal, k, &anew, err))
            return false;
        if (!anew)
            continue;
        char *text = lp_python_json(anew);
        json_decref(anew);
        if (!text)
            return lp_error_memory(err);
        fprintf(file, "%s%s", w->report->written++ ? ",\n" : "", text);
        lp_free(text);
    }
    return true;
}

static bool write_output(struct rewriter *w, struct lp_error *err) {
    struct lp_file_writing out;
    if (!lp_file_begin(&out, w->settings->out, err))
        return false;
    fputs("[\n", out.to);
    bool ok = read_records(w, write_record, out.to, err);
    fputs("\n]\n", out.to);
    return lp_file_end(&out, ok, err);
}

bool lp_rewrite(const struct lp_rewrite_settings *s, struct lp_rewrite_report *report, struct lp_error *err) {
    struct rewriter w = {.settings = s, .report = report};
    struct lp_str path = {0};
    json_t *seen = json_object();
    *report = (struct lp_rewrite_report){0};
    json_t *head = json_pack("{s:s, s:s, s:i}", "journal", "wordings", "model", s->ask.model, "wordings", s->wordings);
    lp_str_printf(&path, "%s.journal", s->out);
    bool ok = head && seen && !path.failed ? true : lp_error_memory(err);
    ok = ok && (w.ask = lp_ask_open(&s->ask, err)) && (w.journal = lp_journal_open(path.s, head, err)) &&
         read_records(&w, ask_record, seen, err) && write_output(&w, err) && lp_journal_remove(w.journal, err);
    json_decref(seen);
    lp_str_done(&path);
    json_decref(head);
    lp_journal_close(w.journal);
    lp_ask_close(w.ask);
    return ok;
}
