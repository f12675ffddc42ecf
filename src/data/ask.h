/* SPDX-License-Identifier: MIT */
/* Asking a chat model behind an OpenAI-compatible endpoint, with patience. */
#ifndef LP_DATA_ASK_H
#define LP_DATA_ASK_H

#include "base/endpoint.h"

struct lp_ask_settings {
    struct lp_endpoint_settings at;
    const char *model;
};
void lp_ask_defaults(struct lp_ask_settings *s); /* of lp_endpoint_defaults */

struct lp_ask;
struct lp_ask *lp_ask_open(const struct lp_ask_settings *s,
                           struct lp_error *err); /* settings' texts are borrowed until close */
void lp_ask_close(struct lp_ask *ask);

/* The model's answer as text, owned by caller (lp_free). NULL on failure: LP_EINPUT when what came is no chat
 * completion; LP_EIO when the server is busy or out of reach after all attempts, or refuses (a wrong key, an
 * unknown model): its own words are in the sentence; LP_ECANCELED; LP_EMEMORY. */
char *lp_ask(struct lp_ask *ask, const char *system, const char *user, struct lp_error *err);

#endif
