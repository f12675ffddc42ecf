/* SPDX-License-Identifier: MIT */
/* A caption as Grounding DINO reads it (Liu et al. 2023, arXiv:2303.05499, section 3.4, "sub-sentence
 * level"): phrases that end in a full stop or a question mark, each of which sees only itself. */
#ifndef LP_TEXT_PHRASES_H
#define LP_TEXT_PHRASES_H

#include "text/wordpiece.h"

enum { LP_PHRASES_TOKENS = 256 }; /* the most that the model was trained with */

/* Zero-initialised is valid and empty. */
struct lp_phrases {
    struct lp_ids ids; /* [CLS], the caption, [SEP] */
    int32_t *position; /* [ids.n] of each token within its phrase, from 0 */
    int32_t *start;    /* [count+1] tokens start[i]..start[i+1]-1 see each other and no others */
    int64_t count;
    bool cut; /* tokens beyond LP_PHRASES_TOKENS were left out, [SEP] with them */
};

/* Appends the caption in small letters, without spaces around it, with a full stop behind it where it has
 * none. Broken UTF-8 becomes U+FFFD. False when out of memory. */
bool lp_phrases_caption(const char *caption, size_t n, struct lp_str *out, struct lp_error *err);

/* Appends phrases as one caption: "cat", "red car" -> "cat . red car ." */
bool lp_phrases_join(const char *const *phrase, size_t count, struct lp_str *out, struct lp_error *err);

/* Reads lp_phrases_caption of any caption; an empty one is a full stop alone. p is zeroed before and owned by
 * caller (lp_phrases_done) also on failure, which is LP_EMEMORY, or LP_EINPUT where the vocabulary has no
 * ".". */
bool lp_phrases_read(const struct lp_wordpiece *w, const char *caption, size_t n, struct lp_phrases *p,
                     struct lp_error *err);
/* The same for tokens that are there already: fills p's other fields from p->ids. */
bool lp_phrases_part(const struct lp_wordpiece *w, struct lp_phrases *p, struct lp_error *err);
void lp_phrases_done(struct lp_phrases *p);

#endif
