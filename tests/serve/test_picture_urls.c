/* SPDX-License-Identifier: MIT */
/* Pictures at https addresses, over real sockets: fetched where the server may, refused in one sentence where not. What an
 * address must be is tests/base/test_fetch.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "serve/client.h"
#include "serve/talk.h"
#include "tls_stub.h"

static const char *const reads[] = {TURN("I read it.", "[" CALL("ocr", "") "]", "I will use ocr."),
                                    TURN("Thanks to the output of ocr.", "[]", "It says: {text_1}."), NULL};
static const char *const counts[] = {TURN("Nothing to run.", "[]", "One two three."), NULL};

/* A server that fetches from the open stub. */
static void begin(struct service *s, const char *const *script) {
    service_begin(s, script);
    s->settings.pictures = &tls.settings;
}

/* A request about one picture. */
static const char *about(const char *url, char body[9000]) {
    snprintf(body, 9000,
             "{\"model\":\"llava-fake\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"What does it "
             "say?\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"%s\"}}]}]}",
             url);
    return body;
}

/* Both ways to bring a picture refuse an address with 400 and these words. */
static void expect_refused(const struct service *s, const char *url, const char *says) {
    char body[9000], session[80];
    struct answer chat = client_chat(s, about(url, body));
    if (chat.status != 400 || !strstr(lp_str_text(&chat.body), says) ||
        !strstr(lp_str_text(&chat.body), "\"param\":\"messages\""))
        fail_msg("%s: %s", url, lp_str_text(&chat.all));
    answer_done(&chat);
    talk_begin(lp_server_port(s->server), "", session);
    snprintf(body, sizeof body, "{\"image\":\"%s\"}", url);
    struct answer added = talk_do(lp_server_port(s->server), "POST", session, "/images", JSON_TYPE, body);
    if (added.status != 400 || !strstr(lp_str_text(&added.body), says) ||
        !strstr(lp_str_text(&added.body), "\"param\":\"image\""))
        fail_msg("%s: %s", url, lp_str_text(&added.all));
    answer_done(&added);
}

static void not_unless_it_is_switched_on(void **state) {
    (void)state;
    struct service s;
    char url[400];
    service_begin(&s, counts);
    service_start(&s);
    int asked = atomic_load(&tls.asked);
    expect_refused(&s, tls_url("pictures.test", "/content", url), "not fetched unless the server has --picture-urls");
    expect_refused(&s, "file:///etc/passwd", "files are not read");
    expect_refused(&s, "/etc/passwd", "files are not read");
    assert_int_equal(atomic_load(&tls.asked), asked);
    service_end(&s);
}

static void a_picture_of_a_chat(void **state) {
    (void)state;
    struct service s;
    char url[400], body[9000], leading[8192];
    begin(&s, reads);
    service_start(&s);
    const char *const urls[] = {tls_url("pictures.test", "/content", url), tls_leading_to(url, leading)};
    for (int i = 0; i < 2; i++) {
        struct answer a = client_chat(&s, about(urls[i], body));
        if (a.status != 200 || !strstr(lp_str_text(&a.body), "It says: OPEN DAILY\\n9AM-6PM."))
            fail_msg("%s", lp_str_text(&a.all));
        answer_done(&a);
    }
    service_end(&s);
}

/* In their order, among those that came with the request. */
static void several_pictures(void **state) {
    (void)state;
    struct service s;
    struct lp_str body = {0}, png = talk_picture(5, 4, 9);
    begin(&s, counts);
    service_start(&s);
    lp_str_puts(&body, "{\"model\":\"llava-fake\",\"messages\":[{\"role\":\"user\",\"content\":[");
    for (int i = 0; i < 3; i++) {
        char url[400];
        lp_str_puts(&body, "{\"type\":\"image_url\",\"image_url\":{\"url\":\"");
        if (i == 1) {
            lp_str_puts(&body, "data:image/png;base64,");
            lp_base64_add(&body, (const uint8_t *)png.s, png.n);
        } else {
            lp_str_puts(&body, tls_url(i ? "other.test" : "pictures.test", "/content", url));
        }
        lp_str_puts(&body, "\"}},");
    }
    lp_str_puts(&body, "{\"type\":\"text\",\"text\":\"Count\"}]}]}");
    struct answer a = client_chat(&s, body.s);
    if (a.status != 200)
        fail_msg("%s", lp_str_text(&a.all));
    answer_done(&a);
    const struct lp_objects *objects = &s.agent.talk.objects;
    assert_int_equal(objects->n, 3);
    assert_int_equal(objects->item[1]->picture->width, 5);
    assert_int_equal(objects->item[0]->picture->width, objects->item[2]->picture->width);
    assert_true(objects->item[0]->picture->width > 100);
    lp_str_done(&body);
    lp_str_done(&png);
    service_end(&s);
}

static void a_picture_of_a_session(void **state) {
    (void)state;
    struct service s;
    char url[400], session[80], body[500];
    begin(&s, counts);
    service_start(&s);
    talk_begin(lp_server_port(s.server), "", session);
    snprintf(body, sizeof body, "{\"image\":\"%s\"}", tls_url("pictures.test", "/content", url));
    struct answer a = talk_do(lp_server_port(s.server), "POST", session, "/images", JSON_TYPE, body);
    if (a.status != 201 || !strstr(lp_str_text(&a.body), "{\"handle\":\"img_1\",\"kind\":\"img\",\"width\":"))
        fail_msg("%s", lp_str_text(&a.all));
    answer_done(&a);
    assert_int_equal(talk_add(lp_server_port(s.server), session, 4, 4, 1), 201); /* other ways are as they were */
    a = talk_do(lp_server_port(s.server), "POST", session, "/images", JSON_TYPE, "{\"image\":\"img_1\"}");
    assert_int_equal(a.status, 201);
    answer_done(&a);
    a = talk_do(lp_server_port(s.server), "POST", "/v1/sessions/sess_0", "/images", JSON_TYPE, body);
    assert_int_equal(a.status, 404);
    answer_done(&a);
    service_end(&s);
}

static void what_is_refused(void **state) {
    (void)state;
    struct service s;
    struct lp_fetch_settings settings = tls.settings;
    char url[400], leading[8192];
    begin(&s, counts);
    settings.limit = 1 << 20;
    s.settings.pictures = &settings;
    service_start(&s);
    expect_refused(&s, "file:///etc/passwd", "nothing else is fetched");
    expect_refused(&s, "/etc/passwd", "nothing else is fetched");
    expect_refused(&s, "http://pictures.test/a.png", "nothing else is fetched");
    expect_refused(&s, tls_url("127.0.0.1", "/content", url), "not at global addresses only");
    expect_refused(&s, tls_url("2130706433", "/content", url), "not at global addresses only");
    expect_refused(&s, tls_url("[::ffff:127.0.0.1]", "/content", url), "not at global addresses only");
    expect_refused(&s, tls_leading_to(tls_url("inside.test", "/content", url), leading), "not at global addresses only");
    expect_refused(&s, tls_leading_to("http://pictures.test/content", leading), "only https");
    expect_refused(&s, tls_url("pictures.test", "/missing", url), "\"code\":\"invalid_image_url\"");
    expect_refused(&s, tls_url("pictures.test", "/pour", url), "more than 1024 KiB");
    settings.wait_ms = 500;
    expect_refused(&s, tls_url("pictures.test", "/drip", url), "longer than");
    settings.wait_ms = tls.settings.wait_ms;
    expect_refused(&s, tls_url("pictures.test", "/empty", url), "'a picture' is");
    struct lp_str picture = tls.content;
    tls.content = (struct lp_str){0};
    lp_str_puts(&tls.content, "<html>said to be image/png</html>");
    expect_refused(&s, tls_url("pictures.test", "/content", url), "'a picture' is");
    lp_str_done(&tls.content);
    tls.content = picture;
    assert_int_equal(atomic_load(&tls.asked_secret), 0);
    service_end(&s);
}

static void wait_running(int n) {
    double began = lp_clock_ms();
    while (atomic_load(&tls.running) != n) {
        if (lp_clock_ms() - began > 10000)
            fail_msg("%d run, not %d", atomic_load(&tls.running), n);
        tls_pause(5);
    }
}

static int ask_slowly(const struct service *s) {
    char url[400], body[9000];
    int fd = client_connect(lp_server_port(s->server));
    client_ask(fd, "POST", CHAT, JSON_TYPE, about(tls_url("pictures.test", "/drip", url), body));
    return fd;
}

/* Who waits for a slow picture holds nobody up, and when it goes away the picture is fetched no longer. */
static void slow_pictures_hold_nobody_up(void **state) {
    (void)state;
    struct service s;
    begin(&s, counts);
    service_start(&s);
    wait_running(0);
    int slow = ask_slowly(&s);
    wait_running(1);
    struct answer a = client_chat(&s, "{\"model\":\"llava-fake\",\"messages\":[{\"role\":\"user\",\"content\":\"Count\"}]}");
    assert_int_equal(a.status, 200);
    answer_done(&a);
    assert_int_equal(atomic_load(&tls.running), 1);
    double began = lp_clock_ms();
    close(slow);
    wait_running(0);
    assert_true(lp_clock_ms() - began < 1000);
    wait_for(&s, "llava_plus_requests_open", 1);
    service_end(&s);
}

static void many_slow_pictures_are_429(void **state) {
    (void)state;
    enum { FETCHERS = 8 };
    struct service s;
    int fd[FETCHERS];
    begin(&s, counts);
    s.settings.most_waiting = 0;
    service_start(&s);
    for (int i = 0; i < FETCHERS; i++)
        fd[i] = ask_slowly(&s);
    wait_running(FETCHERS);
    struct answer a = client_read(ask_slowly(&s));
    assert_int_equal(a.status, 429);
    assert_non_null(strstr(lp_str_text(&a.all), "Retry-After: 1"));
    answer_done(&a);
    for (int i = 0; i < FETCHERS; i++)
        close(fd[i]);
    wait_running(0);
    service_end(&s);
}

/* A server that is stopped in a hurry waits for no picture. */
static void the_end_of_the_server(void **state) {
    (void)state;
    struct service s;
    begin(&s, counts);
    service_start(&s);
    int fd = ask_slowly(&s);
    wait_running(1);
    double began = lp_clock_ms();
    service_end(&s);
    assert_true(lp_clock_ms() - began < 2000);
    close(fd);
    wait_running(0);
}

static int start(void **state) {
    (void)state;
    size_t n;
    char *sign = lp_file_read(LP_SOURCE_DIR "/examples/sign.jpg", 1 << 24, &n, NULL);
    assert_non_null(sign);
    lp_str_add(&tls.content, sign, n);
    lp_free(sign);
    tls_start();
    return 0;
}

static int stop(void **state) {
    (void)state;
    tls_stop();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_unless_it_is_switched_on), cmocka_unit_test(a_picture_of_a_chat),
        cmocka_unit_test(several_pictures),             cmocka_unit_test(a_picture_of_a_session),
        cmocka_unit_test(what_is_refused),              cmocka_unit_test(slow_pictures_hold_nobody_up),
        cmocka_unit_test(many_slow_pictures_are_429),   cmocka_unit_test(the_end_of_the_server),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
