/* SPDX-License-Identifier: MIT */
/* Any bytes as a safetensors file: refused with a sentence, or tensors that lie within the bytes. */
#include "fuzz/fuzz.h"
#include "weights/safetensors.h"

#include <string.h>

static void check_tensor(const struct lp_weight *t) {
    size_t bytes = lp_weight_type_bytes(t->type);
    LP_FUZZ_CHECK(t->name && t->name[0] && t->data);
    LP_FUZZ_CHECK(t->ndim >= 0 && t->ndim <= LP_WEIGHT_DIMS);
    LP_FUZZ_CHECK((uintptr_t)t->data % bytes == 0);
    for (int i = 0; i < t->ndim; i++) {
        LP_FUZZ_CHECK(t->dim[i] >= 0);
        bytes *= (size_t)t->dim[i];
    }
    LP_FUZZ_CHECK(bytes == t->bytes);
    uint8_t sum = 0; /* a read of every byte, for ASan to judge */
    for (size_t i = 0; i < t->bytes; i++)
        sum ^= ((const uint8_t *)t->data)[i];
    volatile uint8_t kept = sum;
    (void)kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_safetensors s;
    bool ok = lp_safetensors_parse(&s, &arena, data, size, "file", &err);
    LP_FUZZ_CHECK(ok || (err.code != LP_OK && strlen(err.text) > 10));
    for (size_t i = 0; ok && i < s.count; i++)
        check_tensor(&s.tensors[i]);
    lp_arena_done(&arena);
    return 0;
}
