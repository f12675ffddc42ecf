/* SPDX-License-Identifier: MIT */
/* The server over real sockets, with a scripted planner: who may call, what is refused, the line, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/client.h"

#include <pthread.h>

#define TURN(thoughts, actions, value)                                                                       \
    LP_MARK_THOUGHTS " " thoughts "\n" LP_MARK_ACTIONS " " actions "\n" LP_MARK_VALUE " " value "\n"

static const char *const hello[] = {TURN("Nothing to run.", "[]", "Hello to you."), NULL};
#define ASK(more)                                                                                            \
    "{\"model\":\"llava-fake\"" more ",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"

static void assert_error(const struct answer *a, int status, const char *says) {
    json_t *all = json_loads(lp_str_text(&a->body), 0, NULL);
    const json_t *error = json_object_get(all, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    if (a->status != status || !message || !strstr(message, says))
        fail_msg("%d, not %d '%s': %s", a->status, status, says, lp_str_text(&a->all));
    assert_true(json_is_string(json_object_get(error, "type")));
    assert_non_null(json_object_get(error, "param"));
    assert_non_null(json_object_get(error, "code"));
    assert_non_null(strcasestr(lp_str_text(&a->all), "X-Request-Id: req_"));
    json_decref(all);
}

static void health_models_and_metrics(void **state) {
    (void)state;
    struct service s;
    service_begin(&s, hello);
    service_start(&s);
    static const struct {
        const char *path, *says;
    } cases[] = {{"/livez", "ok"},
                 {"/readyz", "ok"},
                 {"/v1/models", "{\"object\":\"list\",\"data\":[{\"id\":\"llava-fake\",\"object\":\"model\""},
                 {"/v1/models/llava-fake", "{\"id\":\"llava-fake\",\"object\":\"model\""},
                 {"/metrics", "llava_plus_requests_total{method=\"GET\",route=\"/livez\",status=\"200\"} 1\n"},
                 {"/metrics", "llava_plus_request_seconds_bucket{method=\"GET\",route=\"/readyz\",le=\"+Inf\"} 1\n"},
                 {"/metrics", "\nllava_plus_queue_depth 0\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = client_do(&s, "GET", cases[i].path, "", NULL);
        if (a.status != 200 || !strstr(lp_str_text(&a.body), cases[i].says))
            fail_msg("%s: %s", cases[i].path, lp_str_text(&a.all));
        answer_done(&a);
    }
    service_end(&s);
}

static void what_is_not_there(void **state) {
    (void)state;
    static const struct {
        const char *method, *path;
        int status;
        const char *says;
    } cases[] = {{"GET", "/v1/none", 404, "nothing at this path"},
                 {"GET", "/v1/models/other", 404, "no such model"},
                 {"GET", "/v1/chat/completions", 405, "for POST only"},
                 {"DELETE", "/livez", 405, "for GET only"}};
    struct service s;
    service_begin(&s, hello);
    service_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = client_do(&s, cases[i].method, cases[i].path, "", NULL);
        assert_error(&a, cases[i].status, cases[i].says);
        answer_done(&a);
    }
    service_end(&s);
}

/* Without a planner's work: none of these reaches it. */
static void malformed_bodies_are_refused(void **state) {
    (void)state;
#define MESSAGES(list) "{\"model\":\"llava-fake\",\"messages\":[" list "]}"
#define PARTS(list) MESSAGES("{\"role\":\"user\",\"content\":[" list "]}")
#define PICTURE(url)                                                                                         \
    PARTS("{\"type\":\"image_url\",\"image_url\":{\"url\":\"" url "\"}},{\"type\":\"text\",\"text\":\"x\"}")
    static const struct {
        const char *body, *says;
        int status;
    } cases[] = {
        {"", "not valid JSON", 400},
        {"{", "not valid JSON", 400},
        {"[]", "must be a JSON object", 400},
        {"{\"model\":\"a\",\"model\":\"b\"}", "not valid JSON", 400},
        {"\xff\xfe", "not valid JSON", 400},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nests deeper", 400},
        {"{\"messages\":[]}", "'model'", 400},
        {"{\"model\":7}", "'model'", 400},
        {"{\"model\":\"gpt-4o\"}", "no such model", 404},
        {"{\"model\":\"llava-fake\"}", "'messages'", 400},
        {"{\"model\":\"llava-fake\",\"messages\":\"hi\"}", "'messages'", 400},
        {MESSAGES(""), "'messages'", 400},
        {MESSAGES("7"), "'role'", 400},
        {MESSAGES("{\"role\":\"wizard\",\"content\":\"x\"}"), "'role'", 400},
        {MESSAGES("{\"role\":\"user\"}"), "'content'", 400},
        {MESSAGES("{\"role\":\"user\",\"content\":7}"), "'content'", 400},
        {MESSAGES("{\"role\":\"assistant\",\"content\":\"x\"}"), "first message", 400},
        {MESSAGES("{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"y\"}"),
         "last message", 400},
        {MESSAGES("{\"role\":\"user\",\"content\":\"  \"}"), "instruction is empty", 400},
        {PARTS("{\"type\":\"input_audio\"}"), "a part of a message", 400},
        {PARTS("{\"type\":\"text\"}"), "a part of a message", 400},
        {PARTS("{\"type\":\"image_url\",\"image_url\":\"data:\"}"), "image_url", 400},
        {PICTURE("https://example.org/a.png"), "data URL", 400},
        {PICTURE("file:///etc/passwd"), "data URL", 400},
        {PICTURE("/etc/passwd"), "data URL", 400},
        {PICTURE("data:text/plain;base64,AAAA"), "data:image/", 400},
        {PICTURE("data:image/png;base64,A"), "not base64", 400},
        {PICTURE("data:image/png;base64,AAAA"), "picture", 400},
        {ASK(",\"temperature\":3"), "'temperature' must be 0 to 2", 400},
        {ASK(",\"top_p\":\"high\""), "'top_p' must be a number", 400},
        {ASK(",\"max_tokens\":0"), "'max_tokens'", 400},
        {ASK(",\"stop\":[\"\"]"), "'stop'", 400},
        {ASK(",\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]"), "'stop'", 400},
        {ASK(",\"stream\":\"yes\""), "'stream' must be true or false", 400},
        {ASK(",\"stream_options\":{}"), "only for 'stream'", 400},
        {ASK(",\"n\":2"), "does not do 'n'", 400},
        {ASK(",\"tools\":[{}]"), "the name of a skill", 400},
    };
    struct service s;
    service_begin(&s, hello);
    service_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = client_chat(&s, cases[i].body);
        assert_error(&a, cases[i].status, cases[i].says);
        answer_done(&a);
    }
    struct answer a = client_do(&s, "POST", CHAT, "Content-Type: text/plain\r\n", ASK(""));
    assert_error(&a, 415, "application/json");
    answer_done(&a);
    assert_int_equal(s.fake.feeds, 0);
    a = client_chat(&s, ASK(""));
    assert_int_equal(a.status, 200);
    answer_done(&a);
    service_end(&s);
}

static void too_large_is_said(void **state) {
    (void)state;
    struct service s;
    struct lp_str body = {0};
    service_begin(&s, hello);
    s.settings.most_body = 10000;
    service_start(&s);
    for (int i = 0; i < 12000; i++)
        lp_str_putc(&body, ' ');
    struct answer a = client_chat(&s, body.s);
    assert_error(&a, 413, "larger than 10000 bytes");
    answer_done(&a);
    a = client_do(&s, "POST", CHAT, JSON_TYPE "Content-Length: 5000000000\r\n", NULL);
    assert_error(&a, 413, "larger than 10000 bytes");
    answer_done(&a);
    int fd = client_connect(lp_server_port(s.server)); /* a length that is only known at the end */
    client_ask(fd, "POST", CHAT, JSON_TYPE "Transfer-Encoding: chunked\r\n", NULL);
    client_send(fd, "2ee0\r\n", 6);
    client_send(fd, body.s, body.n);
    client_send(fd, "\r\n0\r\n\r\n", 7);
    a = client_read(fd);
    assert_error(&a, 413, "larger than 10000 bytes");
    answer_done(&a);
    lp_str_cut(&body, 0);
    lp_str_puts(&body, "X-Long: ");
    for (int i = 0; i < 20000; i++)
        lp_str_putc(&body, 'a');
    lp_str_puts(&body, "\r\n");
    a = client_do(&s, "GET", "/livez", body.s, NULL);
    assert_error(&a, 431, "headers are longer");
    answer_done(&a);
    lp_str_done(&body);
    service_end(&s);
}

/* Clients that send most of a large body and then wait. */
static void all_bodies_have_a_limit(void **state) {
    (void)state;
    enum { CLIENTS = 9 };
    struct service s;
    struct lp_str body = {0};
    int fd[CLIENTS];
    service_begin(&s, hello);
    s.settings.most_body = 10000;
    service_start(&s);
    for (int i = 0; i < 9000; i++)
        lp_str_putc(&body, ' ');
    for (int i = 0; i < CLIENTS; i++) {
        fd[i] = client_connect(lp_server_port(s.server));
        client_ask(fd[i], "POST", CHAT, JSON_TYPE "Content-Length: 9001\r\n", NULL);
        client_send(fd[i], body.s, body.n);
        wait_for(&s, "llava_plus_requests_open", i + 2); /* with the one that asks */
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    for (int i = CLIENTS - 1; i >= 0; i--) {
        client_send(fd[i], "{", 1);
        struct answer a = client_read(fd[i]);
        assert_error(&a, i == CLIENTS - 1 ? 503 : 400, i == CLIENTS - 1 ? "too many large bodies" : "JSON");
        answer_done(&a);
    }
    struct answer a = client_chat(&s, ASK(""));
    assert_int_equal(a.status, 200);
    answer_done(&a);
    lp_str_done(&body);
    service_end(&s);
}

static void a_key_is_needed_where_one_is_set(void **state) {
    (void)state;
    static const struct {
        const char *path, *headers;
        int status;
    } cases[] = {{"/v1/models", "", 401},
                 {"/v1/models", "Authorization: Bearer sesam\r\n", 200},
                 {"/v1/models", "Authorization: bearer sesam\r\n", 200},
                 {"/v1/models", "Authorization: Bearer sesa\r\n", 401},
                 {"/v1/models", "Authorization: Bearer sesamsesam\r\n", 401},
                 {"/v1/models", "Authorization: Bearer \r\n", 401},
                 {"/v1/models", "Authorization: Basic sesam\r\n", 401},
                 {"/metrics", "", 401},
                 {"/nowhere", "", 401},
                 {"/livez", "", 200},
                 {"/readyz", "", 200}};
    struct service s;
    service_begin(&s, hello);
    s.settings.key = "sesam";
    service_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = client_do(&s, "GET", cases[i].path, cases[i].headers, NULL);
        if (a.status != cases[i].status)
            fail_msg("%s %s: %d", cases[i].path, cases[i].headers, a.status);
        if (a.status == 401)
            assert_error(&a, 401, "API key is missing or wrong");
        answer_done(&a);
    }
    struct answer a = client_do(&s, "POST", CHAT, JSON_TYPE "Authorization: Bearer no\r\n", ASK(""));
    assert_error(&a, 401, "API key");
    answer_done(&a);
    service_end(&s);
}

static void other_origins_and_names_are_refused(void **state) {
    (void)state;
    static const char *const mine[] = {"http://localhost:3000"};
    static const struct {
        const char *headers;
        int status;
    } cases[] = {{"Origin: http://localhost\r\n", 200}, /* its own: the Host of these requests */
                 {"Origin: http://localhost:3000\r\n", 200},
                 {"Origin: http://localhost:3001\r\n", 403},
                 {"Origin: https://evil.example\r\n", 403},
                 {"Origin: null\r\n", 403},
                 {"", 200}};
    struct service s;
    service_begin(&s, hello);
    s.settings.origin = mine;
    s.settings.origins = 1;
    service_start(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = client_do(&s, "GET", "/v1/models", cases[i].headers, NULL);
        if (a.status != cases[i].status)
            fail_msg("%s: %d", cases[i].headers, a.status);
        bool allowed = strcasestr(lp_str_text(&a.all), "Access-Control-Allow-Origin: http://localhost");
        assert_int_equal(allowed, a.status == 200 && *cases[i].headers);
        answer_done(&a);
    }
    struct answer a = client_do(&s, "OPTIONS", CHAT, "Origin: http://localhost:3000\r\n", NULL);
    assert_int_equal(a.status, 204);
    answer_done(&a);
    /* A page whose name was made to point at this machine. */
    static const char rebound[] =
        "GET /v1/models HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n";
    int fd = client_connect(lp_server_port(s.server));
    client_send(fd, rebound, sizeof rebound - 1);
    a = client_read(fd);
    assert_error(&a, 403, "this machine only");
    answer_done(&a);
    service_end(&s);
}

static void beyond_this_machine_only_with_a_key(void **state) {
    (void)state;
    static const char *const hosts[] = {"0.0.0.0", "::", "192.0.2.1", "example.org", ""};
    struct service s;
    service_begin(&s, hello);
    for (int i = 0; i < 5; i++) {
        struct lp_error err = {0};
        s.settings.host = hosts[i];
        assert_null(lp_server_open(&s.settings, &s.agent, &err));
        assert_int_equal(err.code, LP_EUSAGE);
    }
    s.settings.host = "0.0.0.0";
    s.settings.key = "sesam";
    service_start(&s);
    struct answer a = client_do(&s, "GET", "/livez", "", NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    service_end(&s);
}

static void a_full_line_is_429(void **state) {
    (void)state;
    struct service s;
    int fd[3];
    service_begin(&s, hello);
    s.settings.most_waiting = 2;
    service_start(&s);
    atomic_store(&service_held, true);
    for (int i = 0; i < 3; i++) {
        fd[i] = client_connect(lp_server_port(s.server));
        client_ask(fd[i], "POST", CHAT, JSON_TYPE, ASK(""));
        wait_for(&s, i ? "llava_plus_queue_depth" : "llava_plus_planner_busy", i ? i : 1);
    }
    struct answer a = client_chat(&s, ASK(""));
    assert_error(&a, 429, "too many requests wait");
    assert_non_null(strcasestr(lp_str_text(&a.all), "\r\nRetry-After: "));
    answer_done(&a);
    a = client_do(&s, "GET", "/readyz", "", NULL);
    assert_int_equal(a.status, 503);
    answer_done(&a);
    atomic_store(&service_held, false);
    for (int i = 0; i < 3; i++) {
        a = client_read(fd[i]);
        assert_int_equal(a.status, 200);
        answer_done(&a);
    }
    service_end(&s);
}

static void who_goes_away_is_not_worked_for(void **state) {
    (void)state;
    struct service s;
    int fd[3];
    service_begin(&s, hello);
    service_start(&s);
    atomic_store(&service_held, true);
    for (int i = 0; i < 3; i++) { /* at work, with a stream at that; in line; in line and staying */
        fd[i] = client_connect(lp_server_port(s.server));
        client_ask(fd[i], "POST", CHAT, JSON_TYPE, i ? ASK("") : ASK(",\"stream\":true"));
        wait_for(&s, i ? "llava_plus_queue_depth" : "llava_plus_planner_busy", i ? i : 1);
    }
    close(fd[1]);
    wait_for(&s, "llava_plus_queue_depth", 1);
    close(fd[0]);
    nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
    atomic_store(&service_held, false);
    struct answer a = client_read(fd[2]);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    assert_true(metric(&s, "llava_plus_canceled_total") == 1);
    wait_for(&s, "llava_plus_requests_total{method=\"POST\",route=\"/v1/chat/completions\",status=\"499\"}", 2);
    service_end(&s);
}

static void *stop(void *server) {
    lp_server_stop(server);
    return NULL;
}

static void a_stop_finishes_what_runs(void **state) {
    (void)state;
    struct service s;
    pthread_t thread;
    int fd[2];
    service_begin(&s, hello);
    service_start(&s);
    int port = lp_server_port(s.server);
    atomic_store(&service_held, true);
    for (int i = 0; i < 2; i++) {
        fd[i] = client_connect(port);
        client_ask(fd[i], "POST", CHAT, JSON_TYPE, ASK(""));
        wait_for(&s, i ? "llava_plus_queue_depth" : "llava_plus_planner_busy", 1);
    }
    int late = client_connect(port);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    assert_int_equal(pthread_create(&thread, NULL, stop, s.server), 0);
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    client_ask(late, "POST", CHAT, JSON_TYPE, ASK(""));
    struct answer a = client_read(late);
    assert_error(&a, 503, "being stopped");
    answer_done(&a);
    atomic_store(&service_held, false);
    for (int i = 0; i < 2; i++) {
        a = client_read(fd[i]);
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(lp_str_text(&a.body), "Hello to you."));
        answer_done(&a);
    }
    pthread_join(thread, NULL);
    service_end(&s);
}

/* Closing while clients wait: they get an answer, and nothing hangs. */
static void a_close_ends_what_runs(void **state) {
    (void)state;
    struct service s;
    int fd[2];
    service_begin(&s, hello);
    service_start(&s);
    atomic_store(&service_held, true);
    for (int i = 0; i < 2; i++) {
        fd[i] = client_connect(lp_server_port(s.server));
        client_ask(fd[i], "POST", CHAT, JSON_TYPE, ASK(""));
        wait_for(&s, i ? "llava_plus_queue_depth" : "llava_plus_planner_busy", 1);
    }
    service_end(&s);
    for (int i = 0; i < 2; i++) {
        struct answer a = client_read(fd[i]);
        assert_true(a.status != 200);
        answer_done(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_models_and_metrics),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(malformed_bodies_are_refused),
        cmocka_unit_test(too_large_is_said),
        cmocka_unit_test(all_bodies_have_a_limit),
        cmocka_unit_test(a_key_is_needed_where_one_is_set),
        cmocka_unit_test(other_origins_and_names_are_refused),
        cmocka_unit_test(beyond_this_machine_only_with_a_key),
        cmocka_unit_test(a_full_line_is_429),
        cmocka_unit_test(who_goes_away_is_not_worked_for),
        cmocka_unit_test(a_stop_finishes_what_runs),
        cmocka_unit_test(a_close_ends_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
