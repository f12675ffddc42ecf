/* SPDX-License-Identifier: MIT */
/* Between the files of the remote planner. */
#ifndef LP_PLAN_REMOTE_INNER_H
#define LP_PLAN_REMOTE_INNER_H

#include "plan/conversation.h"
#include "plan/remote.h"

enum {
    LP_REMOTE_CALLS = 16,         /* most calls of one plan */
    LP_REMOTE_PICTURES = 32,      /* the newest are sent */
    LP_REMOTE_ARGUMENTS = 1 << 16 /* bytes of a call's arguments */
};

struct lp_remote {
    struct lp_remote_settings settings;
    struct lp_endpoint *endpoint;
    bool text;              /* calls come in the unified format */
    bool apart;             /* pictures that tools made come in a user's message */
    bool plain_sampling;    /* temperature, top_p and seed are not sent */
    bool completion_tokens; /* max_tokens is called max_completion_tokens */
    char **picture;         /* data URLs by number of the image object - 1; NULL: not made yet */
    int pictures;
};

/* ---- remote_picture.c ---- */

/* The image object as a data URL: PNG where that is small, else JPEG. Borrowed until pictures are forgotten.
 */
const char *lp_remote_picture(struct lp_remote *r, const struct lp_object *object, struct lp_error *err);

/* ---- remote_request.c ---- */

/* The question for a next turn; owned by caller. `repair`: what was wrong with the turn that came before, or
 * NULL. *shown: a tool's message has a picture. */
json_t *lp_remote_request(struct lp_remote *r, const struct lp_conversation *c, bool answer,
                          const char *repair, const struct lp_sampling *sampling, bool *shown,
                          struct lp_error *err);

/* ---- remote_words.c ---- */

/* The instructions that stand before the conversation. */
void lp_remote_words(struct lp_str *out, bool text, bool tools, const struct lp_facts *facts);
/* The skills as an OpenAI-compatible server wants them; owned by caller; NULL when out of memory. */
json_t *lp_remote_tool_list(const struct lp_facts *facts);

/* ---- remote_reply.c: what a server answers, whole or piece by piece ---- */

struct lp_remote_call {
    int64_t index;                     /* as the server counts it; -1: it does not */
    struct lp_str id, name, arguments; /* arguments: JSON text */
};

enum lp_remote_told { /* what of an answer is in the turn, and may have been told */
                      LP_REMOTE_NOTHING,
                      LP_REMOTE_PLAIN,  /* words without the marks */
                      LP_REMOTE_UNIFIED /* the value of a turn with them */
};

struct lp_remote_reply {
    struct lp_str content, reasoning;
    struct lp_remote_call
        call[LP_REMOTE_CALLS + 1]; /* one more than is legal, to tell that there were too many */
    int calls;
    size_t most;              /* bytes of content and of reasoning each; more is enough */
    bool begun;               /* there was a choice */
    bool finished;            /* the server has said so */
    bool enough;              /* the answer is longer than `most` */
    bool cut_short;           /* by the server's limit, or enough */
    bool withheld;            /* by the server's filter */
    enum lp_remote_told told; /* remote_turn.c's */
};

/* Takes one JSON value: a whole completion, or a piece of one. LP_EINPUT: it is none; LP_EIO: it tells an
 * error. */
bool lp_remote_reply_take(struct lp_remote_reply *reply, const json_t *root, bool whole,
                          struct lp_error *err);
void lp_remote_reply_done(struct lp_remote_reply *reply);

/* ---- remote_turn.c: from the answer to a turn in the unified format ---- */

/* The turn as far as it has come; once an answer's words are in it, they stay. `answer`: it can be nothing
 * else. False: out of memory. */
bool lp_remote_turn_grow(struct lp_turn *turn, struct lp_remote_reply *reply, bool answer);

/* The whole turn, after the last growing. LP_EINPUT with *again: not legal, and worth another try, `err` says
 * why. *unified: it had the marks. */
bool lp_remote_turn_end(struct lp_turn *turn, const struct lp_remote_reply *reply, bool answer, bool *again,
                        bool *unified, struct lp_error *err);

#endif
