/* SPDX-License-Identifier: MIT */
/* Any bytes as a GGUF file: refused with a sentence, or tensors that lie within the bytes, metadata that can
 * be walked, and names, configuration and tokenizer that are refused or made. */
#include "fuzz/fuzz.h"
#include "weights/gguf_model.h"
#include "weights/gguf_names.h"

#include <string.h>

static void check_err(bool ok, const struct lp_error *err) {
    LP_FUZZ_CHECK(ok || (err->code != LP_OK && strlen(err->text) > 10));
}

static void check_tensor(const struct lp_weight *t, const uint8_t *data, size_t size) {
    const uint8_t *at = t->data;
    int64_t n = 1;
    LP_FUZZ_CHECK(t->name[0] && t->ndim >= 0 && t->ndim <= 4);
    LP_FUZZ_CHECK(at >= data && at + t->bytes <= data + size && (uintptr_t)at % 8 == 0);
    for (int i = 0; i < t->ndim; i++) {
        LP_FUZZ_CHECK(t->dim[i] > 0);
        n *= t->dim[i];
    }
    LP_FUZZ_CHECK(n == lp_weight_elements(t));
    uint8_t sum = 0; /* a read of every byte, for ASan to judge */
    for (size_t i = 0; i < t->bytes; i++)
        sum ^= at[i];
    volatile uint8_t kept = sum;
    (void)kept;
}

static void walk(const struct lp_gguf_value *v, const uint8_t *data, size_t size) {
    struct lp_gguf_value rest = *v, element;
    uint64_t n = 0;
    LP_FUZZ_CHECK(v->at >= data && v->end >= v->at && v->end <= data + size);
    if (v->type != LP_GGUF_ARRAY)
        return;
    for (; lp_gguf_next(&rest, &element); n++)
        walk(&element, data, size);
    LP_FUZZ_CHECK(n == v->count && rest.at == v->end);
}

static void check_names(const struct lp_gguf *g, struct lp_arena *arena) {
    struct lp_error err = {0};
    const struct lp_gguf_named *named = lp_gguf_name_tensors(g, arena, &err);
    check_err(named, &err);
    for (size_t i = 0; named && i < g->count; i++) {
        const struct lp_weight *t = &named[i].weight;
        int64_t rows = t->ndim ? t->dim[0] : 1, head_rows = named[i].head_rows;
        LP_FUZZ_CHECK(head_rows == 0 || (head_rows > 0 && head_rows % 2 == 0 && rows % head_rows == 0));
        void *copy = head_rows ? malloc(t->bytes) : NULL;
        if (copy)
            lp_gguf_rows_from_file(copy, t->data, rows, head_rows, t->bytes / (size_t)rows);
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_gguf g;
    bool ok = lp_gguf_parse(&g, &arena, data, size, "file", &err);
    check_err(ok, &err);
    if (ok) {
        struct lp_error wrong[3] = {{0}};
        for (size_t i = 0; i < g.count; i++)
            check_tensor(&g.tensors[i], data, size);
        for (size_t i = 0; i < g.entry_count; i++)
            walk(&g.entries[i].value, data, size);
        check_names(&g, &arena);
        json_t *config = lp_gguf_config(&g, &g, &wrong[0]),
               *preprocessor = lp_gguf_preprocessor(&g, &wrong[1]);
        struct lp_tokenizer *t = lp_gguf_tokenizer(&g, &wrong[2]);
        check_err(config, &wrong[0]);
        check_err(preprocessor, &wrong[1]);
        check_err(t, &wrong[2]);
        json_decref(config);
        json_decref(preprocessor);
        lp_tokenizer_close(t);
    }
    lp_arena_done(&arena);
    return 0;
}
