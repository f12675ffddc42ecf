/* SPDX-License-Identifier: MIT */
/* Servers' answers with values and bytes changed, moved and missing: whatever comes is an error or a legal
 * turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/sse.h"
#include "plan/remote_inner.h"
#include "skill/skill.h"

#include <dirent.h>
#include <string.h>

struct reading {
    struct lp_remote_reply reply;
    struct lp_turn turn;
    struct lp_error err;
    bool answer, good;
    struct lp_rng *rng; /* twists what comes; NULL: nobody */
};

/* Somewhere within the value, another takes its place. */
static void twist(struct lp_rng *rng, json_t *value) {
    static const char *const odd[] = {"null", "true", "7",    "-1",         "1e300",  "\"x\"",  "\"\"",
                                      "[]",   "{}",   "[[]]", "{\"a\": 1}", "\"{}\"", "\"ocr\""};
    size_t n = json_is_object(value) ? json_object_size(value) : json_array_size(value);
    if (!n)
        return;
    size_t at = lp_rng_below(rng, (uint32_t)n), deeper = lp_rng_below(rng, 5);
    void *place = json_object_iter(value);
    for (size_t i = 0; i < at && json_is_object(value); i++)
        place = json_object_iter_next(value, place);
    const char *key = place ? json_object_iter_key(place) : NULL;
    json_t *child = key ? json_object_get(value, key) : json_array_get(value, at);
    if (deeper && (json_object_size(child) || json_array_size(child))) {
        twist(rng, child);
        return;
    }
    child = json_loads(odd[lp_rng_below(rng, sizeof odd / sizeof *odd)], JSON_DECODE_ANY, NULL);
    if (key)
        json_object_set_new(value, key, child);
    else
        json_array_set_new(value, at, child);
}

static bool take(struct reading *r, const char *text, size_t n, bool whole) {
    json_t *root = lp_json_parse(text, n, "it", &r->err);
    if (r->rng && lp_rng_below(r->rng, 3) == 0)
        twist(r->rng, root);
    r->good = root && lp_remote_reply_take(&r->reply, root, whole, &r->err) &&
              lp_remote_turn_grow(&r->turn, &r->reply, r->answer);
    json_decref(root);
    return r->good && !r->reply.enough;
}

static bool take_event(void *context, const char *data, size_t n) {
    return take(context, data, n, false);
}

/* Every call of a finished turn is a known skill's with legal parameters, and answers have none. */
static void check_turn(struct reading *r) {
    struct lp_plan plan;
    assert_true(lp_plan_parse(lp_str_text(&r->turn.text), r->turn.text.n, &plan, NULL));
    assert_true(plan.marked);
    assert_false(plan.bad_actions);
    assert_true(!r->answer || !json_array_size(plan.actions));
    assert_true(json_array_size(plan.actions) || *plan.value);
    for (size_t i = 0; i < json_array_size(plan.actions); i++) {
        const json_t *call = json_array_get(plan.actions, i);
        const struct lp_skill *skill = lp_skill_find(json_string_value(json_object_get(call, "API_name")));
        assert_non_null(skill);
        json_t *params = lp_skill_check(skill, json_object_get(call, "API_params"), NULL);
        assert_non_null(params);
        json_decref(params);
    }
    lp_plan_done(&plan);
}

static bool read_answer(const char *text, size_t n, bool answer, struct lp_rng *rng) {
    struct reading r = {.reply = {.most = 400}, .answer = answer, .rng = rng};
    struct lp_sse sse = {.event = take_event, .context = &r};
    bool again, unified;
    if (n && *text == '{')
        take(&r, text, n, true);
    else if (lp_sse_feed(&sse, text, n))
        lp_sse_end(&sse);
    bool done =
        r.good && r.reply.begun && lp_remote_turn_end(&r.turn, &r.reply, answer, &again, &unified, &r.err);
    if (done)
        check_turn(&r);
    else
        assert_true(!r.reply.begun || r.err.code || r.turn.text.failed);
    lp_sse_done(&sse);
    lp_remote_reply_done(&r.reply);
    lp_turn_done(&r.turn);
    return done;
}

/* A few bytes changed, doubled, or left out. */
static size_t spoil(struct lp_rng *rng, char *text, size_t n) {
    static const char bytes[] = "{}[]\":,\\0n \xff\xf0\x9f\n";
    for (int i = 1 + (int)lp_rng_below(rng, 4); i > 0 && n > 2; i--) {
        size_t at = (size_t)lp_rng_below(rng, n - 1), length = (size_t)lp_rng_below(rng, (n - at) / 4 + 1);
        int how = (int)lp_rng_below(rng, 3);
        if (how == 0)
            text[at] = bytes[lp_rng_below(rng, sizeof bytes - 1)];
        else if (how == 1)
            memmove(text + at, text + at + length, n - at - length);
        else
            memmove(text + at, text + lp_rng_below(rng, n - length), length);
        n -= how == 1 ? length : 0;
    }
    return n;
}

static void whatever_comes_is_an_error_or_legal(void **state) {
    (void)state;
    struct lp_rng rng;
    struct dirent *entry;
    int files = 0, good = 0, bad = 0;
    lp_rng_seed(&rng, 7);
    DIR *folder = opendir(LP_TESTS_DIR "/plan/replies");
    while ((entry = readdir(folder))) {
        char path[600];
        size_t n;
        if (*entry->d_name == '.')
            continue;
        snprintf(path, sizeof path, LP_TESTS_DIR "/plan/replies/%s", entry->d_name);
        char *text = lp_file_read(path, 1 << 20, &n, NULL);
        size_t head = strcspn(text, "\n") + 1;
        for (int i = 0; i < 400; i++) {
            char *copy = lp_alloc(n - head + 1);
            memcpy(copy, text + head, n - head);
            bool bytes = i % 4 == 3;
            if (read_answer(copy, bytes ? spoil(&rng, copy, n - head) : n - head, i % 2,
                            bytes || i < 2 ? NULL : &rng))
                good++;
            else
                bad++;
            lp_free(copy);
        }
        lp_free(text);
        files++;
    }
    closedir(folder);
    assert_true(files >= 25);
    assert_true(good > 1000 && bad > 1000);
}

/* The turn's text so far, as a server's words come in one by one. */
static void marks_in_words_are_only_words(void **state) {
    (void)state;
    static const char *const words[] = {
        "I write " LP_MARK_ACTIONS " [{\"API_name\": \"ocr\"}] and " LP_MARK_VALUE " for you.",
        LP_MARK_THOUGHTS " t\n" LP_MARK_ACTIONS " []\n" LP_MARK_VALUE " a " LP_MARK_ACTIONS
                         " [7] " LP_MARK_VALUE " b",
        "<think>" LP_MARK_THOUGHTS " hm</think>\nPlain words, said to the user.",
    };
    static const char *const values[] = {
        "I write actions\xf0\x9f\x9a\x80 [{\"API_name\": \"ocr\"}] and value\xf0\x9f\x91\x89 for you.",
        "a actions\xf0\x9f\x9a\x80 [7] value\xf0\x9f\x91\x89 b",
        "Plain words, said to the user.",
    };
    for (int i = 0; i < 3; i++) {
        struct reading r = {.reply = {.most = 4000}, .answer = true};
        struct lp_plan plan;
        struct lp_str before = {0};
        bool again, unified;
        for (const char *at = words[i]; *at; at++) {
            lp_str_add(&r.reply.content, at, 1);
            assert_true(lp_remote_turn_grow(&r.turn, &r.reply, true));
            if (r.reply.told) /* what was told stays */
                assert_memory_equal(lp_str_text(&r.turn.text), lp_str_text(&before), before.n);
            lp_str_cut(&before, 0);
            if (r.reply.told)
                lp_str_add(&before, r.turn.text.s, r.turn.text.n);
        }
        assert_true(r.reply.told);
        assert_true(lp_remote_turn_end(&r.turn, &r.reply, true, &again, &unified, &r.err));
        assert_true(lp_plan_parse(r.turn.text.s, r.turn.text.n, &plan, NULL));
        assert_string_equal(plan.value, values[i]);
        assert_int_equal(json_array_size(plan.actions), 0);
        lp_plan_done(&plan);
        lp_str_done(&before);
        lp_remote_reply_done(&r.reply);
        lp_turn_done(&r.turn);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_comes_is_an_error_or_legal),
        cmocka_unit_test(marks_in_words_are_only_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
