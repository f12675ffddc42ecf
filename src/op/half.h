/* SPDX-License-Identifier: MIT */
/* half.h - activations kept in bfloat16. With `half` in the run, linear layers, norms, activation functions, rotary
 * positions and attention keep what they make in two bytes a number; kernels see float32 copies at the arena's end that
 * live for one op. The residual stream, losses, gradients and weights are float32. */
#ifndef LP_OP_HALF_H
#define LP_OP_HALF_H

#include "op/op.h"

/* Numbers whose copying is worth more than one thread. */
enum { LP_COPY_WORK = 1 << 18 };

/* An op's result of x's shape, in the type that the run keeps. */
lp_tensor *lp_like_kept(lp_run *r, const lp_tensor *x);

/* x as float32: its own numbers, or a copy at the arena's end. NULL for NULL, or when the arena is full. */
const float *lp_wide(lp_run *r, const lp_tensor *x);

/* Where an op writes the float32 numbers of its result y, and how they get into it. */
float *lp_wide_of(lp_run *r, const lp_tensor *y);
void lp_narrow(lp_run *r, lp_tensor *y, const float *wide);

#endif
