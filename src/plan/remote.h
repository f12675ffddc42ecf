/* SPDX-License-Identifier: MIT */
/* A planner on a server: any OpenAI-compatible /v1/chat/completions that understands pictures. It stands
 * behind the same seam as a model on this machine (struct lp_lmm); its turns come as the same text in the
 * unified format, whichever way the server called for skills. */
#ifndef LP_PLAN_REMOTE_H
#define LP_PLAN_REMOTE_H

#include "base/endpoint.h"
#include "plan/lmm.h"

struct lp_conversation;
struct lp_decoding;
struct lp_outcome;
struct lp_turn;

enum lp_remote_tools {                 /* how the server calls for skills */
                       LP_REMOTE_AUTO, /* native until it refuses that or writes the unified format, then text
                                        */
                       LP_REMOTE_NATIVE, /* `tools` and `tool_calls` */
                       LP_REMOTE_TEXT    /* thoughts, actions and value, which its instructions explain */
};

/* "auto", "native" or "text"; LP_EUSAGE. */
bool lp_remote_tools_parse(const char *name, enum lp_remote_tools *tools, struct lp_error *err);

struct lp_remote_settings {
    struct lp_endpoint_settings at;
    const char *model;
    enum lp_remote_tools tools;
    int longest_side; /* of pictures as they are sent, px */
};
/* Four attempts, 16 MiB an answer, auto, 1536 px. */
void lp_remote_defaults(struct lp_remote_settings *s);

/* Texts of the settings are borrowed until lp_lmm_close. Asks nothing yet. LP_EUSAGE, LP_EMEMORY. */
bool lp_lmm_open_remote(struct lp_lmm *lmm, const struct lp_remote_settings *s, struct lp_error *err);

struct lp_remote;

/* Lets the server write the next turn of the conversation, as lp_decode does: `turn` grows as words come, is
 * legal in the end, and has no actions where `answer`. A plan that is not legal is sent back once. *too_long:
 * nothing was written as the server says that the conversation does not fit. Errors: LP_EIO with a sentence
 * for a server that is out of reach, refuses, or answers with what makes no sense; LP_ECANCELED; LP_EMEMORY. */
bool lp_remote_write(struct lp_remote *r, const struct lp_conversation *c, bool answer,
                     const struct lp_decoding *how, struct lp_turn *turn, bool *too_long,
                     struct lp_error *err);

/* What each call gave, a text a call, for lp_said.told; owned by caller (json_decref); NULL when out of
 * memory. */
json_t *lp_remote_results(const struct lp_outcome *outcome, int n);

/* Before the conversation's objects are forgotten. */
void lp_remote_forget_pictures(struct lp_remote *r);

enum { LP_REMOTE_ITEMS = 64 }; /* of a list in results */

#endif
