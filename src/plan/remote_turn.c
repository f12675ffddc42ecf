/* SPDX-License-Identifier: MIT */
/* plan/remote_turn.c - what a server answered, as a turn in the unified format. Words of an answer can be
 * told as they come; but words before a call look the same at first, so some of them are held back. */
#include "base/memory.h"
#include "plan/remote_inner.h"
#include "text/template.h"

#include <ctype.h>
#include <string.h>

enum { HELD_BACK = 160 }; /* bytes of content after which it is taken for an answer */

static const char *const marks[] = {LP_MARK_THOUGHTS, LP_MARK_ACTIONS, LP_MARK_VALUE};

/* A part of the content: without white space before it, and without thoughts in <think>, which go to
 * *thoughts. */
struct body {
    const char *text;
    size_t n;
    const char *thoughts;
    size_t thoughts_n;
};

static struct body body_of(const struct lp_remote_reply *r) {
    static const char open[] = "<think>", shut[] = "</think>";
    struct body b = {.text = lp_str_text(&r->content), .n = r->content.n};
    b.thoughts = lp_str_text(&r->reasoning);
    b.thoughts_n = r->reasoning.n;
    for (; b.n && isspace((unsigned char)*b.text); b.n--)
        b.text++;
    if (b.n < sizeof open - 1 || memcmp(b.text, open, sizeof open - 1))
        return b;
    const char *end = memmem(b.text, b.n, shut, sizeof shut - 1);
    const char *after = end ? end + sizeof shut - 1 : b.text + b.n;
    b.thoughts = b.text + sizeof open - 1;
    b.thoughts_n = (size_t)((end ? end : after) - b.thoughts);
    b.n -= (size_t)(after - b.text);
    b.text = after;
    for (; b.n && isspace((unsigned char)*b.text); b.n--)
        b.text++;
    return b;
}

static const char *find(const char *text, size_t n, const char *mark) {
    return n ? memmem(text, n, mark, strlen(mark)) : NULL;
}

/* The first mark in the text, or NULL. */
static const char *find_mark(const char *text, size_t n, size_t *length) {
    const char *first = NULL, *at;
    for (int i = 0; i < 3; i++)
        if ((at = find(text, n, marks[i])) && (!first || at < first)) {
            first = at;
            *length = strlen(marks[i]);
        }
    return first;
}

/* Bytes at the end of text without marks that may begin one. */
static size_t pending(const char *text, size_t n) {
    size_t most = 0;
    for (int i = 0; i < 3; i++) {
        size_t k = lp_stop_pending(text, n, marks[i]);
        most = k > most ? k : most;
    }
    return most;
}

/* Adds text whose marks, which would part the turn, lose their quotation marks. Unless it is the whole text,
 * what may begin a mark at its end is left out. */
static void add_unmarked(struct lp_str *out, const char *text, size_t n, bool whole) {
    size_t length = 0;
    for (const char *at; (at = find_mark(text, n, &length)); text = at + length) {
        size_t before = (size_t)(at - text);
        lp_str_add(out, text, before);
        lp_str_add(out, at + 1, length - 2);
        n -= before + length;
    }
    lp_str_add(out, text, n - (whole ? 0 : pending(text, n)));
}

static size_t stripped(const char *text, size_t n) {
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    return n;
}

/* The turn up to where the answer begins. */
static void begin_answer(struct lp_turn *turn, const char *thoughts, size_t n) {
    lp_str_puts(&turn->text, LP_MARK_THOUGHTS);
    turn->thoughts_at = turn->text.n;
    lp_str_putc(&turn->text, ' ');
    add_unmarked(&turn->text, thoughts, stripped(thoughts, n), true);
    lp_str_putc(&turn->text, '\n');
    turn->actions_at = turn->text.n;
    lp_str_puts(&turn->text, LP_MARK_ACTIONS " []\n" LP_MARK_VALUE);
    turn->value_at = turn->text.n;
    lp_str_putc(&turn->text, ' ');
}

static void clear(struct lp_turn *turn) {
    struct lp_str text = turn->text;
    lp_str_cut(&text, 0);
    *turn = (struct lp_turn){.text = text};
}

static void write_answer(struct lp_turn *turn, const struct body *b, const char *words, size_t n, bool last) {
    clear(turn);
    begin_answer(turn, b->thoughts, b->thoughts_n);
    add_unmarked(&turn->text, words, n, last);
}

/* The unified format as it comes, from its first mark on. True: it is an answer, whose words are in the turn.
 */
static bool write_unified(struct lp_turn *turn, const char *text, size_t n, bool last) {
    const char *end = text + n, *actions = find(text, n, LP_MARK_ACTIONS);
    const char *value = actions ? find(actions, (size_t)(end - actions), LP_MARK_VALUE) : NULL;
    clear(turn);
    turn->thoughts_at = strlen(LP_MARK_THOUGHTS);
    turn->actions_at = actions ? (size_t)(actions - text) : 0;
    const char *list = actions ? actions + strlen(LP_MARK_ACTIONS) : NULL;
    while (value && list < value && isspace((unsigned char)*list))
        list++;
    if (!value || stripped(list, (size_t)(value - list)) != 2 || memcmp(list, "[]", 2)) {
        lp_str_add(&turn->text, text, n);
        return false;
    }
    value += strlen(LP_MARK_VALUE);
    turn->value_at = (size_t)(value - text);
    lp_str_add(&turn->text, text, turn->value_at);
    add_unmarked(&turn->text, value, (size_t)(end - value), last);
    return true;
}

bool lp_remote_turn_grow(struct lp_turn *turn, struct lp_remote_reply *r, bool answer) {
    struct body b = body_of(r);
    const char *unified = r->told == LP_REMOTE_PLAIN ? NULL : find(b.text, b.n, LP_MARK_THOUGHTS);
    size_t held = answer ? strlen(LP_MARK_THOUGHTS) : HELD_BACK;
    if (unified && write_unified(turn, unified, b.n - (size_t)(unified - b.text), false))
        r->told = LP_REMOTE_UNIFIED;
    else if (r->told == LP_REMOTE_PLAIN || (!unified && (answer || !r->calls) && b.n > held)) {
        write_answer(turn, &b, b.text, b.n, false);
        r->told = LP_REMOTE_PLAIN;
    }
    turn->cut_short = r->cut_short;
    return !turn->text.failed;
}

/* Adds a call in normal form to the list. LP_EINPUT: it is not legal. */
static bool add_call(json_t *actions, const char *name, const json_t *params, struct lp_error *err) {
    const struct lp_skill *skill = lp_skill_find(name);
    if (!skill)
        return lp_error_set(err, LP_EINPUT, "there is no skill '%s'", name);
    json_t *normal = lp_skill_check(skill, params, err);
    if (!normal)
        return lp_error_prefix(err, "%s", skill->name);
    json_t *call = json_pack("{s:s, s:O}", "API_name", skill->api_name, "API_params", normal);
    json_decref(normal);
    return !json_array_append_new(actions, call) || lp_error_memory(err);
}

/* The calls that the server made by itself. */
static bool add_native(json_t *actions, const struct lp_remote_reply *r, struct lp_error *err) {
    for (int i = 0; i < r->calls; i++) {
        const struct lp_str *arguments = &r->call[i].arguments;
        const char *name = lp_str_text(&r->call[i].name);
        json_t *params = json_null();
        if (stripped(lp_str_text(arguments), arguments->n))
            params = lp_json_parse(arguments->s, arguments->n, "the text of its arguments", err);
        bool done = params ? add_call(actions, name, params, err) : lp_error_prefix(err, "%s", name);
        json_decref(params);
        if (!done)
            return false;
    }
    return true;
}

static bool add_written(json_t *actions, const struct lp_plan *plan, struct lp_error *err) {
    if (plan->bad_actions)
        return lp_error_set(err, LP_EINPUT, "its actions are not a list of calls as JSON");
    for (size_t i = 0; i < json_array_size(plan->actions); i++) {
        const json_t *call = json_array_get(plan->actions, i);
        if (!add_call(actions, json_string_value(json_object_get(call, "API_name")),
                      json_object_get(call, "API_params"), err))
            return false;
    }
    return true;
}

/* The plan of `actions` as planners write it. */
static bool write_plan(struct lp_turn *turn, const struct lp_remote_reply *r, const struct lp_plan *plan,
                       const json_t *actions, struct lp_error *err) {
    struct body b = body_of(r);
    struct lp_str thoughts = {0};
    if (plan->marked)
        lp_str_puts(&thoughts, plan->thoughts);
    else
        add_unmarked(&thoughts, b.n ? b.text : b.thoughts,
                     b.n ? stripped(b.text, b.n) : stripped(b.thoughts, b.thoughts_n), true);
    clear(turn);
    lp_plan_format(&turn->text, lp_str_text(&thoughts), actions, plan->marked ? plan->value : "");
    const char *text = lp_str_text(&turn->text), *end = text + turn->text.n;
    const char *at = find(text, turn->text.n, LP_MARK_ACTIONS);
    turn->thoughts_at = strlen(LP_MARK_THOUGHTS);
    turn->actions_at = at ? (size_t)(at - text) : 0;
    at = at ? find(at, (size_t)(end - at), LP_MARK_VALUE) : NULL;
    turn->value_at = at ? (size_t)(at - text) + strlen(LP_MARK_VALUE) : 0;
    bool failed = turn->text.failed || thoughts.failed;
    lp_str_done(&thoughts);
    return !failed || lp_error_memory(err);
}

/* The answer: what was told already goes on as it began. */
static bool write_final(struct lp_turn *turn, const struct lp_remote_reply *r, const struct lp_plan *plan,
                        bool *again, struct lp_error *err) {
    struct body b = body_of(r);
    const char *unified = find(b.text, b.n, LP_MARK_THOUGHTS);
    if (r->told == LP_REMOTE_UNIFIED) {
        write_unified(turn, unified, b.n - (size_t)(unified - b.text), true);
    } else if (plan->marked && r->told == LP_REMOTE_NOTHING) {
        b.thoughts = plan->thoughts;
        b.thoughts_n = strlen(plan->thoughts);
        write_answer(turn, &b, plan->value, strlen(plan->value), true);
    } else {
        write_answer(turn, &b, b.text, b.n, true);
    }
    if (turn->text.failed)
        return lp_error_memory(err);
    if (stripped(turn->text.s + turn->value_at, turn->text.n - turn->value_at))
        return true;
    *again = !r->cut_short;
    return lp_error_set(
        err, LP_EINPUT,
        *again
            ? "it has no words for the user"
            : "the planner's server reached its limit before it had words for the user: raise --max-tokens");
}

/* The legal calls of the answer, as a new list. */
static json_t *actions_of(const struct lp_remote_reply *r, const struct lp_plan *plan, struct lp_error *err) {
    json_t *actions = json_array();
    bool written = r->told == LP_REMOTE_NOTHING; /* marks in words that were told are no marks */
    bool good =
        actions && (r->calls ? add_native(actions, r, err) : !written || add_written(actions, plan, err));
    if (!actions)
        lp_error_memory(err);
    if (good && json_array_size(actions) > LP_REMOTE_CALLS)
        good = lp_error_set(err, LP_EINPUT, "it has more than %d calls", LP_REMOTE_CALLS);
    if (good)
        return actions;
    json_decref(actions);
    return NULL;
}

bool lp_remote_turn_end(struct lp_turn *turn, const struct lp_remote_reply *r, bool answer, bool *again,
                        bool *unified, struct lp_error *err) {
    struct body b = body_of(r);
    struct lp_plan plan;
    struct lp_error why = {0};
    *again = *unified = false;
    if (!lp_plan_parse(b.text, b.n, &plan, err))
        return false;
    *unified = plan.marked;
    json_t *actions = answer ? NULL : actions_of(r, &plan, &why);
    bool done = false;
    if (why.code == LP_EMEMORY || (why.code && !r->told)) {
        *again = why.code != LP_EMEMORY;
        lp_error_set(err, why.code, "%s", why.text);
    } else if (json_array_size(actions)) {
        done = write_plan(turn, r, &plan, actions, err);
    } else {
        done = write_final(turn, r, &plan, again, err);
    }
    turn->cut_short = r->cut_short;
    json_decref(actions);
    lp_plan_done(&plan);
    return done;
}
