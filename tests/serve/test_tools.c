/* SPDX-License-Identifier: MIT */
/* Chat completions whose client runs the skills: `tools`, `tool_choice`, calls, and tools' messages with pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "serve/talk.h"

#define TOOL(name) "{\"type\":\"function\",\"function\":{\"name\":\"" name "\",\"description\":\"x\",\"parameters\":{}}}"
#define READ "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"%s\"}},{\"type\":\"text\",\"text\":\"Read\"}]}"
#define CALLED(id, name) "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name "\",\"arguments\":\"{}\"}}]}"

static const char *const reads[] = {TURN("I read it.", "[" CALL("ocr", "") "]", "I will use ocr."),
                                    TURN("Thanks.", "[]", "It says {text_1}."), NULL};
static const char *const answers[] = {TURN("No.", "[]", "A sign."), TURN("No.", "[]", "Yes."), NULL};

/* A picture as a data URL; owned by caller. */
static struct lp_str picture_url(int color) {
    struct lp_str png = talk_picture(8, 6, color), out = {0};
    lp_str_puts(&out, "data:image/png;base64,");
    lp_base64_add(&out, (const uint8_t *)png.s, png.n);
    lp_str_done(&png);
    return out;
}

/* A chat with a picture in its first message and `more` behind that; `keys` are further ones, each with a comma before it. */
static struct answer chat(const struct service *s, const char *keys, const char *more) {
    struct lp_str url = picture_url(7), body = {0};
    lp_str_printf(&body, "{\"model\":\"llava-fake\"%s,\"messages\":[" READ "%s]}", keys, url.s, more);
    struct answer a = client_chat(s, body.s);
    lp_str_done(&body);
    lp_str_done(&url);
    return a;
}

static const json_t *choice_of(const json_t *all) {
    return json_array_get(json_object_get(all, "choices"), 0);
}

static void begin(struct service *s, const char *const *script) {
    service_begin(s, script);
    s->agent.play = (struct lp_play){talk_play, NULL};
    service_start(s);
}

static void calls_go_to_the_client(void **state) {
    (void)state;
    struct service s;
    begin(&s, reads);
    struct answer a = chat(&s, ",\"tools\":[" TOOL("ocr") "," TOOL("detect") "]", "");
    json_t *all = answer_json(&a);
    const json_t *message = json_object_get(choice_of(all), "message");
    const json_t *calls = json_object_get(message, "tool_calls"), *call = json_array_get(calls, 0);
    assert_string_equal(text_of(choice_of(all), "finish_reason"), "tool_calls");
    assert_true(json_is_null(json_object_get(message, "content")));
    assert_true(json_array_size(calls) >= 1);
    assert_int_equal(strncmp(text_of(call, "id"), "call_", 5), 0);
    assert_string_equal(text_of(call, "type"), "function");
    assert_string_equal(text_of(json_object_get(call, "function"), "name"), "ocr");
    assert_string_equal(text_of(json_object_get(call, "function"), "arguments"), "{}");
    assert_int_equal(s.agent.talk.objects.n, 1); /* nothing was run */
    json_decref(all);
    answer_done(&a);

    a = chat(&s, ",\"stream\":true,\"parallel_tool_calls\":false,\"tools\":[" TOOL("ocr") "]", "");
    const char *delta = strstr(lp_str_text(&a.body), "\"delta\":{\"tool_calls\":[{\"id\":\"call_");
    assert_non_null(delta);
    assert_non_null(strstr(delta, "\"function\":{\"name\":\"ocr\",\"arguments\":\"{}\"},\"index\":0}]}"));
    assert_non_null(strstr(delta, "\"finish_reason\":\"tool_calls\""));
    assert_non_null(strstr(delta, "data: [DONE]"));
    answer_done(&a);
    service_end(&s);
}

/* What the tool says, and the picture that it made, are in front of the planner when it answers. */
static void a_tools_message_is_seen(void **state) {
    (void)state;
    static const struct {
        const char *says, *told, *answer;
    } cases[] = {{"{\\\"texts\\\":[\\\"OPEN\\\",\\\"DAILY\\\"]}",
                  "<image>\nocr model outputs: {'texts': ['OPEN', 'DAILY'], 'handles': 'text_1'}\n\n",
                  "\"content\":\"It says OPEN\\nDAILY.\""},
                 {"SHUT", "<image>\nocr model outputs: {'message': 'SHUT', 'handles': 'text_1'}\n\n",
                  "\"content\":\"It says SHUT.\""}};
    struct service s;
    struct lp_str url = picture_url(99);
    begin(&s, reads);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_str more = {0};
        lp_str_printf(&more,
                      "," CALLED("c1", "ocr") ",{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":[{\"type\":\"text\","
                                              "\"text\":\"%s\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"%s\"}}]}",
                      cases[i].says, url.s);
        int seen = s.fake.seen;
        struct answer a = chat(&s, ",\"tools\":[" TOOL("ocr") "]", more.s);
        if (!strstr(lp_str_text(&a.body), cases[i].answer) || !strstr(lp_str_text(&a.body), "\"stop\""))
            fail_msg("%s", lp_str_text(&a.all));
        assert_int_equal(s.agent.talk.n, 4);
        assert_int_equal(strncmp(s.agent.talk.said[2].text, cases[i].told, strlen(cases[i].told)), 0);
        assert_int_equal(s.fake.seen, seen + 2);
        answer_done(&a);
        lp_str_done(&more);
    }
    lp_str_done(&url);
    service_end(&s);
}

/* A skill that is not offered is not called, whatever the planner would like; one that must be is. */
static void the_choice_is_kept_to(void **state) {
    (void)state;
    struct service s;
    begin(&s, reads);
    struct answer a = chat(&s, ",\"tools\":[" TOOL("blip2") "]", "");
    assert_int_equal(a.status, 200);
    assert_null(strstr(lp_str_text(&a.body), "\"name\":\"ocr\""));
    answer_done(&a);
    a = chat(&s, ",\"tool_choice\":\"none\"", "");
    assert_non_null(strstr(lp_str_text(&a.body), "\"finish_reason\":\"stop\""));
    assert_int_equal(s.agent.talk.objects.n, 1);
    answer_done(&a);
    service_end(&s);
    static const char *const musts[] = {",\"tool_choice\":\"required\",\"tools\":[" TOOL("tag") "]",
                                        ",\"tool_choice\":" TOOL("tag") ",\"tools\":[" TOOL("ocr") "," TOOL("tag") "]"};
    for (int i = 0; i < 2; i++) {
        begin(&s, answers);
        a = chat(&s, musts[i], "");
        json_t *all = answer_json(&a);
        const json_t *calls = json_object_get(json_object_get(choice_of(all), "message"), "tool_calls");
        assert_string_equal(text_of(json_object_get(json_array_get(calls, 0), "function"), "name"), "tag");
        json_decref(all);
        answer_done(&a);
        service_end(&s);
    }
}

static void malformed_tools_are_refused(void **state) {
    (void)state;
#define TOLD(id) ",{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"x\"}"
    static const struct {
        const char *keys, *more, *says;
    } cases[] = {
        {",\"tools\":{}", "", "'tools' must be a list"},
        {",\"tools\":[{}]", "", "the name of a skill"},
        {",\"tools\":[" TOOL("get_weather") "]", "", "not 'get_weather'"},
        {",\"tool_choice\":\"required\"", "", "'tool_choice' must be"},
        {",\"tool_choice\":\"maybe\",\"tools\":[" TOOL("ocr") "]", "", "'tool_choice' must be"},
        {",\"tool_choice\":" TOOL("tag") ",\"tools\":[" TOOL("ocr") "]", "", "'tool_choice' must be"},
        {"", TOLD("c1"), "must answer the call"},
        {"", "," CALLED("c1", "ocr"), "the last message must be"},
        {"", "," CALLED("c1", "ocr") TOLD("c2"), "must answer the call"},
        {"", "," CALLED("c1", "ocr") TOLD("c1") TOLD("c1"), "must answer the call"},
        {"", "," CALLED("c1", "ocr") ",{\"role\":\"user\",\"content\":\"x\"}", "needs a message of the role 'tool'"},
        {"", "," CALLED("c1", "get_weather") TOLD("c1"), "'tool_calls' must be"},
        {"", ",{\"role\":\"assistant\",\"content\":\"x\",\"tool_calls\":7}", "'tool_calls' must be"},
        {"", ",{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[{}]}", "only the assistant's"},
    };
    struct service s;
    begin(&s, reads);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = chat(&s, cases[i].keys, cases[i].more);
        if (a.status != 400 || !strstr(lp_str_text(&a.body), cases[i].says))
            fail_msg("'%s': %s", cases[i].says, lp_str_text(&a.all));
        answer_done(&a);
    }
    assert_int_equal(s.fake.feeds, 0);
    service_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_go_to_the_client),
        cmocka_unit_test(a_tools_message_is_seen),
        cmocka_unit_test(the_choice_is_kept_to),
        cmocka_unit_test(malformed_tools_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
