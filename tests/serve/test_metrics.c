/* SPDX-License-Identifier: MIT */
/* What is counted of requests, of the planner and of skills, in the words of Prometheus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "serve/seat.h"
#include "serve/talk.h"

static void assert_says(const struct lp_str *text, const char *line) {
    if (!strstr(lp_str_text(text), line))
        fail_msg("no '%s' in\n%s", line, lp_str_text(text));
}

static void times_fall_into_buckets(void **state) {
    (void)state;
    static struct lp_metrics m;
    static const char *const method[] = {"GET", "POST"}, *const name[] = {"/a", "/b"};
    struct lp_str out = {0};
    lp_metrics_add(&m, 1, 200, 0.5);
    lp_metrics_add(&m, 1, 200, 30);
    lp_metrics_add(&m, 1, 418, 1e9);
    lp_metrics_format(&m, method, name, 2, false, &out);
    assert_says(&out, "\nllava_plus_requests_total{method=\"POST\",route=\"/b\",status=\"200\"} 2\n");
    assert_says(&out, "\nllava_plus_requests_total{method=\"POST\",route=\"/b\",status=\"other\"} 1\n");
    assert_says(&out, "\nllava_plus_request_seconds_bucket{method=\"POST\",route=\"/b\",le=\"0.001\"} 1\n");
    assert_says(&out, "\nllava_plus_request_seconds_bucket{method=\"POST\",route=\"/b\",le=\"0.1\"} 2\n");
    assert_says(&out, "\nllava_plus_request_seconds_bucket{method=\"POST\",route=\"/b\",le=\"+Inf\"} 3\n");
    assert_says(&out, "\nllava_plus_request_seconds_count{method=\"POST\",route=\"/b\"} 3\n");
    assert_null(strstr(out.s, "/a\"")); /* nothing was asked there */
    assert_null(strstr(out.s, "skill")); /* a site without a planner */
    lp_str_done(&out);
}

static void failures_of_plans_are_the_planners(void **state) {
    (void)state;
    static struct lp_metrics m;
    struct lp_agent agent = {0};
    struct lp_seat seat = {.agent = &agent, .metrics = &m};
    struct lp_error broken = {.code = LP_EINTERNAL}, wrong = {.code = LP_EINPUT}, canceled = {.code = LP_ECANCELED};
    lp_seat_note_end(&seat, false, &broken);
    assert_int_equal(m.plan_failures, 1);
    lp_seat_note_end(&seat, false, &wrong); /* the client's */
    lp_seat_note_end(&seat, false, &canceled);
    lp_seat_note_end(&seat, true, &(struct lp_error){0});
    lp_seat_note(&seat, &(struct lp_step){.kind = LP_STEP_PLAN});
    lp_seat_note_end(&seat, false, &broken); /* there was a plan */
    assert_int_equal(m.plan_failures, 1);
}

static const char *const cuts[] = {TURN("I cut.", "[" CALL("sam", "\"points\": [[0.25, 0.5]]") "]", "I will use sam."),
                                   TURN("Thanks.", "[]", "It is cut."), NULL};

static void a_turn_is_counted(void **state) {
    (void)state;
    struct service s;
    char path[80];
    service_begin(&s, cuts);
    s.agent.play = (struct lp_play){.run = talk_play};
    service_start(&s);
    talk_begin(lp_server_port(s.server), "", path);
    assert_int_equal(talk_add(lp_server_port(s.server), path, 64, 48, 200), 201);
    assert_int_equal(metric(&s, "llava_plus_pixels_bytes"), 64 * 48 * 3);
    struct answer a = talk_do(lp_server_port(s.server), "POST", path, "/messages", JSON_TYPE,
                              "{\"text\":\"Cut\",\"points\":[[0.25,0.5]],\"stream\":false}");
    assert_int_equal(a.status, 200);
    answer_done(&a);
    assert_int_equal(metric(&s, "llava_plus_skill_calls_total{skill=\"segment_at\",status=\"done\"}"), 1);
    assert_int_equal(metric(&s, "llava_plus_skill_seconds_count{skill=\"segment_at\"}"), 1);
    assert_int_equal(metric(&s, "llava_plus_picture_encode_seconds_count"), 1);
    assert_int_equal(metric(&s, "llava_plus_plan_failures_total"), 0);
    a = talk_do(lp_server_port(s.server), "DELETE", path, "", "", NULL);
    assert_int_equal(a.status, 204);
    answer_done(&a);
    assert_int_equal(metric(&s, "llava_plus_pixels_bytes"), 0); /* deleted means everywhere */
    assert_true(metric(&s, "llava_plus_resident_bytes") > 1 << 20);
    assert_true(metric(&s, "llava_plus_database_memory_bytes") > 1000);
    assert_true(metric(&s, "llava_plus_heap_bytes") >= 0 && metric(&s, "llava_plus_heap_free_bytes") >= 0);
    service_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_fall_into_buckets),
        cmocka_unit_test(failures_of_plans_are_the_planners),
        cmocka_unit_test(a_turn_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
