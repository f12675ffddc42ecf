/* SPDX-License-Identifier: MIT */
/* Counting dialogues: kinds, words, calls; the table and the picture. */
#include "data/statistics.h"

#include "base/json.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(struct lp_statistics *s, const char *text) {
    struct lp_error err = {0};
    json_t *record = lp_json_parse(text, strlen(text), "record", &err);
    if (!record)
        fail_msg("%s", err.text);
    assert_true(lp_statistics_add(s, record, &err));
    json_decref(record);
}

static void fill(struct lp_statistics *s) {
    add(s, "{\"image\": \"a.jpg\", \"conversations\": [{\"from\": \"human\", \"value\": \"<image>\\nfind the dog\"},"
           "{\"from\": \"gpt\", \"actions\": [{\"API_name\": \"grounding_dino\", \"API_params\": {}}], \"value\": \"v\"},"
           "{\"from\": \"human\", \"value\": \"r\"}, {\"from\": \"gpt\", \"actions\": [], \"value\": \"v\"}]}");
    add(s, "{\"conversations\": [{\"from\": \"human\", \"value\": \"find the dog\"},"
           "{\"from\": \"gpt\", \"actions\": [{\"API_name\": \"sam\"}, {\"API_name\": \"inpainting\"}, {\"API_name\": \"odd\"}],"
           "\"value\": \"v\"}], \"skill\": \"inpaint\"}");
    add(s, "{\"images\": [\"a.jpg\"], \"conversations\": [{\"from\": \"human\", \"value\": "
           "\"<image>\\nram model outputs: {'tags': 'many words'}\\n\\nIs it red?\"}, {\"from\": \"gpt\", \"value\": \"No\"}]}");
    add(s, "{\"conversations\": [{\"from\": \"human\", \"value\": \"hello\"}, {\"from\": \"gpt\", \"value\": \"Hi\"}]}");
    add(s, "{}");
}

static void counts_by_kind(void **state) {
    (void)state;
    struct lp_statistics s = {0};
    fill(&s);
    assert_int_equal(s.all_dialogues, 5);
    assert_int_equal(s.dialogues[LP_TASK_DETECT], 1);
    assert_int_equal(s.dialogues[LP_TASK_INPAINT], 1);
    assert_int_equal(s.dialogues[LP_KIND_SEE], 1);
    assert_int_equal(s.dialogues[LP_TASK_NONE], 2);
    assert_int_equal(s.turns[LP_TASK_DETECT], 4);
    assert_int_equal(s.calls[LP_TASK_SEGMENT_AT], 1);
    assert_int_equal(s.all_calls, 4);
    assert_int_equal(s.spoken[LP_TASK_DETECT], 3);
    assert_int_equal(s.spoken[LP_KIND_SEE], 3);
    assert_int_equal(s.words[LP_TASK_DETECT].n, 3);
    assert_int_equal(s.all_words.n, 7);
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    lp_statistics_print(&s, NULL, to);
    fclose(to);
    assert_non_null(strstr(text, "5 records, 4 calls, 7 distinct words"));
    free(text);
    lp_statistics_done(&s);
}

/* The longest bar of a column is longer than any other. */
static void bars_are_drawn(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_statistics s = {0};
    fill(&s);
    struct lp_image *image = lp_statistics_draw(&s, &err);
    if (!image)
        fail_msg("%s", err.text);
    int colored[LP_KINDS] = {0};
    for (int k = 0; k < LP_KINDS; k++)
        for (int x = 0; x < image->width; x++) { /* the middle of a row; both blues */
            const uint8_t *p = image->pixel + 3 * (image->width * (30 + k * 26 + 13) + x);
            colored[k] += p[2] > p[1] + 20;
        }
    assert_true(colored[LP_TASK_NONE] > 150);
    assert_int_equal(colored[LP_TASK_NONE], 2 * colored[LP_TASK_DETECT]);
    assert_int_equal(colored[LP_TASK_OCR], 0);
    lp_image_close(image);
    lp_statistics_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_by_kind), cmocka_unit_test(bars_are_drawn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
