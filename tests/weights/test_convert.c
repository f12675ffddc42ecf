/* SPDX-License-Identifier: MIT */
/* Whole conversions: files and folders in, safetensors out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "weights/convert.h"
#include "weights/folder.h"
#include "weights/weights.h"

#define GOLDEN LP_TESTS_DIR "/golden/torch/"

static void same_weights(const char *folder, const char *expected) {
    struct lp_error err = {0};
    struct lp_weights *got = lp_weights_open(folder, &err);
    struct lp_weights *want = got ? lp_weights_open_file(expected, &err) : NULL;
    if (!want)
        fail_msg("%s", err.text);
    assert_int_equal(lp_weights_count(got), lp_weights_count(want));
    for (size_t i = 0; i < lp_weights_count(want); i++) {
        const struct lp_weight *a = lp_weights_at(got, i), *b = lp_weights_at(want, i);
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->type, b->type);
        assert_int_equal(a->ndim, b->ndim);
        assert_memory_equal(a->dim, b->dim, sizeof a->dim);
        assert_int_equal(a->bytes, b->bytes);
        assert_memory_equal(a->data, b->data, b->bytes);
    }
    lp_weights_close(got);
    lp_weights_close(want);
}

static bool has(const char *folder, const char *name) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return lp_file_exists(path);
}

static void put_text(const char *folder, const char *name, const char *text) {
    folder_put(folder, name, text, strlen(text));
}

struct heard {
    uint64_t done, bytes;
    char told[2000];
};

static void hear_progress(void *context, uint64_t done, uint64_t bytes) {
    struct heard *h = context;
    assert_true(done >= h->done && done <= bytes);
    h->done = done;
    h->bytes = bytes;
}

static void hear(void *context, const char *sentence) {
    struct heard *h = context;
    size_t n = strlen(h->told);
    snprintf(h->told + n, sizeof h->told - n, "%s\n", sentence);
}

static void converts_files(void **state) {
    (void)state;
    static const struct {
        const char *from, *expected;
        size_t tied;
        const char *told;
    } files[] = {
        {GOLDEN "zip2.pth", GOLDEN "all.safetensors", 2, "'tied.again' is tied to 'tied.first'"},
        {GOLDEN "legacy2.pth", GOLDEN "all.safetensors", 2, "'tied.second' is tied to 'tied.first'"},
        {GOLDEN "nested.pth", GOLDEN "tiny.safetensors", 1,
         "left out what is no tensor of the model: 'epoch'"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char folder[64];
        folder_make(folder);
        struct heard h = {0};
        struct lp_error err = {0};
        struct lp_convert_report report;
        struct lp_convert_request q = {.from = files[i].from,
                                       .to = folder,
                                       .shard_bytes = 1 << 20,
                                       .progress = hear_progress,
                                       .tell = hear,
                                       .context = &h};
        if (!lp_convert(&q, &report, &err))
            fail_msg("%s", err.text);
        same_weights(folder, files[i].expected);
        assert_int_equal(report.tied, files[i].tied);
        assert_int_equal(report.shards, 1);
        assert_int_equal(h.done, h.bytes);
        assert_int_equal(h.done, report.bytes);
        if (!strstr(h.told, files[i].told))
            fail_msg("it said: %s", h.told);
        assert_int_equal(folder_remove(folder), 1);
    }
}

static void names_ties_in_the_metadata(void **state) {
    (void)state;
    static const char entry[] = "\"__metadata__\":{\"head.weight\":\"embed.weight\",\"format\":\"pt\"}";
    char folder[64], path[100];
    folder_make(folder);
    struct lp_error err = {0};
    struct lp_convert_report report;
    struct lp_file f;
    assert_true(lp_convert(&(struct lp_convert_request){GOLDEN "tiny.bin", folder, .shard_bytes = 1 << 20},
                           &report, &err));
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_true(lp_file_open(&f, path, &err));
    assert_non_null(memmem(f.data, f.size, entry, strlen(entry)));
    lp_file_close(&f);
    folder_remove(folder);
}

static void converts_a_folder_into_shards(void **state) {
    (void)state;
    char folder[64], inner[100];
    folder_make(folder);
    snprintf(inner, sizeof inner, "%s/new", folder);
    struct lp_error err = {0};
    struct lp_convert_report report;
    struct lp_convert_request q = {.from = GOLDEN "sharded", .to = inner, .shard_bytes = 40};
    if (!lp_convert(&q, &report, &err))
        fail_msg("%s", err.text);
    /* embed [6,4], norm.weight and norm.bias [4], running_mean and running_var [4], a count: 96, 32 and 40
     * bytes */
    assert_int_equal(report.shards, 3);
    assert_int_equal(report.copied, 4);
    assert_true(has(inner, "model-00001-of-00003.safetensors") && has(inner, "model.safetensors.index.json"));
    assert_true(has(inner, "config.json") && has(inner, "tokenizer.model") && has(inner, "merges.txt"));
    assert_false(has(inner, "training.log") || has(inner, "pytorch_model.bin.index.json") ||
                 has(inner, "model.safetensors"));
    same_weights(inner, GOLDEN "tiny.safetensors");
    char path[400];
    snprintf(path, sizeof path, "%s/model.safetensors.index.json", inner);
    json_t *index = lp_json_load(path, &err);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(index, "metadata"), "total_size")),
                     report.bytes);
    json_decref(index);
    q.shard_bytes = 1 << 20; /* again, into one file: only by force, and the shards' index goes */
    assert_false(lp_convert(&q, &report, &err));
    assert_int_equal(err.code, LP_EUSAGE);
    assert_non_null(strstr(err.text, "--force"));
    q.force = true;
    assert_true(lp_convert(&q, &report, &err));
    assert_true(has(inner, "model.safetensors") && !has(inner, "model.safetensors.index.json"));
    same_weights(inner, GOLDEN "tiny.safetensors");
    q.shard_bytes = 40; /* and back */
    assert_true(lp_convert(&q, &report, &err));
    assert_false(has(inner, "model.safetensors") || has(inner, ".llava-plus-convert.part"));
    same_weights(inner, GOLDEN "tiny.safetensors");
    folder_remove(inner);
    folder_remove(folder);
}

static void converts_in_place(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    struct lp_error err = {0};
    struct lp_convert_report report;
    size_t n;
    char *bytes = lp_file_read(GOLDEN "tiny.bin", 1 << 20, &n, &err);
    folder_put(folder, "pytorch_model.bin", bytes, n);
    lp_free(bytes);
    put_text(folder, "config.json", "{}");
    assert_true(
        lp_convert(&(struct lp_convert_request){folder, folder, .shard_bytes = 1 << 20}, &report, &err));
    assert_int_equal(report.copied, 0);
    same_weights(folder, GOLDEN "tiny.safetensors");
    assert_int_equal(folder_remove(folder), 3);
}

#define FIRST "pytorch_model-00001-of-00002.bin"
#define SECOND "pytorch_model-00002-of-00002.bin"

static const struct {
    const char *index;
    enum lp_code code;
    const char *says;
} indexes[] = {
    {NULL, LP_EMISSING, "neither pytorch_model.bin nor"},
    {"", LP_EINPUT, "not valid JSON"},
    {"[]", LP_EINPUT, "weight_map"},
    {"{\"weight_map\": {}}", LP_EINPUT, "weight_map"},
    {"{\"weight_map\": {\"a\": 1}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"../x.bin\"}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"/etc/passwd\"}}", LP_EINPUT, "in the same folder"},
    {"{\"weight_map\": {\"a\": \"absent.bin\"}}", LP_EIO, "absent.bin"},
    {"{\"weight_map\": {\"a\": \"" FIRST "\"}}", LP_EINPUT, "'a' is not in"},
    {"{\"weight_map\": {\"embed.weight\": \"" FIRST "\", \"norm.bias\": \"" SECOND "\"}}", LP_EINPUT,
     "'norm.bias' is not in"},
    {"{\"weight_map\": {\"embed.weight\": \"" FIRST "\", \"norm.bias\": \"twin.bin\"}}", LP_EINPUT,
     "is in two shards"},
    {"{\"weight_map\": {\"embed.weight\": \"evil.bin\"}}", LP_EINPUT, "no file of torch.save"},
};

static void refuses_malformed_folders(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) {
        char folder[64], out[100];
        struct lp_error err = {0};
        struct lp_convert_report report;
        folder_make(folder);
        snprintf(out, sizeof out, "%s/out", folder);
        static const char *const copies[][2] = {{FIRST, FIRST}, {SECOND, SECOND}, {FIRST, "twin.bin"}};
        for (size_t j = 0; j < 3; j++) {
            char path[400];
            size_t n;
            snprintf(path, sizeof path, GOLDEN "sharded/%s", copies[j][0]);
            char *bytes = lp_file_read(path, 1 << 20, &n, &err);
            folder_put(folder, copies[j][1], bytes, n);
            lp_free(bytes);
        }
        put_text(folder, "evil.bin", "cos\nsystem\n(S'ls'\ntR.");
        if (indexes[i].index)
            put_text(folder, "pytorch_model.bin.index.json", indexes[i].index);
        assert_false(
            lp_convert(&(struct lp_convert_request){folder, out, .shard_bytes = 1 << 20}, &report, &err));
        if (err.code != indexes[i].code || !strstr(err.text, indexes[i].says))
            fail_msg("case %zu: %d %s", i, err.code, err.text);
        assert_false(has(folder, "out"));
        folder_remove(folder);
    }
}

static void leaves_nothing_behind(void **state) {
    (void)state;
    char folder[64], out[100];
    folder_make(folder);
    snprintf(out, sizeof out, "%s/out", folder);
    bool written = false;
    for (long n = 1; n < 5000 && !written; n++) {
        struct lp_error err = {0};
        struct lp_convert_report report;
        lp_test_fail_alloc(n);
        written = lp_convert(&(struct lp_convert_request){GOLDEN "tiny.bin", out, .shard_bytes = 40}, &report,
                             &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(written ? !failed : err.code == LP_EMEMORY);
        assert_int_equal(has(folder, "out"), written);
    }
    assert_true(written);
    folder_remove(out);
    struct lp_error err = {0};
    struct lp_convert_report report;
    assert_false(
        lp_convert(&(struct lp_convert_request){"/nowhere.pth", out, .shard_bytes = 40}, &report, &err));
    assert_int_equal(err.code, LP_EIO);
    assert_false(lp_convert(&(struct lp_convert_request){GOLDEN "tiny.bin", "/proc/none", .shard_bytes = 40},
                            &report, &err));
    assert_int_equal(err.code, LP_EIO);
    assert_int_equal(folder_remove(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts_files),
        cmocka_unit_test(names_ties_in_the_metadata),
        cmocka_unit_test(converts_a_folder_into_shards),
        cmocka_unit_test(converts_in_place),
        cmocka_unit_test(refuses_malformed_folders),
        cmocka_unit_test(leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
