/* SPDX-License-Identifier: MIT */
/* data/dialogue.c - turns of a dialogue; the texts around results are the planner's contract, to the byte. */
#include "data/dialogue.h"

#include "data/results.h"
#include "data/things.h"
#include "data/wording.h"
#include "text/python.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *const lp_task_names[LP_TASKS + 1] = {
    "detect",   "segment_instances", "segment_semantic", "segment_at", "segment_levels", "segment_like",
    "caption",  "tag",               "caption_ground",   "tag_ground", "ocr",            "retrieve",
    "generate", "edit",              "inpaint",          "generate_from_layout",         "none"};

const char *const lp_task_api[LP_TASKS] = {
    "grounding_dino",   "grounding_dino+sam", "openseed",   "sam",
    "semantic-sam",     "seem",               "blip2",      "ram",
    "blip2+grounding_dino", "ram+grounding_dino", "ocr",    "clip",
    "stable-diffusion", "instruct-pix2pix",   "inpainting", "controlnet"};

const char *const lp_dialogue_slots[] = {"things", "thing", "bare", "plural", "singular", "word",  "number",
                                         "money",  "date",  "time", "code",   "phone",    "asked", "wish",
                                         "api",    "what",  "text", "texts",  "count",    "box",   "boxes",
                                         "mask",   "masks", "map",  "img",    NULL};

void lp_dialogue_start(struct lp_dialogue *d, const struct lp_grammar *grammar, struct lp_rng *rng) {
    *d = (struct lp_dialogue){.grammar = grammar, .rng = rng, .turns = json_array(), .last = LP_TASK_NONE};
    d->question = d->asked = d->wish = d->what = d->tool = "";
    d->failed = !d->turns;
}

static void drop_calls(struct lp_dialogue *d) {
    for (int i = 0; i < d->calls; i++)
        json_decref(d->call[i].params);
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
    if (!strcmp(name, "asked"))
        lp_str_puts(&x->text, d->asked);
    else if (!strcmp(name, "wish"))
        lp_str_puts(&x->text, d->wish);
    else if (!strcmp(name, "api"))
        lp_str_puts(&x->text, d->tool);
    else if (!strcmp(name, "what"))
        lp_str_puts(&x->text, d->what);
    else
        lp_things_fill(d->grammar, x, name);
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
    lp_str_puts(&value, d->question);
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

void lp_dialogue_run(struct lp_dialogue *d) {
    struct lp_str value = {0};
    add_plan(d);
    for (int k = 0; k < LP_LEFTS; k++) {
        d->first[k] = d->made[k] + 1;
        d->left[k] = 0;
    }
    d->outcome = LP_DONE;
    for (int i = 0; i < d->calls; i++) {
        json_t *result = lp_result_simulate(d, i);
        char *text = result ? lp_python_repr(result) : NULL;
        d->failed |= !text;
        lp_str_printf(&value, "%s model outputs: %s\n", lp_task_api[d->call[i].task], text ? text : "");
        if (d->outcome == LP_DONE)
            d->outcome = d->call[i].outcome;
        lp_free(text);
        json_decref(result);
    }
    lp_str_printf(&value, "\nPlease summarize the model outputs and answer my first question: %s", d->question);
    d->failed |= value.failed;
    add_turn(d, NULL, NULL, lp_str_text(&value));
    lp_str_done(&value);
}

void lp_dialogue_answer(struct lp_dialogue *d, const char *section) {
    struct lp_str thoughts = {0};
    char base[64];
    lp_str_printf(&thoughts, "Thanks to the output of %s. I can answer the question better.", tools_of(d));
    d->last = d->call[d->calls - 1].task;
    snprintf(base, sizeof base, "answers/%s", lp_task_names[d->last]);
    const char *value = d->outcome == LP_NOT_READY ? lp_dialogue_phrase(d, "answers/not_ready", NULL)
                        : d->outcome == LP_FAILED  ? lp_dialogue_phrase(d, "answers/failed", NULL)
                        : d->outcome == LP_EMPTY   ? lp_dialogue_phrase(d, base, "empty")
                                                   : lp_dialogue_phrase(d, base, section);
    add_turn(d, lp_str_text(&thoughts), json_array(), value);
    lp_str_done(&thoughts);
}

void lp_dialogue_reply(struct lp_dialogue *d, const char *text) {
    add_turn(d, lp_dialogue_phrase(d, "thoughts/none", NULL), json_array(), text);
}
