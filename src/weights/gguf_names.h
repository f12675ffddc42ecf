/* SPDX-License-Identifier: MIT */
/* gguf_names.h - llama.cpp's names of tensors and Hugging Face's.
 *
 * Language models get the names of LlamaForCausalLM, picture encoders (mmproj files) those of the original
 * LLaVA's folders, so that both files together are such a folder: blk.0.attn_q.weight
 * model.layers.0.self_attn.q_proj.weight v.blk.0.attn_q.weight
 * model.vision_tower.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight mm.0.weight
 * model.mm_projector.0.weight; model.mm_projector.weight where there is no mm.2 */
#ifndef LP_WEIGHTS_GGUF_NAMES_H
#define LP_WEIGHTS_GGUF_NAMES_H

#include "weights/gguf.h"

enum { LP_GGUF_NAME = 400 }; /* bytes of the longest name that is made here */

/* A tensor under its Hugging Face name. */
struct lp_gguf_named {
    struct lp_weight weight;
    int64_t head_rows; /* as lp_weights_head_rows says */
};

/* Names all tensors of a file, g->count of them, in the arena. Names that are not known stay. LP_EINPUT where
 * the heads do not divide the rows of a query or key matrix. NULL on failure. */
struct lp_gguf_named *lp_gguf_name_tensors(const struct lp_gguf *g, struct lp_arena *arena,
                                           struct lp_error *err);

/* The file's name for a Hugging Face name of either LLaVA layout or of LlamaForCausalLM; for writing. False
 * for a name that has none. */
bool lp_gguf_name_of(char out[LP_GGUF_NAME], const char *hugging_face);

/* Rows of a query or key matrix between the two orders: in the file row 2i+p of a head is Hugging Face's row
 * p*head_rows/2+i, p 0 or 1. A row is `bytes` long: of numbers or of whole blocks. */
void lp_gguf_rows_from_file(void *restrict to, const void *restrict from, int64_t rows, int64_t head_rows,
                            size_t bytes);
void lp_gguf_rows_to_file(void *restrict to, const void *restrict from, int64_t rows, int64_t head_rows,
                          size_t bytes);

#endif
