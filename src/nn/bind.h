/* SPDX-License-Identifier: MIT */
/* Weights to fields: a model names each weight with its shape, and a binder finds it in the files, or draws it at
 * random for a new model. Missing and misshapen weights are collected, and named together at the end. */
#ifndef LP_NN_BIND_H
#define LP_NN_BIND_H

#include "base/arena.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"
#include "tensor/tensor.h"
#include "weights/weights.h"

struct lp_kernels;

/* One weight of a model, by its name in the file. */
struct lp_parameter {
    const char *name;
    lp_tensor *tensor;
};

struct lp_parameters {
    struct lp_parameter *item; /* in the model's arena, in the order of binding */
    int64_t count, capacity;
};

struct lp_bind {
    struct lp_arena *arena;          /* the model's: tensors and converted weights live there */
    const struct lp_kernels *kernels;
    const struct lp_weights *files;  /* NULL: a new model, drawn from rng */
    const struct lp_weights *packed; /* matrices as products read them, by the same names; NULL: none */
    bool packs_half;                 /* float16 matrices are packed as blocks are, not only where `packed` has them so */
    struct lp_rng *rng;
    bool learns;                     /* float32 copies that want gradients */
    bool checks;                     /* only looks for what is missing or misshapen; tensors have no data */
    struct lp_parameters *parameters; /* every bound weight is added */
    char prefix[256];                /* put before each name */
    struct lp_str missing;           /* names, comma-separated */
    int64_t missing_count;
    bool failed;                     /* out of memory */
};

/* Goes into "name." below the present prefix; the returned length goes back with lp_bind_leave. */
size_t lp_bind_enter(struct lp_bind *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lp_bind_leave(struct lp_bind *b, size_t length);

/* How a weight is used decides its type and first values. */
enum lp_bind_kind {
    LP_BIND_MATRIX,    /* kept as stored, or packed; new: normal, deviation 1 / sqrt(inputs) */
    LP_BIND_TABLE,     /* rows that are only looked up: kept as stored, blocks too; new: as a matrix */
    LP_BIND_EMBEDDING, /* float32; new: normal, deviation 0.02 */
    LP_BIND_SCALE,     /* small: a float32 copy; new: 1 */
    LP_BIND_SHIFT      /* the same; new: 0 */
};

/* A weight of the given shape (int64_t dimensions). Never NULL in a bind that ends well. */
lp_tensor *lp_bind_tensor(struct lp_bind *b, const char *name, enum lp_bind_kind kind, int ndim, ...);

/* False when anything was missing, misshapen or out of memory, with one sentence that names the first of them.
 * Ends the binding either way. */
bool lp_bind_done(struct lp_bind *b, struct lp_error *err);

#endif
