/* SPDX-License-Identifier: MIT */
/* torch_model.h - all tensors of a model in torch.save's format, mapped from disk: a file, or a Hugging Face
 * folder with pytorch_model.bin, or with pytorch_model.bin.index.json and the shards that it names. */
#ifndef LP_WEIGHTS_TORCH_MODEL_H
#define LP_WEIGHTS_TORCH_MODEL_H

#include "base/file.h"
#include "weights/torch_file.h"

struct lp_torch_shard {
    const char *name; /* of its file, as asked for or within the folder */
    struct lp_file file;
    struct lp_torch_file content;
};

struct lp_torch_model {
    struct lp_arena arena;
    struct lp_torch_shard *shards; /* sorted by name */
    size_t shard_count;
    const char *folder; /* NULL: a file */
};

/* Opens a file or a folder (borrowed). `entry` as in lp_torch_file_parse. LP_EMISSING: no such files, or no
 * tensors in them; LP_EINPUT: malformed, a tensor in two shards, or not in the shard that the index says.
 * lp_torch_model_close in any case. */
bool lp_torch_model_open(struct lp_torch_model *m, const char *path, const char *entry, struct lp_error *err);
void lp_torch_model_close(struct lp_torch_model *m);

#endif
