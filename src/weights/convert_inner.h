/* SPDX-License-Identifier: MIT */
/* What convert.c, the plan and the folder, and convert_write.c, the files' bytes, know of each other. */
#ifndef LP_WEIGHTS_CONVERT_INNER_H
#define LP_WEIGHTS_CONVERT_INNER_H

#include "weights/torch_file.h"

/* What goes into one file. */
struct lp_convert_shard {
    const struct lp_torch_tensor **tensor; /* the tied ones, too: they are named, not written */
    size_t count;
    uint64_t bytes; /* of the tensors that are written */
    char name[80];
};

/* Writes a .safetensors file. `wrote` hears how many bytes of tensors have been written since it was last
 * called. */
bool lp_convert_write_shard(const char *path, const struct lp_convert_shard *s,
                            void (*wrote)(void *context, size_t bytes), void *context, struct lp_error *err);

/* Writes model.safetensors.index.json: which tensor is in which file. */
bool lp_convert_write_index(const char *path, const struct lp_convert_shard *shards, size_t n,
                            struct lp_error *err);

#endif
