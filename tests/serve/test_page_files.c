/* SPDX-License-Identifier: MIT */
/* The page's files as the server sends them, over real sockets. tests/serve/test_page.c uses the page in a browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/client.h"
#include "serve/page.h"

static const char *const silent[] = {NULL};

static void assert_has(const struct answer *a, const char *text) {
    if (!strstr(lp_str_text(&a->all), text))
        fail_msg("no '%s' in %.900s", text, lp_str_text(&a->all));
}

static void every_file_is_sent_as_what_it_is(void **state) {
    (void)state;
    struct service s;
    service_begin(&s, silent);
    service_start(&s);
    for (int i = 0; i < lp_page_files_count; i++) {
        const struct lp_page_file *f = &lp_page_files[i];
        char path[80], type[80];
        snprintf(path, sizeof path, i ? "/page/%s" : "/", f->name);
        snprintf(type, sizeof type, "Content-Type: %s\r\n", f->type);
        struct answer a = client_do(&s, "GET", path, "", NULL);
        assert_int_equal(a.status, 200);
        assert_has(&a, type);
        assert_has(&a, f->tag);
        assert_has(&a, "Cache-Control: no-cache\r\n");
        assert_has(&a, "Content-Security-Policy: default-src 'none'; script-src 'self';");
        assert_int_equal(a.body.n, f->n);
        assert_memory_equal(a.body.s, f->bytes, f->n);
        answer_done(&a);
    }
    service_end(&s);
}

static void what_is_known_is_not_sent_again(void **state) {
    (void)state;
    struct service s;
    char header[120];
    service_begin(&s, silent);
    service_start(&s);
    snprintf(header, sizeof header, "If-None-Match: W/\"other\", %s\r\n", lp_page_files[0].tag);
    struct answer a = client_do(&s, "GET", "/", header, NULL);
    assert_int_equal(a.status, 304);
    assert_int_equal(a.body.n, 0);
    answer_done(&a);
    a = client_do(&s, "GET", "/", "If-None-Match: \"other\"\r\n", NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    service_end(&s);
}

static void nothing_else_is_there(void **state) {
    (void)state;
    static const char *const paths[] = {"/page/", "/page/index.html", "/page/embed.cmake", "/page/../main.js", "/page/%2e%2e/http.c",
                                        "/main.js", "/page/main.js/x", "/nothing"};
    struct service s;
    service_begin(&s, silent);
    service_start(&s);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct answer a = client_do(&s, "GET", paths[i], "", NULL);
        assert_int_equal(a.status, 404);
        answer_done(&a);
    }
    struct answer a = client_do(&s, "POST", "/", JSON_TYPE, "{}");
    assert_int_equal(a.status, 405);
    answer_done(&a);
    service_end(&s);
}

/* The page holds nothing but itself, and asks for the key. */
static void the_page_needs_no_key(void **state) {
    (void)state;
    struct service s;
    service_begin(&s, silent);
    s.settings.key = "secret";
    service_start(&s);
    struct answer a = client_do(&s, "GET", "/", "", NULL);
    assert_int_equal(a.status, 200);
    answer_done(&a);
    a = client_do(&s, "GET", "/v1/sessions", "", NULL);
    assert_int_equal(a.status, 401);
    answer_done(&a);
    service_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_sent_as_what_it_is),
        cmocka_unit_test(what_is_known_is_not_sent_again),
        cmocka_unit_test(nothing_else_is_there),
        cmocka_unit_test(the_page_needs_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
