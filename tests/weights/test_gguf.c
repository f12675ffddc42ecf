/* SPDX-License-Identifier: MIT */
/* The GGUF reader on llama.cpp's own files (tools/golden/gguf_files.py), the writer, and both when memory
 * runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "weights/folder.h"
#include "weights/gguf_names.h"

#define GOLDEN LP_TESTS_DIR "/golden/gguf/"

/* A file and what it holds. */
struct content {
    struct lp_file file;
    struct lp_arena arena;
    struct lp_gguf g;
};

static void open_content(struct content *c, const char *path) {
    struct lp_error err = {0};
    *c = (struct content){0};
    if (!lp_file_open(&c->file, path, &err) ||
        !lp_gguf_parse(&c->g, &c->arena, c->file.data, c->file.size, path, &err))
        fail_msg("%s", err.text);
}

static void close_content(struct content *c) {
    lp_arena_done(&c->arena);
    lp_file_close(&c->file);
}

static void reads_every_kind_of_metadata(void **state) {
    (void)state;
    static const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"test.uint8", 200},         {"test.int8", -100},   {"test.uint16", 60000},
        {"test.int16", -30000},      {"test.float32", 0.5}, {"test.uint32", 4000000000},
        {"test.int32", -2000000000}, {"test.float64", 0.1}, {"test.int64", -9223372036854775808.0}};
    struct content c;
    struct lp_error err = {0};
    open_content(&c, GOLDEN "blocks.gguf");
    assert_int_equal(c.g.version, 3);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double value;
        assert_true(lp_gguf_number(&c.g, numbers[i].key, 0, &value, &err));
        assert_true(value == numbers[i].value);
    }
    int64_t whole;
    bool yes;
    const char *text;
    assert_true(lp_gguf_int(&c.g, "test.uint32", 0, 0, INT64_MAX, &whole, &err));
    assert_int_equal(whole, 4000000000);
    assert_true(lp_gguf_bool(&c.g, "test.bool", false, &yes, &err) && yes);
    assert_true(lp_gguf_string(&c.g, "test.string", NULL, &c.arena, &text, &err));
    assert_string_equal(text, "a text, \xc3\xa9");
    close_content(&c);
}

static void look_ups_refuse_other_kinds(void **state) {
    (void)state;
    struct content c;
    struct lp_error err = {0};
    int64_t whole;
    double number;
    bool yes;
    const char *text;
    const struct lp_gguf_value *array;
    open_content(&c, GOLDEN "blocks.gguf");
    assert_false(lp_gguf_int(&c.g, "test.uint64", 0, 0, INT64_MAX, &whole, &err)); /* 2^63 */
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "'test.uint64' must be a whole number"));
    assert_false(lp_gguf_int(&c.g, "test.float32", 0, 0, 9, &whole, &err));
    assert_false(lp_gguf_int(&c.g, "test.uint8", 0, 0, 199, &whole, &err));
    assert_non_null(strstr(err.text, "is 200, but must be 0 to 199"));
    assert_false(lp_gguf_int(&c.g, "test.numbers", 0, 0, 9, &whole, &err));
    assert_false(lp_gguf_number(&c.g, "test.string", 0, &number, &err));
    assert_false(lp_gguf_bool(&c.g, "test.uint8", false, &yes, &err));
    assert_false(lp_gguf_string(&c.g, "test.texts", NULL, &c.arena, &text, &err));
    assert_false(lp_gguf_array(&c.g, "test.numbers", LP_GGUF_STRING, &array, &err));
    assert_non_null(strstr(err.text, "must be an array of text"));
    assert_true(lp_gguf_int(&c.g, "absent", 7, 0, 9, &whole, &err) && whole == 7);
    assert_true(lp_gguf_string(&c.g, "absent", "default", &c.arena, &text, &err));
    assert_string_equal(text, "default");
    assert_true(lp_gguf_array(&c.g, "absent", LP_GGUF_STRING, &array, &err) && !array);
    close_content(&c);
}

static void walks_arrays(void **state) {
    (void)state;
    static const char *const texts[] = {"one", "", "three"};
    static const int64_t nested[] = {1, 2, 3};
    struct content c;
    struct lp_gguf_value array, inner, element;
    int64_t whole;
    size_t n = 0;
    open_content(&c, GOLDEN "blocks.gguf");
    array = *lp_gguf_find(&c.g, "test.texts");
    assert_int_equal(array.count, 3);
    for (; lp_gguf_next(&array, &element); n++) {
        assert_int_equal(element.count, strlen(texts[n]));
        assert_memory_equal(element.at, texts[n], element.count);
    }
    assert_int_equal(n, 3);
    array = *lp_gguf_find(&c.g, "test.nested");
    for (n = 0; lp_gguf_next(&array, &inner);) {
        assert_int_equal(inner.type, LP_GGUF_ARRAY);
        while (lp_gguf_next(&inner, &element)) {
            assert_true(lp_gguf_value_int(&element, &whole));
            assert_int_equal(whole, nested[n++]);
        }
    }
    assert_int_equal(n, 3);
    close_content(&c);
}

static void reads_every_type_of_tensor(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum lp_weight_type type;
        int64_t columns;
        size_t row_bytes;
    } tensors[] = {{"f32", LP_WEIGHT_F32, 5, 20},      {"f16", LP_WEIGHT_F16, 7, 14},
                   {"bf16", LP_WEIGHT_BF16, 9, 18},    {"q8_0", LP_WEIGHT_Q8_0, 256, 272},
                   {"q4_0", LP_WEIGHT_Q4_0, 256, 144}, {"q4_k", LP_WEIGHT_Q4_K, 256, 144},
                   {"q6_k", LP_WEIGHT_Q6_K, 256, 210}};
    struct content c;
    open_content(&c, GOLDEN "blocks.gguf");
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        const struct lp_weight *t = lp_gguf_find_tensor(&c.g, tensors[i].name);
        assert_non_null(t);
        assert_int_equal(t->type, tensors[i].type);
        assert_int_equal(t->ndim, 2);
        assert_int_equal(t->dim[0], 3);
        assert_int_equal(t->dim[1], tensors[i].columns);
        assert_int_equal(t->bytes, 3 * tensors[i].row_bytes);
        assert_int_equal(lp_weight_elements(t), 3 * tensors[i].columns);
        assert_int_equal((uintptr_t)t->data % 32, 0);
    }
    assert_null(lp_gguf_find_tensor(&c.g, "absent"));
    close_content(&c);
}

static const char *const nothing[] = {NULL};

static void assert_same(const struct lp_gguf *a, const struct lp_gguf *b) {
    assert_int_equal(a->entry_count, b->entry_count);
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->entry_count; i++) {
        const struct lp_gguf_value *x = &a->entries[i].value, *y = &b->entries[i].value;
        assert_string_equal(a->entries[i].key, b->entries[i].key);
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->element, y->element);
        assert_int_equal(x->count, y->count);
        assert_int_equal(x->end - x->at, y->end - y->at);
        assert_memory_equal(x->at, y->at, (size_t)(x->end - x->at));
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct lp_weight *x = &a->tensors[i], *y = &b->tensors[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->ndim, y->ndim);
        assert_memory_equal(x->dim, y->dim, sizeof x->dim);
        assert_int_equal(x->bytes, y->bytes);
        assert_memory_equal(x->data, y->data, x->bytes);
    }
}

static const void *next_data(void *context, size_t i, struct lp_error *err) {
    (void)err;
    return ((const struct lp_weight *)context)[i].data;
}

/* What llama.cpp's package wrote is read, written and read again; with data at once and with data one by one.
 */
static void writes_and_reads_back(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "blocks.gguf", GOLDEN "language.gguf", GOLDEN "mmproj.gguf"};
    char folder[64], path[100];
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    for (size_t i = 0; i < 2 * sizeof files / sizeof *files; i++) {
        struct content from, to;
        struct lp_error err = {0};
        struct lp_gguf_metadata m = {0};
        open_content(&from, files[i / 2]);
        lp_gguf_put_all(&m, &from.g, nothing);
        if (!lp_gguf_write(path, &m, from.g.tensors, from.g.count, i % 2 ? next_data : NULL, from.g.tensors,
                           &err))
            fail_msg("%s", err.text);
        open_content(&to, path);
        assert_int_equal(to.file.size, from.file.size); /* llama.cpp's layout: its padding, its order */
        assert_same(&from.g, &to.g);
        lp_gguf_metadata_done(&m);
        close_content(&to);
        close_content(&from);
    }
    assert_int_equal(folder_remove(folder), 1); /* nothing left aside */
}

static void writes_metadata_of_each_kind(void **state) {
    (void)state;
    static const float scores[2] = {-1, 0.5f};
    char folder[64], path[100];
    struct lp_error err = {0};
    struct lp_gguf_metadata m = {0};
    struct content c;
    int64_t whole;
    double number;
    bool yes;
    const char *text;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    lp_gguf_put_u32(&m, "a", 4000000000);
    lp_gguf_put_f32(&m, "b", -0.25f);
    lp_gguf_put_bool(&m, "c", true);
    lp_gguf_put_string(&m, "general.architecture", "llama");
    lp_gguf_put_array(&m, "e", LP_GGUF_F32, scores, 2);
    lp_gguf_put_strings(&m, "f", 2);
    lp_gguf_put_element(&m, "x", 1);
    lp_gguf_put_element(&m, "", 0);
    assert_true(lp_gguf_write(path, &m, NULL, 0, NULL, NULL, &err));
    open_content(&c, path);
    assert_true(lp_gguf_int(&c.g, "a", 0, 0, UINT32_MAX, &whole, &err) && whole == 4000000000);
    assert_true(lp_gguf_number(&c.g, "b", 0, &number, &err) && number == -0.25);
    assert_true(lp_gguf_bool(&c.g, "c", false, &yes, &err) && yes);
    assert_true(lp_gguf_string(&c.g, "general.architecture", "", &c.arena, &text, &err));
    assert_string_equal(text, "llama");
    assert_memory_equal(lp_gguf_find(&c.g, "e")->at, scores, sizeof scores);
    assert_int_equal(lp_gguf_find(&c.g, "f")->count, 2);
    close_content(&c);
    lp_gguf_metadata_done(&m);
    folder_remove(folder);
}

static void copies_metadata_but_what_changes(void **state) {
    (void)state;
    static const char *const except[] = {"b", NULL};
    char folder[64], path[100];
    struct lp_error err = {0};
    struct lp_gguf_metadata m = {0};
    struct content from, to;
    int64_t whole;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    lp_gguf_put_u32(&m, "a", 1);
    lp_gguf_put_u32(&m, "b", 2);
    lp_gguf_put_u32(&m, "general.alignment", 32);
    lp_gguf_put_u32(&m, "split.count", 1);
    assert_true(lp_gguf_write(path, &m, NULL, 0, NULL, NULL, &err));
    lp_gguf_metadata_done(&m);
    open_content(&from, path);
    lp_gguf_put_all(&m, &from.g, except);
    lp_gguf_put_u32(&m, "b", 3);
    assert_true(lp_gguf_write(path, &m, NULL, 0, NULL, NULL, &err));
    lp_gguf_metadata_done(&m);
    open_content(&to, path);
    assert_int_equal(to.g.entry_count, 2);
    assert_true(lp_gguf_int(&to.g, "a", 0, 0, 9, &whole, &err) && whole == 1);
    assert_true(lp_gguf_int(&to.g, "b", 0, 0, 9, &whole, &err) && whole == 3);
    close_content(&to);
    close_content(&from);
    folder_remove(folder);
}

static const void *no_data(void *context, size_t i, struct lp_error *err) {
    (void)context;
    lp_error_set(err, LP_EIO, "no data for tensor %zu", i);
    return NULL;
}

static void writer_refuses_nonsense(void **state) {
    (void)state;
    static const float a[64];
    static const char long_name[] = "a name of 64 bytes is one more than llama.cpp takes for a tensor";
    const struct lp_weight wrong[][2] = {
        {{"a", LP_WEIGHT_F32, 1, {3}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F32, 1, {2}, a, 8}, {"a", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F32, 5, {2}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F32, 1, {-2}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F32, 1, {0}, a, 0}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_F64, 1, {1}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"a", LP_WEIGHT_Q8_0, 1, {33}, a, 34}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{"", LP_WEIGHT_F32, 1, {2}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
        {{long_name, LP_WEIGHT_F32, 1, {2}, a, 8}, {"b", LP_WEIGHT_F32, 1, {2}, a, 8}},
    };
    char folder[64], path[100];
    struct lp_gguf_metadata none = {0}, twice = {0}, alignment = {0}, open_array = {0};
    struct lp_error err = {0};
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = (struct lp_error){0};
        assert_false(lp_gguf_write(path, &none, wrong[i], 2, NULL, NULL, &err));
        assert_int_equal(err.code, LP_EUSAGE);
    }
    lp_gguf_put_u32(&twice, "a", 1);
    lp_gguf_put_u32(&twice, "a", 1);
    lp_gguf_put_u32(&alignment, "general.alignment", 64);
    lp_gguf_put_strings(&open_array, "a", 2);
    lp_gguf_put_element(&open_array, "x", 1);
    struct lp_gguf_metadata *metadata[] = {&twice, &alignment, &open_array};
    for (size_t i = 0; i < 3; i++) {
        assert_false(lp_gguf_write(path, metadata[i], NULL, 0, NULL, NULL, &err));
        assert_int_equal(err.code, LP_EUSAGE);
        lp_gguf_metadata_done(metadata[i]);
    }
    assert_false(lp_gguf_write("/nowhere/x.gguf", &none, NULL, 0, NULL, NULL, &err));
    assert_int_equal(err.code, LP_EIO);
    assert_false(lp_gguf_write(path, &none, &wrong[0][1], 1, no_data, NULL, &err));
    assert_string_equal(err.text, "no data for tensor 0");
    assert_int_equal(folder_remove(folder), 0); /* neither a file nor a part of one */
}

static bool write_golden(const char *path, const struct lp_gguf *g, struct lp_error *err) {
    struct lp_gguf_metadata m = {0};
    lp_gguf_put_all(&m, g, nothing);
    bool ok = lp_gguf_write(path, &m, g->tensors, g->count, NULL, NULL, err);
    lp_gguf_metadata_done(&m);
    return ok;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    char folder[64], path[100];
    bool written = false, read = false;
    struct content c;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    open_content(&c, GOLDEN "blocks.gguf");
    for (long n = 1; n < 2000 && !written; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        written = write_golden(path, &c.g, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(written ? !failed : err.code == LP_EMEMORY);
        assert_int_equal(lp_file_exists(path), written);
    }
    assert_true(written);
    for (long n = 1; n < 2000 && !read; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_weights *w = lp_weights_open(path, &err);
        read = w != NULL;
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(read ? !failed : err.code == LP_EMEMORY);
        lp_weights_close(w);
    }
    assert_true(read);
    close_content(&c);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_metadata),
        cmocka_unit_test(look_ups_refuse_other_kinds),
        cmocka_unit_test(walks_arrays),
        cmocka_unit_test(reads_every_type_of_tensor),
        cmocka_unit_test(writes_and_reads_back),
        cmocka_unit_test(writes_metadata_of_each_kind),
        cmocka_unit_test(copies_metadata_but_what_changes),
        cmocka_unit_test(writer_refuses_nonsense),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
