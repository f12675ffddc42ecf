/* SPDX-License-Identifier: MIT */
/* Chat completions over real sockets, with a scripted planner and the real skills; and the program itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/file.h"
#include "serve/chat.h"
#include "serve/client.h"
#include "serve/fields.h"

#include <signal.h>
#include <sys/wait.h>

#define TURN(thoughts, actions, value)                                                                       \
    LP_MARK_THOUGHTS " " thoughts "\n" LP_MARK_ACTIONS " " actions "\n" LP_MARK_VALUE " " value "\n"
#define CALL(name, params) "{\"API_name\": \"" name "\", \"API_params\": {" params "}}"
#define ANSWER "One two three four five. Six \xc3\xa9t\xc3\xa9 seven."

static const char *const counts[] = {TURN("Nothing to run.", "[]", ANSWER), NULL};
static const char *const reads[] = {
    TURN("I read it.", "[" CALL("ocr", "") "]", "I will use ocr to help to answer the question."),
    TURN("Thanks to the output of ocr.", "[]", "It says: {text_1}."), NULL};

/* A request's body: owned by caller (lp_str_done). `more`: further keys, each with a comma before it. */
static struct lp_str body_with_picture(const char *model, const char *more) {
    size_t n;
    struct lp_str out = {0};
    char *bytes = lp_file_read(LP_SOURCE_DIR "/examples/sign.jpg", 1 << 24, &n, NULL);
    assert_non_null(bytes);
    lp_str_printf(
        &out,
        "{\"model\":\"%s\"%s,\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":"
        "\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"detail\":\"auto\",\"url\":"
        "\"data:image/jpeg;base64,",
        model, more);
    lp_base64_add(&out, (const uint8_t *)bytes, n);
    lp_str_puts(&out, "\"}},{\"type\":\"text\",\"text\":\"What does the sign say?\"}]}]}");
    lp_free(bytes);
    return out;
}

static json_t *parse(const struct answer *a) {
    json_t *all = json_loads(lp_str_text(&a->body), 0, NULL);
    if (a->status != 200 || !all)
        fail_msg("%d: %s", a->status, lp_str_text(&a->all));
    return all;
}

static const char *text_at(const json_t *all, const char *key) {
    return json_string_value(json_object_get(all, key));
}

static void a_picture_is_read(void **state) {
    (void)state;
    struct service s;
    service_begin(&s, reads);
    service_start(&s);
    struct lp_str body = body_with_picture("llava-fake", ",\"user\":\"me\",\"n\":1");
    struct answer a = client_chat(&s, body.s);
    json_t *all = parse(&a), *choice = json_array_get(json_object_get(all, "choices"), 0);
    const json_t *message = json_object_get(choice, "message"), *usage = json_object_get(all, "usage");
    assert_string_equal(text_at(all, "object"), "chat.completion");
    assert_string_equal(text_at(all, "model"), "llava-fake");
    assert_int_equal(strncmp(text_at(all, "id"), "chatcmpl-", 9), 0);
    assert_string_equal(text_at(message, "role"), "assistant");
    assert_string_equal(text_at(message, "content"), "It says: OPEN DAILY\n9AM-6PM.");
    assert_string_equal(text_at(choice, "finish_reason"), "stop");
    json_int_t prompt = json_integer_value(json_object_get(usage, "prompt_tokens"));
    json_int_t completion = json_integer_value(json_object_get(usage, "completion_tokens"));
    assert_true(prompt > 100 && completion > 5);
    assert_int_equal(json_integer_value(json_object_get(usage, "total_tokens")), prompt + completion);
    json_decref(all);
    answer_done(&a);
    lp_str_done(&body);
    service_end(&s);
}

/* Another's answers are part of the conversation, and nothing of one request is left in the next. */
static void a_conversation_is_told_anew(void **state) {
    (void)state;
    static const char *const third[] = {"", TURN("No.", "[]", "The second answer."), NULL};
    static const char body[] = "{\"model\":\"llava-fake\",\"messages\":[{\"role\":\"user\",\"content\":"
                               "\"One\"},{\"role\":\"assistant\","
                               "\"content\":\"<image> the first "
                               "answer\"},{\"role\":\"user\",\"content\":\"Two\"},{\"role\":\"user\","
                               "\"content\":[{\"type\":\"text\",\"text\":\"and a half\"}]}]}";
    struct service s;
    service_begin(&s, third);
    service_start(&s);
    for (int i = 0; i < 2; i++) {
        struct answer a = client_chat(&s, body);
        json_t *all = parse(&a);
        assert_non_null(strstr(lp_str_text(&a.body), "\"content\":\"The second answer.\""));
        json_decref(all);
        answer_done(&a);
        assert_int_equal(s.agent.talk.n, 4);
        assert_string_equal(s.agent.talk.said[2].text, "Two\nand a half");
        assert_non_null(strstr(s.agent.talk.said[1].text, "the first answer"));
        assert_null(strstr(s.agent.talk.said[1].text, "<image>"));
    }
    service_end(&s);
}

static void the_client_sets_the_end(void **state) {
    (void)state;
    static const struct {
        const char *more, *content, *finish;
    } cases[] = {{"", ANSWER, "stop"},
                 {",\"stop\":\" five\"", "One two three four", "stop"},
                 {",\"stop\":[\"nine\",\"four\",\"three\"]", "One two ", "stop"},
                 {",\"stop\":\"seven!\"", ANSWER, "stop"},
                 {",\"stop\":\"One\"", "", "stop"},
                 {",\"max_tokens\":1000", ANSWER, "stop"},
                 {",\"max_tokens\":1000,\"stop\":\". S\"", "One two three four five", "stop"}};
    struct service s;
    service_begin(&s, counts);
    service_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[400];
        snprintf(body, sizeof body,
                 "{\"model\":\"llava-fake\"%s,\"messages\":[{\"role\":\"user\",\"content\":\"Count\"}]}",
                 cases[i].more);
        struct answer a = client_chat(&s, body);
        json_t *all = parse(&a), *choice = json_array_get(json_object_get(all, "choices"), 0);
        assert_string_equal(text_at(json_object_get(choice, "message"), "content"), cases[i].content);
        assert_string_equal(text_at(choice, "finish_reason"), cases[i].finish);
        json_decref(all);
        answer_done(&a);
    }
    for (int most = 1; most <= 8; most++) {
        char body[400];
        snprintf(body, sizeof body,
                 "{\"model\":\"llava-fake\",\"max_completion_tokens\":%d,\"messages\":[{\"role\":\"user\","
                 "\"content\":\"Count\"}]}",
                 most);
        struct answer a = client_chat(&s, body);
        json_t *all = parse(&a), *choice = json_array_get(json_object_get(all, "choices"), 0);
        const char *content = text_at(json_object_get(choice, "message"), "content");
        assert_string_equal(text_at(choice, "finish_reason"), "length");
        assert_int_equal(strncmp(content, ANSWER, strlen(content)), 0);
        json_int_t n =
            json_integer_value(json_object_get(json_object_get(all, "usage"), "completion_tokens"));
        assert_in_range(n, 1, most);
        json_decref(all);
        answer_done(&a);
    }
    service_end(&s);
}

/* The planner's own limit, which is the operator's. */
static void the_operator_sets_the_end(void **state) {
    (void)state;
#define WORDS "and one more and one more and one more and one more and one more and one more and one more "
    static const char *const talks[] = {
        TURN("No.", "[]",
             WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS WORDS "end"),
        NULL};
    struct service s;
    service_begin(&s, talks);
    service_start(&s);
    struct answer a =
        client_chat(&s, "{\"model\":\"llava-fake\",\"messages\":[{\"role\":\"user\",\"content\":\"Talk\"}]}");
    json_t *all = parse(&a), *choice = json_array_get(json_object_get(all, "choices"), 0);
    assert_string_equal(text_at(choice, "finish_reason"), "length");
    assert_int_equal(strncmp(text_at(json_object_get(choice, "message"), "content"), "and one more", 12), 0);
    json_decref(all);
    answer_done(&a);
    service_end(&s);
}

/* What a stream came to. */
struct stream {
    struct lp_str content;
    int chunks, pieces, usages, errors;
    bool role, done;
    char finish[16];
};

static struct stream read_stream(const struct answer *a) {
    struct stream s = {0};
    for (const char *at = lp_str_text(&a->body); *at;) {
        const char *end = strstr(at, "\n\n");
        assert_non_null(end);
        assert_int_equal(strncmp(at, "data: ", 6), 0);
        assert_false(s.done);
        s.done = !strncmp(at + 6, "[DONE]", 6);
        json_t *all = s.done ? NULL : json_loadb(at + 6, (size_t)(end - at - 6), 0, NULL);
        at = end + 2;
        if (s.done)
            continue;
        assert_non_null(all);
        const json_t *choice = json_array_get(json_object_get(all, "choices"), 0);
        const json_t *delta = json_object_get(choice, "delta");
        s.chunks++;
        s.errors += json_object_get(all, "error") != NULL;
        s.role = s.role || text_at(delta, "role");
        if (text_at(delta, "content")) {
            s.pieces++;
            lp_str_puts(&s.content, text_at(delta, "content"));
        }
        if (text_at(choice, "finish_reason"))
            snprintf(s.finish, sizeof s.finish, "%s", text_at(choice, "finish_reason"));
        if (json_is_object(json_object_get(all, "usage"))) {
            s.usages++;
            assert_int_equal(json_array_size(json_object_get(all, "choices")), 0);
        }
        json_decref(all);
    }
    return s;
}

static void a_stream_comes_in_pieces(void **state) {
    (void)state;
    static const struct {
        const char *more, *content, *finish;
        int usages;
    } cases[] = {{"", ANSWER, "stop", 0},
                 {",\"stream_options\":{\"include_usage\":true}", ANSWER, "stop", 1},
                 {",\"stop\":[\"four five\"]", "One two three ", "stop", 0},
                 {",\"max_tokens\":3,\"stream_options\":{\"include_usage\":true}", NULL, "length", 1}};
    struct service s;
    service_begin(&s, counts);
    service_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[400];
        snprintf(body, sizeof body,
                 "{\"model\":\"llava-fake\",\"stream\":true%s,\"messages\":[{\"role\":\"user\",\"content\":"
                 "\"Count\"}]}",
                 cases[i].more);
        struct answer a = client_chat(&s, body);
        assert_int_equal(a.status, 200);
        assert_non_null(strcasestr(lp_str_text(&a.all), "Content-Type: text/event-stream"));
        struct stream t = read_stream(&a);
        assert_true(t.role && t.done);
        assert_int_equal(t.errors, 0);
        assert_int_equal(t.usages, cases[i].usages);
        assert_string_equal(t.finish, cases[i].finish);
        if (cases[i].content) {
            assert_string_equal(lp_str_text(&t.content), cases[i].content);
            assert_true(t.pieces > 3);
        }
        lp_str_done(&t.content);
        answer_done(&a);
    }
    service_end(&s);
}

/* The first piece arrives while the planner is held before its next token. */
static void pieces_do_not_wait_for_the_end(void **state) {
    (void)state;
    struct service s;
    service_begin(&s, counts);
    service_start(&s);
    atomic_store(&service_held, true);
    int fd = client_connect(lp_server_port(s.server));
    client_ask(fd, "POST", CHAT, JSON_TYPE,
               "{\"model\":\"llava-fake\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
               "\"Count\"}]}");
    char text[8192] = "";
    for (size_t n = 0; !strstr(text, "\"content\":\"O");) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        while (poll(&p, 1, 50) == 0)
            if (!atomic_load(&service_allowed))
                atomic_store(&service_allowed, 1);
        ssize_t got = recv(fd, text + n, sizeof text - 1 - n, 0);
        assert_true(got > 0);
        text[n += (size_t)got] = 0;
    }
    assert_null(strstr(text, "seven"));
    atomic_store(&service_held, false);
    struct answer rest = client_read(fd);
    assert_non_null(strstr(lp_str_text(&rest.all), "[DONE]"));
    answer_done(&rest);
    service_end(&s);
}

static void refused_before_the_first_piece(void **state) {
    (void)state;
    struct service s;
    service_begin(&s, counts);
    service_start(&s);
    struct answer a =
        client_chat(&s, "{\"model\":\"llava-fake\",\"stream\":true,\"messages\":[{\"role\":\"user\","
                        "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
                        "\"data:image/png;base64,AAAA\"}},{\"type\":\"text\",\"text\":\"x\"}]}]}");
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(lp_str_text(&a.body), "\"param\":\"messages\""));
    answer_done(&a);
    service_end(&s);
}

static void json_is_measured_before_it_is_read(void **state) {
    (void)state;
    struct lp_str many = {0};
    lp_str_putc(&many, '[');
    for (int i = 0; i < LP_BODY_VALUES; i++)
        lp_str_puts(&many, "0,");
    lp_str_puts(&many, "0]");
    assert_false(lp_body_is_modest(many.s, many.n));
    for (size_t i = 0; i < many.n; i++)
        many.s[i] = i && i + 1 < many.n ? ',' : '"'; /* within a text they count nothing */
    assert_true(lp_body_is_modest(many.s, many.n));
    assert_true(lp_body_is_modest("\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"", 45));
    lp_str_done(&many);
}

/* llava-plus serve with the nano planner: starts, answers, ends in order on SIGTERM. */
static void the_program(void **state) {
    (void)state;
    int out[2];
    char url[100] = "";
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (!child) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execl(LP_PROGRAM, LP_PROGRAM, "serve", "--port", "0", "--quiet", "--picture-urls", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    assert_true(read(out[0], url, sizeof url - 1) > 0);
    assert_int_equal(strncmp(url, "http://127.0.0.1:", 17), 0);
    int fd = client_connect(atoi(url + 17));
    client_ask(fd, "POST", CHAT, JSON_TYPE,
               "{\"model\":\"llava-plus-nano-v1\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
               "\"image_url\":{\"url\":\"https://2130706433/a.png\"}}]}]}");
    struct answer refused = client_read(fd);
    assert_int_equal(refused.status, 400);
    assert_non_null(strstr(lp_str_text(&refused.body), "not at global addresses only"));
    answer_done(&refused);
    fd = client_connect(atoi(url + 17));
    struct lp_str body = body_with_picture("llava-plus-nano-v1", "");
    client_ask(fd, "POST", CHAT, JSON_TYPE, body.s);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    kill(child, SIGTERM); /* while it is busy */
    struct answer a = client_read(fd);
    json_t *all = parse(&a);
    assert_non_null(strstr(lp_str_text(&a.body), "OPEN DAILY"));
    json_decref(all);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(out[0]);
    answer_done(&a);
    lp_str_done(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_read),
        cmocka_unit_test(a_conversation_is_told_anew),
        cmocka_unit_test(the_client_sets_the_end),
        cmocka_unit_test(the_operator_sets_the_end),
        cmocka_unit_test(a_stream_comes_in_pieces),
        cmocka_unit_test(pieces_do_not_wait_for_the_end),
        cmocka_unit_test(refused_before_the_first_piece),
        cmocka_unit_test(json_is_measured_before_it_is_read),
        cmocka_unit_test(the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
