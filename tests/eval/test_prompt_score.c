/* SPDX-License-Identifier: MIT */
/* Where a thing is clicked, and how masks count. That whole scenes are asked about is tests/cli/eval_prompts.sh's. */
#include "eval/prompt_score.h"

#include "image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_innermost_pixel_is_clicked(void **state) {
    (void)state;
    static const struct {
        const char *rows; /* 7 x 5 */
        int x, y;
    } cases[] = {
        {".......|.......|...#...|.......|.......", 3, 2},
        {"#######|#######|#######|#######|#######", 2, 2}, /* the picture's edge is one of the thing, too */
        {"###....|###....|###...#|.......|......#", 1, 1},
        {"#......|.#.....|..###..|..###..|..###..", 3, 3},
        {".......|.......|.......|.......|.......", -1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t mask[35];
        int at[2];
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 7; x++)
                mask[y * 7 + x] = cases[i].rows[y * 8 + x] == '#';
        assert_true(lp_mask_innermost(mask, 7, 5, at));
        assert_int_equal(at[0], cases[i].x);
        assert_int_equal(at[1], cases[i].y);
    }
}

static void wholes_and_parts_have_their_own_means(void **state) {
    (void)state;
    struct lp_prompt_score score = {.things = {3, 1, 4}, .click = {2.4, 0.4, 2.8}, .box = {2.7, 0.5, 3.2}};
    struct lp_str table = {0};
    assert_float_equal(lp_prompt_score_click(&score, LP_PROMPTED_WHOLES), 0.8, 1e-12);
    assert_float_equal(lp_prompt_score_box(&score, LP_PROMPTED_ALL), 0.8, 1e-12);
    lp_prompt_score_table(&score, &table);
    assert_non_null(strstr(lp_str_text(&table), "parts           1     0.4000  0.5000\n"));
    lp_str_done(&table);
    json_t *json = lp_prompt_score_json(&score);
    assert_float_equal(json_real_value(json_object_get(json_object_get(json, "all"), "click")), 0.7, 1e-12);
    json_decref(json);
    assert_true(lp_prompt_score_box(&(struct lp_prompt_score){0}, LP_PROMPTED_ALL) == 0);
}

static void a_picture_of_another_size_is_refused(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_prompt_score score = {0};
    struct lp_truth *truth = lp_truth_open(LP_TESTS_DIR "/data/scenes", &err);
    struct lp_image *image = lp_image_new(5, 4, &err);
    assert_true(truth && image);
    assert_false(lp_prompt_score_add(&score, NULL, &truth->picture[0], image, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "000000.jpg has 5 x 4 px, its truth "));
    lp_image_close(image);
    lp_truth_close(truth);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_innermost_pixel_is_clicked),
        cmocka_unit_test(wholes_and_parts_have_their_own_means),
        cmocka_unit_test(a_picture_of_another_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
