/* SPDX-License-Identifier: MIT */
/* A chat completion: what a client asks, what the planner makes of it, how OpenAI's clients read it. */
#ifndef LP_SERVE_CHAT_H
#define LP_SERVE_CHAT_H

#include "serve/fault.h"
#include "serve/seat.h"

enum { LP_CHAT_STOPS = 4, LP_CHAT_PICTURES = 16 };
#define LP_CHAT_PIXELS 100000000 /* of all pictures of a request */

struct lp_chat_message {
    bool assistant;
    const char *call_id; /* of a tool's message: what it answers; else NULL */
    const json_t *calls; /* of the assistant: OpenAI's tool_calls; NULL: none. Borrowed */
    struct lp_str text;
    int first, pictures; /* of the chat's pictures */
};

/* Whether the planner may call skills. */
enum lp_chat_choice { LP_CHAT_AUTO, LP_CHAT_NONE, LP_CHAT_REQUIRED };

/* A request. Zero it first, but for `fetches`; strings and pictures are borrowed from `body`. */
struct lp_chat {
    bool fetches;                    /* pictures may be https addresses */
    json_t *body;                    /* owned */
    struct lp_chat_message *message; /* a user's first; the last one a user's or a tool's; owned */
    int messages;
    const char *picture[LP_CHAT_PICTURES]; /* data URLs, and addresses */
    struct lp_str fetched[LP_CHAT_PICTURES]; /* files of the latter, once somebody put them here; owned */
    int pictures;
    const char *tool[LP_SKILL_COUNT]; /* what the client calls the skills that it runs itself; NULL: not offered */
    int tools;                        /* how many; 0: skills run here */
    enum lp_chat_choice choice;
    bool one_call; /* at most */
    bool stream, include_usage;
    int64_t max_tokens; /* of the answer; 0: no limit of the client's */
    double temperature, top_p;
    int64_t seed;
    const char *stop[LP_CHAT_STOPS];
    int stops;
};

/* Reads a body of n bytes; `sampling` has what the client leaves out, `model` is the only one there is. Then
 * lp_chat_done, also after failure. */
bool lp_chat_parse(struct lp_chat *chat, const char *body, size_t n, const char *model,
                   const struct lp_sampling *sampling, struct lp_fault *fault);
void lp_chat_done(struct lp_chat *chat);

/* Whether a picture begins like an https address. */
bool lp_chat_is_address(const char *url);
/* The fault for a picture that is no data URL and, as far as addresses are fetched, none of these. Returns false. */
bool lp_chat_refuse_picture(bool fetches, const char *param, struct lp_fault *fault);

/* The bytes of a picture's data URL, and the picture itself, NULL on failure; `pixels` as in serve/pixels.h. Owned by caller. */
bool lp_chat_picture_bytes(const char *url, struct lp_str *bytes, struct lp_error *err);
struct lp_image *lp_chat_picture(const char *url, struct lp_pixels *pixels, struct lp_error *err);

enum lp_chat_finish { LP_CHAT_STOP, LP_CHAT_LENGTH, LP_CHAT_CALLS };

/* What it came to. Zero it first; then lp_chat_outcome_done. */
struct lp_chat_outcome {
    struct lp_str answer;
    json_t *calls; /* OpenAI's tool_calls for the client to run; NULL: none */
    enum lp_chat_finish finish;
    int64_t prompt_tokens, completion_tokens;
    double planner_ms; /* that planner and skills took */
};

void lp_chat_outcome_done(struct lp_chat_outcome *outcome);

/* Who follows an answer. */
struct lp_chat_listener {
    void (*begun)(void *context);                   /* once: the request is sound, the planner writes */
    void (*piece)(void *context, const char *text); /* more of the answer, whole characters */
    void *context;
};

/* Asks the seat's agent, whose conversation is told anew. `id` is part of the calls' ids. `cancel` may be set by another thread,
 * which ends it with LP_GONE; it is also set when the client needs no more. */
bool lp_chat_run(const struct lp_chat *chat, const char *id, struct lp_seat *seat, atomic_bool *cancel,
                 const struct lp_chat_listener *listener, struct lp_chat_outcome *outcome,
                 struct lp_fault *fault);

/* What an answer of n bytes took: tokens of the answer, and positions of all else that the planner read and wrote. */
void lp_chat_count(const struct lp_agent *agent, const char *answer, size_t n, int64_t *prompt_tokens,
                   int64_t *completion_tokens);

/* OpenAI's objects; NULL when out of memory; owned by caller. */
struct lp_chat_names {
    const char *id, *model;
    int64_t created;
    bool usage_key; /* chunks have "usage": null */
};
json_t *lp_chat_completion(const struct lp_chat_names *names, const struct lp_chat_outcome *outcome);
json_t *lp_chat_chunk(const struct lp_chat_names *names, bool first, const char *piece, const char *finish);
json_t *lp_chat_usage_chunk(const struct lp_chat_names *names, const struct lp_chat_outcome *outcome);
json_t *lp_chat_calls_chunk(const struct lp_chat_names *names, const struct lp_chat_outcome *outcome);
const char *lp_chat_finish_name(enum lp_chat_finish finish); /* "stop", "length", "tool_calls" */

#endif
