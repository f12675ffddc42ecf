/* SPDX-License-Identifier: MIT */
/* Conversation templates: messages in, the prompt a model was trained on out. */
#ifndef LP_TEXT_TEMPLATE_H
#define LP_TEXT_TEMPLATE_H

#include "base/str.h"

struct lp_template; /* constant, of process lifetime */

/* By the original's keys ("llava_v0", "v1", "mpt", ..); NULL when there is none. */
const struct lp_template *lp_template_find(const char *key);

/* As the original chooses from a model's name, by parts of it; never NULL. A name with "mpt" but without
 * "llava", for which the original has no template, gets mpt. */
const struct lp_template *lp_template_for_model(const char *model_name);

const char *lp_template_key(const struct lp_template *t);

/* What ends an assistant's turn, as text. Search it in decoded text: its tokens differ with what stands
 * before. */
const char *lp_template_stop(const struct lp_template *t);

/* Whether a space stands between an assistant's role and what it says. */
bool lp_template_spaced(const struct lp_template *t);

/* What it consists of, for programs that make prompts themselves. All static. */
enum lp_template_style {
    LP_TEMPLATE_SINGLE, /* "role: text" and the first separator */
    LP_TEMPLATE_TWO,    /* the same with a separator for each side */
    LP_TEMPLATE_MPT,    /* "role" "text" and the first separator */
    LP_TEMPLATE_PLAIN,
    LP_TEMPLATE_LLAMA_2
};
struct lp_template_parts {
    const char *key, *system, *role[2], *sep[2]; /* of the human, of the assistant */
    enum lp_template_style style;
};
struct lp_template_parts lp_template_parts(const struct lp_template *t);

struct lp_message {
    const char *text; /* NULL: an open turn, for the model to go on */
    bool assistant;
};

/* Appends the prompt for a conversation that begins with a human's message; messages alternate. Texts go in
 * as they are ("<image>" stands where it stands), except that the mmtag templates move the pictures of the
 * first message into a pair of messages of their own. Out of memory shows in out->failed. */
void lp_template_format(const struct lp_template *t, const struct lp_message *message, size_t n,
                        struct lp_str *out);

/* Where `stop` begins in text[0..n), or n. */
size_t lp_stop_find(const char *text, size_t n, const char *stop);
/* How many of the last bytes of text[0..n) may be the beginning of `stop`: hold them back while streaming. */
size_t lp_stop_pending(const char *text, size_t n, const char *stop);

#endif
