/* SPDX-License-Identifier: MIT */
/* plan/remote_request.c - a conversation as the JSON that a server reads. */
#include "base/memory.h"
#include "plan/remote_inner.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A request being made. What fails leaves `failed`, and an error where memory is not the reason. */
struct writer {
    struct lp_remote *r;
    const struct lp_conversation *c;
    json_t *messages;
    int skip;   /* pictures that are not sent as there are too many */
    bool shown; /* a tool's message has a picture */
    bool failed;
    struct lp_error error;
};

/* Takes the value. */
static void push(struct writer *w, json_t *list, json_t *value) {
    if (json_array_append_new(list, value))
        w->failed = true;
}

static void push_text(struct writer *w, json_t *parts, const char *text) {
    push(w, parts, json_pack("{s:s, s:s}", "type", "text", "text", text));
}

static const struct lp_object *image_at(const struct lp_conversation *c, int n) {
    char handle[24];
    snprintf(handle, sizeof handle, "%s_%d", lp_object_kind_name(LP_OBJECT_IMAGE), n + 1);
    return lp_objects_find(&c->objects, handle);
}

/* The message's pictures, each behind its handle. */
static void push_pictures(struct writer *w, json_t *parts, const struct lp_said *s) {
    char name[32];
    for (int i = s->first; i < s->first + s->pictures && !w->failed; i++) {
        if (w->skip > 0) {
            w->skip--;
            continue;
        }
        const struct lp_object *object = image_at(w->c, i);
        const char *url = lp_remote_picture(w->r, object, &w->error);
        snprintf(name, sizeof name, "%s:", object->handle);
        push_text(w, parts, name);
        if (url)
            push(w, parts, json_pack("{s:s, s:{s:s}}", "type", "image_url", "image_url", "url", url));
        w->failed = w->failed || !url;
    }
}

/* The text behind the marks of its pictures. */
static const char *words_of(const struct lp_said *s) {
    const char *text = s->text;
    size_t n = strlen("<image>\n");
    for (int i = 0; i < s->pictures && !strncmp(text, "<image>\n", n); i++)
        text += n;
    return text;
}

/* A user's message: a string, or parts where it shows pictures. */
static void push_user(struct writer *w, const struct lp_said *s, const char *text) {
    if (!s->pictures) {
        push(w, w->messages, json_pack("{s:s, s:s}", "role", "user", "content", text));
        return;
    }
    json_t *parts = json_array();
    push_pictures(w, parts, s);
    push_text(w, parts, text);
    push(w, w->messages, json_pack("{s:s, s:o}", "role", "user", "content", parts));
}

/* Ids of nine letters and digits, which is what the strictest servers take. */
static void call_id(char id[16], int message, size_t call) {
    snprintf(id, 16, "call%03d%02d", message % 1000, (int)call % 100);
}

static json_t *call_of(const json_t *action, int message, size_t i) {
    char id[16];
    const char *api = json_string_value(json_object_get(action, "API_name"));
    const struct lp_skill *skill = lp_skill_find(api);
    char *arguments = lp_json_text(json_object_get(action, "API_params"));
    call_id(id, message, i);
    json_t *call = arguments ? json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", id, "type", "function", "function",
                                         "name", skill ? skill->name : api, "arguments", arguments)
                             : NULL;
    lp_free(arguments);
    return call;
}

/* The planner's own turn; with its calls where results follow. */
static void push_turn(struct writer *w, int i, bool called) {
    struct lp_plan plan;
    const char *text = w->c->said[i].text;
    if (!lp_plan_parse(text, strlen(text), &plan, &w->error)) {
        w->failed = true;
        return;
    }
    bool calls = called && json_array_size(plan.actions);
    json_t *message =
        json_pack("{s:s, s:s}", "role", "assistant", "content", calls ? plan.thoughts : plan.value);
    json_t *list = calls ? json_array() : NULL;
    for (size_t k = 0; calls && k < json_array_size(plan.actions); k++)
        push(w, list, call_of(json_array_get(plan.actions, k), i, k));
    if (calls && json_object_set_new(message, "tool_calls", list))
        w->failed = true;
    push(w, w->messages, message);
    lp_plan_done(&plan);
}

static void push_turn_as_text(struct writer *w, const struct lp_said *s) {
    size_t n = strlen(s->text);
    while (n && isspace((unsigned char)s->text[n - 1]))
        n--;
    push(w, w->messages, json_pack("{s:s, s:s%}", "role", "assistant", "content", s->text, n));
}

/* Results as messages of tools, the pictures with the last one or behind it. */
static void push_results(struct writer *w, int i) {
    const struct lp_said *s = &w->c->said[i];
    size_t n = json_array_size(s->told);
    char id[16];
    for (size_t k = 0; k < n; k++) {
        const char *text = json_string_value(json_array_get(s->told, k));
        json_t *content = json_string(text);
        if (k + 1 == n && s->pictures && !w->r->apart) {
            json_decref(content);
            content = json_array();
            push_text(w, content, text);
            push_pictures(w, content, s);
            w->shown = true;
        }
        call_id(id, i - 1, k);
        push(w, w->messages,
             json_pack("{s:s, s:s, s:o}", "role", "tool", "tool_call_id", id, "content", content));
    }
    if (s->pictures && w->r->apart)
        push_user(w, s, "These are the pictures that the tools made.");
}

static void push_said(struct writer *w, int i) {
    const struct lp_said *s = &w->c->said[i];
    bool called = i + 1 < w->c->n && w->c->said[i + 1].told;
    if (s->assistant && w->r->text)
        push_turn_as_text(w, s);
    else if (s->assistant)
        push_turn(w, i, called);
    else if (s->told && !w->r->text)
        push_results(w, i);
    else
        push_user(w, s, words_of(s));
}

/* Says what was wrong, in the last message where that is the user's: roles must take turns. */
static void push_repair(struct writer *w, const char *repair) {
    json_t *last = json_array_get(w->messages, json_array_size(w->messages) - 1);
    json_t *content = json_object_get(last, "content");
    const char *role = json_string_value(json_object_get(last, "role"));
    char note[512];
    snprintf(note, sizeof note,
             "(Your last attempt at this turn could not be used: %s. Write the turn again.)", repair);
    if (strcmp(role ? role : "", "user") || (!json_is_string(content) && !json_is_array(content)))
        push(w, w->messages, json_pack("{s:s, s:s}", "role", "user", "content", note));
    else if (json_is_array(content))
        push_text(w, content, note);
    else if (json_object_set_new(last, "content", json_sprintf("%s\n\n%s", json_string_value(content), note)))
        w->failed = true;
}

static void push_system(struct writer *w, bool tools) {
    struct lp_str words = {0};
    lp_remote_words(&words, w->r->text, tools, &w->c->facts);
    push(w, w->messages, words.failed ? NULL : json_pack("{s:s, s:s}", "role", "system", "content", words.s));
    lp_str_done(&words);
}

/* Whether the messages have results of skills. */
static bool has_results(const struct lp_conversation *c) {
    for (int i = 0; i < c->n; i++)
        if (c->said[i].told)
            return true;
    return false;
}

static void set(struct writer *w, json_t *question, const char *key, json_t *value) {
    if (json_object_set_new(question, key, value))
        w->failed = true;
}

static void add_settings(struct writer *w, json_t *question, const struct lp_sampling *s) {
    set(w, question, w->r->completion_tokens ? "max_completion_tokens" : "max_tokens",
        json_integer(s->most_tokens));
    if (w->r->plain_sampling)
        return;
    set(w, question, "temperature", json_real(s->temperature));
    if (s->top_p < 1)
        set(w, question, "top_p", json_real(s->top_p));
    if (s->temperature > 0)
        set(w, question, "seed", json_integer((json_int_t)s->seed));
}

json_t *lp_remote_request(struct lp_remote *r, const struct lp_conversation *c, bool answer,
                          const char *repair, const struct lp_sampling *sampling, bool *shown,
                          struct lp_error *err) {
    struct writer w = {.r = r, .c = c, .messages = json_array(), .skip = -LP_REMOTE_PICTURES};
    bool tools = !answer || has_results(c);
    for (int i = 0; i < c->n; i++)
        w.skip += c->said[i].pictures;
    push_system(&w, tools);
    for (int i = 0; i < c->n && !w.failed; i++)
        push_said(&w, i);
    if (repair)
        push_repair(&w, repair);
    json_t *question =
        json_pack("{s:s, s:b, s:O}", "model", r->settings.model, "stream", 1, "messages", w.messages);
    add_settings(&w, question, sampling);
    if (tools && !r->text) {
        set(&w, question, "tools", lp_remote_tool_list(&c->facts));
        set(&w, question, "tool_choice", json_string(answer ? "none" : c->facts.must_call ? "required" : "auto"));
    }
    *shown = w.shown;
    json_decref(w.messages);
    if (!w.failed)
        return question;
    json_decref(question);
    if (w.error.code)
        lp_error_set(err, w.error.code, "%s", w.error.text);
    else
        lp_error_memory(err);
    return NULL;
}

json_t *lp_remote_results(const struct lp_outcome *outcome, int n) {
    json_t *all = json_array();
    for (int i = 0; all && i < n; i++) {
        struct lp_str line = {0};
        lp_result_lines(&line, &outcome[i], 1, LP_REMOTE_ITEMS, true);
        while (line.n && line.s[line.n - 1] == '\n')
            lp_str_cut(&line, line.n - 1);
        if (line.failed || json_array_append_new(all, json_string(lp_str_text(&line)))) {
            json_decref(all);
            all = NULL;
        }
        lp_str_done(&line);
    }
    return all;
}
