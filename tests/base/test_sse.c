/* SPDX-License-Identifier: MIT */
/* Event streams, however they are cut into pieces; base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/sse.h"

#include <string.h>

struct heard {
    struct lp_str all;
    int left; /* events after which it has heard enough; below 0: never */
};

static bool hear(void *context, const char *data, size_t n) {
    struct heard *h = context;
    lp_str_add(&h->all, data, n);
    lp_str_putc(&h->all, '|');
    return --h->left != 0;
}

/* Feeds the text in pieces of `size` bytes. */
static void events_are(const char *text, size_t size, const char *want) {
    struct heard h = {.left = -1};
    struct lp_sse sse = {.event = hear, .context = &h};
    size_t n = strlen(text);
    for (size_t at = 0; at < n; at += size)
        assert_true(lp_sse_feed(&sse, text + at, size < n - at ? size : n - at));
    assert_true(lp_sse_end(&sse));
    assert_string_equal(lp_str_text(&h.all), want);
    lp_sse_done(&sse);
    lp_str_done(&h.all);
}

static void streams_become_events(void **state) {
    (void)state;
    static const struct {
        const char *text, *events;
    } cases[] = {
        {"data: a\n\ndata: b\n\n", "a|b|"},
        {"data:a\r\n\r\ndata:  b\r\n\r\n", "a| b|"},
        {"data: a\r\rdata: b\r\r", "a|b|"},
        {": ping\n\nevent: x\nid: 3\ndata: one\ndata: two\n\n", "one\ntwo|"},
        {"data\ndatab: no\n\ndata:\n\n", "|"},
        {"data: unended", "unended|"},
        {"error: {}\n\n", "{}|"},
        {"\n\n\r\n", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t size = 1; size < 40; size += size < 4 ? 1 : 9)
            events_are(cases[i].text, size, cases[i].events);
}

static void a_stream_ends_when_enough_is_heard(void **state) {
    (void)state;
    static const char text[] = "data: a\n\ndata: b\n\ndata: c\n\n";
    struct heard h = {.left = 2};
    struct lp_sse sse = {.event = hear, .context = &h};
    assert_false(lp_sse_feed(&sse, text, sizeof text - 1));
    assert_string_equal(lp_str_text(&h.all), "a|b|");
    assert_false(sse.over);
    lp_sse_done(&sse);
    lp_str_done(&h.all);
}

static void events_have_an_end(void **state) {
    (void)state;
    static const char *const lines[] = {"long ", "data: more of the same event\n"};
    for (int i = 0; i < 2; i++) {
        struct heard h = {.left = -1};
        struct lp_sse sse = {.event = hear, .context = &h};
        size_t fed = 0, n = strlen(lines[i]);
        while (lp_sse_feed(&sse, lines[i], n))
            fed += n;
        assert_true(sse.over);
        assert_true(fed > LP_SSE_MOST / 2 && fed < 2 * LP_SSE_MOST);
        lp_sse_done(&sse);
        lp_str_done(&h.all);
    }
}

/* RFC 4648, section 10. */
static void bytes_become_letters_and_back(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_str out = {0};
        lp_base64_add(&out, (const uint8_t *)cases[i][0], strlen(cases[i][0]));
        assert_string_equal(lp_str_text(&out), cases[i][1]);
        lp_str_cut(&out, 0);
        assert_true(lp_base64_parse(&out, cases[i][1], strlen(cases[i][1])));
        assert_string_equal(lp_str_text(&out), cases[i][0]);
        lp_str_done(&out);
    }
}

static void what_is_not_base64(void **state) {
    (void)state;
    static const char *const cases[] = {"Z",    "Zg",   "Zg=",   "Zg===", "====",     "Z===", "Zh==",
                                        "Zm9=", "Zm 9", "Zm9v\n", "Zm9-",  "Zg==Zg==", "=m9v", "\xc3\xa9=="};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_str out = {0};
        if (lp_base64_parse(&out, cases[i], strlen(cases[i])))
            fail_msg("'%s'", cases[i]);
        lp_str_done(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_become_events),
        cmocka_unit_test(a_stream_ends_when_enough_is_heard),
        cmocka_unit_test(events_have_an_end),
        cmocka_unit_test(bytes_become_letters_and_back),
        cmocka_unit_test(what_is_not_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
