/* SPDX-License-Identifier: MIT */
/* serve/chat_run.c - a request of a chat, asked of the agent. The skills' dialogue stays hidden; the client's
 * stop texts and its most tokens are for the answer that it sees. */
#include "base/base64.h"
#include "base/memory.h"
#include "serve/chat.h"
#include "text/template.h"

#include <string.h>
#include <strings.h>

/* An answer on its way to the client. */
struct way {
    const struct lp_chat *chat;
    const struct lp_agent *agent;
    const struct lp_chat_listener *listener;
    atomic_bool *cancel;
    struct lp_str said; /* all that the agent told */
    size_t told;        /* of it, what the client got */
    bool begun, ended;  /* ended: by a stop text or the most tokens */
    enum lp_chat_finish finish;
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

struct lp_image *lp_chat_picture(const char *url, struct lp_error *err) {
    struct lp_str bytes = {0};
    struct lp_image *image =
        lp_chat_picture_bytes(url, &bytes, err) ? lp_image_decode(lp_str_text(&bytes), bytes.n, "a picture", err) : NULL;
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
    if (!w->begun) {
        w->begun = true;
        w->listener->begun(w->listener->context);
    }
    if (s->kind != LP_STEP_ANSWER || w->ended)
        return;
    lp_str_puts(&w->said, s->text);
    if (!w->said.failed && w->said.n)
        pass_on(w, false);
}

static bool add_pictures(const struct lp_chat *chat, const struct lp_chat_message *m, struct lp_agent *agent,
                         int64_t *pixels, struct lp_error *err) {
    for (int i = 0; i < m->pictures; i++) {
        struct lp_image *image = lp_chat_picture(chat->picture[m->first + i], err);
        if (!image)
            return false;
        *pixels += (int64_t)image->width * image->height;
        if (*pixels > LP_CHAT_PIXELS) {
            lp_image_close(image);
            return lp_error_set(err, LP_EINPUT, "the pictures have more than %d pixels together",
                                LP_CHAT_PIXELS);
        }
        if (!lp_conversation_add_picture(&agent->talk, image, err))
            return false;
    }
    return true;
}

/* Tells the conversation anew up to the last message. */
static bool recall(const struct lp_chat *chat, struct lp_agent *agent, struct lp_error *err) {
    int64_t pixels = 0;
    lp_conversation_reset(&agent->talk);
    for (int i = 0; i < chat->messages; i++) {
        const struct lp_chat_message *m = &chat->message[i];
        struct lp_request request = {.text = lp_str_text(&m->text)};
        bool done = m->assistant
                        ? lp_conversation_recall(&agent->talk, request.text, err)
                        : add_pictures(chat, m, agent, &pixels, err) &&
                              (i + 1 == chat->messages || lp_conversation_ask(&agent->talk, &request, err));
        if (!done)
            return false;
    }
    return true;
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

bool lp_chat_run(const struct lp_chat *chat, struct lp_agent *agent, atomic_bool *cancel,
                 const struct lp_chat_listener *listener, struct lp_chat_outcome *outcome,
                 struct lp_fault *fault) {
    struct way w = {.chat = chat, .agent = agent, .listener = listener, .cancel = cancel};
    struct lp_error err = {0};
    struct lp_reply reply = {0};
    const struct lp_sampling before = agent->sampling;
    struct lp_request request = {.text = lp_str_text(&chat->message[chat->messages - 1].text)};
    struct lp_hooks hooks = {.step = step, .context = &w, .cancel = cancel};
    agent->sampling.temperature = chat->temperature;
    agent->sampling.top_p = chat->top_p;
    lp_rng_seed(&agent->rng, (uint64_t)chat->seed);
    bool done = recall(chat, agent, &err) && (lp_agent_ask(agent, &request, &hooks, &reply, &err) || w.ended);
    if (done && !w.ended && w.said.n)
        pass_on(&w, true);
    done = done && (!w.said.failed || lp_error_memory(&err));
    if (done) {
        lp_chat_count(agent, lp_str_text(&w.said), w.said.n, &outcome->prompt_tokens, &outcome->completion_tokens);
        outcome->finish = w.ended ? w.finish : reply.cut_short ? LP_CHAT_LENGTH : LP_CHAT_STOP;
        outcome->answer = w.said;
        w.said = (struct lp_str){0};
    }
    agent->sampling = before;
    lp_reply_done(&reply);
    lp_str_done(&w.said);
    return done || lp_fault_from(fault, "messages", &err);
}
