/* SPDX-License-Identifier: MIT */
/* plan/remote.c - a turn from a server: asks as the server wants to be asked, follows its answer as it comes,
 * and sends what is not legal back once. */
#include "plan/remote.h"

#include "base/memory.h"
#include "base/sse.h"
#include "plan/remote_inner.h"

#include <ctype.h>
#include <string.h>

enum {
    BYTES_A_TOKEN = 16,
    LEAST_BYTES = 4096,
    FORGIVEN = 1
}; /* bound of an answer; turns that are sent back */

void lp_remote_defaults(struct lp_remote_settings *s) {
    *s = (struct lp_remote_settings){.longest_side = 1536};
    lp_endpoint_defaults(&s->at);
    s->at.attempts = 4;
    s->at.limit = (size_t)16 << 20;
}

bool lp_remote_tools_parse(const char *name, enum lp_remote_tools *tools, struct lp_error *err) {
    static const char *const names[] = {"auto", "native", "text"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            *tools = (enum lp_remote_tools)i;
            return true;
        }
    return lp_error_set(err, LP_EUSAGE, "a server's tools are 'auto', 'native' or 'text', not '%s'", name);
}

static void close(void *self) {
    struct lp_remote *r = self;
    lp_remote_forget_pictures(r);
    lp_free(r->picture);
    lp_endpoint_close(r->endpoint);
    lp_free(r);
}

static const struct lp_lmm_kind kind = {.close = close};

bool lp_lmm_open_remote(struct lp_lmm *lmm, const struct lp_remote_settings *s, struct lp_error *err) {
    struct lp_remote *r = lp_alloc(sizeof *r);
    *lmm = (struct lp_lmm){.kind = &kind, .self = r, .remote = r, .name = s->model, .knows_handles = true};
    if (!r)
        return lp_error_memory(err);
    r->settings = *s;
    r->text = s->tools == LP_REMOTE_TEXT;
    r->endpoint = lp_endpoint_open(&s->at, err);
    if (r->endpoint)
        return true;
    lp_lmm_close(lmm);
    return false;
}

/* One answer on its way in. */
struct stream {
    struct lp_remote_reply reply;
    struct lp_sse sse;
    struct lp_str body; /* an answer that comes whole */
    bool known, whole;  /* whether it comes whole is known; it does */
    bool ended;         /* "[DONE]" has come */
    bool answer;
    struct lp_turn *turn;
    const struct lp_decoding *how;
    struct lp_error error;
};

/* Takes one JSON text, and lets the turn grow. */
static bool take(struct stream *s, const char *text, size_t n, const char *name) {
    json_t *root = lp_json_parse(text, n, name, &s->error);
    bool done = root && lp_remote_reply_take(&s->reply, root, s->whole, &s->error);
    json_decref(root);
    if (done && !lp_remote_turn_grow(s->turn, &s->reply, s->answer))
        done = lp_error_memory(&s->error);
    if (done && s->how->grew)
        s->how->grew(s->how->context, s->turn);
    return done;
}

static bool take_event(void *context, const char *data, size_t n) {
    struct stream *s = context;
    bool canceled = s->how->cancel && atomic_load(s->how->cancel);
    s->ended = n == strlen("[DONE]") && !memcmp(data, "[DONE]", n);
    return !canceled && !s->ended && take(s, data, n, "a piece of the server's answer") && !s->reply.enough;
}

/* Servers that cannot stream answer with one object. */
static bool take_piece(void *context, const char *bytes, size_t n) {
    struct stream *s = context;
    for (; !s->known && n; n--, bytes++)
        if (!isspace((unsigned char)*bytes)) {
            s->known = true;
            s->whole = *bytes == '{' || *bytes == '[';
            break;
        }
    if (!s->whole)
        return !n || lp_sse_feed(&s->sse, bytes, n);
    lp_str_add(&s->body, bytes, n);
    return !s->body.failed;
}

static bool breaks_off(const struct stream *s) {
    return !s->reply.finished && !s->ended && !s->reply.enough;
}

/* What is left when the last byte has come, and whether it was a whole answer. */
static bool finish(struct stream *s, struct lp_error *err) {
    struct lp_error *e = &s->error;
    if (!e->code && s->whole)
        take(s, lp_str_text(&s->body), s->body.n, "the server's answer");
    else if (!e->code && !s->ended && !s->reply.enough && !s->sse.over)
        lp_sse_end(&s->sse);
    if (!e->code && (s->body.failed || s->sse.line.failed || s->sse.data.failed))
        lp_error_memory(e);
    else if (!e->code && s->sse.over)
        lp_error_set(e, LP_EINPUT, "a piece of the server's answer is longer than %zu KiB",
                     LP_SSE_MOST >> 10);
    else if (!e->code && !s->reply.begun)
        lp_error_set(e, LP_EINPUT,
                     "the planner's server answers with what is no chat completion: it has no choices");
    else if (!e->code && breaks_off(s))
        lp_error_set(e, LP_EIO, "the planner's server breaks off in the middle of its answer");
    else if (!e->code && s->reply.withheld && !s->reply.content.n)
        lp_error_set(e, LP_EINPUT, "the planner's server withholds its answer by its content filter");
    return e->code == LP_OK || lp_error_set(err, e->code, "%s", e->text);
}

/* What a server may refuse, and what is done about it. */
static bool concede(struct lp_remote *r, const struct lp_http_reply *reply, bool shown) {
    static const char *const tools[] = {"tool", "function", NULL}, *const tokens[] = {"max_completion_tokens",
                                                                                      NULL};
    static const char *const sampling[] = {"temperature", "top_p", "seed", NULL};
    if (reply->status < 400 || reply->status == 401 || reply->status == 403 || reply->status == 429)
        return false;
    if (!r->completion_tokens && lp_endpoint_speaks_of(reply, tokens))
        r->completion_tokens = true;
    else if (!r->plain_sampling && lp_endpoint_speaks_of(reply, sampling))
        r->plain_sampling = true;
    else if (shown)
        r->apart = true;
    else if (!r->text && r->settings.tools == LP_REMOTE_AUTO && lp_endpoint_speaks_of(reply, tools))
        r->text = true;
    else
        return false;
    return true;
}

static bool is_too_long(const struct lp_http_reply *reply) {
    static const char *const words[] = {"context length",
                                        "context size",
                                        "context_length",
                                        "context window",
                                        "too many tokens",
                                        "prompt is too long",
                                        NULL};
    return reply->status >= 400 && lp_endpoint_speaks_of(reply, words);
}

/* Asks until the server takes the question as it is put. */
static bool ask(struct lp_remote *r, const struct lp_conversation *c, const char *repair, struct stream *s,
                bool *too_long, struct lp_error *err) {
    static const char *const hopeless[] = {"tool", "jinja", "image", "mmproj", "context", NULL};
    const struct lp_http_listener listener = {s->how->cancel, take_piece, s};
    for (;;) {
        struct lp_http_reply reply;
        bool shown;
        json_t *question = lp_remote_request(r, c, s->answer, repair, &s->how->sampling, &shown, err);
        bool done = question && lp_endpoint_post(r->endpoint, question, &listener, hopeless, &reply, err);
        json_decref(question);
        if (!done)
            return false;
        if (lp_endpoint_accepted(r->endpoint, &reply, err))
            return finish(s, err);
        *too_long = is_too_long(&reply);
        if (*too_long || !concede(r, &reply, shown))
            return false;
    }
}

static struct stream begin(bool answer, const struct lp_decoding *how, struct lp_turn *turn) {
    return (struct stream){.reply = {.most = LEAST_BYTES + (size_t)how->sampling.most_tokens * BYTES_A_TOKEN},
                           .sse = {.event = take_event},
                           .answer = answer,
                           .turn = turn,
                           .how = how};
}

/* One attempt at a turn. *again: it was not legal, `err` says why. */
static bool attempt(struct lp_remote *r, const struct lp_conversation *c, const char *repair,
                    struct stream *s, bool *again, bool *too_long, struct lp_error *err) {
    bool unified = false;
    s->sse.context = s;
    bool done = ask(r, c, repair, s, too_long, err) &&
                lp_remote_turn_end(s->turn, &s->reply, s->answer, again, &unified, err);
    if (unified && r->settings.tools == LP_REMOTE_AUTO)
        r->text = true;
    if (done && s->how->grew)
        s->how->grew(s->how->context, s->turn);
    lp_remote_reply_done(&s->reply);
    lp_sse_done(&s->sse);
    lp_str_done(&s->body);
    return done;
}

bool lp_remote_write(struct lp_remote *r, const struct lp_conversation *c, bool answer,
                     const struct lp_decoding *how, struct lp_turn *turn, bool *too_long,
                     struct lp_error *err) {
    struct lp_error why = {0};
    *too_long = false;
    for (int i = 0;; i++) {
        struct stream s = begin(answer, how, turn);
        bool again = false;
        const char *repair = i ? why.text : NULL;
        struct lp_error now = {0};
        if (attempt(r, c, repair, &s, &again, too_long, &now))
            return true;
        why = now;
        if (again && i == FORGIVEN)
            lp_error_prefix(&why, "the planner's server wrote no legal turn, also when asked again");
        if (!again || i == FORGIVEN)
            return lp_error_set(err, why.code == LP_EINPUT ? LP_EIO : why.code, "%s", why.text);
    }
}
