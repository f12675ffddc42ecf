/* SPDX-License-Identifier: MIT */
/* What is fetched from an address that a stranger gave, and all that is not: over real sockets and TLS, from a server that may
 * be asked, while another that must not be listens at the same port of another address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/http.h"
#include "tls_stub.h"

#include <pthread.h>

/* Fetches; on failure `err` says why. */
static bool fetch(const struct lp_fetch_settings *s, const char *url, struct lp_error *err) {
    struct lp_str got = {0};
    *err = (struct lp_error){0};
    bool done = lp_fetch(s, url, NULL, &got, err);
    if (done && strcmp(lp_str_text(&got), lp_str_text(&tls.content)))
        fail_msg("%s: '%s'", url, lp_str_text(&got));
    lp_str_done(&got);
    return done;
}

static void expect(const char *url) {
    struct lp_error err;
    if (!fetch(&tls.settings, url, &err))
        fail_msg("%s: %s", url, err.text);
}

static void expect_refused(const struct lp_fetch_settings *s, const char *url, enum lp_code code, const char *says) {
    struct lp_error err;
    if (fetch(s, url, &err) || err.code != code || !strstr(err.text, says))
        fail_msg("%s: %d '%s', not '%s'", url, err.code, err.text, says);
    if (atomic_load(&tls.asked_secret))
        fail_msg("%s: the secret server was asked", url);
}

static void what_lies_there(void **state) {
    (void)state;
    char url[400], to[400], leading[8192];
    expect(tls_url("pictures.test", "/content", url));
    expect(tls_url("other.test", "/content?size=1#part", url));
    expect(tls_url(TLS_OPEN, "/content", url));
    atomic_store(&tls_name("pictures.test")->asked, 0);
    expect(tls_url("pictures.test.", "/content", url)); /* the name's root written out */
    assert_int_equal(atomic_load(&tls_name("pictures.test")->asked), 1);
    expect(tls_leading_to("/content", leading));
    expect(tls_leading_to(tls_url("other.test", "/content", to), leading));
}

/* %d is the port at which both servers listen. `says`: "" where it says that it must be a global address. */
static const struct {
    const char *url, *says;
} forbidden[] = {
    {"https://127.0.0.1:%d/content", ""},
    {"https://2130706433:%d/content", ""}, /* decimal, octal, hexadecimal, short, too large */
    {"https://0177.0.0.1:%d/content", ""},
    {"https://017700000001:%d/content", ""},
    {"https://0x7f.0.0.1:%d/content", ""},
    {"https://0x7f000001:%d/content", ""},
    {"https://127.1:%d/content", ""},
    {"https://127.0.0.1.:%d/content", ""},
    {"https://4294967296:%d/content", ""},
    {"https://%%31%%32%%37.0.0.1:%d/content", ""},
    {"https://127%%2e0%%2e0%%2e1:%d/content", ""},
    {"https://127\xe3\x80\x82" "0.0.1:%d/content", "no address"}, /* another dot */
    {"https://[::ffff:127.0.0.1]:%d/content", ""}, /* mapped, compatible, NAT64, 6to4, Teredo */
    {"https://[::ffff:7f00:1]:%d/content", ""},
    {"https://[::127.0.0.1]:%d/content", ""},
    {"https://[64:ff9b::127.0.0.1]:%d/content", ""},
    {"https://[2002:7f00:1::]:%d/content", ""},
    {"https://[2001:0:7f00:1::]:%d/content", ""},
    {"https://[::1]:%d/content", ""},
    {"https://[::]:%d/content", ""},
    {"https://0.0.0.0:%d/content", ""},
    {"https://0:%d/content", ""},
    {"https://10.0.0.1:%d/content", ""},
    {"https://100.64.0.1:%d/content", ""},
    {"https://169.254.169.254:%d/content", ""},
    {"https://[fd00::1]:%d/content", ""},
    {"https://localhost:%d/content", ""}, /* by a name */
    {"https://LOCALHOST:%d/content", ""},
    {"https://inside.test:%d/content", ""},
    {"https://both.test:%d/content", ""}, /* one address of it may be asked, the other not */
    {"https://nowhere.invalid:%d/content", ""},
    {"https://pictures.test/content", "only port"},
    {"https://pictures.test:22/content", "only port"},
    {"http://pictures.test:%d/content", "only https"},
    {"ftp://pictures.test:%d/content", "only https"},
    {"file:///etc/passwd", "no address"},
    {"https://user@pictures.test:%d/content", "no address"},
    {"https://user:word@pictures.test:%d/content", "no address"},
    {"https://pictures.test:%d@127.0.0.1/content", "no address"},
    {"https://127.0.0.1\\@pictures.test:%d/content", "no address"},
    {"https://[fe80::1%%25lo]:%d/content", "no address"},
    {"https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:%d/content", "no address"}, /* wide digits */
    {"https://pictures.test:%d/a b", "no address"},
    {"https://pictures.test:99999/content", "no address"},
    {"https://", "no address"},
};

static void forbidden_addresses(void **state) {
    (void)state;
    char url[400];
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        snprintf(url, sizeof url, forbidden[i].url, tls.port);
        expect_refused(&tls.settings, url, LP_EUSAGE, *forbidden[i].says ? forbidden[i].says : "not at global addresses only");
    }
    expect_refused(&tls.settings, "", LP_EUSAGE, "no address");
    expect_refused(&tls.settings, "/etc/passwd", LP_EUSAGE, "no address");
    char *longest = calloc(1, 5000);
    memset(longest, 'a', 4999);
    memcpy(longest, "https://", 8);
    expect_refused(&tls.settings, longest, LP_EUSAGE, "no address");
    free(longest);
}

/* A server that may be asked answers with an address that may not. */
static void redirects_to_forbidden_addresses(void **state) {
    (void)state;
    char url[400], leading[8192];
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        snprintf(url, sizeof url, forbidden[i].url, tls.port);
        int asked = atomic_load(&tls.asked);
        if (strchr(url, ' ') || !strcmp(url, "https://")) /* libcurl mends these: a blank is sent as %20, no host is a path */
            continue;
        expect_refused(&tls.settings, tls_leading_to(url, leading), LP_EUSAGE,
                       *forbidden[i].says ? forbidden[i].says : "not at global addresses only");
        assert_int_equal(atomic_load(&tls.asked), asked + 1);
    }
}

static void redirects_have_an_end(void **state) {
    (void)state;
    char first[8192], second[8192], third[8192], fourth[8192], url[400];
    tls_leading_to("/content", first);
    tls_leading_to(first, second);
    tls_leading_to(second, third);
    expect(third);
    expect_refused(&tls.settings, tls_leading_to(third, fourth), LP_EIO, "more than 3 redirects");
    expect_refused(&tls.settings, tls_url("pictures.test", "/nowhere", url), LP_EIO, "the status 302");
}

/* A name that means another address when it is looked up again. */
static void a_name_is_looked_up_once(void **state) {
    (void)state;
    struct tls_name *rebind = tls_name("rebind.test"), *pictures = tls_name("pictures.test");
    char url[400], to[400], leading[8192];
    tls_url("rebind.test", "/content", url);
    expect(url);
    assert_int_equal(atomic_load(&rebind->asked), 1); /* libcurl's questions come here, too: see below */
    expect_refused(&tls.settings, url, LP_EUSAGE, "not at global addresses only");

    atomic_store(&rebind->asked, 0); /* each hop is looked at anew */
    snprintf(leading, sizeof leading, "https://rebind.test:%d/to?url=%s", tls.port, tls_url("rebind.test", "/content", to));
    expect_refused(&tls.settings, leading, LP_EUSAGE, "not at global addresses only");
    assert_int_equal(atomic_load(&rebind->asked), 2);

    struct lp_error err = {0};
    struct lp_http_reply reply;
    const struct lp_http_settings plain = {.url = tls_url("pictures.test", "/content", url), .limit = 1 << 20, .wait_ms = 5000,
                                           .authorities = tls.authorities};
    atomic_store(&pictures->asked, 0);
    struct lp_http *http = lp_http_open(&plain, &err);
    assert_true(http && lp_http_get(http, NULL, &reply, &err));
    assert_int_equal(atomic_load(&pictures->asked), 1);
    lp_http_close(http);
}

/* The socket has the last word, whatever a name was thought to mean. */
static void the_socket_is_looked_at(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_http_reply reply;
    char url[400];
    struct lp_addresses at = {.n = 1};
    at.item[0].four = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, TLS_SECRET, &at.item[0].four.sin_addr);
    const struct lp_http_settings settings = {.url = tls_url("pictures.test", "/content", url), .limit = 1000, .wait_ms = 5000,
                                              .reach = &tls.settings.reach, .at = &at, .authorities = tls.authorities};
    struct lp_http *http = lp_http_open(&settings, &err);
    assert_non_null(http);
    assert_false(lp_http_get(http, NULL, &reply, &err));
    lp_http_close(http);
    assert_int_equal(atomic_load(&tls.asked_secret), 0);
}

static void only_who_is_certified(void **state) {
    (void)state;
    struct lp_fetch_settings system = tls.settings;
    char url[400];
    system.authorities = NULL;
    expect_refused(&system, tls_url("pictures.test", "/content", url), LP_EIO, "certificate");
    expect_refused(&tls.settings, tls_url("foreign.test", "/content", url), LP_EIO, "certificate");
}

static void no_proxy_is_asked(void **state) {
    (void)state;
    char url[400], proxy[60];
    snprintf(proxy, sizeof proxy, "http://" TLS_SECRET ":%d", tls.port);
    setenv("https_proxy", proxy, 1);
    setenv("all_proxy", proxy, 1);
    expect(tls_url("pictures.test", "/content", url));
    unsetenv("https_proxy");
    unsetenv("all_proxy");
    assert_int_equal(atomic_load(&tls.asked_secret), 0);
}

static void what_is_not_there(void **state) {
    (void)state;
    char url[400];
    expect_refused(&tls.settings, tls_url("pictures.test", "/missing", url), LP_EIO, "pictures.test answers with the status 404");
}

static void what_is_too_large(void **state) {
    (void)state;
    struct lp_fetch_settings small = tls.settings;
    char url[400];
    small.limit = tls.content.n - 1;
    expect_refused(&small, tls_url("pictures.test", "/content", url), LP_EINPUT, "more than");
    small.limit = 1 << 20;
    expect_refused(&small, tls_url("pictures.test", "/pour", url), LP_EINPUT, "more than 1024 KiB");
    expect_refused(&small, tls_url("pictures.test", "/headers", url), LP_EINPUT, "headers of more than 64 KiB");
    small.limit = tls.content.n;
    struct lp_error err;
    assert_true(fetch(&small, tls_url("pictures.test", "/content", url), &err));
}

static void what_takes_too_long(void **state) {
    (void)state;
    struct lp_fetch_settings hasty = tls.settings;
    char url[400], leading[8192];
    double began = lp_clock_ms();
    hasty.wait_ms = 300;
    expect_refused(&hasty, tls_url("pictures.test", "/silent", url), LP_EIO, "longer than");
    expect_refused(&hasty, tls_url("pictures.test", "/drip", url), LP_EIO, "longer than");
    expect_refused(&hasty, tls_leading_to("/drip", leading), LP_EIO, "longer than");
    expect_refused(&hasty, tls_url("slow.test", "/content", url), LP_EUSAGE, "is not found");
    assert_true(lp_clock_ms() - began < 4 * 1000);
}

static void *cancel_soon(void *cancel) {
    tls_pause(100);
    atomic_store((atomic_bool *)cancel, true);
    return NULL;
}

static void canceled(void **state) {
    (void)state;
    static const char *const hosts[] = {"pictures.test", "slow.test"};
    for (int i = 0; i < 2; i++) {
        atomic_bool cancel = false;
        struct lp_error err = {0};
        struct lp_str got = {0};
        pthread_t thread;
        char url[400];
        double began = lp_clock_ms();
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
        assert_false(lp_fetch(&tls.settings, tls_url(hosts[i], "/drip", url), &cancel, &got, &err));
        assert_int_equal(err.code, LP_ECANCELED);
        assert_true(lp_clock_ms() - began < 1000);
        pthread_join(thread, NULL);
        lp_str_done(&got);
    }
}

static void out_of_memory(void **state) {
    (void)state;
    struct lp_error err;
    char url[400], leading[8192];
    tls_leading_to(tls_url("other.test", "/content", url), leading);
    bool done = false;
    for (long n = 1; !done && n < 1000; n++) {
        lp_test_fail_alloc(n);
        done = fetch(&tls.settings, leading, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        if (!done && (err.code != LP_EMEMORY || !failed))
            fail_msg("%ld: %d %s", n, err.code, err.text);
    }
    assert_true(done);
}

/* The tests above can fail: the secret server answers who may ask it. */
static void the_secret_server_is_there(void **state) {
    (void)state;
    struct lp_fetch_settings all = tls.settings;
    struct lp_error err;
    char url[400];
    assert_true(lp_reach_add(&all.reach, TLS_SECRET, &err));
    snprintf(url, sizeof url, "https://2130706433:%d/content", tls.port);
    assert_true(fetch(&all, url, &err));
    assert_true(fetch(&all, tls_url("both.test", "/content", url), &err));
    assert_true(atomic_load(&tls.asked_secret) > 0);
}

static int start(void **state) {
    (void)state;
    for (int i = 0; i < 3000; i++)
        lp_str_printf(&tls.content, "%d ", i);
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
        cmocka_unit_test(what_lies_there),
        cmocka_unit_test(forbidden_addresses),
        cmocka_unit_test(redirects_to_forbidden_addresses),
        cmocka_unit_test(redirects_have_an_end),
        cmocka_unit_test(a_name_is_looked_up_once),
        cmocka_unit_test(the_socket_is_looked_at),
        cmocka_unit_test(only_who_is_certified),
        cmocka_unit_test(no_proxy_is_asked),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(what_is_too_large),
        cmocka_unit_test(what_takes_too_long),
        cmocka_unit_test(canceled),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(the_secret_server_is_there),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
