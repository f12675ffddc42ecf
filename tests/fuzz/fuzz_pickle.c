/* SPDX-License-Identifier: MIT */
/* Any bytes as a pickle: refused with a sentence, or values whose tensors lie within their storages. */
#include "fuzz/fuzz.h"
#include "weights/pickle.h"

#include <string.h>

static void check_tensor(const struct lp_pickle_tensor *t) {
    int64_t last = t->offset, width = (int64_t)lp_weight_type_bytes(t->storage->type);
    LP_FUZZ_CHECK(t->offset >= 0 && t->offset <= t->storage->elements);
    LP_FUZZ_CHECK(t->ndim >= 0 && t->ndim <= LP_WEIGHT_DIMS);
    for (int i = 0; i < t->ndim; i++) {
        LP_FUZZ_CHECK(t->dim[i] >= 0 && t->stride[i] >= 0);
        last += t->bytes ? (t->dim[i] - 1) * t->stride[i] : 0;
    }
    LP_FUZZ_CHECK(t->bytes % (size_t)width == 0);
    LP_FUZZ_CHECK(t->bytes == 0 || last < t->storage->elements);
}

static void check_value(const struct lp_pickle_value *v, const uint8_t *data, size_t size) {
    if (v->kind == LP_PICKLE_TENSOR)
        check_tensor(v->tensor);
    if (v->kind == LP_PICKLE_TEXT || v->kind == LP_PICKLE_BIG)
        LP_FUZZ_CHECK(v->text.s >= (const char *)data && v->text.s + v->text.n <= (const char *)data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_pickle p;
    bool ok = lp_pickle_read(&p, &arena, data, size, "file", &err);
    LP_FUZZ_CHECK(ok || (err.code != LP_OK && strlen(err.text) > 10));
    LP_FUZZ_CHECK(!ok || (p.root && p.used <= size));
    if (ok) {
        check_value(p.root, data, size);
        bool many = p.root->kind == LP_PICKLE_DICT || p.root->kind == LP_PICKLE_LIST ||
                    p.root->kind == LP_PICKLE_TUPLE;
        for (size_t i = 0; many && i < p.root->items.n; i++)
            check_value(p.root->items.item[i], data, size);
    }
    for (const struct lp_pickle_storage *s = ok ? p.storages : NULL; s; s = s->next)
        LP_FUZZ_CHECK(s->elements >= 0 && s->key + s->key_bytes <= (const char *)data + size);
    lp_arena_done(&arena);
    return 0;
}
