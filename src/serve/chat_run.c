/* SPDX-License-Identifier: MIT */
/* serve/chat_run.c - a request of a chat, asked of the agent. The skills' dialogue stays hidden; the client's
 * stop texts and its most tokens are for the answer that it sees. */
#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "serve/chat.h"
#include "serve/fields.h"
#include "serve/pixels.h"
#include "text/template.h"

#include <string.h>
#include <strings.h>

/* An answer on its way to the client. */
struct way {
    const struct lp_chat *chat;
    struct lp_seat *seat;
    const struct lp_agent *agent; /* the seat's */
    const struct lp_chat_listener *listener;
    atomic_bool *cancel;
    struct lp_str said; /* all that the agent told */
    size_t told;        /* of it, what the client got */
    bool begun, ended;  /* ended: by a stop text or the most tokens */
    enum lp_chat_finish finish;
    double told_ms; /* spent on telling, while the planner waited */
};

bool lp_chat_picture_bytes(const char *url, struct lp_str *bytes, struct lp_error *err) {
    static const char scheme[] = "data:image/", mark[] = ";base64,";
    const char *comma = strchr(url, ',');
    if (strncasecmp(url, scheme, sizeof scheme - 1) || !comma || comma - url < (long)sizeof mark - 2 ||
        strncasecmp(comma + 2 - sizeof mark, mark, sizeof mark - 1))
        return lp_error_set(err, LP_EINPUT, "a picture's data URL must be data:image/..;base64,..");
    if (lp_base64_parse(bytes, comma + 1, strlen(comma + 1)))
        return true;
    return bytes->failed ? lp_error_memory(err) : lp_error_set(err, LP_EINPUT, "a picture's data URL is not base64");
}

/* A picture's file, decoded. */
static struct lp_image *decode(const struct lp_str *file, struct lp_pixels *pixels, struct lp_error *err) {
    const struct lp_hash hash = lp_sha256_of(lp_str_text(file), file->n);
    return lp_pixels_decode(pixels, &hash, lp_str_text(file), file->n, err);
}

struct lp_image *lp_chat_picture(const char *url, struct lp_pixels *pixels, struct lp_error *err) {
    struct lp_str bytes = {0};
    struct lp_image *image = lp_chat_picture_bytes(url, &bytes, err) ? decode(&bytes, pixels, err) : NULL;
    lp_str_done(&bytes);
    return image;
}

/* Tokens of text; a planner on a server does not tell its tokenizer: a token is taken to be four bytes. */
static int64_t count_tokens(const struct lp_agent *a, const char *text, size_t n) {
    struct lp_ids ids = {0};
    int64_t count = (int64_t)(n + 3) / 4;
    if (a->talk.lmm->tokenizer && lp_tokenizer_encode(a->talk.lmm->tokenizer, text, n, &ids, NULL))
        count = (int64_t)ids.n;
    lp_ids_done(&ids);
    return count;
}

/* Where text[0..n) has `most` tokens; at the beginning of a character. */
static size_t cut_at(const struct lp_agent *a, const char *text, size_t n, int64_t most) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = hi - (hi - lo) / 2;
        if (count_tokens(a, text, mid) <= most)
            lo = mid;
        else
            hi = mid - 1;
    }
    while (lo && lo < n && ((unsigned char)text[lo] & 0xc0) == 0x80)
        lo--;
    return lo;
}

static void end_at(struct way *w, size_t n, enum lp_chat_finish finish) {
    lp_str_cut(&w->said, n > w->told ? n : w->told);
    w->ended = true;
    w->finish = finish;
    atomic_store(w->cancel, true);
}

/* Gives the client what it may have of what was said; `last`: no more will come. */
static void pass_on(struct way *w, bool last) {
    const struct lp_chat *chat = w->chat;
    const char *news = w->said.s + w->told;
    size_t n = w->said.n - w->told, first = n, held = 0;
    for (int i = 0; i < chat->stops; i++) {
        size_t at = lp_stop_find(news, n, chat->stop[i]), pending = lp_stop_pending(news, n, chat->stop[i]);
        first = at < first ? at : first;
        held = pending > held ? pending : held;
    }
    if (first < n)
        end_at(w, w->told + first, LP_CHAT_STOP);
    if (chat->max_tokens && (int64_t)w->said.n > chat->max_tokens &&
        count_tokens(w->agent, w->said.s, w->said.n) > chat->max_tokens)
        end_at(w, cut_at(w->agent, w->said.s, w->said.n, chat->max_tokens), LP_CHAT_LENGTH);
    n = w->said.n - (last || w->ended ? 0 : held);
    if (n <= w->told)
        return;
    char kept = w->said.s[n];
    w->said.s[n] = 0;
    w->listener->piece(w->listener->context, w->said.s + w->told);
    w->said.s[n] = kept;
    w->told = n;
}

static void step(void *context, const struct lp_step *s) {
    struct way *w = context;
    double began_ms = lp_clock_ms();
    lp_seat_note(w->seat, s);
    if (!w->begun) {
        w->begun = true;
        w->listener->begun(w->listener->context);
    }
    if (s->kind == LP_STEP_ANSWER && !w->ended) {
        lp_str_puts(&w->said, s->text);
        if (!w->said.failed && w->said.n)
            pass_on(w, false);
    }
    w->told_ms += lp_clock_ms() - began_ms;
}

static bool add_pictures(const struct lp_chat *chat, const struct lp_chat_message *m, struct lp_seat *seat,
                         int64_t *pixels, struct lp_error *err) {
    for (int i = 0; i < m->pictures; i++) {
        const char *url = chat->picture[m->first + i];
        const struct lp_str *file = &chat->fetched[m->first + i];
        struct lp_image *image = lp_chat_is_address(url) ? decode(file, seat->pixels, err)
                                                         : lp_chat_picture(url, seat->pixels, err);
        if (!image)
            return false;
        *pixels += (int64_t)image->width * image->height;
        if (*pixels > LP_CHAT_PIXELS) {
            lp_image_close(image);
            return lp_error_set(err, LP_EINPUT, "the pictures have more than %d pixels together",
                                LP_CHAT_PIXELS);
        }
        if (!lp_conversation_add_picture(&seat->agent->talk, image, err))
            return false;
    }
    return true;
}

/* The calls that a client got and gives back, as a plan's actions; owned by caller; NULL when out of memory. */
static json_t *actions_of(const json_t *calls) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < json_array_size(calls); i++) {
        const json_t *function = json_object_get(json_array_get(calls, i), "function");
        const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(function, "name")));
        const char *arguments = json_string_value(json_object_get(function, "arguments"));
        json_t *params = lp_body_is_modest(arguments, strlen(arguments)) ? json_loads(arguments, 0, NULL) : NULL;
        if (!json_is_object(params)) {
            json_decref(params);
            params = json_object();
        }
        if (json_array_append_new(list, json_pack("{s:s, s:o}", "API_name", skill->api_name, "API_params", params))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Keeps the text that a tool read as an object, so that the planner can name it rather than copy it. */
static bool keep_text(struct lp_agent *agent, const struct lp_skill *skill, json_t *result, struct lp_error *err) {
    const json_t *lines = json_object_get(result, "texts"), *text = json_object_get(result, "text");
    struct lp_str all = {0};
    if (!(skill->leaves & LP_LEAVES_TEXT) || json_object_get(result, "handles"))
        return true;
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        lp_str_printf(&all, "%s%s", i ? "\n" : "", line ? line : "");
    }
    const char *words = json_string_value(text ? text : json_object_get(result, "message"));
    if (!lines && words)
        lp_str_puts(&all, words);
    const struct lp_object *o = all.n && !all.failed ? lp_objects_add_text(&agent->talk.objects, all.s, 1, err) : NULL;
    bool done = o ? !json_object_set_new(result, "handles", json_string(o->handle)) : !all.n && !all.failed;
    lp_str_done(&all);
    return done || lp_error_memory(err);
}

/* What tools' messages say, from the first on: an object is the result itself, other words are its message. */
static bool tell_results(const struct lp_chat *chat, int first, int n, struct lp_seat *seat, int64_t *pixels,
                         struct lp_error *err) {
    struct lp_agent *agent = seat->agent;
    struct lp_outcome outcome[LP_SYNTAX_CALLS] = {0};
    json_t *result[LP_SYNTAX_CALLS] = {0};
    bool done = true;
    for (int i = 0; done && i < n; i++) {
        const struct lp_chat_message *m = &chat->message[first + i];
        const json_t *call = json_array_get(chat->message[first - 1].calls, (size_t)i);
        const char *name = json_string_value(json_object_get(json_object_get(call, "function"), "name"));
        const char *text = lp_str_text(&m->text);
        result[i] = lp_body_is_modest(text, m->text.n) ? json_loads(text, 0, NULL) : NULL;
        if (!json_is_object(result[i])) {
            json_decref(result[i]);
            result[i] = json_pack("{s:s}", "message", text);
        }
        outcome[i] = (struct lp_outcome){lp_skill_find(name)->api_name, result[i], NULL};
        done = (result[i] || lp_error_memory(err)) && keep_text(agent, lp_skill_find(name), result[i], err) &&
               add_pictures(chat, m, seat, pixels, err);
    }
    done = done && lp_conversation_tell(&agent->talk, outcome, n, true, err);
    for (int i = 0; i < n; i++)
        json_decref(result[i]);
    return done;
}

/* An assistant's message with calls and what their tools said. */
static bool recall_calls(const struct lp_chat *chat, int i, struct lp_seat *seat, int64_t *pixels, struct lp_error *err) {
    const struct lp_chat_message *m = &chat->message[i];
    json_t *actions = actions_of(m->calls);
    bool done = actions ? lp_conversation_recall(&seat->agent->talk, actions, lp_str_text(&m->text), err) : lp_error_memory(err);
    json_decref(actions);
    return done && tell_results(chat, i + 1, (int)json_array_size(m->calls), seat, pixels, err);
}

/* Tells the conversation anew up to the last message; the last one too where it is a tool's. */
static bool recall(const struct lp_chat *chat, struct lp_seat *seat, struct lp_error *err) {
    struct lp_agent *agent = seat->agent;
    int64_t pixels = 0;
    lp_conversation_reset(&agent->talk);
    for (int i = 0; i < chat->messages; i++) {
        const struct lp_chat_message *m = &chat->message[i];
        struct lp_request request = {.text = lp_str_text(&m->text)};
        bool done;
        if (m->calls) {
            done = recall_calls(chat, i, seat, &pixels, err);
            i += (int)json_array_size(m->calls);
        } else if (m->assistant) {
            done = lp_conversation_recall(&agent->talk, NULL, request.text, err);
        } else {
            done = add_pictures(chat, m, seat, &pixels, err) &&
                   (i + 1 == chat->messages || lp_conversation_ask(&agent->talk, &request, err));
        }
        if (!done)
            return false;
    }
    return true;
}

/* A plan's calls for the client, under its names for them; a skill that it did not offer is left out. */
static json_t *calls_of(const struct lp_chat *chat, const json_t *actions, const char *id) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < json_array_size(actions) && !(chat->one_call && json_array_size(list)); i++) {
        const json_t *action = json_array_get(actions, i);
        const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(action, "API_name")));
        const char *name = skill ? chat->tool[lp_skill_index(skill)] : NULL;
        char *arguments = lp_json_text(json_object_get(action, "API_params"));
        json_t *call = name && arguments
                           ? json_pack("{s:o, s:s, s:{s:s, s:s}}", "id", json_sprintf("call_%s_%zu", id, i), "type",
                                       "function", "function", "name", name, "arguments", arguments)
                           : NULL;
        lp_free(arguments);
        if (name && json_array_append_new(list, call)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Asks, with the client's tools or with the skills. */
static bool ask(const struct lp_chat *chat, struct lp_agent *agent, const struct lp_hooks *hooks, struct lp_reply *reply,
                struct lp_error *err) {
    const struct lp_chat_message *last = &chat->message[chat->messages - 1];
    const struct lp_request request = {.text = lp_str_text(&last->text)};
    if (chat->choice == LP_CHAT_NONE)
        agent->tools = LP_TOOLS_NONE;
    else if (chat->tools)
        agent->tools = LP_TOOLS_FLY;
    agent->talk.facts.must_call = chat->choice == LP_CHAT_REQUIRED;
    for (int i = 0; chat->tools && i < LP_SKILL_COUNT; i++)
        agent->talk.facts.barred |= chat->tool[i] ? 0 : (uint32_t)1 << i;
    if (last->call_id)
        return lp_agent_answer(agent, hooks, reply, err);
    return (chat->tools ? lp_agent_plan : lp_agent_ask)(agent, &request, hooks, reply, err);
}

/* The positions of the planner's last look at the conversation, the skills' part of it too. */
static int64_t positions(const struct lp_agent *a) {
    const struct lp_lmm *lmm = a->talk.lmm;
    return lmm->remote ? 0 : lmm->kind->rows(lmm->self);
}

void lp_chat_count(const struct lp_agent *a, const char *answer, size_t n, int64_t *prompt_tokens,
                   int64_t *completion_tokens) {
    int64_t all = positions(a);
    *completion_tokens = count_tokens(a, answer, n);
    *prompt_tokens = all > *completion_tokens ? all - *completion_tokens : 0;
}

void lp_chat_outcome_done(struct lp_chat_outcome *outcome) {
    lp_str_done(&outcome->answer);
    json_decref(outcome->calls);
}

bool lp_chat_run(const struct lp_chat *chat, const char *id, struct lp_seat *seat, atomic_bool *cancel,
                 const struct lp_chat_listener *listener, struct lp_chat_outcome *outcome,
                 struct lp_fault *fault) {
    struct lp_agent *agent = seat->agent;
    struct way w = {.chat = chat, .seat = seat, .agent = agent, .listener = listener, .cancel = cancel};
    struct lp_error err = {0};
    struct lp_reply reply = {0};
    const struct lp_sampling before = agent->sampling;
    const enum lp_tools tools = agent->tools;
    struct lp_hooks hooks = {.step = step, .context = &w, .cancel = cancel};
    agent->sampling.temperature = chat->temperature;
    agent->sampling.top_p = chat->top_p;
    lp_rng_seed(&agent->rng, (uint64_t)chat->seed);
    bool done = recall(chat, seat, &err);
    double began_ms = lp_clock_ms();
    if (done) {
        done = ask(chat, agent, &hooks, &reply, &err) || w.ended;
        lp_seat_note_end(seat, done, &err);
    }
    outcome->planner_ms = lp_clock_ms() - began_ms - w.told_ms;
    if (done && !w.ended && w.said.n)
        pass_on(&w, true);
    done = done && (!w.said.failed || lp_error_memory(&err));
    if (done && chat->tools && !w.ended && json_array_size(reply.actions))
        done = (outcome->calls = calls_of(chat, reply.actions, id)) || lp_error_memory(&err);
    if (done) {
        lp_chat_count(agent, lp_str_text(&w.said), w.said.n, &outcome->prompt_tokens, &outcome->completion_tokens);
        outcome->finish = w.ended                             ? w.finish
                          : json_array_size(outcome->calls) ? LP_CHAT_CALLS
                          : reply.cut_short                   ? LP_CHAT_LENGTH
                                                              : LP_CHAT_STOP;
        outcome->answer = w.said;
        w.said = (struct lp_str){0};
    }
    agent->sampling = before;
    agent->tools = tools;
    lp_reply_done(&reply);
    lp_str_done(&w.said);
    return done || lp_fault_from(fault, "messages", &err);
}
