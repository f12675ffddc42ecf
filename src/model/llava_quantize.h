/* SPDX-License-Identifier: MIT */
/* A model as GGUF files that llama.cpp reads: the language model in blocks, the picture encoder in float16.
 */
#ifndef LP_MODEL_LLAVA_QUANTIZE_H
#define LP_MODEL_LLAVA_QUANTIZE_H

#include "model/llava_source.h"

struct lp_quantize_request {
    const char *from,
        *mmproj;        /* as lp_llava_source_open; a language model without a picture encoder will do */
    const char *to;     /* "X.gguf"; the picture encoder goes into "mmproj-X.gguf" beside it */
    enum lp_dtype type; /* LP_Q8_0, LP_Q4_0, LP_Q4_K or LP_Q6_K */
    bool force;         /* replaces what is there */
    const struct lp_kernels *kernels;
    void (*progress)(void *context, int64_t done, int64_t weights); /* NULL: none */
    void *context;
};

struct lp_quantize_report {
    char mmproj[4096];      /* the picture encoder's file; "" where there is none */
    int64_t tensors, bytes; /* of the language model */
    int64_t picture_bytes;  /* of the picture encoder */
    int64_t others;         /* matrices whose rows are no whole blocks of the type: q8_0, or float16 */
};

/* Matrices become blocks of the type, save that the output is q6_K beside q4_0 and q4_K, and with q4_K half
 * of the values' and of the last feed-forward matrices, too, as llama.cpp's Q4_K_M does; norms are float32.
 * Tensors that the model does not need are left out.
 *
 * Each file appears whole or not at all, the language model last. Memory: the largest tensor's blocks and a
 * few MiB, beside the mapped files. LP_EUSAGE: a file is there already and force is not set; LP_EMISSING:
 * weights are missing; LP_EINPUT: a number is not finite, or the tokenizer cannot be written; otherwise as
 * lp_llava_source_open, and LP_EIO. */
bool lp_llava_quantize(const struct lp_quantize_request *q, struct lp_quantize_report *report,
                       struct lp_error *err);

/* The metadata of both files (weights/gguf.h). file_type: llama.cpp's number for the mixture of types. */
struct lp_gguf_metadata;
bool lp_llava_put_language(struct lp_gguf_metadata *m, const struct lp_llava_source *s,
                           const struct lp_llava_config *c, const char *template, uint32_t file_type,
                           struct lp_error *err);
bool lp_llava_put_picture(struct lp_gguf_metadata *m, const struct lp_llava_source *s,
                          const struct lp_llava_config *c, struct lp_error *err);

#endif
