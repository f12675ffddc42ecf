/* SPDX-License-Identifier: MIT */
/* tensor/tape.c - what ran, and the way back. */
#include "tensor/run.h"

#include <string.h>

/* A block of the arena that nothing needs any more; the block itself holds this. Shapes repeat from layer to layer, so
 * a block of just the right size is nearly always there. */
struct lp_spare {
    struct lp_spare *next;
    size_t bytes;
};

static size_t block_bytes(const lp_tensor *x, enum lp_dtype type) {
    return ((size_t)lp_dtype_row_bytes(type, lp_count(x)) + 63) / 64 * 64;
}

static void give_back(lp_run *r, void *block, size_t bytes) {
    if (!block || bytes < sizeof *r->spare)
        return;
    struct lp_spare *s = block;
    *s = (struct lp_spare){r->spare, bytes};
    r->spare = s;
}

static void *take_spare(lp_run *r, size_t bytes) {
    for (struct lp_spare **at = &r->spare; *at; at = &(*at)->next)
        if ((*at)->bytes == bytes) {
            struct lp_spare *s = *at;
            *at = s->next;
            return s;
        }
    return NULL;
}

/* Forgets blocks that lie behind m. */
static void drop_spares(lp_run *r, lp_mark m) {
    for (struct lp_spare **at = &r->spare; *at;)
        if ((uint8_t *)*at >= r->base + m.used)
            *at = (*at)->next;
        else
            at = &(*at)->next;
}

static bool learns(const lp_tensor *x) {
    return x && x->learns;
}

static lp_tensor *push(lp_run *r, const struct lp_node *node, size_t settings_bytes) {
    struct lp_node *n = lp_run_alloc(r, sizeof *n + settings_bytes);
    if (!n)
        return NULL;
    *n = *node;
    n->settings = n + 1;
    if (settings_bytes)
        memcpy(n + 1, node->settings, settings_bytes);
    n->out->learns = true;
    r->last = n;
    return n->out;
}

lp_tensor *lp_record(lp_run *r, void (*backward)(struct lp_node *n), lp_tensor *out, lp_tensor *saved,
                     lp_tensor *in0, lp_tensor *in1, lp_tensor *in2, const void *settings, size_t settings_bytes) {
    if (!learns(in0) && !learns(in1) && !learns(in2))
        return out;
    r->met_learning = true;
    if (!r->taping)
        return out;
    return push(r, &(struct lp_node){r->last, r, backward, out, saved, {in0, in1, in2}, settings}, settings_bytes);
}

float *lp_grad(lp_run *r, lp_tensor *x) {
    if (!x || !x->learns)
        return NULL;
    if (!x->grad) {
        x->grad = take_spare(r, block_bytes(x, LP_F32));
        if (!x->grad)
            x->grad = lp_run_alloc(r, block_bytes(x, LP_F32));
        if (x->grad)
            memset(x->grad, 0, sizeof(float) * (size_t)lp_count(x));
    }
    return x->grad;
}

/* All nodes from the newest on. What a node's op made is of no use once the node has passed its gradient on: later
 * ops have done so before. */
static void walk_back(lp_run *r, const lp_tensor *loss) {
    for (struct lp_node *n = r->last; n && !r->error.code; n = n->before) {
        if (n->out->grad)
            n->backward(n);
        give_back(r, n->out->grad, block_bytes(n->out, LP_F32));
        n->out->grad = NULL;
        if (n->saved)
            give_back(r, n->saved->data, block_bytes(n->saved, n->saved->type));
        if (n->out != loss)
            give_back(r, n->out->data, block_bytes(n->out, n->out->type));
    }
    r->last = NULL;
}

bool lp_backward(lp_run *r, lp_tensor *loss, struct lp_error *err) {
    if (!lp_run_check(r, err))
        return false;
    float *grad = lp_grad(r, loss);
    if (grad)
        grad[0] = 1;
    walk_back(r, loss);
    return lp_run_check(r, err);
}

struct segment {
    lp_segment *forward;
    const void *settings;
};

static void segment_backward(struct lp_node *n) {
    lp_run *r = n->run;
    const struct segment *s = n->settings;
    lp_tensor x = *n->in[0];
    x.grad = lp_grad(r, n->in[0]);
    lp_mark m = lp_here(r);
    r->last = NULL;
    lp_tensor *y = s->forward(r, s->settings, &x);
    if (y) {
        y->grad = n->out->grad;
        n->out->grad = NULL;
        walk_back(r, NULL);
    }
    drop_spares(r, m);
    lp_back_to(r, m);
}

lp_tensor *lp_checkpoint(lp_run *r, lp_segment *forward, const void *settings, size_t settings_bytes, lp_tensor *x) {
    if (!r->taping || !r->checkpointing)
        return forward(r, settings, x);
    void *copy = lp_run_alloc(r, settings_bytes);
    if (!copy)
        return NULL;
    memcpy(copy, settings, settings_bytes);
    r->taping = r->met_learning = false;
    lp_tensor *y = forward(r, copy, x);
    r->taping = true;
    if (!y || !r->met_learning)
        return y;
    struct segment s = {forward, copy};
    return push(r, &(struct lp_node){r->last, r, segment_backward, y, NULL, {x}, &s}, sizeof s);
}
