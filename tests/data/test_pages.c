/* SPDX-License-Identifier: MIT */
/* Printed pages: what pages.txt says, what it may not say, and scenes that are a page. */
#include "weights/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "data/pages.h"
#include "data/scene_write.h"
#include "data/truth.h"

static struct lp_stickers *stickers;

static void require(bool ok, const struct lp_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

static int set_up(void **state) {
    (void)state;
    struct lp_error err = {0};
    stickers = lp_stickers_open(lp_stickers_folder(), &err);
    require(stickers, &err);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    lp_stickers_close(stickers);
    return 0;
}

static bool is_name(const char *text, size_t n) {
    for (int i = 0; i < stickers->count; i++)
        if (strlen(stickers->name[i].name) == n && !strncasecmp(stickers->name[i].name, text, n))
            return true;
    return false;
}

static void forms_are_filled(void **state) {
    (void)state;
    struct lp_rng rng;
    char text[LP_LINE_LETTERS];
    lp_rng_seed(&rng, 1);
    for (int i = 0; i < 200; i++) {
        lp_print_fill("##|* =^", strlen("##|* =^"), stickers, &rng, text, sizeof text);
        assert_true(text[0] >= '1' && text[0] <= '9' && isdigit((unsigned char)text[1]) && text[2] == '\n');
        const char *name = text + 3, *between = strstr(text, " =");
        assert_true(between && isupper((unsigned char)*name) && is_name(name, (size_t)(between - name)));
        const char *loud = between + 2;
        assert_true(is_name(loud, strlen(loud)));
        for (const char *c = loud; *c; c++)
            assert_false(islower((unsigned char)*c));
    }
    char few[4], long_line[LP_CARD_LETTERS];
    const char *many = "****************************************|*";
    lp_print_fill(many, strlen(many), stickers, &rng, long_line, sizeof long_line);
    assert_int_equal(strcspn(long_line, "\n"), LP_LINE_LETTERS - 1);
    assert_non_null(strchr(long_line, '\n'));
    lp_print_fill("abcdef", 6, stickers, &rng, few, sizeof few);
    assert_string_equal(few, "abc");
}

/* All forms come, the longest with more lines than any sign; nothing of the forms' own language is left. */
static void pages_are_written(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_rng rng;
    struct lp_pages *pages = lp_pages_open(lp_stickers_folder(), &err);
    require(pages, &err);
    lp_rng_seed(&rng, 2);
    int most = 0, receipts = 0;
    for (int i = 0; i < 500; i++) {
        char text[LP_CARD_LETTERS];
        int lines = 0;
        lp_pages_write(pages, stickers, &rng, text, sizeof text);
        assert_null(strpbrk(text, "#*^|"));
        receipts += strstr(text, "TOTAL") != NULL;
        for (const char *line = text; line; lines++) {
            size_t n = strcspn(line, "\n");
            assert_true(n > 0 && n < LP_LINE_LETTERS);
            line = line[n] ? line + n + 1 : NULL;
        }
        most = lines > most ? lines : most;
    }
    assert_in_range(most, 12, LP_SCENE_LINES);
    assert_true(receipts > 20);
    lp_pages_close(pages);
}

static struct lp_truth *write_scenes(char folder[64], int pages) {
    struct lp_error err = {0};
    folder_make(folder);
    struct lp_scenes_request q = {.folder = folder, .stickers = lp_stickers_folder(), .seed = 5, .count = 40, .side = 96, .pages = pages};
    require(lp_scenes_write(&q, &err), &err);
    struct lp_truth *truth = lp_truth_open(folder, &err);
    require(truth, &err);
    return truth;
}

static void remove_scenes(struct lp_truth *truth, const char *folder) {
    char path[100];
    lp_truth_close(truth);
    snprintf(path, sizeof path, "%s/maps", folder);
    folder_remove(path);
    snprintf(path, sizeof path, "%s/edits", folder);
    folder_remove(path);
    folder_remove(folder);
}

/* The share asked for is pages, whose lines stand below each other; the other scenes are what they were. */
static void scenes_are_pages(void **state) {
    (void)state;
    char mixed_folder[64], plain_folder[64];
    struct lp_truth *mixed = write_scenes(mixed_folder, 50), *plain = write_scenes(plain_folder, 0);
    int pages = 0;
    for (int n = 0; n < mixed->pictures; n++) {
        const struct lp_truth_picture *p = &mixed->picture[n], *was = &plain->picture[n];
        if (p->objects) {
            assert_int_equal(p->objects, was->objects);
            assert_int_equal(p->texts, was->texts);
            continue;
        }
        pages++;
        assert_true(p->texts >= 2);
        for (int i = 0; i < p->texts; i++) {
            const float *box = p->text[i].box;
            assert_true(box[0] >= 0 && box[1] >= 0 && box[2] <= 96 && box[3] <= 96 && box[0] < box[2] && box[1] < box[3]);
            assert_true(i == 0 || box[1] > p->text[i - 1].box[1]);
        }
    }
    assert_in_range(pages, 10, 30);
    remove_scenes(mixed, mixed_folder);
    remove_scenes(plain, plain_folder);
}

static void refuses_bad_forms(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"", "has no forms"},
        {"# nothing\n", "has no forms"},
        {"[list]\n", "has no forms"},
        {"1: before any name\n", "line 1: a line below"},
        {"[list]\none: word\n", "line 2: a line below"},
        {"[list]\n3-2: word\n", "line 2: a line below"},
        {"[list]\n-1: word\n", "line 2: a line below"},
        {"[list]\n1-99999999999: word\n", "line 2: a line below"},
        {"[list]\n2:\n", "line 2: a line below"},
        {"[list]\n0-3: word\n", "line 2: the first line"},
        {"[list]\n[list]\n", "has no forms"},
    };
    char odd[64];
    folder_make(odd);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_error err = {0};
        folder_put(odd, "pages.txt", bad[i][0], strlen(bad[i][0]));
        assert_null(lp_pages_open(odd, &err));
        if (err.code != LP_EINPUT || !strstr(err.text, bad[i][1]))
            fail_msg("form %zu: expected '%s', got '%s'", i, bad[i][1], err.text);
    }
    folder_remove(odd);
    struct lp_error err = {0};
    assert_null(lp_pages_open(odd, &err));
    assert_int_equal(err.code, LP_EIO);
}

static void survives_no_memory(void **state) {
    (void)state;
    struct lp_pages *pages = NULL;
    for (long n = 1; !pages && n < 1000; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        pages = lp_pages_open(lp_stickers_folder(), &err);
        lp_test_fail_alloc(0);
        assert_true(pages || err.code == LP_EMEMORY);
    }
    assert_non_null(pages);
    lp_pages_close(pages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_filled), cmocka_unit_test(pages_are_written),   cmocka_unit_test(scenes_are_pages),
        cmocka_unit_test(refuses_bad_forms), cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
