/* SPDX-License-Identifier: MIT */
/* The controller over real sockets, its workers of the original's kind: the tables of its protocol, and what happens
 * when workers are slow, lie or die. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/peer.h"

static void requests_and_their_answers(void **state) {
    (void)state;
    struct control c;
    control_begin(&c);
    control_start(&c);
    expect(c.server, "/list_models", NULL, "{\"models\":[]}");
    expect(c.server, "/get_worker_address", "{\"model\":\"ocr\"}", "{\"address\":\"\"}");
    expect(c.server, "/receive_heart_beat", "{\"worker_name\":\"http://localhost:1\",\"queue_length\":0}", "{\"exist\":false}");
    expect(c.server, "/worker_get_status", NULL, "{\"model_names\":[],\"speed\":0,\"queue_length\":0}");
    expect(c.server, "/refresh_all_workers", NULL, "null");
    enlist(&c, "http://localhost:1", "\"ocr\",\"easyocr\"", true);
    enlist(&c, "http://localhost:2", "\"sam\",\"ocr\"", true);
    expect(c.server, "/list_models", NULL, "{\"models\":[\"ocr\",\"easyocr\",\"sam\"]}");
    expect(c.server, "/list_language_models", NULL, "{\"models\":[\"ocr\",\"easyocr\",\"sam\"]}");
    expect(c.server, "/list_multimodal_models", NULL, "{\"models\":[]}");
    expect(c.server, "/receive_heart_beat", "{\"worker_name\":\"http://localhost:1\",\"queue_length\":2}", "{\"exist\":true}");
    expect(c.server, "/worker_get_status", NULL, "{\"model_names\":[\"ocr\",\"easyocr\",\"sam\"],\"speed\":2,\"queue_length\":2}");
    /* the least queue; each answer counts as a request */
    expect(c.server, "/get_worker_address", "{\"model\":\"ocr\"}", "{\"address\":\"http://localhost:2\"}");
    expect(c.server, "/get_worker_address", "{\"model\":\"ocr\"}", "{\"address\":\"http://localhost:2\"}");
    expect(c.server, "/get_worker_address", "{\"model\":\"ocr\"}", "{\"address\":\"http://localhost:1\"}");
    expect(c.server, "/get_worker_address", "{\"model\":\"OCR\"}", "{\"address\":\"\"}");
    /* registering again replaces */
    enlist(&c, "http://localhost:1", "\"ram\"", true);
    expect(c.server, "/list_models", NULL, "{\"models\":[\"ram\",\"sam\",\"ocr\"]}");
    control_end(&c);
}

static void what_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *path, *body, *says;
    } cases[] = {
        {"/register_worker", "{", "not valid JSON"},
        {"/register_worker", "[]", "JSON object"},
        {"/register_worker", "{\"check_heart_beat\":true}", "'worker_name'"},
        {"/register_worker", "{\"worker_name\":\"http://localhost:1\"}", "'check_heart_beat'"},
        {"/get_worker_address", "{}", "'model'"},
        {"/get_worker_address", "{\"model\":7}", "'model'"},
        {"/receive_heart_beat", "{\"worker_name\":\"http://localhost:1\"}", "'queue_length'"},
        {"/receive_heart_beat", "{\"worker_name\":\"http://localhost:1\",\"queue_length\":-1}", "'queue_length'"},
        {"/worker_generate_stream", "{}", "'model'"},
        {"/worker_generate_stream", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "no deep one"},
    };
    struct control c;
    control_begin(&c);
    control_start(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_status(c.server, cases[i].path, cases[i].body, 400, cases[i].says);
    struct answer a = client_do(&(struct service){.server = c.server}, "GET", "/list_models", "", NULL);
    assert_int_equal(a.status, 405);
    answer_done(&a);
    control_end(&c);
}

/* Registering is always answered with null; these do not become workers. */
static void workers_that_are_none(void **state) {
    (void)state;
    static const char *const bodies[] = {
#define REGISTER(name, status) "{\"worker_name\":\"" name "\",\"check_heart_beat\":true,\"worker_status\":" status "}"
        REGISTER("localhost:1", STATUS("\"a\"")),
        REGISTER("file:///etc/passwd", STATUS("\"a\"")),
        REGISTER("http://10.1.2.3:1", STATUS("\"a\"")), /* not this machine */
        REGISTER("http://169.254.169.254", STATUS("\"a\"")),
        REGISTER("http://2130706433.example.invalid", STATUS("\"a\"")),
        REGISTER("http://[::ffff:10.1.2.3]:1", STATUS("\"a\"")),
        REGISTER("http://user:word@localhost:1", STATUS("\"a\"")),
        REGISTER("http://localhost:1/?x", STATUS("\"a\"")),
        REGISTER("http://localhost:1", "{}"),
        REGISTER("http://localhost:1", "{\"model_names\":\"a\",\"speed\":1,\"queue_length\":0}"),
        REGISTER("http://localhost:1", "{\"model_names\":[7],\"speed\":1,\"queue_length\":0}"),
        REGISTER("http://localhost:1", "{\"model_names\":[\"a\"],\"speed\":-1,\"queue_length\":0}"),
        REGISTER("http://localhost:1", "{\"model_names\":[\"a\"],\"speed\":1,\"queue_length\":-1}"),
        REGISTER("http://localhost:1", "null"), /* asked, and nobody is there */
    };
    struct control c;
    control_begin(&c);
    control_start(&c);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        expect(c.server, "/register_worker", bodies[i], "null");
    expect(c.server, "/list_models", NULL, "{\"models\":[]}");
    control_end(&c);
}

static void a_worker_without_a_state_is_asked(void **state) {
    (void)state;
    struct control c;
    struct peer p = {.status = STATUS("\"blip2\"")};
    char body[200];
    control_begin(&c);
    control_start(&c);
    peer_start(&p);
    snprintf(body, sizeof body, "{\"worker_name\":\"%s\",\"check_heart_beat\":false,\"worker_status\":null}", p.url);
    expect(c.server, "/register_worker", body, "null");
    expect(c.server, "/list_models", NULL, "{\"models\":[\"blip2\"]}");
    assert_int_equal(p.asked, 1);
    peer_stop(&p);
    control_end(&c);
}

/* Who answers stays, with its new state; who is dead goes; who is busy but alive stays. */
static void a_refresh_asks_all(void **state) {
    (void)state;
    struct control c;
    struct peer well = {.status = STATUS("\"well\",\"new\"")}, busy = {.status = NULL}, mute = {.status = NULL};
    control_begin(&c);
    control_start(&c);
    peer_start(&well);
    peer_start(&busy);
    peer_start(&mute);
    enlist(&c, well.url, "\"well\"", true);
    enlist(&c, "http://127.0.0.1:1", "\"dead\"", true);
    enlist(&c, busy.url, "\"busy\"", true);
    enlist(&c, mute.url, "\"mute\"", false); /* without heart beats nothing tells that it lives */
    double began = lp_clock_ms();
    expect(c.server, "/refresh_all_workers", NULL, "null");
    assert_true(lp_clock_ms() - began < 9000); /* five seconds for all together */
    expect(c.server, "/list_models", NULL, "{\"models\":[\"well\",\"new\",\"busy\"]}");
    peer_stop(&well);
    peer_stop(&busy);
    peer_stop(&mute);
    control_end(&c);
}

static void a_worker_that_is_not_heard_is_forgotten(void **state) {
    (void)state;
    struct control c;
    control_begin(&c);
    c.settings.expiry_s = 0.5;
    control_start(&c);
    enlist(&c, "http://localhost:1", "\"silent\"", true);
    enlist(&c, "http://localhost:2", "\"unchecked\"", false);
    wait_answer(c.server, "/list_models", "{\"models\":[\"unchecked\"]}");
    expect(c.server, "/receive_heart_beat", "{\"worker_name\":\"http://localhost:1\",\"queue_length\":0}", "{\"exist\":false}");
    enlist(&c, "http://localhost:1", "\"silent\"", true);
    for (int i = 0; i < 10; i++) { /* a second of beats */
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        expect(c.server, "/receive_heart_beat", "{\"worker_name\":\"http://localhost:1\",\"queue_length\":0}", "{\"exist\":true}");
    }
    control_end(&c);
}

#define FRAME(text) "{\"text\": \"" text "\", \"error_code\": 0}\0"
#define STREAM(bytes) .stream = bytes, .stream_n = sizeof bytes - 1

static struct answer ask_for(struct control *c, const char *model) {
    char body[64];
    snprintf(body, sizeof body, "{\"model\":\"%s\",\"prompt\":\"Hi\"}", model);
    struct answer a = post(c->server, "/worker_generate_stream", body);
    assert_int_equal(a.status, 200);
    return a;
}

static void a_stream_is_passed_on(void **state) {
    (void)state;
    static const char said[] = FRAME("Hi") "\0" FRAME("Hi the") FRAME("Hi there");
    struct control c;
    struct peer p = {STREAM(said)};
    control_begin(&c);
    control_start(&c);
    peer_start(&p);
    enlist(&c, p.url, "\"m\"", true);
    struct answer a = ask_for(&c, "m");
    static const char wanted[] = FRAME("Hi") FRAME("Hi the") FRAME("Hi there");
    assert_int_equal(a.body.n, sizeof wanted - 1);
    assert_memory_equal(a.body.s, wanted, sizeof wanted - 1);
    assert_string_equal(p.last, "{\"model\":\"m\",\"prompt\":\"Hi\"}"); /* the worker got what the client sent */
    answer_done(&a);
    peer_stop(&p);
    control_end(&c);
}

/* One error frame, the last; what was whole before it has come. */
static void a_stream_that_fails(void **state) {
    (void)state;
    static const char half[] = FRAME("Hi") "{\"text\": \"Hi th", no_json[] = FRAME("Hi") "Hi there\0",
                      no_text[] = FRAME("Hi") "{\"error_code\": 0}\0", own[] = FRAME("Hi") "{\"text\": \"no\", \"error_code\": 1}\0";
    const struct {
        const char *model, *stream;
        size_t n;
        bool dies;
        int frames;
        const char *code;
    } cases[] = {{"m", half, sizeof half - 1, true, 2, "\"error_code\": 3"},
                 {"m", half, sizeof half - 1, false, 2, "\"error_code\": 3"},
                 {"m", FRAME("Hi"), sizeof FRAME("Hi") - 1, true, 2, "\"error_code\": 3"},
                 {"m", no_json, sizeof no_json - 1, false, 2, "\"error_code\": 3"},
                 {"m", no_text, sizeof no_text - 1, false, 2, "\"error_code\": 3"},
                 {"m", own, sizeof own - 1, false, 2, "\"error_code\": 1"},
                 {"other", "", 0, false, 1, "\"error_code\": 2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct control c;
        struct peer p = {.stream = cases[i].stream, .stream_n = cases[i].n, .dies = cases[i].dies};
        control_begin(&c);
        control_start(&c);
        peer_start(&p);
        enlist(&c, p.url, "\"m\"", true);
        struct answer a = ask_for(&c, cases[i].model);
        if (frames_in(&a.body) != cases[i].frames || !strstr(last_frame(&a.body), cases[i].code) || a.body.s[a.body.n - 1])
            fail_msg("case %zu: %d frames, '%s'", i, frames_in(&a.body), last_frame(&a.body));
        answer_done(&a);
        peer_stop(&p);
        control_end(&c);
    }
}

static void a_worker_that_is_gone(void **state) {
    (void)state;
    struct control c;
    control_begin(&c);
    control_start(&c);
    enlist(&c, "http://127.0.0.1:1", "\"m\"", true);
    struct answer a = ask_for(&c, "m");
    assert_int_equal(frames_in(&a.body), 1);
    assert_non_null(strstr(last_frame(&a.body), "\"error_code\": 3"));
    assert_non_null(strstr(last_frame(&a.body), "**NETWORK ERROR DUE TO HIGH TRAFFIC."));
    answer_done(&a);
    control_end(&c);
}

/* A worker that says nothing: the client gets signs of life, and gone it frees the place. */
static void a_silent_worker(void **state) {
    (void)state;
    struct control c;
    struct peer p = {.stream = NULL};
    control_begin(&c);
    c.settings.silence_s = 3;
    control_start(&c);
    peer_start(&p);
    enlist(&c, p.url, "\"m\"", true);
    char body[] = "{\"model\":\"m\"}";
    int fd = client_connect(lp_server_port(c.server));
    client_ask(fd, "POST", "/worker_generate_stream", JSON_TYPE, body);
    wait_count(&p.asked, 1);
    close(fd);
    struct service s = {.server = c.server};
    wait_for(&s, "llava_plus_working", 0);
    control_end(&c);
    peer_stop(&p);
}

static void keys(void **state) {
    (void)state;
    static const char beat[] = "{\"worker_name\":\"http://localhost:1\",\"queue_length\":0}";
    const struct {
        const char *path, *header;
        int status;
    } cases[] = {{"/list_models", "", 401},
                 {"/list_models", "Authorization: Bearer all\r\n", 200},
                 {"/list_models", "Authorization: Bearer workers\r\n", 401},
                 {"/list_models", "Authorization: Basic eDphbGw=\r\n", 200}, /* x:all, of http://x:all@host */
                 {"/list_models", "Authorization: Basic eDpubw==\r\n", 401},
                 {"/receive_heart_beat", "Authorization: Bearer all\r\n", 401},
                 {"/receive_heart_beat", "Authorization: Bearer workers\r\n", 200},
                 {"/list_models", "Authorization: Bearer all\r\nOrigin: http://elsewhere\r\n", 403}};
    struct control c;
    control_begin(&c);
    c.server_settings.key = "all";
    c.server_settings.worker_key = "workers";
    control_start(&c);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer a = client_do(&(struct service){.server = c.server}, "POST", cases[i].path, cases[i].header, beat);
        if (a.status != cases[i].status)
            fail_msg("case %zu: %d", i, a.status);
        answer_done(&a);
    }
    control_end(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_their_answers),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(workers_that_are_none),
        cmocka_unit_test(a_worker_without_a_state_is_asked),
        cmocka_unit_test(a_refresh_asks_all),
        cmocka_unit_test(a_worker_that_is_not_heard_is_forgotten),
        cmocka_unit_test(a_stream_is_passed_on),
        cmocka_unit_test(a_stream_that_fails),
        cmocka_unit_test(a_worker_that_is_gone),
        cmocka_unit_test(a_silent_worker),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
