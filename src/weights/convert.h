/* SPDX-License-Identifier: MIT */
/* convert.h - a model of torch.save's files becomes a folder of safetensors. */
#ifndef LP_WEIGHTS_CONVERT_H
#define LP_WEIGHTS_CONVERT_H

#include "base/error.h"

struct lp_convert_request {
    const char *from;     /* a file, or a Hugging Face folder */
    const char *to;       /* a folder; made where it is not there; may be `from` */
    const char *entry;    /* the dictionary in the file that holds the weights; NULL: the usual ones */
    uint64_t shard_bytes; /* most bytes of tensors a file, save that a larger tensor has one for itself */
    bool force;           /* replaces what is there */
    void (*progress)(void *context, uint64_t done_bytes, uint64_t bytes); /* NULL: none */
    void (*tell)(void *context, const char *sentence); /* what was left out and why; NULL: nobody asks */
    void *context;
};

struct lp_convert_report {
    size_t tensors, tied;  /* written; not written since they are others' memory */
    size_t shards, copied; /* files with tensors; configuration and tokenizer files */
    uint64_t bytes;        /* of tensors */
};

/* Writes model.safetensors, or model-00001-of-0000N.safetensors with model.safetensors.index.json, and copies
 * a folder's
 * *.json, *.model, *.txt, *.jinja and *.md along. Tensors keep their type and their bits; views and
 * transposed ones are written without gaps; of tied ones the first alone, and the file's metadata names the
 * others ({"second": "first"}), as the safetensors library's save_model does it.
 *
 * All is read and checked before anything is written, then written aside in `to`/.llava-plus-convert.part and
 * moved when it is whole; the file that makes a folder a model comes last. A failure leaves what was there.
 * LP_EUSAGE: files are there already and force is not set. Otherwise as lp_torch_model_open, and LP_EIO.
 * Memory: a few MiB and the pickles, beside the mapped files. */
bool lp_convert(const struct lp_convert_request *q, struct lp_convert_report *report, struct lp_error *err);

#endif
