/* SPDX-License-Identifier: MIT */
/* The zip reader: a good archive, and lies in each of its fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weights/torch_zip.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 4096, LOCAL = 30, ENTRY = 46, END = 22, END64 = 56, LOCATOR = 20 };

/* An archive of entries x/a ("one") and x/data/0 ("seven77"), and where its parts lie. */
struct archive {
    uint8_t bytes[ROOM];
    size_t n, local[2], entry[2], end, end64, locator; /* end64 0: without zip64 */
};

static void put(struct archive *z, size_t at, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; i++)
        z->bytes[at + (size_t)i] = (uint8_t)(number >> (8 * i));
}

static size_t add(struct archive *z, size_t n) {
    memset(z->bytes + z->n, 0, n);
    z->n += n;
    return z->n - n;
}

static void add_text(struct archive *z, const char *text) {
    size_t n = strlen(text);
    memcpy(z->bytes + add(z, n), text, n);
}

static void add_local(struct archive *z, int i, const char *name, const char *data) {
    z->local[i] = add(z, LOCAL);
    put(z, z->local[i], 0x04034b50, 4);
    put(z, z->local[i] + 26, strlen(name), 2);
    add_text(z, name);
    add_text(z, data);
}

/* wide: sizes and place stand in a zip64 extra field. */
static void add_entry(struct archive *z, int i, const char *name, size_t size, bool wide) {
    z->entry[i] = add(z, ENTRY);
    put(z, z->entry[i], 0x02014b50, 4);
    put(z, z->entry[i] + 20, wide ? UINT32_MAX : size, 4);
    put(z, z->entry[i] + 24, wide ? UINT32_MAX : size, 4);
    put(z, z->entry[i] + 28, strlen(name), 2);
    put(z, z->entry[i] + 30, wide ? 36 : 0, 2);
    put(z, z->entry[i] + 42, wide ? UINT32_MAX : z->local[i], 4);
    add_text(z, name);
    if (!wide)
        return;
    size_t at = add(z, 36);
    put(z, at, 7, 2); /* another field before it */
    put(z, at + 2, 4, 2);
    put(z, at + 8, 1, 2);
    put(z, at + 10, 24, 2);
    put(z, at + 12, size, 8);
    put(z, at + 20, size, 8);
    put(z, at + 28, z->local[i], 8);
}

static void make(struct archive *z, bool wide) {
    *z = (struct archive){0};
    add_local(z, 0, "x/a", "one");
    add_local(z, 1, "x/data/0", "seven77");
    add_entry(z, 0, "x/a", 3, wide);
    add_entry(z, 1, "x/data/0", 7, wide);
    size_t length = z->n - z->entry[0];
    if (wide) {
        z->end64 = add(z, END64);
        put(z, z->end64, 0x06064b50, 4);
        put(z, z->end64 + 24, 2, 8);
        put(z, z->end64 + 32, 2, 8);
        put(z, z->end64 + 40, length, 8);
        put(z, z->end64 + 48, z->entry[0], 8);
        z->locator = add(z, LOCATOR);
        put(z, z->locator, 0x07064b50, 4);
        put(z, z->locator + 8, z->end64, 8);
    }
    z->end = add(z, END);
    put(z, z->end, 0x06054b50, 4);
    put(z, z->end + 8, wide ? UINT16_MAX : 2, 2);
    put(z, z->end + 10, wide ? UINT16_MAX : 2, 2);
    put(z, z->end + 12, wide ? UINT32_MAX : length, 4);
    put(z, z->end + 16, wide ? UINT32_MAX : z->entry[0], 4);
}

/* Parses a copy that ends where the archive does. */
static bool parse(const uint8_t *bytes, size_t n, struct lp_error *err) {
    struct lp_arena arena = {0};
    struct lp_torch_parts parts;
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, bytes, n);
    bool ok = lp_torch_zip_parse(&parts, &arena, copy, n, "file", err);
    for (size_t i = 0; ok && i < parts.count; i++)
        ok = parts.part[i].data >= copy && parts.part[i].data + parts.part[i].size <= copy + n;
    lp_arena_done(&arena);
    free(copy);
    return ok;
}

static void reads_stored_entries(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct archive z;
        struct lp_arena arena = {0};
        struct lp_torch_parts parts;
        struct lp_error err = {0};
        make(&z, wide);
        add_text(&z, "a comment");
        put(&z, z.end + 20, strlen("a comment"), 2);
        if (!lp_torch_zip_parse(&parts, &arena, z.bytes, z.n, "file", &err))
            fail_msg("%s", err.text);
        assert_int_equal(parts.count, 2);
        const struct lp_torch_part *part = lp_torch_parts_find(&parts, "data/0", 6);
        assert_non_null(part);
        assert_int_equal(part->size, 7);
        assert_memory_equal(part->data, "seven77", 7);
        assert_non_null(lp_torch_parts_find(&parts, "a", 1));
        assert_null(lp_torch_parts_find(&parts, "data/1", 6));
        assert_null(lp_torch_parts_find(&parts, "", 0));
        lp_arena_done(&arena);
    }
}

enum base { LOCAL0, LOCAL1, ENTRY0, ENTRY1, END_, END64_, LOCATOR_ };

/* One field of a good archive changed. */
static const struct {
    bool wide;
    enum base base;
    int at, bytes;
    uint64_t number;
    const char *says;
} lies[] = {
    {false, END_, 0, 4, 0, "no directory at its end"},
    {false, END_, 20, 2, 5, "no directory at its end"},
    {false, END_, 4, 2, 1, "several volumes"},
    {false, END_, 6, 2, 1, "several volumes"},
    {false, END_, 8, 2, 1, "several volumes"},
    {false, END_, 10, 2, 3, "several volumes"},
    {false, END_, 8, 4, 0xffffffff, "more entries than room"},
    {false, END_, 8, 4, 0x00030003, "more entries than room"},
    {false, END_, 12, 4, 0, "more entries than room"},
    {false, END_, 12, 4, 60, "more entries than room"},
    {false, END_, 12, 4, 0xfffffff0, "directory outside the file"},
    {false, END_, 16, 4, 0xfffffff0, "directory outside the file"},
    {false, END_, 16, 4, 3, "malformed directory"},
    {false, ENTRY0, 0, 4, 0x04034b50, "malformed directory"},
    {false, ENTRY0, 8, 2, 1, "is encrypted"},
    {false, ENTRY0, 8, 2, 1 << 13, "is encrypted"},
    {false, ENTRY0, 10, 2, 8, "is compressed"},
    {false, ENTRY0, 10, 2, 99, "is compressed"},
    {false, ENTRY0, 20, 4, 2, "is compressed"},
    {false, ENTRY0, 24, 4, 0x7fffffff, "is compressed"},
    {false, ENTRY0, 28, 2, 0xffff, "malformed directory"},
    {false, ENTRY0, 28, 2, 2, "something else in its own header"},
    {false, ENTRY1, 28, 2, 7, "something else in its own header"},
    {false, ENTRY1, 30, 2, 0xffff, "malformed directory"},
    {false, ENTRY1, 32, 2, 1, "malformed directory"},
    {false, ENTRY0, 42, 4, 1, "does not begin where"},
    {false, ENTRY0, 42, 4, 0x7fffffff, "does not begin where"},
    {false, ENTRY0, 42, 4, 0xffffffff, "lacks its zip64 sizes"},
    {false, ENTRY0, ENTRY, 1, 'y', "something else in its own header"},
    {false, ENTRY0, ENTRY, 1, '/', "not below one folder"},
    {false, ENTRY0, ENTRY + 1, 1, '_', "not below one folder"},
    {false, ENTRY1, ENTRY, 1, 'y', "not below one folder"},
    {false, LOCAL0, 0, 4, 0, "does not begin where"},
    {false, LOCAL0, 8, 2, 8, "something else in its own header"},
    {false, LOCAL0, 26, 2, 4, "something else in its own header"},
    {false, LOCAL0, 28, 2, 0xffff, "reaches outside"},
    {false, LOCAL1, 28, 2, 1, "reaches outside"},
    {false, LOCAL0, 28, 2, 1, "over each other"},
    {true, END64_, 0, 4, 0, "zip64 record that is not where"},
    {true, END64_, 16, 4, 1, "several volumes"},
    {true, END64_, 24, 8, 1, "several volumes"},
    {true, END64_, 40, 8, UINT64_MAX, "directory outside the file"},
    {true, END64_, 48, 8, UINT64_MAX - 50, "directory outside the file"},
    {true, LOCATOR_, 0, 4, 0, "directory outside the file"},
    {true, LOCATOR_, 4, 4, 1, "several volumes"},
    {true, LOCATOR_, 8, 8, UINT64_MAX, "zip64 record that is not where"},
    {true, ENTRY0, ENTRY + 3 + 2, 2, 0xffff, "lacks its zip64 sizes"},
    {true, ENTRY0, ENTRY + 3 + 8, 2, 2, "lacks its zip64 sizes"},
    {true, ENTRY0, ENTRY + 3 + 10, 2, 16, "lacks its zip64 sizes"},
    {true, ENTRY0, ENTRY + 3 + 12, 8, UINT64_MAX, "is compressed"},
    {true, ENTRY0, ENTRY + 3 + 28, 8, UINT64_MAX - 10, "does not begin where"},
};

static void refuses_lies(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct archive z;
        struct lp_error err = {0};
        make(&z, lies[i].wide);
        const size_t bases[] = {z.local[0], z.local[1], z.entry[0], z.entry[1], z.end, z.end64, z.locator};
        put(&z, bases[lies[i].base] + (size_t)lies[i].at, lies[i].number, lies[i].bytes);
        if (parse(z.bytes, z.n, &err) || err.code != LP_EINPUT || !strstr(err.text, lies[i].says))
            fail_msg("case %zu: wanted '%s', got '%s'", i, lies[i].says, err.text);
    }
}

static void refuses_overlaps_and_twins(void **state) {
    (void)state;
    struct archive z;
    struct lp_error err = {0};
    make(&z, false);
    put(&z, z.entry[0] + 20, 40, 4); /* the first entry swallows the second's header, as bombs do */
    put(&z, z.entry[0] + 24, 40, 4);
    assert_false(parse(z.bytes, z.n, &err));
    assert_non_null(strstr(err.text, "over each other"));
    z = (struct archive){0};
    add_local(&z, 0, "x/a", "one");
    add_local(&z, 1, "x/a", "two");
    add_entry(&z, 0, "x/a", 3, false);
    add_entry(&z, 1, "x/a", 3, false);
    size_t length = z.n - z.entry[0];
    z.end = add(&z, END);
    put(&z, z.end, 0x06054b50, 4);
    put(&z, z.end + 8, 2, 2);
    put(&z, z.end + 10, 2, 2);
    put(&z, z.end + 12, length, 4);
    put(&z, z.end + 16, z.entry[0], 4);
    assert_false(parse(z.bytes, z.n, &err));
    assert_non_null(strstr(err.text, "same name"));
    put(&z, z.entry[1] + 42, z.local[0], 4); /* twice the same bytes */
    assert_false(parse(z.bytes, z.n, &err));
    assert_non_null(strstr(err.text, "over each other"));
}

static void refuses_every_cut(void **state) {
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct archive z;
        make(&z, wide);
        for (size_t n = 0; n < z.n; n++) {
            struct lp_error err = {0};
            assert_false(parse(z.bytes, n, &err));
            assert_int_equal(err.code, LP_EINPUT);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_stored_entries),
        cmocka_unit_test(refuses_lies),
        cmocka_unit_test(refuses_overlaps_and_twins),
        cmocka_unit_test(refuses_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
