/* SPDX-License-Identifier: MIT */
/* Model folders: one file, shards under an index, and what an index must not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "weights/folder.h"
#include "weights/safetensors.h"

#define INDEX "model.safetensors.index.json"

static const float numbers[4] = {1, 2, 3, 4};

static void put_shard(const char *folder, const char *file, const char *first, const char *second) {
    const struct lp_weight tensors[] = {
        {first, LP_WEIGHT_F32, 1, {4}, numbers, 16},
        {second, LP_WEIGHT_BF16, 2, {2, 1}, numbers, 4},
    };
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_true(lp_safetensors_write(path, tensors, 2, NULL, NULL));
}

static void put_text(const char *folder, const char *file, const char *text) {
    folder_put(folder, file, text, strlen(text));
}

static void opens_one_file(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    put_shard(folder, "model.safetensors", "z", "a");
    put_text(folder, INDEX, "{"); /* the one file wins */
    struct lp_error err = {0};
    struct lp_weights *w = lp_weights_open(folder, &err);
    if (!w)
        fail_msg("%s", err.text);
    assert_int_equal(lp_weights_count(w), 2);
    assert_string_equal(lp_weights_at(w, 0)->name, "a");
    assert_ptr_equal(lp_weights_find(w, "z"), lp_weights_at(w, 1));
    assert_memory_equal(lp_weights_find(w, "z")->data, numbers, 16);
    assert_null(lp_weights_find(w, "b"));
    assert_null(lp_weights_find(w, ""));
    enum lp_dtype type;
    assert_true(lp_weight_dtype(lp_weights_find(w, "a"), &type));
    assert_int_equal(type, LP_BF16);
    lp_weights_close(w);
    lp_weights_close(NULL);
    folder_remove(folder);
}

/* The header is of an odd length, so that the numbers are not aligned in the file. */
static void lets_go_what_is_mapped(void **state) {
    (void)state;
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
    char folder[64], file[8 + sizeof header - 1 + sizeof numbers] = {sizeof header - 1};
    assert_int_equal((sizeof header - 1) % 4, 3);
    memcpy(file + 8, header, sizeof header - 1);
    memcpy(file + 8 + sizeof header - 1, numbers, sizeof numbers);
    folder_make(folder);
    folder_put(folder, "model.safetensors", file, sizeof file);
    put_shard(folder, "model-1.safetensors", "a", "c");
    struct lp_error err = {0};
    char path[100];
    snprintf(path, sizeof path, "%s/model-1.safetensors", folder);
    struct lp_weights *copied = lp_weights_open(folder, &err), *mapped = lp_weights_open_file(path, &err);
    assert_non_null(copied);
    assert_non_null(mapped);
    struct lp_weights *both[] = {copied, mapped};
    for (int i = 0; i < 2; i++) {
        const struct lp_weight *a = lp_weights_find(both[i], "a");
        lp_weight_let_go(both[i], a);
        assert_string_equal(a->name, "a");
        assert_memory_equal(a->data, numbers, sizeof numbers);
        lp_weights_close(both[i]);
    }
    folder_remove(folder);
}

static void opens_shards(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    put_shard(folder, "model-1.safetensors", "a", "c");
    put_shard(folder, "model-2.safetensors", "b", "d");
    put_text(
        folder, INDEX,
        "{\"metadata\": {}, \"weight_map\": {\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\","
        "\"c\": \"model-1.safetensors\", \"d\": \"model-2.safetensors\"}}");
    bool opened = false;
    for (long n = 1; n < 2000 && !opened; n++) { /* the n-th allocation fails */
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_weights *w = lp_weights_open(folder, &err);
        lp_test_fail_alloc(0);
        opened = w != NULL;
        if (!w) {
            if (err.code != LP_EMEMORY)
                fail_msg("allocation %ld: %s", n, err.text);
            continue;
        }
        assert_int_equal(lp_weights_count(w), 4);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(lp_weights_at(w, i)->name[0], "abcd"[i]);
        assert_int_equal(lp_weights_find(w, "d")->dim[0], 2);
        lp_weights_close(w);
    }
    assert_true(opened);
    folder_remove(folder);
}

static const struct {
    const char *index;
    enum lp_code code;
    const char *says;
} malformed[] = {
    {NULL, LP_EMISSING, "neither model.safetensors nor"},
    {"", LP_EINPUT, "not valid JSON"},
    {"[]", LP_EINPUT, "weight_map"},
    {"{}", LP_EINPUT, "weight_map"},
    {"{\"weight_map\": []}", LP_EINPUT, "weight_map"},
    {"{\"weight_map\": {\"a\": 1}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"\"}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"..\"}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"../one.safetensors\"}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"/etc/passwd\"}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"absent.safetensors\"}}", LP_EIO, "absent.safetensors"},
    {"{\"weight_map\": {\"a\": \"one.safetensors\", \"x\": \"one.safetensors\"}}", LP_EINPUT,
     "'x' is not in"},
    {"{\"weight_map\": {\"a\": \"one.safetensors\", \"b\": \"two.safetensors\"}}", LP_EINPUT,
     "'a' is in two"},
    {"{\"weight_map\": {\"a\": \"model.safetensors.index.json\"}}", LP_EINPUT, "not a safetensors file"},
};

static void refuses_malformed_folders(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char folder[64];
        folder_make(folder);
        put_shard(folder, "one.safetensors", "a", "c");
        put_shard(folder, "two.safetensors", "b", "a");
        if (malformed[i].index)
            put_text(folder, INDEX, malformed[i].index);
        struct lp_error err = {0};
        assert_null(lp_weights_open(folder, &err));
        if (err.code != malformed[i].code || !strstr(err.text, malformed[i].says))
            fail_msg("case %zu: %d %s", i, err.code, err.text);
        folder_remove(folder);
    }
    struct lp_error err = {0};
    assert_null(lp_weights_open("/nowhere", &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_null(lp_weights_open_file("/tmp", &err));
    assert_int_equal(err.code, LP_EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_one_file),
        cmocka_unit_test(lets_go_what_is_mapped),
        cmocka_unit_test(opens_shards),
        cmocka_unit_test(refuses_malformed_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
