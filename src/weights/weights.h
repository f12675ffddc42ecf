/* SPDX-License-Identifier: MIT */
/* weights.h - named tensors of a model folder, mapped from disk.
 *
 * A Hugging Face folder: model.safetensors, or model.safetensors.index.json with the shards it names. Weights
 * are const and may be shared by threads. */
#ifndef LP_WEIGHTS_WEIGHTS_H
#define LP_WEIGHTS_WEIGHTS_H

#include "base/error.h"
#include "kernel/kernel.h"

enum lp_weight_type {
    LP_WEIGHT_F32,
    LP_WEIGHT_F16,
    LP_WEIGHT_BF16,
    LP_WEIGHT_F64,
    LP_WEIGHT_F8_E4M3,
    LP_WEIGHT_F8_E5M2,
    LP_WEIGHT_I64,
    LP_WEIGHT_I32,
    LP_WEIGHT_I16,
    LP_WEIGHT_I8,
    LP_WEIGHT_U64,
    LP_WEIGHT_U32,
    LP_WEIGHT_U16,
    LP_WEIGHT_U8,
    LP_WEIGHT_BOOL,
    LP_WEIGHT_TYPES /* how many */
};

enum { LP_WEIGHT_DIMS = 8 };

struct lp_weight {
    const char *name;
    enum lp_weight_type type;
    int ndim;                    /* 0 is a scalar */
    int64_t dim[LP_WEIGHT_DIMS]; /* row-major, outermost first */
    const void *data;            /* aligned to its element; not NULL even when bytes is 0 */
    size_t bytes;
};

struct lp_weights;

/* Opens all tensors of a folder. NULL on failure: LP_EMISSING where there are none, LP_EINPUT where a file is
 * malformed. The tensors and their names live until lp_weights_close. */
struct lp_weights *lp_weights_open(const char *folder, struct lp_error *err);
/* Opens one .safetensors file. */
struct lp_weights *lp_weights_open_file(const char *path, struct lp_error *err);
void lp_weights_close(struct lp_weights *w); /* NULL is fine */

const struct lp_weight *lp_weights_find(const struct lp_weights *w, const char *name); /* NULL where absent */
size_t lp_weights_count(const struct lp_weights *w);
const struct lp_weight *lp_weights_at(const struct lp_weights *w, size_t i); /* i < count; sorted by name */

const char *lp_weight_type_name(enum lp_weight_type type); /* "F32", "BF16", ...: safetensors' names */
size_t lp_weight_type_bytes(enum lp_weight_type type);
int64_t lp_weight_elements(const struct lp_weight *t);
/* The kernels' type of F32, F16 and BF16; false for the others. */
bool lp_weight_dtype(const struct lp_weight *t, enum lp_dtype *dtype);

#endif
