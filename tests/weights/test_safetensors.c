/* SPDX-License-Identifier: MIT */
/* The safetensors reader on good and lying bytes, the writer, and both when memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

/* Header and zeroed data as one file's bytes, at an address of the given remainder modulo 64. */
static size_t make(uint8_t *out, const char *header, size_t data) {
    size_t n = strlen(header);
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)n >> (8 * i));
    memcpy(out + 8, header, n);
    for (size_t i = 0; i < data; i++)
        out[8 + n + i] = (uint8_t)(i + 1);
    return 8 + n + data;
}

#define ENTRY(dtype, shape, from, to)                                                                        \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

/* Each is refused with a sentence that holds `says`. */
static const struct {
    const char *header;
    size_t data;
    const char *says;
} malformed[] = {
    {"", 0, "not valid JSON"},
    {"{", 0, "not valid JSON"},
    {"[]", 0, "not an object"},
    {"3", 0, "not an object"},
    {"{}garbage", 0, "not valid JSON"},
    {"{\"a\":\"\xff\"}", 0, "not valid JSON"},
    {"{\"a\":3}", 8, "not described by an object"},
    {"{\"a\":{}}", 8, "no dtype"},
    {"{\"a\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "no dtype"},
    {"{\"a\":" ENTRY("F33", "[2]", "0", "8") "}", 8, "unknown dtype 'F33'"},
    {"{\"a\":" ENTRY("f32", "[2]", "0", "8") "}", 8, "unknown dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "no shape"},
    {"{\"a\":" ENTRY("F32", "2", "0", "8") "}", 8, "no shape"},
    {"{\"a\":" ENTRY("F32", "[-2]", "0", "8") "}", 8, "a dimension that is not"},
    {"{\"a\":" ENTRY("F32", "[2.0]", "0", "8") "}", 8, "a dimension that is not"},
    {"{\"a\":" ENTRY("F32", "[\"2\"]", "0", "8") "}", 8, "a dimension that is not"},
    {"{\"a\":" ENTRY("F32", "[1,1,1,1,1,1,1,1,2]", "0", "8") "}", 8, "more than 8 dimensions"},
    {"{\"a\":" ENTRY("F32", "[4611686018427387906]", "0", "8") "}", 8, "too large"},
    {"{\"a\":" ENTRY("F32", "[4294967296,4294967296]", "0", "8") "}", 8, "too large"},
    {"{\"a\":" ENTRY("F32", "[99999999999999999999]", "0", "8") "}", 8, "not valid JSON"},
    {"{\"a\":" ENTRY("F32", "[3]", "0", "8") "}", 8, "its shape needs 12"},
    {"{\"a\":" ENTRY("F32", "[0]", "0", "8") "}", 8, "its shape needs 0"},
    {"{\"a\":" ENTRY("F16", "[2]", "0", "8") "}", 8, "its shape needs 4"},
    {"{\"a\":" ENTRY("F32", "[2]", "0", "8") "}", 7, "ends 1 bytes behind"},
    {"{\"a\":" ENTRY("F32", "[2]", "9223372036854775799", "9223372036854775807") "}", 8, "behind the end"},
    {"{\"a\":" ENTRY("F32", "[2]", "-8", "0") "}", 8, "run backwards"},
    {"{\"a\":" ENTRY("F32", "[2]", "8", "0") "}", 8, "run backwards"},
    {"{\"a\":" ENTRY("F32", "[2]", "0.0", "8") "}", 8, "two whole numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]}}", 8, "two whole numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "two whole numbers"},
    {"{\"a\":" ENTRY("F32", "[2]", "0", "8") ",\"b\":" ENTRY("F32", "[2]", "4", "12") "}", 12, "overlap"},
    {"{\"a\":" ENTRY("F32", "[4]", "0", "16") ",\"b\":" ENTRY("U8", "[1]", "3", "4") "}", 16, "overlap"},
    {"{\"a\":" ENTRY("F32", "[2]", "0", "8") ",\"b\":" ENTRY("F32", "[2]", "0", "8") "}", 8, "overlap"},
    {"{\"a\":" ENTRY("F32", "[2]", "0", "8") ",\"a\":" ENTRY("F32", "[2]", "0", "8") "}", 8, "duplicate"},
    {"{\"\":" ENTRY("F32", "[2]", "0", "8") "}", 8, "overlong name"},
};

static void refuses_malformed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        size_t n = 8 + strlen(malformed[i].header) + malformed[i].data;
        uint8_t *bytes = malloc(n); /* exactly as long, so that ASan sees a step too far */
        struct lp_arena arena = {0};
        struct lp_error err = {0};
        struct lp_safetensors s;
        assert_int_equal(make(bytes, malformed[i].header, malformed[i].data), n);
        assert_false(lp_safetensors_parse(&s, &arena, bytes, n, "file", &err));
        assert_int_equal(err.code, LP_EINPUT);
        if (!strstr(err.text, malformed[i].says) || strncmp(err.text, "file", 4) != 0)
            fail_msg("case %zu (%s): %s", i, malformed[i].header, err.text);
        lp_arena_done(&arena);
        free(bytes);
    }
}

static void refuses_lying_lengths(void **state) {
    (void)state;
    static const struct {
        uint8_t bytes[12];
        size_t n;
        const char *says;
    } cases[] = {
        {{0}, 0, "too short"},
        {{2, 0, 0, 0, 0, 0, 0}, 7, "too short"},
        {{3, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, 10, "cut short"},
        {{255, 255, 255, 255, 255, 255, 255, 255, '{', '}'}, 10, "not a safetensors file"},
        {{'P', 'K', 3, 4, 0, 0, 0, 1, '{', '}'}, 10, "not a safetensors file"},
        {{0, 0, 0, 0, 0, 0, 0, 0}, 8, "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_arena arena = {0};
        struct lp_error err = {0};
        struct lp_safetensors s;
        assert_false(lp_safetensors_parse(&s, &arena, cases[i].bytes, cases[i].n, "file", &err));
        assert_non_null(strstr(err.text, cases[i].says));
        lp_arena_done(&arena);
    }
}

static void reads_what_is_legal(void **state) {
    (void)state;
    /* gaps, any order, empty and scalar tensors, an ignored __metadata__, spaces behind the header, a tail */
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\"b\":" ENTRY("U8", "[2,1]", "12", "14") ",\"a\":" ENTRY(
            "F32", "[]", "0", "4") ",\"e\":" ENTRY("BF16", "[0,4611686018427387904,8]", "2", "2") "}   ";
    uint8_t bytes[512];
    size_t n = make(bytes, header, 20);
    struct lp_arena arena = {0};
    struct lp_error err = {0};
    struct lp_safetensors s;
    if (!lp_safetensors_parse(&s, &arena, bytes, n, "file", &err))
        fail_msg("%s", err.text);
    assert_int_equal(s.count, 3);
    assert_string_equal(s.tensors[0].name, "b");
    assert_int_equal(s.tensors[0].ndim, 2);
    assert_int_equal(s.tensors[0].dim[0], 2);
    assert_int_equal(s.tensors[0].type, LP_WEIGHT_U8);
    assert_memory_equal(s.tensors[0].data, "\x0d\x0e", 2);
    assert_int_equal(s.tensors[1].ndim, 0);
    assert_int_equal(lp_weight_elements(&s.tensors[1]), 1);
    assert_memory_equal(s.tensors[1].data, "\1\2\3\4", 4);
    assert_int_equal(s.tensors[2].bytes, 0);
    assert_non_null(s.tensors[2].data);
    lp_arena_done(&arena);
}

static void aligns_by_copying(void **state) {
    (void)state;
    static const char header[] =
        "{\"a\":" ENTRY("F64", "[1]", "0", "8") ",\"b\":" ENTRY("F32", "[1]", "9", "13") "}";
    _Alignas(64) uint8_t room[256];
    for (size_t shift = 0; shift < 8; shift++) {
        struct lp_arena arena = {0};
        struct lp_safetensors s;
        size_t n = make(room + shift, header, 13);
        assert_true(lp_safetensors_parse(&s, &arena, room + shift, n, "file", NULL));
        assert_int_equal((uintptr_t)s.tensors[0].data % 8, 0);
        assert_int_equal((uintptr_t)s.tensors[1].data % 4, 0);
        assert_memory_equal(s.tensors[0].data, "\1\2\3\4\5\6\7\10", 8);
        assert_memory_equal(s.tensors[1].data, "\12\13\14\15", 4);
        lp_arena_done(&arena);
    }
}

static void writes_and_reads_back(void **state) {
    (void)state;
    static const float a[6] = {1, -2, 3, -4, 5, 6.5f};
    static const uint8_t b[3] = {1, 0, 255};
    static const int64_t c = -7;
    const struct lp_weight tensors[] = {
        {"b \"quoted\" \xc3\xa9", LP_WEIGHT_U8, 1, {3}, b, 3},
        {"a", LP_WEIGHT_F32, 2, {2, 3}, a, sizeof a},
        {"c", LP_WEIGHT_I64, 0, {0}, &c, sizeof c},
        {"none", LP_WEIGHT_F16, 2, {0, 4}, a, 0},
    };
    char folder[64], path[100];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    json_t *metadata = json_pack("{s:s}", "step", "12");
    struct lp_error err = {0};
    for (int round = 0; round < 2; round++) { /* the second replaces the first */
        if (!lp_safetensors_write(path, tensors, 4, metadata, &err))
            fail_msg("%s", err.text);
        struct lp_file f;
        struct lp_arena arena = {0};
        struct lp_safetensors s;
        assert_true(lp_file_open(&f, path, &err));
        assert_true(lp_safetensors_parse(&s, &arena, f.data, f.size, path, &err));
        assert_int_equal(s.count, 4);
        assert_string_equal(s.tensors[0].name, "c"); /* falling element size */
        assert_int_equal((uintptr_t)s.tensors[0].data % 64, 0);
        for (size_t i = 0; i < 4; i++) {
            const struct lp_weight *got = NULL, *want = &tensors[i];
            for (size_t j = 0; j < 4; j++)
                got = strcmp(s.tensors[j].name, want->name) == 0 ? &s.tensors[j] : got;
            assert_non_null(got);
            assert_int_equal(got->type, want->type);
            assert_int_equal(got->ndim, want->ndim);
            assert_memory_equal(got->dim, want->dim, sizeof got->dim);
            assert_int_equal(got->bytes, want->bytes);
            assert_memory_equal(got->data, want->data, want->bytes);
        }
        static const char entry[] = "\"__metadata__\":{\"step\":\"12\"}";
        assert_non_null(memmem(f.data, f.size, entry, strlen(entry)));
        lp_arena_done(&arena);
        lp_file_close(&f);
    }
    json_decref(metadata);
    assert_int_equal(folder_remove(folder), 1); /* nothing left aside */
}

static void writer_refuses_nonsense(void **state) {
    (void)state;
    static const float a[2];
    const struct lp_weight wrong[][2] = {
        {{"a", LP_WEIGHT_F32, 1, {3}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F32, 1, {2}, a, 8}, {"a", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F32, 9, {2}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"__metadata__", LP_WEIGHT_F32, 1, {2}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F32, 1, {-2}, a, 8}, {"", LP_WEIGHT_F32, 1, {2}, a, 8}},
    };
    char folder[64], path[100];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct lp_error err = {0};
        assert_false(lp_safetensors_write(path, wrong[i], 2, NULL, &err));
        assert_int_equal(err.code, LP_EUSAGE);
    }
    struct lp_error err = {0};
    assert_false(lp_safetensors_write("/nowhere/x.safetensors", NULL, 0, NULL, &err));
    assert_int_equal(err.code, LP_EIO);
    assert_int_equal(folder_remove(folder), 0);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const float a[2] = {1, 2};
    const struct lp_weight tensors[] = {
        {"first", LP_WEIGHT_F32, 1, {2}, a, 8},
        {"second", LP_WEIGHT_U8, 1, {2}, a, 2},
    };
    char folder[64], path[100];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    bool written = false, read = false;
    for (long n = 1; n < 2000 && !written; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        written = lp_safetensors_write(path, tensors, 2, NULL, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(written ? !failed : err.code == LP_EMEMORY);
        assert_int_equal(lp_file_exists(path), written);
    }
    assert_true(written);
    for (long n = 1; n < 2000 && !read; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_weights *w = lp_weights_open_file(path, &err);
        read = w != NULL;
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(read ? !failed : err.code == LP_EMEMORY);
        lp_weights_close(w);
    }
    assert_true(read);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_malformed),
        cmocka_unit_test(refuses_lying_lengths),
        cmocka_unit_test(reads_what_is_legal),
        cmocka_unit_test(aligns_by_copying),
        cmocka_unit_test(writes_and_reads_back),
        cmocka_unit_test(writer_refuses_nonsense),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
