/* SPDX-License-Identifier: MIT */
/* op/rope.c - rotary positions: pairs (i, i + D/2) of each head turn by position * theta^(-2i/D).
 * x [T,H*D] -> y [T,H*D].  Su et al. 2021, arXiv:2104.09864, in the "rotate half" order of Hugging Face files. */
#include "op/half.h"

struct settings {
    const int32_t *position;
    int64_t heads;
    float theta;
};

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    const struct settings *s = n->settings;
    int64_t T = lp_rows(n->out), D = lp_dim(n->out, -1) / s->heads;
    r->k->rope(lp_grad(r, n->in[0]), n->out->grad, s->position, T, s->heads, D, s->theta, -1, true);
}

lp_tensor *lp_rope(lp_run *r, lp_tensor *x, const int32_t *position, int64_t heads, float theta) {
    if (!lp_enter(r, "rope"))
        return NULL;
    if (lp_dim(x, -1) % (2 * heads))
        return lp_fail(r, LP_ESHAPE, "%ld channels do not make %ld heads", (long)lp_dim(x, -1), (long)heads);
    lp_tensor *y = lp_like_kept(r, x);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    float *out = lp_wide_of(r, y);
    if (!in || !out)
        return NULL;
    struct settings s = {position, heads, theta};
    r->k->rope(out, in, position, lp_rows(x), heads, lp_dim(x, -1) / heads, theta, 1, false);
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, x, NULL, NULL, &s, sizeof s);
}
