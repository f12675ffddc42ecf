/* SPDX-License-Identifier: MIT */
/* A model's matrices as the kernels read them, in a file beside the model: MODEL.gguf.packed. With it a model
 * opens without laying them out anew, and they are mapped, not held twice. The file can be deleted and made
 * again. */
#ifndef LP_MODEL_LLAVA_PACKED_H
#define LP_MODEL_LLAVA_PACKED_H

#include "base/sha256.h"
#include "kernel/kernel.h"
#include "weights/weights.h"

#include <limits.h>

/* Pages spread over all tensors, with their names and shapes, and the time, stand for the whole. */
struct lp_hash lp_llava_digest(const struct lp_weights *files, int64_t changed_ns);

/* The file beside the model, opened: NULL where there is none, where it is no whole one, or where it was made
 * of files with another digest, or by a version that laid matrices out otherwise. Owned by caller (lp_weights_close). */
struct lp_weights *lp_llava_packed_open(const char *model, const struct lp_hash *digest);

struct lp_packed_report {
    char path[PATH_MAX];
    int64_t matrices, bytes;
};

/* Opens a GGUF model and writes the file beside it, whole or not at all; mmproj as in lp_llava_open_with.
 * LP_EINPUT where no matrix of it needs another layout. */
bool lp_llava_pack(const char *model, const char *mmproj, const struct lp_kernels *kernels,
                   struct lp_packed_report *report, struct lp_error *err);

#endif
