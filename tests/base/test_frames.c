/* SPDX-License-Identifier: MIT */
/* Frames out of bytes, wherever these are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/frames.h"
#include "base/memory.h"

#include <string.h>

static bool note(void *context, const char *text, size_t n) {
    struct lp_str *all = context;
    assert_int_equal(strlen(text), n);
    lp_str_printf(all, "%s|", text);
    return strcmp(text, "stop") != 0;
}

static void frames_however_they_are_cut(void **state) {
    (void)state;
    static const char bytes[] = "{\"text\": \"a\"}\0\0\0b\0half";
    for (size_t step = 1; step <= sizeof bytes; step++) {
        struct lp_str all = {0};
        struct lp_frames f = {.frame = note, .context = &all};
        for (size_t i = 0; i < sizeof bytes - 1; i += step)
            assert_true(lp_frames_feed(&f, bytes + i, sizeof bytes - 1 - i < step ? sizeof bytes - 1 - i : step));
        assert_string_equal(lp_str_text(&all), "{\"text\": \"a\"}|b|");
        assert_string_equal(lp_str_text(&f.part), "half"); /* no frame */
        lp_frames_done(&f);
        lp_str_done(&all);
    }
}

static void a_listener_that_has_enough(void **state) {
    (void)state;
    struct lp_str all = {0};
    struct lp_frames f = {.frame = note, .context = &all};
    assert_false(lp_frames_feed(&f, "a\0stop\0b", 9));
    assert_string_equal(lp_str_text(&all), "a|stop|");
    lp_frames_done(&f);
    lp_str_done(&all);
}

static void a_frame_that_never_ends(void **state) {
    (void)state;
    char *block = lp_alloc(1 << 16);
    struct lp_frames f = {.frame = note};
    size_t fed = 0;
    memset(block, 'x', 1 << 16);
    while (lp_frames_feed(&f, block, 1 << 16))
        fed += 1 << 16;
    assert_true(f.over && fed == LP_FRAMES_MOST);
    lp_frames_done(&f);
    lp_free(block);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_however_they_are_cut),
        cmocka_unit_test(a_listener_that_has_enough),
        cmocka_unit_test(a_frame_that_never_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
