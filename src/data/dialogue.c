/* SPDX-License-Identifier: MIT */
/* data/dialogue.c - turns of a dialogue; the texts around results are the planner's contract, to the byte. */
#include "data/dialogue.h"

#include "data/told.h"
#include "data/wording.h"
#include "text/python.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const lp_dialogue_slots[] = {
    "things", "thing", "bare",  "plural", "singular", "seen",  "word", "number",   "money", "date",  "time",
    "code",   "phone", "asked", "wish",   "api",      "what",  "found", "places",  "missing", "shows", "is", "it",  "them",
    "one",    "counted", "other", "relation", "brief", "side", "text",  "texts", "count",   "box",   "boxes", "mask",
    "masks",  "map",   "img",   NULL};

enum { KINDS = 12 };

const struct lp_fact lp_fact_none = {"", "", "", "", "is", "", "", "", ""};

void lp_dialogue_start(struct lp_dialogue *d, const struct lp_grammar *grammar, const struct lp_truth *truth,
                       const struct lp_imperfection *how, struct lp_rng *rng) {
    *d = (struct lp_dialogue){.grammar = grammar, .rng = rng, .how = how, .last = LP_TASK_NONE};
    d->turns = json_array();
    d->world.truth = truth;
    d->question = d->asked = d->wish = d->what = d->tool = d->given = d->sought = d->found = d->places = d->missing = "";
    d->fact = lp_fact_none;
    d->failed = !d->turns;
}

static void drop_calls(struct lp_dialogue *d) {
    for (int i = 0; i < d->calls; i++)
        json_decref(d->call[i].params);
    for (int i = 0; i < d->calls; i++)
        lp_result_done(&d->call[i].result);
    d->calls = 0;
}

void lp_dialogue_done(struct lp_dialogue *d) {
    drop_calls(d);
    json_decref(d->turns);
    lp_arena_done(&d->arena);
}

static const char *keep(struct lp_dialogue *d, const struct lp_str *s) {
    char *kept = s->failed ? NULL : lp_arena_strdup(&d->arena, lp_str_text(s));
    d->failed |= !kept;
    return kept ? kept : "";
}

/* One handle in braces, or all of the round's kind joined by commas. */
static void add_handles(struct lp_expansion *x, const struct lp_dialogue *d, enum lp_left kind, bool all) {
    for (int i = 0; i < (all ? d->left[kind] : 1); i++)
        lp_str_printf(&x->text, "%s{%s_%d}", i ? ", " : "", lp_left_names[kind], d->first[kind] + i);
}

/* What the picture spoken of shows: "two dogs on a beach". */
static void add_scene(const struct lp_dialogue *d, struct lp_str *out) {
    struct lp_kind kind[KINDS];
    if (!d->world.picture) {
        lp_str_puts(out, "the same picture");
        return;
    }
    int kinds = lp_told_kinds(d->world.truth, d->world.picture, kind, KINDS);
    lp_told_scene(kind, kinds, d->world.picture->background, out);
}

void lp_dialogue_fill(struct lp_expansion *x, const char *name) {
    static const struct {
        const char *name;
        enum lp_left kind;
        bool all;
    } handles[] = {{"text", LP_LEFT_TEXT, false}, {"texts", LP_LEFT_TEXT, true}, {"count", LP_LEFT_COUNT, false},
                   {"box", LP_LEFT_BOX, false},   {"boxes", LP_LEFT_BOX, true},  {"mask", LP_LEFT_MASK, false},
                   {"masks", LP_LEFT_MASK, true}, {"map", LP_LEFT_MAP, false},   {"img", LP_LEFT_IMAGE, false}};
    const struct lp_dialogue *d = x->context;
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        if (!strcmp(name, handles[i].name)) {
            add_handles(x, d, handles[i].kind, handles[i].all);
            return;
        }
    if (!strcmp(name, "shows")) {
        add_scene(d, &x->text);
        return;
    }
    const struct {
        const char *name, *text;
    } texts[] = {{"asked", d->asked},       {"wish", d->wish},           {"api", d->tool},
                 {"what", d->what},         {"found", d->found},         {"places", d->places},
                 {"missing", d->missing},   {"it", d->fact.it},          {"them", d->fact.them},         {"one", d->fact.one},      {"is", d->fact.is},
                 {"counted", d->fact.counted}, {"other", d->fact.other}, {"relation", d->fact.relation},
                 {"brief", d->fact.brief},  {"side", d->fact.side}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(name, texts[i].name)) {
            lp_str_puts(&x->text, texts[i].text);
            return;
        }
    lp_things_fill(d->grammar, &d->world, x, name);
}

const char *lp_dialogue_words(struct lp_dialogue *d, const char *base, const char *section) {
    char name[128];
    snprintf(name, sizeof name, "%s/%s", base, section ? section : "");
    const struct lp_list *list = section ? lp_grammar_find(d->grammar, name) : NULL;
    if (!list)
        list = lp_grammar_find(d->grammar, base);
    if (!list || !lp_list_entries(list)) {
        d->failed = true;
        d->wants = d->wants ? d->wants : lp_arena_strdup(&d->arena, base);
        return "";
    }
    struct lp_expansion x = {.rng = d->rng, .fill = lp_dialogue_fill, .context = d};
    struct lp_str plain = {0};
    lp_grammar_expand(list, &x);
    lp_wording_unmark(lp_str_text(&x.text), &plain);
    lp_wording_tidy(&plain);
    d->failed |= x.failed || x.text.failed;
    const char *kept = keep(d, &plain);
    lp_str_done(&plain);
    lp_expansion_done(&x);
    return kept;
}

const char *lp_dialogue_phrase(struct lp_dialogue *d, const char *base, const char *section) {
    char *text = (char *)lp_dialogue_words(d, base, section); /* our own copy */
    if (*text)
        *text = (char)toupper((unsigned char)*text);
    return text;
}

static void add_turn(struct lp_dialogue *d, const char *thoughts, json_t *actions, const char *value) {
    json_t *turn = json_object();
    bool bad = json_object_set_new(turn, "from", json_string(actions ? "gpt" : "human"));
    if (actions) {
        bad |= json_object_set_new(turn, "thoughts", json_string(thoughts));
        bad |= json_object_set_new(turn, "actions", actions);
    }
    bad |= json_object_set_new(turn, "value", json_string(value));
    bad |= json_array_append_new(d->turns, turn);
    d->failed |= bad;
}

void lp_dialogue_ask(struct lp_dialogue *d, int brought, int shown, const char *text, const char *prompts) {
    struct lp_str question = {0}, value = {0};
    lp_str_puts(&question, text);
    if (prompts)
        lp_str_printf(&question, "\n\n%s", prompts);
    d->question = keep(d, &question);
    for (int i = 0; i < shown; i++)
        lp_str_puts(&value, "<image>\n");
    lp_str_puts(&value, d->given);
    lp_str_puts(&value, d->question);
    d->given = "";
    d->made[LP_LEFT_IMAGE] += brought;
    add_turn(d, NULL, NULL, lp_str_text(&value));
    d->failed |= value.failed;
    lp_str_done(&question);
    lp_str_done(&value);
    drop_calls(d);
}

void lp_dialogue_call(struct lp_dialogue *d, enum lp_task task, json_t *params) {
    d->call[d->calls].task = task;
    d->call[d->calls].params = params ? params : json_object();
    d->failed |= !d->call[d->calls++].params;
}

/* "sam and inpainting" */
static const char *tools_of(struct lp_dialogue *d) {
    struct lp_str s = {0};
    for (int i = 0; i < d->calls; i++)
        lp_str_printf(&s, "%s%s", i ? " and " : "", lp_task_api[d->call[i].task]);
    const char *tools = keep(d, &s);
    lp_str_done(&s);
    return tools;
}

static void add_plan(struct lp_dialogue *d) {
    struct lp_str value = {0};
    char base[64];
    json_t *actions = json_array();
    d->tool = tools_of(d);
    lp_str_printf(&value, "I will use %s to help to answer the question. Please wait for a moment.", d->tool);
    for (int i = 0; i < d->calls; i++) {
        json_t *action = json_object();
        bool bad = json_object_set_new(action, "API_name", json_string(lp_task_api[d->call[i].task]));
        bad |= json_object_set(action, "API_params", d->call[i].params);
        d->failed |= bad | json_array_append_new(actions, action);
    }
    enum lp_task task = d->call[d->calls - 1].task;
    const char *section = d->calls == 2 ? lp_task_names[d->call[0].task] : NULL;
    snprintf(base, sizeof base, "thoughts/%s", lp_task_names[task]);
    d->failed |= !actions || value.failed;
    add_turn(d, lp_dialogue_phrase(d, base, section), actions ? actions : json_array(), lp_str_text(&value));
    lp_str_done(&value);
}

/* Texts that results need from the grammar. */
static const char *word_for_result(void *context, const char *list, enum lp_task task) {
    return lp_dialogue_words(context, list, lp_task_names[task]);
}

/* The picture a call is about: the one it names, else the newest. */
static const struct lp_truth_picture *picture_of(const struct lp_dialogue *d, const json_t *params) {
    const char *named = json_string_value(json_object_get(params, "image"));
    int number = d->made[LP_LEFT_IMAGE];
    if (named)
        number = (int)strtol(named + strcspn(named, "_") + 1, NULL, 10);
    return number >= 1 && number <= d->shows ? d->shown[number - 1] : NULL;
}

/* Plays a call and adds "{API_name} model outputs: {dict}" LF. */
static void play(struct lp_dialogue *d, struct lp_call_made *call, const struct lp_imperfection *how, bool bereft,
                 struct lp_str *value) {
    struct lp_stage stage = {d->world.truth, how, d->rng, word_for_result, d};
    struct lp_result *r = &call->result;
    bool ok = lp_result_play(r, &stage, call->task, call->params, picture_of(d, call->params), bereft, d->made, NULL);
    char *text = ok ? lp_python_repr(r->dict) : NULL;
    d->failed |= !text;
    lp_str_printf(value, "%s model outputs: %s\n", lp_task_api[call->task], text ? text : "");
    lp_free(text);
}

void lp_dialogue_run(struct lp_dialogue *d) {
    struct lp_str value = {0};
    add_plan(d);
    for (int k = 0; k < LP_LEFTS; k++) {
        d->first[k] = d->made[k] + 1;
        d->left[k] = 0;
    }
    d->outcome = LP_DONE;
    for (int i = 0; i < d->calls; i++) {
        struct lp_result *r = &d->call[i].result;
        play(d, &d->call[i], d->how, i > 0 && d->call[i - 1].result.outcome != LP_DONE, &value);
        for (int k = 0; k < LP_LEFTS; k++)
            d->left[k] += r->left[k];
        if (d->outcome != LP_DONE || r->outcome == LP_DONE)
            continue;
        d->outcome = r->outcome;
        d->tool = lp_task_api[d->call[i].task];
        d->what = r->what ? r->what : "";
    }
    lp_str_printf(&value, "\nPlease summarize the model outputs and answer my first question: %s", d->question);
    d->failed |= value.failed;
    add_turn(d, NULL, NULL, lp_str_text(&value));
    lp_str_done(&value);
}

/* Puts the result into words; returns how many things are surely there. handles: what it left can be quoted. */
static int tell(struct lp_dialogue *d, const struct lp_result *r, const char *caption, bool handles) {
    const double least = LP_DOUBTFUL / 100.0;
    struct lp_str found = {0}, places = {0}, missing = {0};
    int count = handles && r->left[LP_LEFT_COUNT] ? r->first[LP_LEFT_COUNT] : 0;
    int sure = lp_told_found(r->phrases, r->scores, least, count, &found);
    lp_told_places(r->boxes, r->phrases, r->scores, least, handles ? r->first[LP_LEFT_BOX] : 0, &places);
    if (caption)
        lp_told_missing(caption, r->phrases, r->scores, least, &missing);
    d->found = keep(d, &found);
    d->places = keep(d, &places);
    d->missing = keep(d, &missing);
    lp_str_done(&found);
    lp_str_done(&places);
    lp_str_done(&missing);
    return sure;
}

/* An answer to what was found: with handles, or, where that says more, in words. */
static const char *answer_found(struct lp_dialogue *d, const struct lp_call_made *call, const char *base,
                                const char *section) {
    const struct lp_result *r = &call->result;
    const char *caption = json_string_value(json_object_get(call->params, "caption"));
    bool named = call->task == LP_TASK_DETECT || call->task == LP_TASK_SEGMENT_INSTANCES;
    int sure = tell(d, r, caption, true), all = (int)json_array_size(r->phrases);
    if (named && !sure)
        return lp_dialogue_phrase(d, "answers/told/doubtful", section);
    if (named && *d->missing)
        return lp_dialogue_phrase(d, "answers/told/partly", NULL);
    if (sure && (sure < all || lp_rng_below(d->rng, 100) < 45)) {
        char list[64];
        snprintf(list, sizeof list, "answers/told/%s", call->task == LP_TASK_DETECT ? "detect" : lp_task_names[call->task]);
        return lp_dialogue_phrase(d, list, section);
    }
    return lp_dialogue_phrase(d, base, section);
}

/* An answer when nothing was found; who asked for a number gets one. */
static const char *answer_empty(struct lp_dialogue *d, const char *base, const char *section) {
    if (d->last == LP_TASK_DETECT && section && !strcmp(section, "count"))
        return lp_dialogue_phrase(d, "answers/told/detect/none", NULL);
    return lp_dialogue_phrase(d, base, "empty");
}

/* An answer to what was done, with a text to be posted if one is wanted. */
static const char *answer_done(struct lp_dialogue *d, const char *base, const char *section) {
    char list[64];
    bool post = section && !strcmp(section, "post") && lp_rng_below(d->rng, 100) < 70;
    snprintf(list, sizeof list, "answers/told/%s_post", lp_task_names[d->last]);
    return post ? lp_dialogue_phrase(d, list, NULL) : lp_dialogue_phrase(d, base, section);
}

void lp_dialogue_answer(struct lp_dialogue *d, const char *section) {
    struct lp_str thoughts = {0};
    char base[64];
    const struct lp_call_made *last = &d->call[d->calls - 1];
    lp_str_printf(&thoughts, "Thanks to the output of %s. I can answer the question better.", tools_of(d));
    d->last = last->task;
    const char *caption = json_string_value(json_object_get(last->params, "caption"));
    char *sought = caption ? lp_arena_strdup(&d->arena, caption) : NULL;
    d->failed |= caption && !sought;
    d->sought = sought ? sought : d->sought;
    snprintf(base, sizeof base, "answers/%s", lp_task_names[d->last]);
    const char *value = d->outcome == LP_NOT_READY ? lp_dialogue_phrase(d, "answers/not_ready", NULL)
                        : d->outcome == LP_FAILED  ? lp_dialogue_phrase(d, "answers/failed", NULL)
                        : d->outcome == LP_EMPTY   ? answer_empty(d, base, section)
                        : last->result.left[LP_LEFT_BOX] && d->last != LP_TASK_OCR
                            ? answer_found(d, last, base, section)
                            : answer_done(d, base, section);
    add_turn(d, lp_str_text(&thoughts), json_array(), value);
    lp_str_done(&thoughts);
}

void lp_dialogue_show(struct lp_dialogue *d, const struct lp_truth_picture *picture) {
    if (d->shows < LP_SHOWN)
        d->shown[d->shows++] = picture;
    else
        d->failed = true;
}

/* "dog | cat" as a detector's caption: "dog . cat". */
static json_t *caption_of_tags(struct lp_dialogue *d, const char *tags) {
    struct lp_str names = {0};
    for (; *tags; tags++)
        lp_str_putc(&names, *tags == '|' ? '.' : *tags);
    json_t *params = json_pack("{s:s}", "caption", lp_str_text(&names));
    d->failed |= names.failed || !params;
    lp_str_done(&names);
    return params;
}

void lp_dialogue_give(struct lp_dialogue *d) {
    static const enum lp_task tasks[] = {LP_TASK_TAG, LP_TASK_DETECT, LP_TASK_CAPTION, LP_TASK_OCR};
    struct lp_str value = {0};
    struct lp_imperfection how = *d->how;
    int images = d->made[LP_LEFT_IMAGE];
    json_t *params = json_object(), *caption = NULL;
    how.unready = how.failed = 0;
    d->made[LP_LEFT_IMAGE] = d->shows;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        struct lp_call_made call = {.task = tasks[i], .params = tasks[i] == LP_TASK_DETECT ? caption : params};
        const char *tags;
        if (tasks[i] == LP_TASK_DETECT && !caption) /* no tag, nothing to look for */
            continue;
        play(d, &call, &how, false, &value);
        d->given_text[call.task] = call.result.left[LP_LEFT_TEXT] ? call.result.first[LP_LEFT_TEXT] : 0;
        tags = json_string_value(json_object_get(call.result.dict, "tags"));
        if (tags && *tags)
            caption = caption_of_tags(d, tags);
        lp_result_done(&call.result);
    }
    lp_str_putc(&value, '\n');
    d->given = keep(d, &value);
    d->made[LP_LEFT_IMAGE] = images;
    json_decref(params);
    json_decref(caption);
    lp_str_done(&value);
}

void lp_dialogue_answer_given(struct lp_dialogue *d, enum lp_task task, const char *section, const char *caption) {
    struct lp_stage stage = {d->world.truth, &lp_skills_perfect, d->rng, NULL, NULL};
    struct lp_result seen = {0};
    char base[64];
    int made[LP_LEFTS] = {0}, sure = 1;
    bool named = task == LP_TASK_DETECT || task == LP_TASK_CAPTION_GROUND || task == LP_TASK_TAG_GROUND;
    if (named) {
        json_t *params = json_pack("{s:s}", "caption", caption);
        d->failed |= !lp_result_play(&seen, &stage, task, params, d->world.picture, false, made, NULL);
        sure = tell(d, &seen, task == LP_TASK_DETECT ? caption : NULL, false);
        json_decref(params);
        lp_result_done(&seen);
    }
    enum lp_task text = task == LP_TASK_CAPTION_GROUND ? LP_TASK_CAPTION : task == LP_TASK_TAG_GROUND ? LP_TASK_TAG : task;
    d->first[LP_LEFT_TEXT] = d->given_text[text];
    snprintf(base, sizeof base, "answers/given/%s", lp_task_names[task]);
    bool empty = !sure || (task == LP_TASK_OCR && !d->given_text[LP_TASK_OCR]);
    bool counted = task == LP_TASK_DETECT && section && !strcmp(section, "count");
    bool partly = task == LP_TASK_DETECT && sure && *d->missing;
    lp_dialogue_reply(d, "given", lp_dialogue_phrase(d, partly ? "answers/told/partly" : base,
                                                    !empty ? section : counted ? "none" : "empty"));
}

void lp_dialogue_reply(struct lp_dialogue *d, const char *why, const char *text) {
    char list[64];
    snprintf(list, sizeof list, "thoughts/%s", why);
    add_turn(d, lp_dialogue_phrase(d, list, NULL), json_array(), text);
}
