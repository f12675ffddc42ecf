/* SPDX-License-Identifier: MIT */
/* Files that PyTorch wrote, against the same tensors as the safetensors library wrote them
 * (tools/golden/torch_files.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "weights/torch_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN LP_TESTS_DIR "/golden/torch/"

struct opened {
    struct lp_file file;
    struct lp_arena arena;
    struct lp_torch_file content;
};

static bool open_golden(struct opened *o, const char *name, const char *entry, struct lp_error *err) {
    char path[400];
    *o = (struct opened){0};
    snprintf(path, sizeof path, GOLDEN "%s", name);
    return lp_file_open(&o->file, path, err) &&
           lp_torch_file_parse(&o->content, &o->arena, o->file.data, o->file.size, name, entry, err);
}

static void close_golden(struct opened *o) {
    lp_arena_done(&o->arena);
    lp_file_close(&o->file);
}

static const struct lp_torch_tensor *find(const struct opened *o, const char *name) {
    for (size_t i = 0; i < o->content.count; i++)
        if (strcmp(o->content.tensors[i].name, name) == 0)
            return &o->content.tensors[i];
    return NULL;
}

/* Bit for bit, gathered whole and in bits of three elements. */
static void compare(const struct lp_torch_tensor *t, const struct lp_weight *want) {
    if (!t)
        fail_msg("there is no '%s'", want->name);
    assert_int_equal(t->type, want->type);
    assert_int_equal(t->ndim, want->ndim);
    assert_memory_equal(t->dim, want->dim, (size_t)t->ndim * sizeof *t->dim);
    assert_int_equal(t->bytes, want->bytes);
    int64_t width = (int64_t)lp_weight_type_bytes(t->type), n = (int64_t)t->bytes / width;
    uint8_t *got = malloc(t->bytes + 1);
    lp_torch_tensor_gather(t, 0, n, got);
    if (memcmp(got, want->data, t->bytes) != 0)
        fail_msg("'%s' has other bits", want->name);
    memset(got, 0xee, t->bytes);
    for (int64_t at = 0; at < n; at += 3)
        lp_torch_tensor_gather(t, at, n - at < 3 ? n - at : 3, got + at * width);
    assert_memory_equal(got, want->data, t->bytes);
    free(got);
}

static const struct {
    const char *file, *entry, *expected, *skipped, *found_in;
    size_t tied;
} goldens[] = {
    {"zip2.pth", NULL, "all", "", "", 2},
    {"zip4.pt", NULL, "all", "", "", 2},
    {"zip5.bin", NULL, "all", "", "", 2},
    {"legacy2.pth", NULL, "all", "", "", 2},
    {"legacy4.pth", NULL, "all", "", "", 2},
    {"tiny.bin", NULL, "tiny", "", "", 1},
    {"nested.pth", NULL, "tiny", "'epoch', 'lr', 'best', 'names', 'optimizer'", "model", 1},
    {"nested.pth", "model", "tiny", "'epoch', 'lr', 'best', 'names', 'optimizer'", "model", 1},
    {"ema.pth", NULL, "tiny", "'step', 'ema'", "state_dict", 1},
    {"ema.pth", "ema", "ema", "'step', 'state_dict'", "ema", 0},
};

static void reads_what_torch_writes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        struct opened o;
        struct lp_error err = {0};
        char path[400];
        if (!open_golden(&o, goldens[i].file, goldens[i].entry, &err))
            fail_msg("%s", err.text);
        snprintf(path, sizeof path, GOLDEN "%s.safetensors", goldens[i].expected);
        struct lp_weights *want = lp_weights_open_file(path, &err);
        if (!want)
            fail_msg("%s", err.text);
        assert_string_equal(o.content.skipped, goldens[i].skipped);
        assert_string_equal(o.content.entry, goldens[i].found_in);
        assert_int_equal(o.content.count, lp_weights_count(want) + goldens[i].tied);
        for (size_t j = 0; j < lp_weights_count(want); j++) {
            compare(find(&o, lp_weights_at(want, j)->name), lp_weights_at(want, j));
            assert_null(find(&o, lp_weights_at(want, j)->name)->tied);
        }
        lp_weights_close(want);
        close_golden(&o);
    }
}

static void knows_tied_tensors(void **state) {
    (void)state;
    struct opened o;
    struct lp_error err = {0};
    assert_true(open_golden(&o, "zip2.pth", NULL, &err));
    assert_string_equal(find(&o, "tied.second")->tied, "tied.first");
    assert_string_equal(find(&o, "tied.again")->tied, "tied.first");
    assert_null(find(&o, "tied.turned")->tied); /* the same memory seen another way is another tensor */
    close_golden(&o);
    assert_true(open_golden(&o, "tiny.bin", NULL, &err));
    assert_string_equal(find(&o, "head.weight")->tied, "embed.weight");
    close_golden(&o);
}

static const struct {
    const char *file, *entry;
    enum lp_code code;
    const char *says;
} refused[] = {
    {"module.pt", NULL, LP_EINPUT, "Tiny'"},
    {"list.pt", NULL, LP_EINPUT, "no dictionary of tensors"},
    {"optimizer.pt", NULL, LP_EMISSING, "an optimizer's state"},
    {"nested.pth", "optimizer", LP_EMISSING, "an optimizer's state"},
    {"nested.pth", "epoch", LP_EMISSING, "no dictionary 'epoch'"},
    {"nested.pth", "teacher", LP_EMISSING, "no dictionary 'teacher'"},
    {"tiny.safetensors", NULL, LP_EINPUT, "no file of torch.save"},
    {"sharded/config.json", NULL, LP_EINPUT, "no file of torch.save"},
};

static void refuses_other_files(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct opened o;
        struct lp_error err = {0};
        assert_false(open_golden(&o, refused[i].file, refused[i].entry, &err));
        if (err.code != refused[i].code || !strstr(err.text, refused[i].says))
            fail_msg("%s: %d %s", refused[i].file, err.code, err.text);
        close_golden(&o);
    }
    static const char pointer[] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
    struct lp_arena arena = {0};
    struct lp_torch_file f;
    struct lp_error err = {0};
    assert_false(lp_torch_file_parse(&f, &arena, pointer, sizeof pointer - 1, "file", NULL, &err));
    assert_non_null(strstr(err.text, "git lfs pull"));
    assert_false(lp_torch_file_parse(&f, &arena, "", 0, "file", NULL, &err));
}

/* The parser on a copy that ends where the bytes do; where it accepts, every tensor is read. */
static bool parse(const uint8_t *bytes, size_t n, struct lp_error *err) {
    struct lp_arena arena = {0};
    struct lp_torch_file f;
    uint8_t *copy = malloc(n ? n : 1), *out = malloc(5 * n + 1);
    memcpy(copy, bytes, n);
    bool ok = lp_torch_file_parse(&f, &arena, copy, n, "file", NULL, err);
    for (size_t i = 0; ok && i < f.count; i++) {
        assert_true(f.tensors[i].bytes <= 5 * n);
        lp_torch_tensor_gather(&f.tensors[i], 0,
                               (int64_t)(f.tensors[i].bytes / lp_weight_type_bytes(f.tensors[i].type)), out);
    }
    lp_arena_done(&arena);
    free(copy);
    free(out);
    return ok;
}

static void refuses_every_cut(void **state) {
    (void)state;
    static const char *const files[] = {"tiny.bin", "legacy2.pth", "legacy4.pth"};
    for (size_t i = 0; i < 3; i++) {
        struct opened o;
        struct lp_error err = {0};
        assert_true(open_golden(&o, files[i], NULL, &err));
        for (size_t n = 0; n < o.file.size; n++) {
            err = (struct lp_error){0};
            if (parse(o.file.data, n, &err))
                fail_msg("%s was read though cut to %zu bytes", files[i], n);
            assert_int_equal(err.code, LP_EINPUT);
        }
        close_golden(&o);
    }
}

static void survives_every_changed_byte(void **state) {
    (void)state;
    static const char *const files[] = {"tiny.bin", "nested.pth", "legacy2.pth"};
    static const uint8_t changes[] = {0xff, 0x01, 0x80};
    for (size_t i = 0; i < 3; i++) {
        struct opened o;
        struct lp_error err = {0};
        assert_true(open_golden(&o, files[i], NULL, &err));
        uint8_t *bytes = malloc(o.file.size);
        memcpy(bytes, o.file.data, o.file.size);
        for (size_t at = 0; at < o.file.size; at++) {
            for (size_t c = 0; c < sizeof changes; c++) {
                bytes[at] ^= changes[c];
                err = (struct lp_error){0};
                assert_true(parse(bytes, o.file.size, &err) || strlen(err.text) > 10);
                bytes[at] ^= changes[c];
            }
        }
        free(bytes);
        close_golden(&o);
    }
}

/* A legacy file: the pickles before the object, the object, the keys and the storages are the caller's. */
#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define VERSION "\x80\x02M\xe9\x03."
#define MACHINE(endian) "\x80\x02}X\x0d\0\0\0little_endian" endian "s."
#define HEAD MAGIC VERSION MACHINE("\x88")
#define STORAGE(type, key, count)                                                                            \
    "(X\7\0\0\0storagectorch\n" type "\nX\1\0\0\0" key "X\3\0\0\0cpu" count "Nt"                             \
    "Q"
#define TENSOR(storage, size, stride)                                                                        \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage "K\0" size stride "\x89}tR"
#define NAMED(name, tensor) "X\1\0\0\0" name tensor "s"
#define TWO TENSOR(STORAGE("ByteStorage", "7", "K\2"), "K\2\x85", "K\1\x85")
#define OBJECT "\x80\x02}" NAMED("w", TWO) "."
#define KEYS                                                                                                 \
    "\x80\x02]X\1\0\0\0"                                                                                     \
    "7a."
#define DATA "\2\0\0\0\0\0\0\0ab"
#define CASE(bytes, says)                                                                                    \
    { bytes, sizeof bytes - 1, says }

static const struct {
    const char *bytes;
    size_t n;
    const char *says;
} legacy[] = {
    CASE(HEAD OBJECT KEYS DATA, NULL),
    CASE("\x80\x02}.", "torch.save did not write"),
    CASE("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x18." VERSION MACHINE("\x88") OBJECT KEYS DATA,
         "torch.save did not write"),
    CASE(MAGIC "\x80\x02M\xea\x03." MACHINE("\x88") OBJECT KEYS DATA, "unknown version"),
    CASE(MAGIC "\x80\x02N." MACHINE("\x88") OBJECT KEYS DATA, "unknown version"),
    CASE(MAGIC VERSION MACHINE("\x89") OBJECT KEYS DATA, "little-endian"),
    CASE(MAGIC VERSION MACHINE("K\1") OBJECT KEYS DATA, "little-endian"),
    CASE(MAGIC VERSION "\x80\x02]." OBJECT KEYS DATA, "little-endian"),
    CASE(HEAD OBJECT "\x80\x02].", "does not list the storages"),
    CASE(HEAD OBJECT "\x80\x02}." DATA, "does not list the storages"),
    CASE(HEAD OBJECT "\x80\x02]X\1\0\0\0"
                     "8a." DATA,
         "lists a storage that no tensor needs"),
    CASE(HEAD OBJECT "\x80\x02]K\7a." DATA, "lists a storage that no tensor needs"),
    CASE(HEAD OBJECT "\x80\x02](X\1\0\0\0"
                     "7X\1\0\0\0"
                     "7e." DATA DATA,
         "does not list the storages"),
    CASE(HEAD OBJECT KEYS "\3\0\0\0\0\0\0\0abc", "another size than its pickle"),
    CASE(HEAD OBJECT KEYS "\2\0\0\0\0\0\0\x80"
                          "ab",
         "another size than its pickle"),
    CASE(HEAD OBJECT KEYS "\2\0\0\0\0\0\0\0a", "cut short within a storage"),
    CASE(HEAD OBJECT KEYS "\2\0\0\0", "cut short before its last storage"),
    CASE(HEAD "\x80\x02}" NAMED("w", TWO)
             NAMED("v", TENSOR(STORAGE("HalfStorage", "7", "K\2"), "K\2\x85", "K\1\x85")) "." KEYS DATA,
         "two types or sizes"),
    CASE(HEAD "\x80\x02}" NAMED("w", TWO) NAMED("w", TWO) "." KEYS DATA, "is there twice"),
    CASE(HEAD "\x80\x02}" NAMED("\xff", TWO) "." KEYS DATA, "safetensors does not allow"),
    CASE(HEAD "\x80\x02}" NAMED("\0", TWO) "." KEYS DATA, "safetensors does not allow"),
    CASE(HEAD "\x80\x02}X\x0c\0\0\0__metadata__" TWO "s." KEYS DATA, "safetensors does not allow"),
    CASE(HEAD "\x80\x02}X\0\0\0\0" TWO "s." KEYS DATA, "name is no text"),
    CASE(HEAD "\x80\x02}K\1" TWO "s." KEYS DATA, "name is no text"),
    CASE(HEAD "\x80\x02}" NAMED(
             "w", TENSOR(STORAGE("ByteStorage", "7", "K\2"), "J\0\0\0\x40\x85", "K\0\x85")) "." KEYS DATA,
         "four times as large"),
    CASE(HEAD "\x80\x02}q\0X\5\0\0\0modelh\0s." KEYS DATA, "does not list the storages"),
    CASE(HEAD "\x80\x02}q\0X\5\0\0\0modelh\0s.\x80\x02].", "deeper than any model"),
    CASE(HEAD "\x80\x02}.\x80\x02].", "an empty dictionary"),
    CASE(HEAD "\x80\x02}X\1\0\0\0aK\1s.\x80\x02].", "only 'a'"),
    CASE(HEAD "\x80\x02}N}s.\x80\x02].", "a nameless one"),
    CASE(HEAD "\x80\x02" TWO "." KEYS DATA, "no dictionary of tensors"),
    CASE(HEAD "\x80\x02N.\x80\x02].", "no dictionary of tensors"),
    CASE(HEAD "\x80\x02}(X\1\0\0\0a"
              "cos\nsystem\nX\2\0\0\0ls\x85Ru." KEYS DATA,
         "'os.system'"),
};

static void judges_legacy_files(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof legacy / sizeof *legacy; i++) {
        struct lp_error err = {0};
        bool ok = parse((const uint8_t *)legacy[i].bytes, legacy[i].n, &err);
        if (ok != !legacy[i].says || (!ok && !strstr(err.text, legacy[i].says)))
            fail_msg("case %zu: wanted '%s', got '%s'", i, legacy[i].says, err.text);
    }
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char *const files[] = {"nested.pth", "legacy4.pth"};
    for (size_t i = 0; i < 2; i++) {
        bool read = false;
        for (long n = 1; n < 5000 && !read; n++) {
            struct opened o;
            struct lp_error err = {0};
            lp_test_fail_alloc(n);
            read = open_golden(&o, files[i], NULL, &err);
            bool failed = lp_test_alloc_failed();
            lp_test_fail_alloc(0);
            assert_true(read ? !failed : err.code == LP_EMEMORY);
            close_golden(&o);
        }
        assert_true(read);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_torch_writes),      cmocka_unit_test(knows_tied_tensors),
        cmocka_unit_test(refuses_other_files),          cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(survives_every_changed_byte),  cmocka_unit_test(judges_legacy_files),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
