/* SPDX-License-Identifier: MIT */
/* gguf_model.h - what a GGUF file's metadata says about a model, in the words of a Hugging Face folder. */
#ifndef LP_WEIGHTS_GGUF_MODEL_H
#define LP_WEIGHTS_GGUF_MODEL_H

#include "base/json.h"
#include "text/tokenizer.h"
#include "weights/gguf.h"

/* config.json of a LLaMA language model (model_type "llama"); with `vision`, the mmproj file's content, of an
 * original LLaVA (model_type "llava_llama") with a vision_config. Both describe the tensors' Hugging Face
 * names. vision may be NULL. LP_EINPUT for other architectures and projectors and where a size is missing.
 * Owned by caller (json_decref); NULL on failure. */
json_t *lp_gguf_config(const struct lp_gguf *language, const struct lp_gguf *vision, struct lp_error *err);

/* preprocessor_config.json of an mmproj file: size, mean and deviation. Ownership and errors as above. */
json_t *lp_gguf_preprocessor(const struct lp_gguf *vision, struct lp_error *err);

/* The tokenizer of a language model. LP_EINPUT for any but a SentencePiece vocabulary. Owned by caller
 * (lp_tokenizer_close); it does not need the file; NULL on failure. */
struct lp_tokenizer *lp_gguf_tokenizer(const struct lp_gguf *g, struct lp_error *err);

#endif
