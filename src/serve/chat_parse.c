/* SPDX-License-Identifier: MIT */
/* serve/chat_parse.c - a body of POST /v1/chat/completions. What would change the answer and is not done here
 * is refused; what would not is let pass. */
#include "base/memory.h"
#include "serve/chat.h"
#include "serve/fields.h"

#include <string.h>
#include <strings.h>

/* Parameters that would change the answer if they were done. `harmless` says what may be sent nevertheless.
 */
static bool is_zero(const json_t *v) {
    return json_is_number(v) && json_number_value(v) == 0;
}
static bool is_one(const json_t *v) {
    return json_is_integer(v) && json_integer_value(v) == 1;
}
static bool is_empty(const json_t *v) {
    return (json_is_array(v) && !json_array_size(v)) || (json_is_object(v) && !json_object_size(v));
}
static bool is_false(const json_t *v) {
    return json_is_false(v) || is_zero(v);
}
static bool is_text(const json_t *v) {
    const char *type = json_string_value(json_object_get(v, "type"));
    return type && !strcmp(type, "text");
}
static bool is_text_list(const json_t *v) {
    const char *only = json_string_value(json_array_get(v, 0));
    return json_array_size(v) == 1 && only && !strcmp(only, "text");
}
static const struct {
    const char *name;
    bool (*harmless)(const json_t *value);
} undone[] = {
    {"n", is_one},
    {"functions", is_empty},
    {"logit_bias", is_empty},
    {"logprobs", is_false},
    {"top_logprobs", is_zero},
    {"presence_penalty", is_zero},
    {"frequency_penalty", is_zero},
    {"response_format", is_text},
    {"modalities", is_text_list},
    {"audio", NULL},
};

static bool check_undone(const json_t *body, struct lp_fault *fault) {
    for (size_t i = 0; i < sizeof undone / sizeof *undone; i++) {
        const json_t *value = lp_given(body, undone[i].name);
        if (value && !(undone[i].harmless && undone[i].harmless(value)))
            return lp_fault_set(fault, 400, undone[i].name, "unsupported_parameter",
                                "this server does not do '%s' with that value", undone[i].name);
    }
    return true;
}

static bool take_stop(struct lp_chat *chat, struct lp_fault *fault) {
    const json_t *stop = lp_given(chat->body, "stop");
    bool good =
        !stop || json_is_string(stop) || (json_is_array(stop) && json_array_size(stop) <= LP_CHAT_STOPS);
    if (json_is_string(stop))
        chat->stop[chat->stops++] = json_string_value(stop);
    for (size_t i = 0; good && i < json_array_size(stop); i++) {
        chat->stop[chat->stops++] = json_string_value(json_array_get(stop, i));
        good = chat->stop[i] != NULL;
    }
    for (int i = 0; good && i < chat->stops; i++)
        good = *chat->stop[i] != 0;
    return good || lp_bad(fault, "stop", "'stop' must be a text or a list of at most 4, none of them empty");
}

static bool take_settings(struct lp_chat *chat, const struct lp_sampling *sampling, struct lp_fault *fault) {
    const json_t *body = chat->body, *options = lp_given(body, "stream_options");
    chat->temperature = sampling->temperature;
    chat->top_p = sampling->top_p;
    chat->seed = (int64_t)sampling->seed;
    if (options && !json_is_object(options))
        return lp_bad(fault, "stream_options", "'stream_options' must be an object");
    if (!lp_take_number(body, "temperature", 2, &chat->temperature, fault) ||
        !lp_take_number(body, "top_p", 1, &chat->top_p, fault) ||
        !lp_take_integer(body, "seed", INT64_MIN, INT64_MAX, &chat->seed, fault) ||
        !lp_take_integer(body, "max_tokens", 1, 1000000, &chat->max_tokens, fault) ||
        !lp_take_integer(body, "max_completion_tokens", 1, 1000000, &chat->max_tokens, fault) ||
        !lp_take_flag(body, "stream", &chat->stream, fault) ||
        !lp_take_flag(options, "include_usage", &chat->include_usage, fault) || !take_stop(chat, fault))
        return false;
    return !options || chat->stream ||
           lp_bad(fault, "stream_options", "'stream_options' is only for 'stream': true");
}

bool lp_chat_is_address(const char *url) {
    return !strncasecmp(url, "https:", 6);
}

bool lp_chat_refuse_picture(bool fetches, const char *param, struct lp_fault *fault) {
    return lp_bad(fault, param,
                  fetches ? "a picture must be a data URL (data:image/png;base64,..) or an https address: nothing else is fetched"
                          : "a picture must be a data URL (data:image/png;base64,..): files are not read, and addresses not "
                            "fetched unless the server has --picture-urls");
}

static bool take_picture(struct lp_chat *chat, struct lp_chat_message *m, const json_t *part,
                         struct lp_fault *fault) {
    const char *url = json_string_value(json_object_get(json_object_get(part, "image_url"), "url"));
    if (!url)
        return lp_bad(fault, "messages", "a part of the type 'image_url' needs {\"image_url\": {\"url\": ..}}");
    if (strncasecmp(url, "data:", 5) && !(chat->fetches && lp_chat_is_address(url)))
        return lp_chat_refuse_picture(chat->fetches, "messages", fault);
    if (m->assistant)
        return lp_bad(fault, "messages", "only messages of the roles 'user' and 'tool' may have pictures");
    if (chat->pictures == LP_CHAT_PICTURES)
        return lp_fault_set(fault, 400, "messages", NULL, "a request may have at most %d pictures",
                            LP_CHAT_PICTURES);
    if (!m->pictures++)
        m->first = chat->pictures;
    chat->picture[chat->pictures++] = url;
    return true;
}

static void add_text(struct lp_chat_message *m, const char *text, size_t n) {
    if (m->text.n && n)
        lp_str_putc(&m->text, '\n');
    lp_str_add(&m->text, text, n);
}

static bool take_part(struct lp_chat *chat, struct lp_chat_message *m, const json_t *part, bool pictures,
                      struct lp_fault *fault) {
    const char *type = json_string_value(json_object_get(part, "type"));
    const json_t *text = json_object_get(part, "text");
    if (type && !strcmp(type, "text") && json_is_string(text)) {
        add_text(m, json_string_value(text), json_string_length(text));
        return true;
    }
    if (type && !strcmp(type, "image_url") && pictures)
        return take_picture(chat, m, part, fault);
    return lp_bad(fault, "messages",
               "a part of a message must be {\"type\": \"text\", \"text\": ..} or, of a user's or a tool's, {\"type\": "
               "\"image_url\", ..}");
}

static bool take_content(struct lp_chat *chat, struct lp_chat_message *m, const json_t *content,
                         bool pictures, struct lp_fault *fault) {
    if (json_is_string(content)) {
        add_text(m, json_string_value(content), json_string_length(content));
        return true;
    }
    if (!json_is_array(content) || !json_array_size(content))
        return lp_bad(fault, "messages", "a message's 'content' must be a text or a list of parts");
    for (size_t i = 0; i < json_array_size(content); i++)
        if (!take_part(chat, m, json_array_get(content, i), pictures, fault))
            return false;
    return true;
}

/* An assistant's calls, which tools' messages must answer one by one. */
static bool check_calls(const json_t *calls, struct lp_fault *fault) {
    bool good = json_is_array(calls) && json_array_size(calls) <= LP_SYNTAX_CALLS;
    for (size_t i = 0; good && i < json_array_size(calls); i++) {
        const json_t *call = json_array_get(calls, i), *function = json_object_get(call, "function");
        const char *name = json_string_value(json_object_get(function, "name"));
        good = json_is_string(json_object_get(call, "id")) && name && lp_skill_find(name) &&
               json_is_string(json_object_get(function, "arguments"));
    }
    return good || lp_bad(fault, "messages", "'tool_calls' must be a list of calls as this server gave them");
}

/* The call of the last assistant's message that the next tool's message must answer; NULL: none. */
static const char *open_call(const struct lp_chat *chat) {
    int last = chat->messages - 1, answered = 0;
    for (; last >= 0 && chat->message[last].call_id; last--)
        answered++;
    const json_t *calls = last >= 0 ? chat->message[last].calls : NULL;
    return json_string_value(json_object_get(json_array_get(calls, (size_t)answered), "id"));
}

/* A message with what it has beside its content; One that only goes on becomes one with that before. */
static bool open_message(struct lp_chat *chat, const json_t *message, const char *role, struct lp_fault *fault) {
    const json_t *calls = lp_given(message, "tool_calls");
    const char *id = json_string_value(json_object_get(message, "tool_call_id")), *next = open_call(chat);
    struct lp_chat_message new = {.assistant = !strcmp(role, "assistant")};
    const struct lp_chat_message *last = chat->messages ? &chat->message[chat->messages - 1] : NULL;
    bool tool = !strcmp(role, "tool");
    if (new.assistant && !last)
        return lp_bad(fault, "messages", "the first message must not be the assistant's");
    if (new.assistant && calls && !is_empty(calls)) {
        if (!check_calls(calls, fault))
            return false;
        new.calls = calls;
    } else if (calls && !is_empty(calls)) {
        return lp_bad(fault, "messages", "only the assistant's messages have 'tool_calls'");
    }
    if (tool && !(next && id && !strcmp(id, next)))
        return lp_bad(fault, "messages", "a message of the role 'tool' must answer the call of its 'tool_call_id', in their order");
    if (!tool && next)
        return lp_bad(fault, "messages", "every one of 'tool_calls' needs a message of the role 'tool' that answers it");
    new.call_id = tool ? id : NULL;
    bool joins = last && !tool && !new.calls && last->assistant == new.assistant && !last->call_id;
    if (new.assistant && new.calls && last->assistant)
        return lp_bad(fault, "messages", "calls must follow a message of the user");
    if (!joins)
        chat->message[chat->messages++] = new;
    return true;
}

/* One of OpenAI's messages; neighbours of one side become one. A system's words stand before the user's next. */
static bool take_message(struct lp_chat *chat, const json_t *message, struct lp_fault *fault) {
    static const char *const roles[] = {"user", "assistant", "system", "developer", "tool"};
    const char *role = json_string_value(json_object_get(message, "role"));
    const json_t *content = json_object_get(message, "content");
    size_t i = 0;
    while (role && i < 5 && strcmp(role, roles[i]))
        i++;
    if (!role || i == 5)
        return lp_bad(fault, "messages", "a message's 'role' must be 'user', 'assistant', 'system', 'developer' or 'tool'");
    if (!open_message(chat, message, role, fault))
        return false;
    struct lp_chat_message *m = &chat->message[chat->messages - 1];
    if (m->calls && (!content || json_is_null(content)))
        return true;
    return take_content(chat, m, content, i == 0 || i == 4, fault);
}

static bool take_messages(struct lp_chat *chat, struct lp_fault *fault) {
    const json_t *list = json_object_get(chat->body, "messages");
    size_t n = json_array_size(list);
    if (!n)
        return lp_bad(fault, "messages", "'messages' must be a list of at least one message");
    chat->message = lp_alloc_array(n, sizeof *chat->message);
    if (!chat->message)
        return lp_fault_memory(fault);
    for (size_t i = 0; i < n; i++)
        if (!take_message(chat, json_array_get(list, i), fault))
            return false;
    for (int i = 0; i < chat->messages; i++)
        if (chat->message[i].text.failed)
            return lp_fault_memory(fault);
    return (!chat->message[chat->messages - 1].assistant && !open_call(chat)) ||
           lp_bad(fault, "messages", "the last message must be the user's, or that of the last call's tool");
}

/* The skill that a tool's declaration means; NULL: it is none. */
static const struct lp_skill *skill_of(const json_t *tool, const char **name) {
    const char *type = json_string_value(json_object_get(tool, "type"));
    *name = json_string_value(json_object_get(json_object_get(tool, "function"), "name"));
    return type && !strcmp(type, "function") && *name ? lp_skill_find(*name) : NULL;
}

/* Tools that the client runs. The planner knows what its skills are for, so these they must be. */
static bool take_tools(struct lp_chat *chat, struct lp_fault *fault) {
    const json_t *list = lp_given(chat->body, "tools");
    const char *name;
    if (list && !json_is_array(list))
        return lp_bad(fault, "tools", "'tools' must be a list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct lp_skill *skill = skill_of(json_array_get(list, i), &name);
        if (!skill)
            return lp_fault_set(fault, 400, "tools", "unsupported_parameter",
                                "tools must be functions that have the name of a skill (see 'llava-plus skill list'), "
                                "not '%.60s'",
                                name ? name : "");
        chat->tools += !chat->tool[lp_skill_index(skill)];
        chat->tool[lp_skill_index(skill)] = name;
    }
    return true;
}

static bool take_choice(struct lp_chat *chat, struct lp_fault *fault) {
    const json_t *value = lp_given(chat->body, "tool_choice"), *parallel = lp_given(chat->body, "parallel_tool_calls");
    const char *word = json_string_value(value), *name;
    chat->one_call = json_is_false(parallel);
    if (!value || (word && !strcmp(word, "auto")))
        return true;
    chat->choice = word && !strcmp(word, "none") ? LP_CHAT_NONE : LP_CHAT_REQUIRED;
    if (chat->choice == LP_CHAT_NONE)
        return true;
    const struct lp_skill *only = word ? NULL : skill_of(value, &name);
    bool offered = only && chat->tool[lp_skill_index(only)];
    for (int i = 0; offered && i < LP_SKILL_COUNT; i++)
        if (i != lp_skill_index(only))
            chat->tool[i] = NULL;
    return (chat->tools && (offered || (word && !strcmp(word, "required")))) ||
           lp_bad(fault, "tool_choice", "'tool_choice' must be 'none', 'auto', or with 'tools' 'required' or one of them");
}

bool lp_chat_parse(struct lp_chat *chat, const char *body, size_t n, const char *model,
                   const struct lp_sampling *sampling, struct lp_fault *fault) {
    chat->body = lp_take_body(body, n, fault);
    if (!chat->body)
        return false;
    const char *asked = json_string_value(json_object_get(chat->body, "model"));
    if (!asked)
        return lp_bad(fault, "model", "'model' must be the name of a model; see /v1/models");
    if (strcmp(asked, model))
        return lp_fault_set(fault, 404, "model", "model_not_found",
                            "there is no such model here; see /v1/models");
    return check_undone(chat->body, fault) && take_settings(chat, sampling, fault) && take_tools(chat, fault) &&
           take_choice(chat, fault) && take_messages(chat, fault);
}

void lp_chat_done(struct lp_chat *chat) {
    for (int i = 0; i < chat->messages; i++)
        lp_str_done(&chat->message[i].text);
    for (int i = 0; i < chat->pictures; i++)
        lp_str_done(&chat->fetched[i]);
    lp_free(chat->message);
    json_decref(chat->body);
    *chat = (struct lp_chat){0};
}
