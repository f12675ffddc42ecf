/* SPDX-License-Identifier: MIT */
/* A run: where a forward pass happens. Kernels, an arena for activations, the first error, and, when training, a
 * tape of what ran. One thread owns a run; weights are shared by runs.
 *
 * Errors stick: after the first one every op returns NULL at once, so a model has no `if`; lp_run_check is the
 * single check after it. */
#ifndef LP_TENSOR_RUN_H
#define LP_TENSOR_RUN_H

#include "base/error.h"
#include "tensor/tensor.h"

struct lp_kernels;
struct lp_node;
struct lp_spare;

typedef struct lp_run lp_run;
struct lp_run {
    const struct lp_kernels *k;
    uint8_t *base;              /* one reserved mapping: pointers into it never move but in lp_keep */
    size_t used, peak, limit;   /* bytes */
    const char *op;             /* the op being run, for messages */
    struct lp_error error;      /* the first one */
    const volatile bool *cancel; /* borrowed; NULL: never */
    bool taping;
    bool checkpointing;   /* lp_checkpoint keeps a segment's input only, and runs it again on the way back */
    bool half;            /* ops keep what they make in bfloat16; see op/half.h */
    bool rough;           /* products and attention may round what they multiply to bfloat16, where that is faster */
    bool met_learning;    /* an op had an input that learns; lp_checkpoint asks */
    struct lp_node *last; /* newest node of the tape */
    struct lp_spare *spare; /* memory that the way back is done with */
};

/* Reserves limit_bytes of address space; pages are taken as they are used. Owned by caller; NULL on failure. */
lp_run *lp_run_open(const struct lp_kernels *kernels, size_t limit_bytes, struct lp_error *err);
void lp_run_close(lp_run *r);
void lp_run_reset(lp_run *r); /* forgets all tensors, the tape and the error; keeps the pages */

/* True when nothing failed; else moves the first error to err. */
bool lp_run_check(lp_run *r, struct lp_error *err);

/* A place in the arena; going back frees what came after it. */
typedef struct lp_mark {
    size_t used;
} lp_mark;
lp_mark lp_here(const lp_run *r);
void lp_back_to(lp_run *r, lp_mark m);

/* Frees all since m but x, which moves there; returns it. A block ends in `return lp_keep(r, m, x);`. While
 * taping nothing is freed. */
lp_tensor *lp_keep(lp_run *r, lp_mark m, lp_tensor *x);

/* For ops. lp_enter is false when an earlier op failed or the caller canceled. */
bool lp_enter(lp_run *r, const char *op);
lp_tensor *lp_fail(lp_run *r, enum lp_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *lp_run_alloc(lp_run *r, size_t bytes); /* 64-byte aligned, not zeroed; NULL (and LP_EMEMORY) over the limit */
lp_tensor *lp_new(lp_run *r, int ndim, ...); /* float32, dimensions as int64_t */
lp_tensor *lp_like(lp_run *r, const lp_tensor *x);
lp_tensor *lp_like_of(lp_run *r, const lp_tensor *x, enum lp_dtype type);
lp_tensor *lp_view(lp_run *r, const lp_tensor *x, int ndim, ...); /* same data, other shape; for use without a tape */
lp_tensor *lp_view_rows(lp_run *r, const lp_tensor *x, int64_t from, int64_t n); /* [n,C] of x [..,C]; the same */

/* ---- the tape ---- */

struct lp_node {
    struct lp_node *before;
    lp_run *run;
    void (*backward)(struct lp_node *n);
    lp_tensor *out, *saved, *in[3];
    const void *settings;
};

/* Returns out. When taping and an input learns, notes how to go back; settings (may be NULL) are copied. */
lp_tensor *lp_record(lp_run *r, void (*backward)(struct lp_node *n), lp_tensor *out, lp_tensor *saved,
                     lp_tensor *in0, lp_tensor *in1, lp_tensor *in2, const void *settings, size_t settings_bytes);

/* Where x's gradient is added to: NULL when x is NULL or does not learn. */
float *lp_grad(lp_run *r, lp_tensor *x);

/* From a scalar loss back through the tape. Gradients of weights are added to their `grad`. On the way the memory of
 * what ops made is used again for gradients: of that only the loss can be read afterwards. */
bool lp_backward(lp_run *r, lp_tensor *loss, struct lp_error *err);

/* A part of a model: x in, its output back, its memory but the output's freed by lp_keep. */
typedef lp_tensor *lp_segment(lp_run *r, const void *settings, lp_tensor *x);

/* forward(r, settings, x). With checkpointing the tape keeps x alone, and the way back runs the segment again: time for
 * memory, the same numbers bit for bit. settings are copied; what they point to must live as long as the tape. */
lp_tensor *lp_checkpoint(lp_run *r, lp_segment *forward, const void *settings, size_t settings_bytes, lp_tensor *x);

#endif
