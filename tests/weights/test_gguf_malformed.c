/* SPDX-License-Identifier: MIT */
/* GGUF files that lie: each is refused with one sentence, and nothing is read beyond its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "weights/folder.h"
#include "weights/gguf.h"
#include "weights/gguf_bytes.h"

#define MOST UINT64_MAX

/* Parses a copy that is exactly as long, so that ASan sees a step too far. */
static bool parse(const uint8_t *bytes, size_t n, struct lp_error *err) {
    struct lp_arena arena = {0};
    struct lp_gguf g;
    uint8_t *copy = malloc(n + !n);
    memcpy(copy, bytes, n);
    *err = (struct lp_error){0};
    bool ok = lp_gguf_parse(&g, &arena, copy, n, "file", err);
    lp_arena_done(&arena);
    free(copy);
    return ok;
}

static void refuse(const char *table, size_t i, const uint8_t *bytes, size_t n, const char *says) {
    struct lp_error err;
    if (parse(bytes, n, &err))
        fail_msg("%s %zu is accepted", table, i);
    if (err.code != LP_EINPUT || strncmp(err.text, "file: ", 6) != 0 || !strstr(err.text, says))
        fail_msg("%s %zu: %s", table, i, err.text);
}

static const struct {
    const char *magic;
    uint32_t version;
    uint64_t tensors, entries;
    const char *says;
} heads[] = {
    {"GGML", 3, 0, 0, "not a GGUF file"},
    {"gguf", 3, 0, 0, "not a GGUF file"},
    {"FUGG", 3, 0, 0, "not a GGUF file"},
    {"PK\3\4", 3, 0, 0, "not a GGUF file"},
    {"GGUF", 0, 0, 0, "of version 0, but only 2 and 3 are read"},
    {"GGUF", 1, 0, 0, "convert it again with a newer llama.cpp"},
    {"GGUF", 4, 0, 0, "of version 4"},
    {"GGUF", 0xffffffff, 0, 0, "of version 4294967295"},
    {"GGUF", 0x03000000, 0, 0, "a big-endian GGUF file"},
    {"GGUF", 3, 1, 0, "claims 1 tensors and 0 metadata entries"},
    {"GGUF", 3, 0, 1, "claims 0 tensors and 1 metadata entries"},
    {"GGUF", 3, MOST, 0, "which do not fit into it"},
    {"GGUF", 3, 0, MOST, "which do not fit into it"},
    {"GGUF", 3, MOST, MOST, "which do not fit into it"},
    {"GGUF", 3, MOST / 25 + 1, 0, "which do not fit into it"}, /* times the least size it is small again */
    {"GGUF", 3, 0, MOST / 14 + 1, "which do not fit into it"},
    {"GGUF", 2, UINT64_C(1) << 63, 0, "which do not fit into it"},
    {"GGUF", 3, UINT64_C(1) << 32, 0, "which do not fit into it"},
};

static void refuses_lying_heads(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct bytes b = {.n = 0};
        put_head(&b, heads[i].version, heads[i].tensors, heads[i].entries);
        memcpy(b.at, heads[i].magic, 4);
        refuse("head", i, b.at, b.n, heads[i].says);
    }
}

#define N1 "\1\0\0\0\0\0\0\0"
#define N2 "\2\0\0\0\0\0\0\0"
#define N3 "\3\0\0\0\0\0\0\0"
#define NEGATIVE "\377\377\377\377\377\377\377\377"
#define QUARTER "\0\0\0\0\0\0\0\100" /* 2^62: times 4 it is nothing */
#define A N1 "a"
#define U8 "\0\0\0\0"
#define U32 "\4\0\0\0"
#define F32 "\6\0\0\0"
#define BOOL "\7\0\0\0"
#define STRING "\10\0\0\0"
#define ARRAY "\11\0\0\0"
#define U64 "\12\0\0\0"
#define UNKNOWN "\15\0\0\0"
#define FOUR "\4\0\0\0"
#define PAD "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define KEY_ALIGNMENT "\21\0\0\0\0\0\0\0general.alignment"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *bytes;
    size_t n;
    int entries;
    const char *says;
} metadata[] = {
    {BYTES("\0\0\0\0\0\0\0\0" U32 FOUR PAD), 1, "a metadata key of 0 bytes"},
    {BYTES(NEGATIVE "a" U32 FOUR PAD), 1, "a metadata key of 18446744073709551615 bytes"},
    {BYTES("\0\0\1\0\0\0\0\0"
           "a" U32 FOUR PAD),
     1, "a metadata key of 65536 bytes"},
    {BYTES("\377\0\0\0\0\0\0\0"
           "a" U32 FOUR PAD),
     1, "in the middle of its header"},
    {BYTES(N2 "a\0" U32 FOUR PAD), 1, "a metadata key with a NUL in it"},
    {BYTES(A UNKNOWN FOUR PAD), 1, "'a' has an unknown type"},
    {BYTES(A "\377\377\377\377" FOUR PAD), 1, "'a' has an unknown type"},
    {BYTES(A BOOL "\2" PAD), 1, "'a' is neither true nor false"},
    {BYTES(A BOOL "\377" PAD), 1, "'a' is neither true nor false"},
    {BYTES(A STRING NEGATIVE PAD), 1, "'a' is cut short"},
    {BYTES(A STRING "\0\1\0\0\0\0\0\0" PAD), 1, "'a' is cut short"},
    {BYTES(A STRING "\1\0\0\0"), 1, "'a' is cut short"},
    {BYTES(A U64 "\1\0\0\0"), 1, "'a' is cut short"},
    {BYTES(A ARRAY U32), 1, "'a' is cut short"},
    {BYTES(A ARRAY U32 "\1\0\0\0"), 1, "'a' is cut short"},
    {BYTES(A ARRAY UNKNOWN N1 PAD), 1, "'a' has elements of an unknown type"},
    {BYTES(A ARRAY "\377\377\377\377" N1 PAD), 1, "'a' has elements of an unknown type"},
    {BYTES(A ARRAY U8 NEGATIVE PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY U32 QUARTER PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY U32 "\5\0\0\0\0\0\0\0" PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY U64 "\0\0\0\0\0\0\0\40" PAD), 1, "'a' is cut short"}, /* 2^61 times 8 */
    {BYTES(A ARRAY STRING NEGATIVE PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY STRING QUARTER PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY STRING N3 PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY STRING N1 NEGATIVE PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY ARRAY NEGATIVE PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY ARRAY N1 U8 NEGATIVE PAD), 1, "'a' is cut short"},
    {BYTES(A ARRAY ARRAY N1 UNKNOWN N1 PAD), 1, "'a' has elements of an unknown type"},
    {BYTES(A ARRAY ARRAY N1 ARRAY N1 ARRAY N1 ARRAY N1 U8 N1 "a" PAD), 1,
     "'a' has arrays nested more than 4"},
    {BYTES(A U32 FOUR A U32 FOUR PAD), 2, "has the metadata 'a' twice"},
    {BYTES(A U32 FOUR N1 "b" U32 FOUR A F32 FOUR PAD), 3, "has the metadata 'a' twice"},
    {BYTES(A U32 FOUR N1), 2, "claims 0 tensors and 2 metadata entries"},
    {BYTES(A U32 FOUR N1 "b" U32), 2, "'b' is cut short"},
    {BYTES(KEY_ALIGNMENT U32 "\0\0\0\0"), 1, "'general.alignment' is 0"},
    {BYTES(KEY_ALIGNMENT U32 "\1\0\0\0"), 1, "'general.alignment' is 1, but must be 8 to 65536"},
    {BYTES(KEY_ALIGNMENT U32 "\60\0\0\0"), 1, "'general.alignment' is 48, but must be a power of two"},
    {BYTES(KEY_ALIGNMENT U32 "\0\0\0\200"), 1, "'general.alignment' is 2147483648"},
    {BYTES(KEY_ALIGNMENT "\5\0\0\0"
                         "\340\377\377\377"),
     1, "'general.alignment' is -32"},
    {BYTES(KEY_ALIGNMENT F32 "\0\0\0\102"), 1, "'general.alignment' must be a whole number"},
    {BYTES(KEY_ALIGNMENT U64 NEGATIVE), 1, "'general.alignment' must be a whole number"},
    {BYTES(KEY_ALIGNMENT STRING N2 "32"), 1, "'general.alignment' must be a whole number"},
};

static void refuses_malformed_metadata(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++) {
        struct bytes b = {.n = 0};
        put_head(&b, 3, 0, (uint64_t)metadata[i].entries);
        memcpy(b.at + b.n, metadata[i].bytes, metadata[i].n);
        refuse("metadata", i, b.at, b.n + metadata[i].n, metadata[i].says);
    }
}

/* Tensors that are right but for one thing; the alignment is 32. */
static const struct {
    struct {
        const char *name;
        uint32_t ndim;
        uint64_t dim[5];
        uint32_t type;
        uint64_t offset;
    } tensor[3];
    size_t data; /* bytes */
    const char *says;
} tensors[] = {
    {{{"", 1, {8}, 0, 0}}, 32, "a tensor name of 0 bytes"},
    {{{"a", 5, {1, 1, 1, 1, 1}, 0, 0}}, 32, "'a' has more than 4 dimensions"},
    {{{"a", 0xffffffff, {1}, 0, 0}}, 32, "'a' has more than 4 dimensions"},
    {{{"a", 1, {0}, 0, 0}}, 32, "'a' has a dimension that is 0"},
    {{{"a", 4, {1, 0, 1, 1}, 0, 0}}, 32, "'a' has a dimension that is 0"},
    {{{"a", 2, {0, MOST}, 0, 0}}, 32, "or too large"},
    {{{"a", 1, {MOST}, 0, 0}}, 32, "or too large for any file"},
    {{{"a", 1, {UINT64_C(1) << 63}, 0, 0}}, 32, "or too large for any file"},
    {{{"a", 1, {UINT64_C(1) << 62}, 0, 0}}, 32, "'a' has a shape too large"}, /* times 4 it is nothing */
    {{{"a", 2, {UINT64_C(1) << 32, UINT64_C(1) << 32}, 0, 0}}, 32, "'a' has a shape too large"},
    {{{"a", 4, {1 << 16, 1 << 16, 1 << 16, 1 << 16}, 1, 0}}, 32, "'a' has a shape too large"},
    {{{"a", 4, {3, UINT64_C(1) << 62, 4, 1}, 0, 0}}, 32, "'a' has a shape too large"},
    {{{"a", 2, {32, UINT64_C(1) << 60}, 8, 0}}, 32, "'a' has a shape too large"},
    {{{"a", 1, {(UINT64_C(1) << 62) - 8}, 0, 0}}, 32, "bytes behind the end of the file"},
    {{{"a", 1, {9}, 0, 0}}, 32, "ends 4 bytes behind the end of the file"},
    {{{"a", 1, {8}, 0, 32}}, 32, "ends 32 bytes behind the end of the file"},
    {{{"a", 1, {8}, 0, 0}}, 31, "ends 1 bytes behind the end of the file"},
    {{{"a", 1, {8}, 0, 0}}, 0, "bytes behind the end of the file"},
    {{{"a", 1, {8}, 0, MOST}}, 32, "'a' begins too far behind"},
    {{{"a", 1, {8}, 0, MOST - 31}}, 32, "'a' begins too far behind"}, /* the end would be 0 */
    {{{"a", 1, {4}, 0, MOST - 31}}, 32, "bytes behind the end of the file"},
    {{{"a", 1, {4}, 0, UINT64_C(1) << 63}}, 32, "bytes behind the end of the file"},
    {{{"a", 1, {4}, 0, 4}}, 32, "does not begin at a multiple of the file's alignment"},
    {{{"a", 1, {4}, 0, 16}}, 32, "does not begin at a multiple of the file's alignment"},
    {{{"a", 1, {33}, 8, 0}}, 96, "'a' has rows of 33 numbers, not whole blocks of 32"},
    {{{"a", 2, {1, 32}, 8, 0}}, 96, "'a' has rows of 1 numbers, not whole blocks of 32"},
    {{{"a", 1, {16}, 2, 0}}, 96, "not whole blocks of 32"},
    {{{"a", 1, {128}, 12, 0}}, 288, "not whole blocks of 256"},
    {{{"a", 1, {255}, 14, 0}}, 288, "not whole blocks of 256"},
    {{{"a", 0, {0}, 8, 0}}, 96, "not whole blocks of 32"},
    {{{"a", 1, {256}, 12, 0}}, 143, "ends 1 bytes behind the end of the file"},
    {{{"a", 1, {32}, 3, 0}}, 96, "'a' is of type Q4_1; F32, F16, BF16, Q8_0, Q4_0, Q4_K and Q6_K are read"},
    {{{"a", 1, {32}, 6, 0}}, 96, "'a' is of type Q5_0;"},
    {{{"a", 1, {256}, 10, 0}}, 96, "'a' is of type Q2_K;"},
    {{{"a", 1, {256}, 13, 0}}, 96, "'a' is of type Q5_K;"},
    {{{"a", 1, {256}, 23, 0}}, 96, "'a' is of type IQ4_XS;"},
    {{{"a", 1, {8}, 26, 0}}, 96, "'a' is of type I32;"},
    {{{"a", 1, {4}, 28, 0}}, 96, "'a' is of type F64;"},
    {{{"a", 1, {32}, 39, 0}}, 96, "'a' is of type MXFP4;"},
    {{{"a", 1, {32}, 31, 0}}, 96, "'a' is of the unknown type 31;"},
    {{{"a", 1, {32}, 40, 0}}, 96, "'a' is of the unknown type 40;"},
    {{{"a", 1, {32}, 0xffffffff, 0}}, 96, "'a' is of the unknown type 4294967295;"},
    {{{"a", 1, {8}, 0, 0}, {"a", 1, {8}, 0, 32}}, 64, "'a' is there twice"},
    {{{"a", 1, {8}, 0, 0}, {"b", 1, {8}, 0, 64}, {"a", 1, {8}, 0, 32}}, 96, "'a' is there twice"},
    {{{"a", 1, {8}, 0, 0}, {"b", 1, {8}, 0, 0}}, 64, "overlap"},
    {{{"a", 1, {9}, 0, 0}, {"b", 1, {8}, 0, 32}}, 64, "'a' and 'b' overlap"},
    {{{"a", 1, {8}, 0, 32}, {"b", 1, {16}, 0, 0}}, 64, "'b' and 'a' overlap"},
    {{{"a", 1, {24}, 0, 0}, {"b", 1, {8}, 0, 64}, {"c", 1, {1}, 0, 32}}, 96, "overlap"}, /* round about */
};

static void refuses_malformed_tensors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        struct bytes b = {.n = 0};
        uint64_t n = 0;
        while (n < 3 && tensors[i].tensor[n].name)
            n++;
        put_head(&b, 3, n, 0);
        for (size_t k = 0; k < n; k++)
            put_tensor(&b, tensors[i].tensor[k].name, tensors[i].tensor[k].ndim % 6, tensors[i].tensor[k].dim,
                       tensors[i].tensor[k].type, tensors[i].tensor[k].offset);
        if (tensors[i].tensor[0].ndim > 5) /* too many to be put there */
            memset(b.at + 24 + 8 + strlen(tensors[i].tensor[0].name), 0xff, 4);
        put_data(&b, tensors[i].data ? 32 : 1, tensors[i].data);
        refuse("tensor", i, b.at, b.n, tensors[i].says);
    }
}

static void refuses_strange_names(void **state) {
    (void)state;
    struct bytes b = {.n = 0};
    put_head(&b, 3, 1, 0);
    put(&b, 2, 8);
    put(&b, 'a', 2); /* "a" and a NUL */
    put_data(&b, 32, 64);
    refuse("name", 0, b.at, b.n, "a tensor name with a NUL in it");
    b.n = 0;
    put_head(&b, 3, 1, 0);
    put(&b, 256, 8);
    put_data(&b, 32, 512);
    refuse("name", 1, b.at, b.n, "a tensor name of 256 bytes");
    b.n = 0;
    put_head(&b, 3, 1, 0);
    put(&b, 255, 8);
    put_data(&b, 32, 64);
    memset(b.at + 32, 'a', b.n - 32);
    refuse("name", 2, b.at, b.n, "in the middle of its header");
}

static void accepts_what_is_legal(void **state) {
    (void)state;
    static const uint64_t eight[] = {8}, one[] = {1};
    struct bytes b = {.n = 0};
    struct lp_error err;
    put_head(&b, 2, 3,
             0); /* version 2; a scalar; gaps; any order; no padding at the end; more bytes behind */
    put_tensor(&b, "a", 1, eight, 0, 128);
    put_tensor(&b, "b", 0, eight, 0, 0);
    put_tensor(&b, "c", 1, one, 30, 64);
    put_data(&b, 32, 170);
    if (!parse(b.at, b.n, &err))
        fail_msg("%s", err.text);
    b.n = 0;
    put_head(&b, 3, 0, 0); /* nothing at all */
    if (!parse(b.at, b.n, &err))
        fail_msg("%s", err.text);
    b.n = 0;
    put_head(&b, 3, 0, 1);
    memcpy(b.at + b.n, BYTES(A ARRAY ARRAY N1 ARRAY N1 ARRAY N1 U8 N1 "a")); /* 4 deep */
    b.n += sizeof(A ARRAY ARRAY N1 ARRAY N1 ARRAY N1 U8 N1 "a") - 1;
    if (!parse(b.at, b.n, &err))
        fail_msg("%s", err.text);
}

/* A file of llama.cpp's, cut after every byte, and with every byte of its header replaced. */
static void survives_cut_and_changed_files(void **state) {
    (void)state;
    struct lp_file file;
    struct lp_arena arena = {0};
    struct lp_gguf g;
    struct lp_error err;
    size_t end = 0, begin = SIZE_MAX;
    assert_true(lp_file_open(&file, LP_TESTS_DIR "/golden/gguf/blocks.gguf", &err));
    assert_true(lp_gguf_parse(&g, &arena, file.data, file.size, "file", &err));
    for (size_t i = 0; i < g.count; i++) {
        size_t at = (size_t)((const uint8_t *)g.tensors[i].data - file.data);
        begin = at < begin ? at : begin;
        end = at + g.tensors[i].bytes > end ? at + g.tensors[i].bytes : end;
    }
    for (size_t n = 0; n < end; n++)
        refuse("cut", n, file.data, n, "");
    assert_true(parse(file.data, end, &err));
    uint8_t *changed = malloc(file.size);
    memcpy(changed, file.data, file.size);
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < begin; i++) {
        for (size_t k = 0; k < sizeof values; k++) {
            changed[i] = values[k];
            if (!parse(changed, file.size, &err))
                assert_int_equal(err.code, LP_EINPUT);
        }
        changed[i] = file.data[i];
    }
    free(changed);
    lp_arena_done(&arena);
    lp_file_close(&file);
}

static void refuses_as_a_file(void **state) {
    (void)state;
    char folder[64], path[100];
    struct lp_error err = {0};
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    folder_put(folder, "x.gguf", "GGUF\3\0\0\0", 8);
    assert_null(lp_weights_open(path, &err));
    assert_int_equal(err.code, LP_EINPUT);
    folder_put(folder, "x.gguf", "", 0);
    assert_null(lp_weights_open(path, &err));
    assert_null(lp_weights_open("/nowhere/x.gguf", &err));
    assert_int_equal(err.code, LP_EIO);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_lying_heads),       cmocka_unit_test(refuses_malformed_metadata),
        cmocka_unit_test(refuses_malformed_tensors), cmocka_unit_test(refuses_strange_names),
        cmocka_unit_test(accepts_what_is_legal),     cmocka_unit_test(survives_cut_and_changed_files),
        cmocka_unit_test(refuses_as_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
