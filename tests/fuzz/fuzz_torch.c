/* SPDX-License-Identifier: MIT */
/* Any bytes as a file of torch.save, zip or legacy: refused with a sentence, or tensors that lie within the
 * bytes. */
#include "fuzz/fuzz.h"
#include "weights/torch_file.h"

#include <string.h>

/* Gathers the elements block by block; ASan judges each read. */
static void check_tensor(const struct lp_torch_tensor *t) {
    uint8_t block[4096];
    size_t width = lp_weight_type_bytes(t->type);
    int64_t elements = (int64_t)(t->bytes / width), most = (int64_t)(sizeof block / width);
    LP_FUZZ_CHECK(t->name && t->name[0] && t->data);
    for (int64_t at = 0; at < elements; at += most)
        lp_torch_tensor_gather(t, at, elements - at < most ? elements - at : most, block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_torch_file f;
    bool ok = lp_torch_file_parse(&f, &arena, data, size, "file", NULL, &err);
    LP_FUZZ_CHECK(ok || (err.code != LP_OK && strlen(err.text) > 10));
    for (size_t i = 0; ok && i < f.count; i++)
        check_tensor(&f.tensors[i]);
    lp_arena_done(&arena);
    return 0;
}
