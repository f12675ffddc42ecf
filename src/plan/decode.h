/* SPDX-License-Identifier: MIT */
/* From a prompt to an assistant's turn: feeding, sampling, and the grammar that holds what is sampled. */
#ifndef LP_PLAN_DECODE_H
#define LP_PLAN_DECODE_H

#include "plan/action.h"
#include "plan/prefix.h"
#include "plan/sample.h"
#include "plan/syntax.h"
#include "text/tokenizer.h"

#include <stdatomic.h>

/* A prompt: ids with LP_IMAGE_TOKEN for each of `pictures`, which are borrowed. */
struct lp_prompt {
    struct lp_ids ids;
    const struct lp_llava_picture **picture;
    int64_t pictures;
};
void lp_prompt_done(struct lp_prompt *prompt);
int64_t lp_prompt_rows(const struct lp_prompt *prompt); /* positions that it takes */

/* A turn as it grows. */
struct lp_turn {
    struct lp_str text;  /* from the thoughts marker on; cut at the stop string in the end */
    size_t thoughts_at;  /* where thoughts begin */
    size_t actions_at;   /* the actions' marker; 0: not there yet */
    size_t value_at;     /* where the value begins; 0: not there yet */
    int tokens, sampled; /* written, and of these those that needed sampling */
    bool cut_short;      /* most_tokens or the context ended the value */
    int64_t reused, fed; /* positions of the prompt that the model held or found, and that it had to read */
    double first_ms;     /* lp_clock_ms() when the first token had been chosen; 0: not yet */
};
void lp_turn_done(struct lp_turn *turn);

/* What the model holds from one turn to the next, and the tables for masking. */
struct lp_decoder {
    struct lp_lmm *lmm; /* borrowed */
    struct lp_sequence held;
    int32_t *by_first_byte; /* ids, those that begin with byte b at first[b] .. first[b + 1] - 1 */
    int32_t first[257];
    bool *legal;    /* [vocabulary] */
    float *scratch; /* [vocabulary] */
};

bool lp_decoder_init(struct lp_decoder *d, struct lp_lmm *lmm, struct lp_error *err);
void lp_decoder_done(struct lp_decoder *d);

struct lp_decoding {
    struct lp_sampling sampling; /* seed is not used: rng is */
    struct lp_rng *rng;
    const atomic_bool *cancel;                               /* NULL: never; checked at every token */
    void (*grew)(void *context, const struct lp_turn *turn); /* NULL: none; after every token */
    void *context;
};

/* Writes one turn. Of the prompt only what the model does not hold and lmm->store does not have is fed. Errors: LP_ECANCELED,
 * LP_EMEMORY, and what the model says; `turn` holds what was written until then. Then lp_turn_done. */
bool lp_decode(struct lp_decoder *d, const struct lp_prompt *prompt, const struct lp_syntax *syntax,
               const struct lp_decoding *how, struct lp_turn *turn, struct lp_error *err);

/* Writes on without a grammar, as servers of other planners do: until EOS, one of the n `stop` texts, where it is cut, or
 * how->sampling.most_tokens, which must leave room. turn->text is all that was written. Otherwise as above. */
bool lp_decode_text(struct lp_decoder *d, const struct lp_prompt *prompt, const char *const *stop, int n,
                    const struct lp_decoding *how, struct lp_turn *turn, struct lp_error *err);

#endif
