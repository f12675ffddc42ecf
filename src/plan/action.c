/* SPDX-License-Identifier: MIT */
/* plan/action.c - model text -> plan, plan -> training text. Paper section 3.1 of LLaVA-Plus
 * (arXiv:2311.05437); the markers' bytes and the rule of which marker binds are those of the original web
 * server, whose use of eval and whose replacing of every apostrophe are not. */
#include "plan/action.h"

#include "base/memory.h"
#include "text/literal.h"
#include "text/python.h"
#include "text/utf8.h"

#include <ctype.h>
#include <string.h>

void lp_text_clean(struct lp_str *out, const char *text, size_t n) {
    for (const char *nul; n && (nul = memchr(text, 0, n)); n -= (size_t)(nul + 1 - text), text = nul + 1) {
        lp_utf8_clean(text, (size_t)(nul - text), out);
        lp_str_puts(out, LP_UTF8_REPLACEMENT);
    }
    lp_utf8_clean(text, n, out);
}

static const char *first(const char *text, const char *end, const char *mark) {
    return memmem(text, (size_t)(end - text), mark, strlen(mark));
}

static const char *last(const char *text, const char *end, const char *mark) {
    const char *found = NULL;
    for (const char *at = first(text, end, mark); at; at = first(at + 1, end, mark))
        found = at;
    return found;
}

/* A copy without white space around it; owned by caller. */
static char *stripped(const char *from, const char *to) {
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    char *copy = lp_alloc((size_t)(to - from) + 1);
    if (copy)
        memcpy(copy, from, (size_t)(to - from));
    return copy;
}

static bool is_picture_handle(const json_t *v) {
    const char *s = json_string_value(v);
    if (!s || strncmp(s, "img_", 4) || s[4] < '1' || s[4] > '9')
        return false;
    return strspn(s + 4, "0123456789") == strlen(s + 4);
}

/* Appends one call to the plan; what is no call only sets bad_actions. False: out of memory. */
static bool add_call(struct lp_plan *plan, const json_t *item) {
    const json_t *name = json_object_get(item, "API_name"), *params = json_object_get(item, "API_params");
    char *text = json_is_string(name)
                     ? stripped(json_string_value(name), json_string_value(name) + json_string_length(name))
                     : NULL;
    if (json_is_string(name) && !text)
        return false;
    if (!text || !*text) {
        plan->bad_actions = true;
        lp_free(text);
        return true;
    }
    json_t *own = json_is_object(params) ? json_deep_copy(params) : json_object();
    json_t *image = json_object_get(own, "image");
    if (image && !is_picture_handle(image))
        json_object_del(own, "image");
    json_t *call = json_object(), *key = json_string(text);
    bool done = own && call && key && !json_object_set(call, "API_name", key) &&
                !json_object_set(call, "API_params", own) && !json_array_append(plan->actions, call);
    json_decref(own);
    json_decref(call);
    json_decref(key);
    lp_free(text);
    return done;
}

/* The text between the actions and the value marker. */
static bool parse_actions(struct lp_plan *plan, const char *from, const char *to) {
    char *text = stripped(from, to);
    if (!text)
        return false;
    struct lp_error err = {0};
    json_t *all = *text ? lp_literal_parse(text, strlen(text), &err) : json_null();
    lp_free(text);
    if (!all)
        plan->bad_actions = true;
    bool done = err.code != LP_EMEMORY;
    if (json_is_object(all))
        done = done && add_call(plan, all);
    else if (all && !json_is_array(all) && !json_is_null(all))
        plan->bad_actions = true;
    for (size_t i = 0; done && i < json_array_size(all); i++)
        done = add_call(plan, json_array_get(all, i));
    json_decref(all);
    return done;
}

static bool parse_clean(struct lp_plan *plan, const char *text, const char *end) {
    const char *t = first(text, end, LP_MARK_THOUGHTS);
    const char *v = t ? last(t + strlen(LP_MARK_THOUGHTS), end, LP_MARK_VALUE) : NULL;
    const char *a = v ? last(t + strlen(LP_MARK_THOUGHTS), v, LP_MARK_ACTIONS) : NULL;
    plan->marked = a != NULL;
    plan->thoughts = a ? stripped(t + strlen(LP_MARK_THOUGHTS), a) : stripped(text, text);
    plan->value = a ? stripped(v + strlen(LP_MARK_VALUE), end) : stripped(text, end);
    plan->actions = json_array();
    return plan->thoughts && plan->value && plan->actions &&
           (!a || parse_actions(plan, a + strlen(LP_MARK_ACTIONS), v));
}

bool lp_plan_parse(const char *text, size_t n, struct lp_plan *plan, struct lp_error *err) {
    *plan = (struct lp_plan){0};
    struct lp_str clean = {0};
    lp_text_clean(&clean, text, n);
    bool done = !clean.failed && parse_clean(plan, lp_str_text(&clean), lp_str_text(&clean) + clean.n);
    lp_str_done(&clean);
    if (done)
        return true;
    lp_plan_done(plan);
    return lp_error_memory(err);
}

void lp_plan_done(struct lp_plan *plan) {
    lp_free(plan->thoughts);
    lp_free(plan->value);
    json_decref(plan->actions);
    *plan = (struct lp_plan){0};
}

void lp_plan_format(struct lp_str *out, const char *thoughts, const json_t *actions, const char *value) {
    char *json = actions ? lp_python_json(actions) : NULL;
    if (thoughts)
        lp_str_printf(out, LP_MARK_THOUGHTS " %s\n", thoughts);
    if (json)
        lp_str_printf(out, LP_MARK_ACTIONS " %s\n", json);
    if (value)
        lp_str_printf(out, LP_MARK_VALUE " %s\n", value);
    if (actions && !json)
        out->failed = true;
    lp_free(json);
}
