/* SPDX-License-Identifier: MIT */
/* A tensor: row-major numbers with a shape. It owns nothing: its data lie in a run's arena, a mapped file or a
 * model's arena. */
#ifndef LP_TENSOR_TENSOR_H
#define LP_TENSOR_TENSOR_H

#include "base/dtype.h"

#include <stdbool.h>
#include <stddef.h>

enum { LP_MAX_DIMS = 4 };

typedef struct lp_tensor lp_tensor;
struct lp_tensor {
    enum lp_dtype type;
    int ndim;
    int64_t dim[LP_MAX_DIMS]; /* outermost first */
    void *data;
    float *grad; /* same shape, float32; NULL until something flows back */
    bool learns; /* a gradient is wanted */
    bool packed; /* a matrix of a block type or of float16 whose data lie as struct lp_packed says (kernel.h) */
};

/* Size along an axis; negative counts from the last. */
int64_t lp_dim(const lp_tensor *x, int axis);
int64_t lp_count(const lp_tensor *x); /* of all elements */
int64_t lp_rows(const lp_tensor *x);  /* product of all dimensions but the last */
float *lp_f32(const lp_tensor *x);    /* the data of a float32 tensor; NULL for NULL */
bool lp_same_shape(const lp_tensor *a, const lp_tensor *b);

/* "[2,3,4]" into text. For messages. */
enum { LP_SHAPE_TEXT = 96 };
const char *lp_shape_text(const lp_tensor *x, char text[LP_SHAPE_TEXT]);

#endif
