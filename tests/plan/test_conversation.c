/* SPDX-License-Identifier: MIT */
/* Messages in, prompts out: the exact texts, pictures shown once, what is dropped when the context is full.
 */
#include "plan/conversation.h"

#include "base/memory.h"
#include "plan/fake_lmm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define TURN(thoughts, actions, value)                                                                       \
    LP_MARK_THOUGHTS " " thoughts "\n" LP_MARK_ACTIONS " " actions "\n" LP_MARK_VALUE " " value "\n"

static const char *const script[] = {TURN("t", "[]", "one"), TURN("t", "[]", "two"), TURN("t", "[]", "three"),
                                     TURN("t", "[]", "four"), NULL};

struct talk {
    struct fake fake;
    struct lp_conversation c;
    struct lp_rng rng;
};

static void begin(struct talk *t, int64_t context) {
    assert_true(fake_open(&t->fake, script, 0, context));
    assert_true(lp_conversation_init(&t->c, &t->fake.lmm, NULL));
    lp_rng_seed(&t->rng, 1);
}

static void end(struct talk *t) {
    lp_conversation_done(&t->c);
    lp_lmm_close(&t->fake.lmm);
}

static void add_picture(struct talk *t, int width, int shade) {
    struct lp_image *image = lp_image_new(width, 3, NULL);
    assert_non_null(image);
    memset(image->pixel, shade, (size_t)width * 9);
    assert_non_null(lp_conversation_add_picture(&t->c, image, NULL));
}

static bool ask(struct talk *t, const char *text, struct lp_error *err) {
    struct lp_request q = {.text = text};
    return lp_conversation_ask(&t->c, &q, err);
}

static bool write_turn(struct talk *t, struct lp_error *err) {
    struct lp_turn turn;
    struct lp_decoding how = {.sampling = {.temperature = 0, .top_p = 1, .most_tokens = 150}, .rng = &t->rng};
    bool done = lp_conversation_write(&t->c, false, &how, &turn, err);
    lp_turn_done(&turn);
    return done;
}

static void human_turns_are_exact(void **state) {
    (void)state;
    static const float points[][2] = {{0.45f, 0.89f}, {0.1f, 0.2f}}, boxes[][4] = {{0.1f, 0.2f, 0.504f, 1}};
    static const float two[][4] = {{0, 0, 0.5f, 0.5f}, {0.25f, 0.125f, 1, 1}};
    struct lp_image reference = {.width = 1, .height = 1};
    const struct {
        struct lp_request q;
        const char *text;
    } cases[] = {
        {{.text = " What?\n"}, "What?"},
        {{.text = "a <image> b<ima<image>ge>"}, "a  b"},
        {{.text = "bad \xff byte"}, "bad \xef\xbf\xbd byte"},
        {{.text = "this", .point = points, .points = 1}, "this\n\nInput point: [0.45, 0.89]"},
        {{.text = "these", .point = points, .points = 2},
         "these\n\nThe input points are: [[0.45, 0.89], [0.1, 0.2]]"},
        {{.text = "box", .box = boxes, .boxes = 1}, "box\n\nInput box: [0.1, 0.2, 0.5, 1.0]"},
        {{.text = "all", .point = points, .points = 1, .box = two, .boxes = 2},
         "all\n\nInput point: [0.45, 0.89]\nThe input boxes are: [[0.0, 0.0, 0.5, 0.5], [0.25, 0.12, 1.0, "
         "1.0]]"},
        {{.text = "like", .reference = &reference}, "like\n\nReference image given."},
        {{.text = "like", .reference = &reference, .reference_box = boxes, .reference_boxes = 1},
         "like\n\nReference box: [0.1, 0.2, 0.5, 1.0]"},
        {{.text = "like", .reference = &reference, .reference_box = two, .reference_boxes = 2},
         "like\n\nThe reference boxes are: [[0.0, 0.0, 0.5, 0.5], [0.25, 0.12, 1.0, 1.0]]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk t;
        char want[512];
        begin(&t, 2000);
        add_picture(&t, 4, 1);
        add_picture(&t, 4, 2);
        assert_true(lp_conversation_ask(&t.c, &cases[i].q, NULL));
        snprintf(want, sizeof want, "<image>\n<image>\n%s", cases[i].text);
        assert_string_equal(t.c.said[0].text, want);
        assert_string_equal(t.c.question, cases[i].text);
        end(&t);
    }
}

static void senseless_requests_are_refused(void **state) {
    (void)state;
    static const float good[][2] = {{0.5f, 0.5f}}, high[][2] = {{0.5f, 1.5f}}, none[][2] = {{NAN, 0}};
    static const float box[][4] = {{0, 0, 1, 1}};
    char *endless = lp_alloc(1 << 17);
    memset(endless, 'a', (1 << 17) - 1);
    const struct {
        struct lp_request q;
        bool picture;
        const char *says;
    } cases[] = {
        {{.text = " \n"}, true, "empty"},
        {{.text = endless}, true, "longer than"},
        {{.text = "x", .point = high, .points = 1}, true, "0 to 1"},
        {{.text = "x", .point = none, .points = 1}, true, "0 to 1"},
        {{.text = "x", .point = good, .points = 1}, false, "need a picture"},
        {{.text = "x", .point = good, .points = 1000}, true, "more than"},
        {{.text = "x", .reference_box = box, .reference_boxes = 1}, true, "reference picture"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct talk t;
        struct lp_error err = {0};
        begin(&t, 2000);
        if (cases[i].picture)
            add_picture(&t, 4, 1);
        assert_false(lp_conversation_ask(&t.c, &cases[i].q, &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_int_equal(t.c.n, 0);
        end(&t);
    }
    lp_free(endless);
}

static void result_turns_are_exact(void **state) {
    (void)state;
    json_t *ocr = json_pack("{s:[[f,f,f,f]], s:[s], s:[f], s:s}", "boxes", 0.1, 0.2, 0.5, 0.3, "texts",
                            "it's", "scores", 0.97, "handles", "text_1, box_1");
    json_t *many = json_object(), *list = json_array();
    for (int i = 0; i < 20; i++)
        json_array_append_new(list, json_integer(i));
    json_object_set_new(many, "boxes", list);
    json_object_set_new(many, "handles", json_string(""));
    const struct lp_outcome outcome[] = {
        {"ocr", ocr, NULL}, {"grounding_dino", many, NULL}, {"sam", NULL, "The sam failed: it's off."}};
    struct lp_str s = {0};
    lp_result_turn(&s, outcome, 3, "What?", 12, true);
    assert_string_equal(lp_str_text(&s),
                        "ocr model outputs: {'boxes': [[0.1, 0.2, 0.5, 0.3]], 'texts': [\"it's\"], 'scores': "
                        "[0.97], 'handles': "
                        "'text_1, box_1'}\n"
                        "grounding_dino model outputs: {'boxes': [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}\n"
                        "sam model outputs: {'message': \"The sam failed: it's off.\"}\n"
                        "\n"
                        "Please summarize the model outputs and answer my first question: What?");
    lp_str_cut(&s, 0);
    lp_result_turn(&s, outcome, 1, "What?", 12, false);
    assert_null(strstr(lp_str_text(&s), "handles"));
    lp_str_done(&s);
    json_decref(ocr);
    json_decref(many);
}

static void pictures_are_shown_and_encoded_once(void **state) {
    (void)state;
    struct talk t;
    struct lp_error err = {0};
    begin(&t, 4000);
    add_picture(&t, 4, 1);
    assert_true(ask(&t, "first", &err) && write_turn(&t, &err));
    int64_t fed = t.fake.fed;
    assert_int_equal(t.fake.seen, 1);
    add_picture(&t, 5, 1); /* as if a skill had made it */
    add_picture(&t, 4, 1); /* the first one again */
    assert_true(ask(&t, "second", &err) && write_turn(&t, &err));
    assert_int_equal(t.fake.seen, 2);
    assert_string_equal(t.c.said[2].text, "<image>\n<image>\nsecond");
    assert_true(t.fake.fed - fed < fed); /* the first exchange was not fed again */
    assert_true(ask(&t, "third", &err));
    assert_string_equal(t.c.said[4].text, "third");
    assert_string_equal(t.c.said[1].text, TURN("t", "[]", "one"));
    assert_string_equal(t.c.said[3].text, TURN("t", "[]", "two"));
    lp_conversation_reset(&t.c);
    add_picture(&t, 4, 1);
    assert_true(ask(&t, "first", &err) && write_turn(&t, &err));
    assert_string_equal(t.c.said[1].text, TURN("t", "[]", "one"));
    end(&t);
}

static void the_oldest_is_dropped(void **state) {
    (void)state;
    struct talk t;
    struct lp_error err = {0};
    char text[256];
    memset(text, 0, sizeof text);
    for (int i = 0; i < 60; i++)
        strcat(text, "go ");
    begin(&t, 480);
    add_picture(&t, 4, 1);
    for (int i = 0; i < 4; i++)
        if (!ask(&t, text, &err) || !write_turn(&t, &err))
            fail_msg("%d: %s", i, err.text);
    assert_true(t.c.n < 8);
    assert_memory_equal(t.c.said[0].text, "<image>\ngo", 10); /* what is seen stays seen */
    assert_int_equal(t.c.said[0].pictures, 1);
    assert_true(t.c.said[0].request);
    int n = t.c.n;
    char *endless = lp_alloc(1 << 12);
    for (int i = 0; i + 3 < 1 << 12; i += 3)
        memcpy(endless + i, "go ", 3);
    assert_true(ask(&t, endless, &err));
    assert_false(write_turn(&t, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "no room"));
    assert_true(t.c.n <= n + 1);
    lp_free(endless);
    end(&t);
}

static void long_results_are_shortened(void **state) {
    (void)state;
    struct talk t;
    struct lp_error err = {0};
    begin(&t, 500);
    assert_true(ask(&t, "read", &err) && write_turn(&t, &err));
    json_t *list = json_array(), *dict = json_object();
    for (int i = 0; i < 12; i++)
        json_array_append_new(list, json_string("a line of some length that takes room"));
    json_object_set_new(dict, "texts", list);
    struct lp_outcome outcome = {"ocr", dict, NULL};
    assert_true(lp_conversation_tell(&t.c, &outcome, 1, false, &err));
    int lines = 0;
    for (const char *at = t.c.said[2].text; (at = strstr(at, "a line of")); at++)
        lines++;
    assert_in_range(lines, 1, 11);
    assert_true(write_turn(&t, &err));
    json_decref(dict);
    end(&t);
}

static void every_failing_allocation_is_an_error(void **state) {
    (void)state;
    static const float points[][2] = {{0.45f, 0.89f}};
    for (long n = 1;; n += n < 300 ? 1 : 37) {
        struct talk t;
        struct lp_error err = {0};
        assert_true(fake_open(&t.fake, script, 0, 1000));
        lp_rng_seed(&t.rng, 1);
        struct lp_image *image = lp_image_new(4, 3, NULL);
        struct lp_request q = {.text = "go", .point = points, .points = 1};
        lp_test_fail_alloc(n);
        bool done = lp_conversation_init(&t.c, &t.fake.lmm, &err) &&
                    lp_conversation_add_picture(&t.c, image, &err) && lp_conversation_ask(&t.c, &q, &err);
        bool taken = t.c.decoder.scratch != NULL;
        done = done && write_turn(&t, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        if (!taken)
            lp_image_close(image);
        assert_int_equal(done, !failed);
        if (failed && !done)
            assert_int_equal(err.code, LP_EMEMORY);
        end(&t);
        if (!failed)
            return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(human_turns_are_exact),
        cmocka_unit_test(senseless_requests_are_refused),
        cmocka_unit_test(result_turns_are_exact),
        cmocka_unit_test(pictures_are_shown_and_encoded_once),
        cmocka_unit_test(the_oldest_is_dropped),
        cmocka_unit_test(long_results_are_shortened),
        cmocka_unit_test(every_failing_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
